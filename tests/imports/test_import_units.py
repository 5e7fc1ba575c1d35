from typing import Any

import pytest
from sqlalchemy import select

from app.base.work import Work
from app.schema import divisions, units
from tests.imports.county_files import UNITS, Load, Refusals

HEADER = "code,name,short_name,division_code,aliases\n"


async def stored(work: Work) -> dict[str, Any]:
    joined = select(units, divisions.c.code.label("at")).join(divisions, divisions.c.id == units.c.division_id)
    return {row.code: row for row in await work.conn.execute(joined)}


async def test_a_unit_is_kept_with_its_names_and_its_division(county: Work) -> None:
    found = await stored(county)
    police, station = found["U01"], found["430121001S01"]
    assert (police.name, police.short_name, police.aliases, police.at) == (
        *("长沙县公安局", "县公安局"),
        *(["公安", "警察"], "430121"),
    )
    assert (station.short_name, station.aliases, station.at) == ("星沙街道派出所", [], "430121001")


async def test_the_same_file_again_changes_nothing(county: Work, load: Load) -> None:
    done = await load(county, "units", UNITS)
    assert (done.created, done.updated, done.unchanged, done.notices) == (0, 0, 2, ())


async def test_a_renamed_unit_keeps_its_row_and_what_the_file_does_not_say(county: Work, load: Load) -> None:
    before = (await stored(county))["U01"]
    done = await load(county, "units", "code,name,division_code\nU01,长沙县警察局,430121001\n")
    after = (await stored(county))["U01"]
    assert (done.created, done.updated, done.unchanged) == (0, 1, 0)
    assert done.notices == ("文件中没有的 1 个承办单位保持不变",)
    assert (after.id, after.name, after.at, after.short_name, after.aliases) == (
        *(before.id, "长沙县警察局", "430121001"),
        *("县公安局", ["公安", "警察"]),
    )


WHY = "事项分类按名称认单位，两个要有不同的名称"


async def test_two_of_one_name_in_one_place_are_refused_at_the_second_row(county: Work, refusals: Refusals) -> None:
    file = f"{HEADER}U02,某某局,,430121,\nU03,某某局,,430121,\nU04,长沙县公安局,,430121,\n"
    assert await refusals(county, "units", file) == [
        f"第 3 行：name：同一区划里，第 2 行的 U02 也叫“某某局”；{WHY}",
        f"第 4 行：name：同一区划里，已有的 U01 也叫“长沙县公安局”；{WHY}",
    ]


async def test_two_towns_may_each_have_one_of_a_name_and_so_may_the_county(county: Work, load: Load) -> None:
    await load(county, "divisions", "code,name,level,parent_code\n430121002,泉塘街道,town,430121\n")
    file = f"{HEADER}A,城管站,,430121,\nB,城管站,,430121001,\nC,城管站,,430121002,\n"
    assert (await load(county, "units", file)).created == 3


async def test_names_may_change_places(county: Work, load: Load) -> None:
    await load(county, "units", f"{HEADER}U02,某某局,,430121,\n")
    done = await load(county, "units", f"{HEADER}U01,某某局,,430121,\nU02,长沙县公安局,,430121,\n")
    assert done.updated == 2


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("U 2,某局,,430121,", "code 应为字母、数字、横线，至多 32 个，现为“U 2”"),
        (",某局,,430121,", "code 不能为空"),
        ("U02,,,430121,", "name 不能为空"),
        ("U02,某局,,430199,", "division_code：没有代码为“430199”的区划"),
        ("U02,某局,,,", "division_code 不能为空"),
        ("U02,某局,,430121001001,", "division_code 应为县或镇街：承办单位属于县或镇街"),
        ("U01,某局,,430121,", "code 与第 2 行重复"),
    ],
)
async def test_a_wrong_row_is_named(county: Work, refusals: Refusals, row: str, fault: str) -> None:
    good = "U01,某某局,,430121,\n"
    assert await refusals(county, "units", f"{HEADER}{good}{row}\n") == [f"第 3 行：{fault}"]
    assert (await stored(county))["U01"].name == "长沙县公安局"
