"""How names and keywords are looked for in a text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from unicodedata import normalize

_UNUSUAL = re.compile("[^\x00-\x7f\xa0\u3400-\u9fff、，。！？：；“”《》【】]+")
"""What NFKC could change inside a name. Ordinary Chinese is left as it is: NFKC over all of 2,000 characters costs
more than finding the names in them."""
_NEVER = "(?!)"


def plain(text: str) -> str:
    """The text in NFKC (full-width letters and digits, compatibility ideographs), but for common punctuation."""
    return _UNUSUAL.sub(lambda run: normalize("NFKC", run.group()), text)


@dataclass(frozen=True, slots=True)
class Words:
    """A fixed set of words; `words_of` makes it. `heads`: first two characters (or the only one) → words, longest
    first; `starts` finds where one may begin, in C: eight times as fast as asking `heads` at every character."""

    heads: Mapping[str, tuple[str, ...]]
    starts: re.Pattern[str]

    def occurrences(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Every place in a plain text where words begin, with these words, the longest first."""
        for start in self.starts.finditer(text):
            at = start.start()
            head = text[at : at + 2]
            possible = self.heads.get(head, ()) + (self.heads.get(head[0], ()) if len(head) == 2 else ())
            if found := [word for word in possible if text.startswith(word, at)]:
                yield at, found


def words_of(words: Iterable[str]) -> Words:
    """Prepares words (plain, none empty) for being looked for."""
    heads: dict[str, list[str]] = {}
    for word in sorted(words, key=lambda w: (-len(w), w)):
        heads.setdefault(word[:2], []).append(word)
    firsts, seconds = ("".join(re.escape(h[i]) for h in heads if len(h) == 2) for i in (0, 1))
    single = "".join(re.escape(h) for h in heads if len(h) == 1)
    branches = [f"[{firsts}](?=[{seconds}])"] if firsts else []
    branches += [f"[{single}]"] if single else []
    return Words({head: tuple(group) for head, group in heads.items()}, re.compile("|".join(branches) or _NEVER))
