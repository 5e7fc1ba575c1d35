"""What a text may be about: the first three categories with their confidence and the reason in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.county import Category, County
from app.domain.suggestion import BEST, LEAF, Suggestion
from app.suggestion import kept, queries
from app.suggestion.features import own_title, whole

if TYPE_CHECKING:  # numpy is there only where a model is
    from app.suggestion.model import Guess


@dataclass(frozen=True, slots=True)
class Suggested:
    """A category that may be meant. `confidence`: 0 to 1; `why`: a Chinese sentence, without the full stop."""

    category_id: int
    confidence: float
    why: str


@dataclass(frozen=True, slots=True)
class SuggestionView:
    code: str
    name: str
    confidence: float
    why: str


def suggest(atlas: Atlas, title: str, text: str) -> tuple[Suggested, ...]:
    """The best three leaves, the best first; empty where nothing speaks for any.

    By the county's model where it has one that was better than the keyword table, and by the table otherwise; the
    table's words are the reason in either case, where they are there.
    """
    title = own_title(title, text)
    by_words = atlas.keywords.suggest(title, text)
    told = tuple(Suggested(one.category_id, one.confidence, _words(one.words)) for one in by_words)
    model = kept.held()
    if model is None:
        return told
    if set(model.categories) != set(leaves(atlas.county)):
        kept.doubt(atlas.revision)
        return told
    # No model may take a complaint about an official out of the inspector's hands: those tickets teach it nothing.
    first = told[:1] if told and atlas.county.categories[told[0].category_id].confidential else ()
    learnt = _by_model(atlas, model.guesses(whole(title, text)), by_words)
    return (*first, *(one for one in learnt if one.category_id not in {f.category_id for f in first}))[:BEST]


def _by_model(atlas: Atlas, guesses: Sequence["Guess"], by_words: Sequence[Suggestion]) -> Iterator[Suggested]:
    for guess in guesses:
        category = atlas.county.category_by_code.get(guess.label)
        if category is not None:
            yield Suggested(category.id, guess.confidence, _reason(by_words, category, guess.grams))


def views(atlas: Atlas, title: str, text: str) -> list[SuggestionView]:
    """As people and programs see them."""
    found = suggest(atlas, title, text)
    categories = [atlas.county.categories[one.category_id] for one in found]
    return [
        SuggestionView(category.code, category.name, round(one.confidence, 2), one.why)
        for one, category in zip(found, categories, strict=True)
    ]


def leaves(county: County) -> tuple[tuple[str, str], ...]:
    """(code, name) of every leaf: what a model must have learnt to be of use."""
    found = (category for category in county.categories.values() if category.level == LEAF)
    return tuple(sorted((category.code, category.name) for category in found))


async def own_tickets(work: Work, atlas: Atlas) -> list[tuple[str, str]]:
    """(text, category code) of the county's archived tickets whose category a person decided."""
    known = {code for code, _ in leaves(atlas.county)}
    rows = await queries.decided(work.conn)
    codes = ((whole(title, text), atlas.county.categories[category_id].code) for title, text, category_id in rows)
    return [(text, code) for text, code in codes if code in known]


def _reason(by_words: Sequence[Suggestion], category: Category, grams: Sequence[str]) -> str:
    words = next((one.words for one in by_words if one.category_id == category.id), ())
    if words:
        return _words(words)
    seen = "".join(f"“{gram}”" for gram in grams)
    return f"写法与以往的同类事项相近（{seen}）" if seen else "与以往的事项相比最为相近"


def _words(words: Sequence[str]) -> str:
    return "文中有" + "".join(f"“{word}”" for word in words)
