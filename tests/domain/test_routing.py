"""Where a matter is, which node handles it, and in which order people are looked for (domain.md, 3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.areas import Ring
from app.domain.coordinates import Point, to_gcj02
from app.domain.county import Category, Node
from app.domain.places import build
from app.domain.routing import (
    Candidate,
    How,
    Located,
    Outline,
    Request,
    Seat,
    Site,
    Spot,
    choose,
    confidential_node,
    inspector_seats,
    node,
    seats,
    spot,
    where,
)
from app.domain.vocabulary import Datum, Level, Role
from tests.domain.county_from_csv import demo_county

COUNTY = demo_county()
INDEX = build(COUNTY)
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)

XINGSHA, QUANTANG, XIANGLONG, HUANGHUA, HUANGXING = (f"430121{n}" for n in ("001", "002", "003", "105", "102"))
DINGJIALING = "430121002004"
HEXIN_GRID = next(
    d.code for d in COUNTY.divisions.values() if d.level is Level.GRID and COUNTY.path(d.id)[-2] == "合心村委会"
)


def place(code: str) -> int:
    return COUNTY.by_code[code].id


def located(text: str, **given_codes: str) -> Located:
    """`given_codes`: the fields of a request without `_division_id` or `_id`, as codes."""
    fields = {"given": "given_division_id", "grid": "bound_grid_id", "account": "account_division_id"}
    fields |= {"recorder": "recorder_division_id"}
    ids: dict[str, Any] = {fields[key]: place(code) for key, code in given_codes.items()}
    return where(COUNTY, INDEX, Request(text, **ids))


def category(code: str) -> Category:
    return COUNTY.category_by_code[code]


def handled_by(code: str, category_code: str | None, outside: str | None = None) -> str:
    chosen, reason = node(COUNTY, place(code), category(category_code) if category_code else None, outside)
    name = COUNTY.name_of(chosen)
    assert reason.endswith("。")
    assert name in reason
    return name


def test_a_given_place_comes_before_everything_in_the_text() -> None:
    found = located("雨花区到黄花镇的地铁", given=DINGJIALING, account=XINGSHA)
    assert (found.division_id, found.how, found.elsewhere) == (place(DINGJIALING), How.GIVEN, None)
    assert found.reason == "按填写的地点：泉塘街道" + COUNTY.by_code[DINGJIALING].name + "。"


def test_a_sure_name_comes_before_the_bound_grid_and_the_account() -> None:
    found = located("泉塘街道的路灯坏了", grid=HEXIN_GRID, account=XINGSHA)
    assert (found.division_id, found.how) == (place(QUANTANG), How.TEXT)
    assert found.reason == "文中写到“泉塘街道”，在泉塘街道。"


def test_two_villages_of_one_town_are_in_the_town() -> None:
    found = located("阳高社区和泉星社区之间没有路灯")
    assert (found.division_id, found.how) == (place(QUANTANG), How.TEXT)


def test_a_conflict_is_where_all_named_places_are_and_says_so_for_a_person() -> None:
    found = located("江背镇万龙村改厕", account=HUANGHUA)
    assert (found.division_id, found.how) == (COUNTY.root.id, How.CONFLICT)
    assert found.reason == "文中写到“江背镇”“万龙村”，不在同一镇街，先归长沙县，请核对地点。"


def test_the_bound_grid_comes_before_the_account_and_settles_an_ambiguous_name() -> None:
    unnamed = located("路灯坏了", grid=HEXIN_GRID, account=XINGSHA)
    assert (unnamed.division_id, unnamed.how) == (place(HEXIN_GRID), How.BOUND)
    settled = located("星沙的路灯坏了", grid=HEXIN_GRID, account=XINGSHA)
    assert (settled.division_id, settled.candidates) == (place(HEXIN_GRID), ())


def test_an_accounts_own_town_settles_an_ambiguous_name_that_may_mean_it() -> None:
    found = located("星沙的公交太少", account=QUANTANG)
    assert (found.division_id, found.how, found.candidates) == (place(QUANTANG), How.SETTLED, ())
    assert "“星沙”可指星沙街道、泉塘街道、湘龙街道" in found.reason


def test_a_groups_village_in_a_town_that_may_be_meant_stays_the_place() -> None:
    found = located("星沙的公交太少", account=DINGJIALING)
    assert (found.division_id, found.how) == (place(DINGJIALING), How.SETTLED)


@pytest.mark.parametrize(
    ("codes", "home", "how"),
    [
        ({"account": HUANGHUA}, HUANGHUA, How.ACCOUNT),
        ({"account": "430121"}, "430121", How.ACCOUNT),
        ({"recorder": QUANTANG}, QUANTANG, How.RECORDER),
        ({}, "430121", How.COUNTY),
    ],
)
def test_an_ambiguous_name_is_asked_about_and_held_as_if_not_named(codes: dict[str, str], home: str, how: How) -> None:
    found = located("星沙的公交太少", **codes)
    assert (found.division_id, found.how) == (place(home), how)
    assert found.candidates == (place(XINGSHA), place(QUANTANG), place(XIANGLONG))
    assert "待确认" in found.reason


@pytest.mark.parametrize(
    ("codes", "home", "how"),
    [
        ({"account": HUANGHUA, "recorder": QUANTANG}, HUANGHUA, How.ACCOUNT),
        ({"recorder": QUANTANG}, QUANTANG, How.RECORDER),
        ({}, "430121", How.COUNTY),
    ],
)
def test_nothing_named_is_at_the_account_else_the_recorder_else_the_county(
    codes: dict[str, str], home: str, how: How
) -> None:
    found = located("路灯坏了", **codes)
    assert (found.division_id, found.how, found.candidates) == (place(home), how, ())


def test_another_district_goes_to_the_county_marked_so() -> None:
    found = located("雨花区的路灯坏了", grid=HEXIN_GRID, account=HUANGHUA)
    assert (found.division_id, found.how, found.elsewhere) == (COUNTY.root.id, How.ELSEWHERE, "雨花区")
    assert "雨花区" in found.reason


def test_a_place_of_this_county_keeps_the_matter_here_though_another_district_is_named() -> None:
    assert located("雨花区到泉塘街道的公交").elsewhere is None
    assert located("雨花区到星沙的公交", account=QUANTANG).division_id == place(QUANTANG)


def test_what_the_city_runs_keeps_its_place_and_goes_to_the_countys_intake() -> None:
    found = located("泉塘街道什么时候通地铁")
    assert (found.division_id, found.how, found.elsewhere) == (place(QUANTANG), How.TEXT, "地铁")
    assert handled_by(QUANTANG, "C0302", found.elsewhere) == "长沙县"


HERE = Point(28.25, 113.08, Datum.WGS84)
KM_NORTH = 1 / 111.2


def site(code: str, north: float, name: str = "服务站", datum: str = Datum.WGS84) -> Site:
    """A station so many kilometres north of HERE."""
    point = Point(HERE.lat + north * KM_NORTH, HERE.lon, Datum.WGS84)
    return Site(place(code), name, point if datum == Datum.WGS84 else to_gcj02(point))


def outline(code: str, half: float = 0.1) -> Outline:
    """A square around HERE, so many degrees to each side."""
    west, east, south, north = HERE.lon - half, HERE.lon + half, HERE.lat - half, HERE.lat + half
    ring: Ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return Outline(place(code), Datum.WGS84, [ring])


def test_the_nearest_station_within_three_kilometres_says_where_a_location_is() -> None:
    found = spot(COUNTY, HERE, [], [site(QUANTANG, 2.9), site(DINGJIALING, 1.2, "丁家岭服务站"), site(XINGSHA, 1.3)])
    assert found == Spot(place(DINGJIALING), "发来的位置离丁家岭服务站约1.2公里")


@pytest.mark.parametrize(("away", "found"), [(2.98, True), (3.02, False)])
def test_a_station_further_off_says_nothing(away: float, found: bool) -> None:
    said = spot(COUNTY, HERE, [], [site(DINGJIALING, away)])
    assert (said.division_id is not None) is found
    assert found or said.reason == "发来的位置3公里内没有服务站点"


def test_a_station_on_the_map_of_wechat_is_put_where_it_is() -> None:
    near = spot(COUNTY, HERE, [], [site(DINGJIALING, 0.1, datum=Datum.GCJ02), site(QUANTANG, 0.2)])
    assert near.division_id == place(DINGJIALING)
    assert spot(COUNTY, to_gcj02(HERE), [], [site(DINGJIALING, 0.1)]).reason.endswith("约0.1公里")


def test_of_two_stations_in_one_house_the_lower_level_counts_and_the_countys_office_never() -> None:
    house = [site(XINGSHA, 0.5), site(DINGJIALING, 0.5), site("430121", 0.1)]
    assert spot(COUNTY, HERE, [], house).division_id == place(DINGJIALING)
    assert spot(COUNTY, HERE, [], [site("430121", 0.1)]).division_id is None


def test_an_outline_comes_before_a_station_and_the_most_specific_one_first() -> None:
    outlines = [outline("430121", 1.0), outline(QUANTANG, 0.5), outline(DINGJIALING)]
    found = spot(COUNTY, HERE, outlines, [site(HUANGHUA, 0.1)])
    assert found == Spot(place(DINGJIALING), f"发来的位置在{COUNTY.by_code[DINGJIALING].name}边界内")


def test_where_only_the_county_is_outlined_the_station_answers_and_outside_of_it_none_does() -> None:
    assert spot(COUNTY, HERE, [outline("430121")], [site(XINGSHA, 0.1)]).division_id == place(XINGSHA)
    beyond = Point(HERE.lat + 0.2, HERE.lon, HERE.datum)
    near = Site(place(XINGSHA), "服务站", beyond)
    said = spot(COUNTY, beyond, [outline("430121")], [near])
    assert said == Spot(None, "发来的位置在长沙县界外，没有按它定地点")


def test_a_location_comes_before_a_sure_name_and_after_a_given_place() -> None:
    said = Spot(place(DINGJIALING), "发来的位置离丁家岭服务站约1.2公里")
    found = where(COUNTY, INDEX, Request("黄花镇的路灯坏了，雨花区也是", point=HERE), said)
    name = COUNTY.by_code[DINGJIALING].name
    assert (found.division_id, found.how, found.elsewhere) == (place(DINGJIALING), How.LOCATION, None)
    assert found.reason == f"发来的位置离丁家岭服务站约1.2公里，归泉塘街道{name}。"
    assert where(COUNTY, INDEX, Request("", place(HUANGHUA), point=HERE), said).how is How.GIVEN
    assert where(COUNTY, INDEX, Request("想坐地铁", point=HERE), said).elsewhere == "地铁"


def test_a_location_that_says_nothing_leaves_it_to_the_text_and_is_told_of() -> None:
    nothing = Spot(None, "发来的位置3公里内没有服务站点")
    found = where(COUNTY, INDEX, Request("泉塘街道的路灯坏了", point=HERE), nothing)
    assert (found.division_id, found.how) == (place(QUANTANG), How.TEXT)
    assert found.reason == "发来的位置3公里内没有服务站点；文中写到“泉塘街道”，在泉塘街道。"


ANY_PLACE = st.sampled_from([None, *COUNTY.divisions])


@given(
    st.text("星沙泉塘街道地铁雨花区合心村社路口的", max_size=30),
    st.tuples(ANY_PLACE, ANY_PLACE, ANY_PLACE, ANY_PLACE),
    st.sampled_from([None, *COUNTY.categories.values()]),
)
def test_every_matter_has_a_place_and_a_node_with_their_reasons(
    text: str, places: tuple[int | None, int | None, int | None, int | None], chosen: Category | None
) -> None:
    found = where(COUNTY, INDEX, Request(text, *places))
    assert found.division_id in COUNTY.divisions
    assert found.reason.endswith("。")
    assert len(found.candidates) != 1
    responsible, reason = node(COUNTY, found.division_id, chosen, found.elsewhere)
    assert COUNTY.name_of(responsible) in reason
    assert seats(COUNTY, responsible)[-1] == Seat(Node(division_id=COUNTY.root.id), (Role.ADMINISTRATOR,))


@pytest.mark.parametrize(
    ("division", "chosen", "name"),
    [
        (HEXIN_GRID, "C1601", "合心村委会"),
        (HEXIN_GRID, "C0103", "合心村委会"),
        (HEXIN_GRID, None, "合心村委会"),
        (DINGJIALING, "C0103", COUNTY.by_code[DINGJIALING].name),
        (HUANGHUA, "C0103", "黄花镇"),
        (HUANGHUA, None, "黄花镇"),
        (HEXIN_GRID, "C0102", "黄花镇综合行政执法大队"),
        (HUANGHUA, "C0102", "黄花镇综合行政执法大队"),
        (HEXIN_GRID, "C0601", "长沙县教育局"),
        ("430121", "C0103", "长沙县"),
        ("430121", "C0102", "长沙县"),
        ("430121", "C0601", "长沙县"),
        ("430121", None, "长沙县"),
    ],
)
def test_a_matter_goes_to_its_level_or_stays_where_it_already_is_higher(
    division: str, chosen: str | None, name: str
) -> None:
    assert handled_by(division, chosen) == name


def test_a_village_matter_of_which_only_the_town_is_known_says_so() -> None:
    _, reason = node(COUNTY, place(HUANGHUA), category("C0103"))
    assert reason == "“垃圾清运与环卫保洁”由村社区一级办理，只知道在黄花镇，由其分派。"


@pytest.mark.parametrize(
    ("chosen", "station"),
    [
        ("C1101", "派出所"),
        ("C1303", "司法所"),
        ("C1202", "市场监督管理所"),
        ("C0204", "自然资源所"),
        ("C0104", "综合行政执法大队"),
        ("C0703", "卫生院"),
        ("C1006", "农业综合服务中心"),
        ("C1008", "农业综合服务中心"),
        ("C0907", "社会事务综合服务中心"),
        ("C0906", "社会事务综合服务中心"),
        ("C1401", "政务便民服务中心"),
        ("C1505", "应急管理站"),
    ],
)
def test_a_town_matter_goes_to_the_station_that_works_for_its_unit(chosen: str, station: str) -> None:
    assert handled_by(HUANGHUA, chosen) == "黄花镇" + station


def test_where_no_station_matches_the_town_itself_handles() -> None:
    assert handled_by(HUANGHUA, "C0106") == "黄花镇"  # 住建局 has no station
    assert handled_by(HUANGHUA, "C0306") == "黄花镇"  # 交警大队 is not the 派出所
    assert handled_by(QUANTANG, "C1006") == "泉塘街道"  # streets have no S07


def test_the_known_grids_courier_comes_first_then_all_of_the_village_then_administrators_upward() -> None:
    grid = COUNTY.by_code[HEXIN_GRID]
    village, town, root = (Node(division_id=i) for i in reversed(grid.lineage[:-1]))
    grids = tuple(d.id for d in COUNTY.divisions.values() if d.parent_id == village.division_id)
    upward = tuple(Seat(n, (Role.ADMINISTRATOR,)) for n in (village, town, root))
    everyone = Seat(village, (Role.COURIER,), grids)
    assert seats(COUNTY, village, grid.id) == (Seat(village, (Role.COURIER,), (grid.id,)), everyone, *upward)
    assert seats(COUNTY, village) == (everyone, *upward)
    assert seats(COUNTY, village, place(DINGJIALING + "001")) == (everyone, *upward)
    assert seats(COUNTY, village, grid.id, categorised=False) == upward


def test_a_unit_has_its_handlers_then_the_administrators_above() -> None:
    station = COUNTY.unit_by_code[HUANGHUA + "S01"]
    responsible = Node(unit_id=station.id)
    assert seats(COUNTY, responsible) == (
        Seat(responsible, (Role.HANDLER,)),
        Seat(responsible, (Role.ADMINISTRATOR,)),
        Seat(Node(division_id=place(HUANGHUA)), (Role.ADMINISTRATOR,)),
        Seat(Node(division_id=COUNTY.root.id), (Role.ADMINISTRATOR,)),
    )


def test_a_town_has_its_administrators_and_a_grid_its_couriers() -> None:
    town = Node(division_id=place(HUANGHUA))
    assert [s.node for s in seats(COUNTY, town)] == [town, Node(division_id=COUNTY.root.id)]
    grid = Node(division_id=place(HEXIN_GRID))
    assert seats(COUNTY, grid)[0] == Seat(grid, (Role.COURIER,), (place(HEXIN_GRID),))


@pytest.mark.parametrize(
    ("about", "taker"),
    [
        (None, "长沙县"),
        (Node(division_id=COUNTY.root.id), "长沙县"),
        (Node(division_id=place(HUANGHUA)), "长沙县"),
        (Node(division_id=place(DINGJIALING)), "泉塘街道"),
        (Node(unit_id=COUNTY.unit_by_code["U10"].id), "长沙县"),
        (Node(unit_id=COUNTY.unit_by_code[HUANGHUA + "S01"].id), "黄花镇"),
    ],
)
def test_a_confidential_complaint_goes_to_the_parent_of_the_one_complained_about(
    about: Node | None, taker: str
) -> None:
    assert COUNTY.name_of(confidential_node(COUNTY, about)) == taker


def test_its_person_is_the_inspector_there_else_the_nearest_above() -> None:
    town = Node(division_id=place(HUANGHUA))
    root = Node(division_id=COUNTY.root.id)
    assert inspector_seats(COUNTY, town) == (Seat(town, (Role.INSPECTOR,)), Seat(root, (Role.INSPECTOR,)))


def person(staff_id: int, open_tickets: int, hours_ago: int | None = None) -> Candidate:
    last = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    return Candidate(staff_id, f"courier-{staff_id}", f"演示{staff_id}", open_tickets, last)


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([person(1, 3), person(2, 1, 0)], 2),
        ([person(1, 1, 1), person(2, 1, 5)], 2),
        ([person(1, 1, 500_000), person(2, 1)], 2),
        ([person(2, 1, 1), person(1, 1, 1)], 1),
        ([person(2, 0), person(1, 0)], 1),
    ],
)
def test_the_least_burdened_gets_it_ties_the_longest_without_a_new_one(
    candidates: list[Candidate], chosen: int
) -> None:
    picked = choose(candidates)
    assert picked is not None
    assert picked.staff_id == chosen


def test_nobody_is_chosen_of_nobody() -> None:
    assert choose([]) is None
