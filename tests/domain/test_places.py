"""Which place a text names: names, suffixes, aliases, and the words that look like names and are none."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.county import County, Division
from app.domain.places import Found, PlaceIndex, build, elsewhere, names_of
from app.domain.text import plain, words_of
from app.domain.vocabulary import Level
from tests.domain.county_from_csv import Row, county_of, demo_county

INDEX = build(demo_county())
SHARED = Path(__file__).parents[2].parent / "shared" / "data"
STREETS = ("430121001", "430121002", "430121003")


def codes(ids: tuple[int, ...], county: County | None = None) -> tuple[str, ...]:
    return tuple((county or demo_county()).divisions[i].code for i in ids)


def shared(name: str) -> list[Row]:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/data/{name} is not part of the repository")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def sure(text: str, index: PlaceIndex = INDEX, county: County | None = None) -> tuple[str, ...]:
    return codes(index.find(text).sure, county)


def at(level: Level) -> list[Division]:
    return [d for d in demo_county().divisions.values() if d.level is level]


def village(code: str, name: str, short: str) -> Row:
    parent = code[:9]
    return {"code": code, "name": name, "level": "village", "parent_code": parent, "short_name": short, "aliases": ""}


def test_every_town_and_village_is_found_by_its_full_name() -> None:
    for division in at(Level.TOWN) + at(Level.VILLAGE):
        assert INDEX.find(f"我家在{division.name}。").sure == (division.id,), division.name


def test_every_village_is_found_by_the_name_people_use() -> None:
    for division in at(Level.VILLAGE):
        name = division.short_name + ("社区" if "社" in division.name else "村")
        assert sure(f"{name}的路灯坏了") == (division.code,), name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("泉塘街道违停", "430121002"),
        ("开元路社区门口", "430121001001"),
        ("斗塘新村修路", "430121102218"),
        ("黄兴新村的水渠", "430121102206"),
        ("泉星社区海阔天空KTV", "430121002007"),
        ("榔梨镇老街", "430121004"),
        ("㮾梨街道老街", "430121004"),
        ("樃梨老街", "430121004"),
        ("黄金塘社区电梯", "430121001011"),
        ("安沙毛塘铺", "430121113"),
        ("恒大翡翠华庭交房", "430121001"),
    ],
)
def test_suffixed_names_and_aliases_are_sure(text: str, code: str) -> None:
    assert sure(text) == (code,)


@pytest.mark.parametrize("word", ["路口", "黄花", "黄兴", "高桥", "果园", "北山", "福临", "春华", "长龙", "开慧"])
def test_bare_short_names_that_are_words_count_only_with_their_suffix(word: str) -> None:
    assert INDEX.find(f"在{word}那里") == Found()
    assert len(INDEX.find(f"在{word}{'街道' if word == '长龙' else '镇'}那里").sure) == 1


def test_the_countys_own_name_is_no_place_in_it() -> None:
    assert INDEX.find("长沙县的公交什么时候开") == Found()


@pytest.mark.parametrize("text", ["", "沙", "你好，谢谢！", "🙂🙂", "\x00"])
def test_a_text_without_names_finds_nothing(text: str) -> None:
    assert INDEX.find(text) == Found()


def test_a_village_stands_for_its_town() -> None:
    found = INDEX.find("榔梨街道土岭社区的老房翻新")
    assert codes(found.sure) == ("430121004001",)
    assert found.words == ("榔梨街道", "土岭社区")
    assert not found.conflict


def test_the_longer_name_wins_over_the_one_inside_it() -> None:
    assert [demo_county().divisions[i].name for i in INDEX.find("大鱼塘村的水塘").sure] == ["大鱼塘村委会"]
    assert [demo_county().divisions[i].name for i in INDEX.find("鱼塘村的水塘").sure] == ["鱼塘村委会"]
    assert INDEX.find("星沙街道的路").words == ("星沙街道",)


def test_a_village_outside_the_named_town_is_a_conflict() -> None:
    found = INDEX.find("江背镇万龙村改厕")
    assert found.conflict
    assert codes(found.sure) == ("430121104", "430121102217")


def test_several_towns_are_a_conflict_and_two_villages_of_one_town_are_none() -> None:
    assert INDEX.find("从黄花镇到果园镇的路").conflict
    found = INDEX.find("阳高社区和泉星社区之间")
    assert not found.conflict
    assert codes(found.sure) == ("430121002009", "430121002007")


def test_a_name_of_several_divisions_is_ambiguous() -> None:
    found = INDEX.find("星沙的公交太少")
    assert codes(found.ambiguous) == STREETS
    assert (found.sure, found.words) == ((), ("星沙",))


def test_a_sure_name_beats_an_ambiguous_one() -> None:
    found = INDEX.find("星沙泉塘中学门口")
    assert codes(found.sure) == ("430121002",)
    assert (found.ambiguous, found.conflict) == ((), False)


def test_ambiguous_names_together_leave_what_they_share() -> None:
    assert codes(INDEX.find("星沙经开区的货车").ambiguous) == ("430121001", "430121002")


def test_a_name_of_a_town_and_of_a_village_in_it_means_the_village() -> None:
    county = county_of(extra_aliases=[("土岭社区", "430121004")])
    assert sure("土岭社区的老房", build(county), county) == ("430121004001",)


def test_where_ambiguous_names_share_only_one_all_are_asked_about_that_one_first() -> None:
    found = codes(INDEX.find("松雅湖到凉塘路").ambiguous)
    assert found[0] == "430121001"
    assert set(found) == set(STREETS)


def test_a_name_of_two_villages_is_settled_by_the_town_beside_it() -> None:
    county = county_of([village("430121114299", "和平村委会", "和平")])
    index = build(county)
    both = index.find("和平村的路灯")
    assert {county.divisions[i].name for i in both.ambiguous} == {"和平村委会"}
    assert len(both.ambiguous) == 2
    assert sure("北山镇和平村的路灯", index, county) == ("430121114299",)
    assert sure("安沙镇和平村的路灯", index, county) == (codes(INDEX.find("和平村").sure)[0],)


def test_a_grid_counts_only_behind_its_village() -> None:
    assert INDEX.find("请派人到3组和第2网格") == Found()
    rural = INDEX.find("沙田村3组的路").sure
    assert [demo_county().path(i)[-2:] for i in rural] == [["沙田村委会", "3组"]]
    urban = INDEX.find("土岭社区第２网格的灯").sure
    assert [demo_county().path(i)[-2:] for i in urban] == [["土岭社区居委会", "第2网格"]]


def test_a_division_without_a_short_name_adds_no_bare_suffix() -> None:
    county = county_of([village("430121114299", "无名社区居委会", "")])
    assert names_of(county.by_code["430121114299"]) == ("无名社区居委会", "无名社区")
    assert build(county).find("社区的路灯") == Found()


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("某某村民委员会", "某某村"),
        ("南塘冲社区居民委员会", "南塘冲社区"),
        ("排头社区委员会", "排头社区"),
        ("高峰社区", "高峰社区"),
        ("黄兴新村村委会", "黄兴新村村"),
    ],
)
def test_the_committee_is_taken_off_a_villages_name(name: str, place: str) -> None:
    division = Division(9, "9", name, "", Level.VILLAGE, 1, (1, 2, 9))
    assert names_of(division) == tuple(dict.fromkeys((name, place)))


@given(st.lists(st.sampled_from([*INDEX.places, "的路灯", "，", "从", "A", "\n"]), max_size=12).map("".join))
def test_what_is_found_stands_in_the_text_and_is_sure_or_ambiguous_never_both(text: str) -> None:
    found = INDEX.find(text)
    assert not (found.sure and found.ambiguous)
    assert bool(found.words) == bool(found.sure or found.ambiguous)
    assert all(word in plain(text) for word in found.words)
    assert not any(a != b and a in demo_county().divisions[b].lineage for a in found.sure for b in found.sure)


@given(st.sets(st.text("ab𠀀.-]^", min_size=1, max_size=3), max_size=8), st.text("ab𠀀.-]^", max_size=12))
def test_every_occurrence_of_every_word_is_found(words: set[str], text: str) -> None:
    found = [(place, word) for place, here in words_of(words).occurrences(text) for word in here]
    assert sorted(found) == sorted((i, w) for i in range(len(text)) for w in words if text.startswith(w, i))


def test_another_district_is_elsewhere_unless_a_place_of_this_county_is_named() -> None:
    assert elsewhere("雨花区的路灯不亮") == "雨花区"
    assert elsewhere("浏阳市到这里的公交", placed=True) is None
    assert elsewhere("浏阳河边的路灯") is None


def test_what_the_city_runs_is_elsewhere_even_with_a_place() -> None:
    assert elsewhere("公积金怎么提取") == "公积金"
    assert elsewhere("泉塘街道什么时候通地铁", placed=True) == "地铁"


def test_the_metro_as_scenery_sends_nothing_away() -> None:
    assert elsewhere("工地太吵，" * 10 + "就在地铁站旁边") is None


@pytest.mark.parametrize(("mask", "one", "several"), [(True, 263, 19), (False, 252, 18)])
def test_real_messages_are_placed_as_often_as_measured(mask: bool, one: int, several: int) -> None:
    """45.8 / 3.3 % of 574 with the aliases that undo the masking, as the data's README counts."""
    texts = [f"{row['title']}\n{row['text']}" for row in shared("messages_county.csv")]
    masked = [(row["alias"], row["division_code"]) for row in shared("aliases.csv") if "corpus mask" in row["note"]]
    index = build(county_of(extra_aliases=masked if mask else ()))
    found = [index.find(text) for text in texts]
    assert sum(bool(f.sure) and not f.conflict for f in found) == one
    assert sum(f.conflict for f in found) == several
