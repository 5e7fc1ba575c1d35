from typing import Any

import pytest
from sqlalchemy import select, update

from app.base.work import Work
from app.schema import divisions, stations
from tests.imports.county_files import Load, Refusals

HEADER = "division_code,name,address,hours,phone,lat,lon,datum\n"
ROW = "430121001,星沙街道服务中心,开元路1号,工作日 9:00–17:00,0731-84000000,28.2466,113.0806,wgs84\n"


async def stored(work: Work) -> list[Any]:
    return list(await work.conn.execute(select(stations).order_by(stations.c.id)))


async def test_a_station_is_kept_as_written(county: Work, load: Load) -> None:
    done = await load(county, "stations", HEADER + ROW + "430121001001001,第1网格服务点,,,,,,\n")
    assert (done.created, done.updated, done.unchanged, done.notices) == (2, 0, 0, ())
    first, second = await stored(county)
    assert (first.name, first.address, first.hours, first.phone) == (
        *("星沙街道服务中心", "开元路1号"),
        *("工作日 9:00–17:00", "0731-84000000"),
    )
    assert (first.lat, first.lon, first.datum) == (28.2466, 113.0806, "wgs84")
    assert (second.address, second.phone, second.lat, second.datum) == ("", "", None, None)


async def test_again_it_is_the_same_and_a_change_keeps_the_row(county: Work, load: Load) -> None:
    await load(county, "stations", HEADER + ROW)
    [before] = await stored(county)
    assert (await load(county, "stations", HEADER + ROW)).unchanged == 1
    done = await load(county, "stations", HEADER + ROW.replace("wgs84", "gcj02"))
    assert (done.created, done.updated, done.unchanged) == (0, 1, 0)
    [after] = await stored(county)
    assert (after.id, after.datum) == (before.id, "gcj02")


async def test_what_a_file_does_not_say_stays(county: Work, load: Load) -> None:
    await load(county, "stations", HEADER + ROW)
    done = await load(county, "stations", "division_code,name,hours\n430121001,星沙街道服务中心,每天\n")
    assert done.updated == 1
    [after] = await stored(county)
    assert (after.hours, after.address, after.lat) == ("每天", "开元路1号", 28.2466)


async def test_two_divisions_may_have_stations_of_one_name(county: Work, load: Load) -> None:
    rows = "430121001,服务站,,,,,,\n430121001001,服务站,,,,,,\n"
    assert (await load(county, "stations", HEADER + rows)).created == 2


async def test_a_closed_division_gets_no_new_station(county: Work, load: Load, refusals: Refusals) -> None:
    await load(county, "stations", HEADER + ROW)
    shut = update(divisions).where(divisions.c.code == "430121001").values(valid_to=county.now.date())
    await county.conn.execute(shut)
    assert (await load(county, "stations", HEADER + ROW)).unchanged == 1
    fault = "第 2 行：division_code：区划“430121001”已撤销，请改填现在的区划"
    assert await refusals(county, "stations", HEADER + ROW.replace("服务中心", "服务站")) == [fault]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("430121009,站,,,,,,", "division_code：没有代码为“430121009”的区划"),
        ("430121001,,,,,,,", "name 不能为空"),
        ("430121001,站,,,12345a,,,", "phone 应为 3 到 20 位数字，可以有横线，现为“12345a”"),
        (f"430121001,站,{'路' * 101},,,,,", "address 最多 100 个字，现有 101 个"),
        ("430121001,站,,,,28.2,113.0,", "lat、lon、datum 要么都填，要么都不填：坐标系不同，位置相差数百米"),
        ("430121001,站,,,,,,gcj02", "lat、lon、datum 要么都填，要么都不填：坐标系不同，位置相差数百米"),
        ("430121001,站,,,,98.2,113.0,wgs84", "lat 应为 -90 到 90 之间的度数，现为“98.2”"),
        (
            "430121001,站,,,,28.2,113.0,bd09",
            "datum 只能是 wgs84（GPS）、gcj02（腾讯、高德地图） 之一，现为“bd09”",
        ),
        ("430121001,星沙街道服务中心,,,,,,", "division_code 和 name 与第 2 行重复"),
    ],
)
async def test_a_wrong_row_is_named(county: Work, refusals: Refusals, row: str, fault: str) -> None:
    assert await refusals(county, "stations", HEADER + ROW + row + "\n") == [f"第 3 行：{fault}"]
    assert await stored(county) == []
