"""Routing on the demo county: what a location finds, whose group it came by, who gets it, and the words for it."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from structlog.testing import capture_logs

from app.base.work import Work
from app.divisions import offline
from app.divisions.service import Atlas, atlas
from app.domain.coordinates import Point, to_gcj02
from app.domain.county import Node
from app.domain.routing import Request, seats
from app.domain.vocabulary import Datum, Role
from app.routing.service import Routed, person_at, reroute, route
from app.schema import appointments, division_areas, groups, staff, stations

COUNTY, TOWN, VILLAGE, GRID = "430121", "430121001", "430121001001", "430121001001001"
FAR = "430121116"
CATEGORY = "C0103"  # a village's


async def placed(work: Work, text: str, **where: Any) -> tuple[Atlas, Routed]:
    county = await atlas(work)
    category = county.county.category_by_code[CATEGORY]
    return county, await route(work, county, Request(text, **where), category)


async def station_of(work: Work, code: str) -> Any:
    county = (await atlas(work)).county
    query = select(stations).where(stations.c.division_id == county.by_code[code].id)
    return (await work.conn.execute(query)).one()


async def outline(work: Work, code: str, around: Point, half: float, datum: str = Datum.WGS84) -> None:
    county = (await atlas(work)).county
    west, east, south, north = around.lon - half, around.lon + half, around.lat - half, around.lat + half
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    box = {"west": west, "south": south, "east": east, "north": north}
    row = {"division_id": county.by_code[code].id, "datum": datum, "rings": [ring], **box}
    await work.conn.execute(insert(division_areas).values(row))


async def leave(work: Work, role: Role, **at: int) -> None:
    """Nobody holds that role there any more."""
    a = appointments.c
    here = [getattr(a, column) == value for column, value in at.items()]
    await work.conn.execute(update(appointments).where(a.role == role, *here).values(ends_at=work.now))


@pytest.mark.parametrize("datum", list(Datum))
async def test_a_location_at_a_grids_station_is_that_grid_in_either_datum(work: Work, datum: Datum) -> None:
    found = await station_of(work, GRID)
    here = Point(found.lat, found.lon, Datum.WGS84)
    sent = here if datum is Datum.WGS84 else to_gcj02(here)
    county, routed = await placed(work, "垃圾没人清", point=sent)
    assert county.county.divisions[routed.division_id].code == GRID
    assert routed.node == Node(division_id=county.county.by_code[VILLAGE].id)
    assert routed.reason.startswith(f"发来的位置离{found.name}约0.0公里，归星沙街道")


async def test_a_station_on_another_map_is_found_too(work: Work) -> None:
    found = await station_of(work, GRID)
    here = Point(found.lat, found.lon, Datum.WGS84)
    moved = to_gcj02(here)
    there = {"lat": moved.lat, "lon": moved.lon, "datum": Datum.GCJ02}
    await work.conn.execute(update(stations).where(stations.c.id == found.id).values(there))
    county, routed = await placed(work, "垃圾没人清", point=here)
    assert county.county.divisions[routed.division_id].code == GRID


async def test_far_from_every_station_the_text_decides(work: Work) -> None:
    county, routed = await placed(work, "泉塘街道的垃圾没人清", point=Point(29.5, 113.0, Datum.WGS84))
    assert county.county.divisions[routed.division_id].code == "430121002"
    assert routed.reason.startswith("发来的位置3公里内没有服务站点；文中写到“泉塘街道”")


@pytest.mark.parametrize("datum", list(Datum))
async def test_an_outline_that_is_loaded_comes_before_the_stations(work: Work, datum: Datum) -> None:
    found = await station_of(work, GRID)
    here = Point(found.lat, found.lon, Datum.WGS84)
    await outline(work, FAR, here if datum is Datum.WGS84 else to_gcj02(here), 0.001, datum)
    county, routed = await placed(work, "垃圾没人清", point=here)
    assert county.county.divisions[routed.division_id].code == FAR
    assert "边界内" in routed.reason


async def test_outside_of_the_countys_outline_no_station_is_asked(work: Work) -> None:
    found = await station_of(work, GRID)
    await outline(work, COUNTY, Point(found.lat + 1, found.lon, Datum.WGS84), 0.5)
    county, routed = await placed(work, "垃圾没人清", point=Point(found.lat, found.lon, Datum.WGS84))
    assert routed.division_id == county.county.root.id
    assert routed.reason.startswith("发来的位置在长沙县界外，没有按它定地点；")


async def test_a_given_place_needs_no_location(work: Work) -> None:
    found = await station_of(work, GRID)
    given = (await atlas(work)).county.by_code[FAR].id
    point = Point(found.lat, found.lon, Datum.WGS84)
    _, routed = await placed(work, "垃圾没人清", given_division_id=given, point=point)
    assert routed.division_id == given


async def test_a_group_is_known_by_its_name_or_its_divisions_code(work: Work) -> None:
    county = (await atlas(work)).county
    grid = county.by_code[GRID].id
    (name,) = (await work.conn.execute(select(groups.c.name).where(groups.c.division_id == grid))).scalars()
    assert await offline.group_division(work, county, f" {name} ") == grid
    assert await offline.group_division(work, county, GRID) == grid
    for unknown in ("没有这个群", "", "430199"):
        assert await offline.group_division(work, county, unknown) is None


async def test_a_name_that_groups_of_two_divisions_have_is_none(work: Work) -> None:
    county = (await atlas(work)).county
    rows = [
        {"division_id": county.by_code[code].id, "name": "同名群", "kind": "wechat", "robot_url": None}
        for code in (GRID, TOWN)
    ]
    await work.conn.execute(insert(groups), rows)
    assert await offline.group_division(work, county, "同名群") is None


async def test_whoever_has_the_fewest_gets_it_and_the_reason_counts_them(work: Work) -> None:
    county = (await atlas(work)).county
    _, routed = await placed(work, "垃圾没人清", given_division_id=county.by_code[VILLAGE].id)
    assert routed.person is not None
    held = await couriers(work, county.by_code[VILLAGE].id)
    assert routed.person.staff_id in held
    assert f"可办{len(held)}人，{routed.person.name}手头最少（在办0件）。" in routed.reason


async def couriers(work: Work, village_id: int) -> set[int]:
    county = (await atlas(work)).county
    grids = [d.id for d in county.divisions.values() if d.parent_id == village_id]
    a = appointments.c
    seated = select(a.staff_id).join(staff, staff.c.id == a.staff_id)
    query = seated.where(a.role == Role.COURIER, a.division_id.in_(grids), staff.c.active)
    return set((await work.conn.execute(query)).scalars())


async def test_where_nobody_handles_the_nearest_administrator_above_gets_it_and_the_node_stays(work: Work) -> None:
    county = await atlas(work)
    village = county.county.by_code[VILLAGE]
    for grid in [d for d in county.county.divisions.values() if d.parent_id == village.id]:
        await leave(work, Role.COURIER, division_id=grid.id)
    await leave(work, Role.ADMINISTRATOR, division_id=village.id)
    routed = await reroute(work, county, village.id, county.county.category_by_code[CATEGORY], "按填写的地点。")
    assert routed.node == Node(division_id=village.id)
    assert routed.person is not None
    assert routed.person.username == f"admin-{TOWN}"
    name = village.name
    assert f"{name}暂无民生快递员，{name}暂无平台管理员，星沙街道可办1人，" in routed.reason


async def test_a_grids_own_courier_who_is_not_there_is_named_by_the_grid(work: Work) -> None:
    county = await atlas(work)
    grid = county.county.by_code[GRID]
    await leave(work, Role.COURIER, division_id=grid.id)
    routed = await reroute(work, county, grid.id, county.county.category_by_code[CATEGORY], "")
    assert f"{''.join(county.county.path(grid.id)[-2:])}暂无民生快递员，" in routed.reason


async def test_where_no_level_has_anybody_it_waits_at_the_county_and_an_alarm_is_logged(work: Work) -> None:
    county = await atlas(work)
    await leave(work, Role.ADMINISTRATOR)
    town = Node(division_id=county.county.by_code[TOWN].id)
    with capture_logs() as lines:
        person, why = await person_at(work, county, seats(county.county, town))
    assert (person, why) == (None, "各级暂无可办人员，列入县级待派队列。")
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["nobody can take tickets"]


async def test_an_ambiguous_name_leaves_the_choice_open(work: Work) -> None:
    county, routed = await placed(work, "星沙的垃圾没人清")
    codes: Mapping[int, str] = {d.id: d.code for d in county.county.divisions.values()}
    assert [codes[i] for i in routed.choices] == ["430121001", "430121002", "430121003"]
    assert routed.division_id == county.county.root.id
    assert "待确认" in routed.reason
