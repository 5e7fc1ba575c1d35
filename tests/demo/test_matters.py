"""What the simulation writes, held against the rules that read it."""

from random import Random

from app.demo import texts, tree
from app.demo.tree import Spot, Tree
from app.domain import conversation, places, suggestion
from app.domain.places import names_of
from app.domain.vocabulary import Level
from tests.demo.played import COUNTY
from tests.domain.county_from_csv import CONFIDENTIAL, demo_county


def test_every_text_is_a_matter_and_without_a_place_names_none() -> None:
    index = places.build(demo_county())
    for text in every_text(texts.NOWHERE):
        assert conversation.read(text) == conversation.Matter(text)
        assert index.find(text) == places.Found()
        assert places.elsewhere(text) is None


def test_the_keywords_suggest_what_a_text_was_written_about_in_most_cases() -> None:
    keywords = suggestion.build(demo_county())
    codes = {category.id: category.code for category in demo_county().categories.values()}
    suggested = [
        (meant, codes[best[0].category_id])
        for meant, written in texts.matters().items()
        for text in written
        if (best := keywords.suggest("", text.replace("{place}", texts.NOWHERE)))
    ]
    right = sum(meant == found for meant, found in suggested)
    assert right >= 0.9 * sum(map(len, texts.matters().values()))
    # One of these by mistake would make an ordinary matter confidential, or an open one of a confidential.
    assert all((meant == CONFIDENTIAL) == (found == CONFIDENTIAL) for meant, found in suggested)


def test_a_place_as_it_is_spoken_is_that_place_alone() -> None:
    index, county = places.build(demo_county()), spoken_county()
    for number, spot in enumerate([*county.towns, *(s for spots in county.villages.values() for s in spots)]):
        for text in placed(county.spoken(Random(number), spot))[number % 7 :: 7]:
            assert [demo_county().divisions[i].code for i in index.find(text).sure] == [spot.code], text


def test_the_ambiguous_names_are_ambiguous_to_the_service() -> None:
    index = places.build(demo_county())
    assert len(tree.ambiguous_names()) >= 5
    for name, codes in tree.ambiguous_names().items():
        found = index.find(f"{name}这边路灯不亮")
        assert not found.sure
        assert {demo_county().divisions[i].code for i in found.ambiguous} == codes


def test_courtesies_are_courtesies() -> None:
    assert {type(conversation.read(text)) for text in texts.COURTESIES} == {conversation.Courtesy}


def every_text(place: str) -> list[str]:
    return [text.replace("{place}", place) for written in texts.matters().values() for text in written]


def placed(place: str) -> list[str]:
    """The texts that name a place; a complaint about staff never does."""
    return [text for text in every_text(place) if place in text]


def spoken_county() -> Tree:
    def spot(code: str) -> Spot:
        division = demo_county().by_code[code]
        return Spot(code, division.name, names_of(division)[1:] or (division.name,))

    at = {level: [d.code for d in demo_county().divisions.values() if d.level is level] for level in Level}
    villages = {town: tuple(spot(code) for code in at[Level.VILLAGE] if code[:9] == town) for town in at[Level.TOWN]}
    return Tree(COUNTY, villages, tuple(map(spot, at[Level.TOWN])), {})
