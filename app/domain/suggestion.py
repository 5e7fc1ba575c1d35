"""Which matter a text is about: the best three leaves of the category tree by their keywords.

The baseline of the data's README: right about six times in ten, so it suggests and never decides (domain.md, 3.4).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.county import County
from app.domain.text import Words, plain, words_of

BEST = 3
TITLE_WEIGHT = 4.0
TEXT_WEIGHT = 0.5
COUNTED = 3
"""Hits of one keyword in the text that count: a word said ten times is not more of a hint than said three times."""
DOUBT = 2.0
"""Added to the scores before shares are taken, so that one weak hit alone is not certain: by it the confidence tells
most nearly how often the first level is right in 716 labelled messages (Brier 0.233; as plain shares 0.259)."""
LEAF = 2


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One category that may be meant. `confidence`: its share (0 to 1) of the scores of the best three and a doubt.

    `words`: the keywords that speak for it, those in the title first.
    """

    category_id: int
    score: float
    confidence: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keywords:
    """The keywords of one county's leaves; `build` makes it, once per edition."""

    categories: Mapping[str, tuple[int, ...]]
    codes: Mapping[int, str]
    words: Words

    def suggest(self, title: str, text: str) -> tuple[Suggestion, ...]:
        """At most three leaves, the best first; ties in the order of their codes. Empty where no keyword is found."""
        scores: dict[int, float] = {}
        words: dict[int, dict[str, None]] = {}
        in_title = dict.fromkeys(self._keywords_in(title), TITLE_WEIGHT)
        in_text = {word: TEXT_WEIGHT * min(n, COUNTED) for word, n in Counter(self._keywords_in(text)).items()}
        for found in (in_title, in_text):
            for word, weight in found.items():
                for category in self.categories[word]:
                    scores[category] = scores.get(category, 0) + weight * len(word)
                    words.setdefault(category, {})[word] = None
        best = sorted(scores, key=lambda c: (-scores[c], self.codes[c]))[:BEST]
        total = DOUBT + sum(scores[c] for c in best)
        return tuple(Suggestion(c, scores[c], scores[c] / total, tuple(words[c])) for c in best)

    def _keywords_in(self, text: str) -> list[str]:
        return [word for _, found in self.words.occurrences(plain(text).casefold()) for word in found]


def build(county: County) -> Keywords:
    """Reads the keywords of the county's leaves; one keyword may belong to several."""
    leaves = [c for c in sorted(county.categories.values(), key=lambda c: c.code) if c.level == LEAF]
    categories: dict[str, dict[int, None]] = {}
    for leaf in leaves:
        for word in leaf.keywords:
            categories.setdefault(plain(word).casefold(), {})[leaf.id] = None
    return Keywords(
        categories={word: tuple(ids) for word, ids in categories.items()},
        codes={leaf.id: leaf.code for leaf in leaves},
        words=words_of(categories),
    )
