"""Stations and groups of an area."""

from sqlalchemy import insert, update

from app.base.work import Work
from app.divisions import offline
from app.divisions.service import atlas
from app.schema import groups, stations

GRID = "430121002001001"


async def test_of_a_robot_only_that_there_is_one_is_told(work: Work) -> None:
    county = (await atlas(work)).county
    grid = county.by_code[GRID]
    row = {"division_id": grid.id, "name": "新群", "kind": "wecom", "robot_url": "sealed address of a robot"}
    await work.conn.execute(insert(groups).values(**row))
    page = await offline.groups(work, county, grid, 0, 20)
    assert [(one.kind, one.robot) for one in page.items] == [("wechat", False), ("wecom", True)]
    assert "sealed" not in repr(page)


async def test_a_station_without_a_location_says_so(work: Work) -> None:
    county = (await atlas(work)).county
    grid = county.by_code[GRID]
    nowhere = update(stations).where(stations.c.division_id == grid.id).values(lat=None, lon=None, datum=None)
    await work.conn.execute(nowhere)
    page = await offline.stations(work, county, grid, 0, 20)
    assert [(one.division.code, one.location) for one in page.items] == [(GRID, None)]
