from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.base.work import Work
from app.domain.errors import Invalid
from app.domain.vocabulary import Level
from app.imports.kinds.divisions import short_of
from app.schema import division_aliases, divisions
from tests.imports.county_files import DIVISIONS, Load, Refusals

HEADER = "code,name,level,parent_code\n"
COUNTY = HEADER + "430121,长沙县,county,\n"


async def stored(work: Work) -> dict[str, Any]:
    return {row.code: row for row in await work.conn.execute(select(divisions).order_by(divisions.c.code))}


async def names(work: Work) -> set[tuple[str, str]]:
    joined = division_aliases.join(divisions, divisions.c.id == division_aliases.c.division_id)
    found = await work.conn.execute(select(division_aliases.c.alias, divisions.c.code).select_from(joined))
    return {(row.alias, row.code) for row in found}


async def test_every_level_knows_all_above_it(county: Work) -> None:
    found = await stored(county)
    ids = [found[code].id for code in ("430121", "430121001", "430121001001", "430121001001001")]
    lineages = [(row.county_id, row.town_id, row.village_id, row.grid_id) for row in found.values()]
    assert lineages == [
        (ids[0], None, None, None),
        (*ids[:2], None, None),
        (*ids[:3], None),
        tuple(ids),
    ]
    assert [row.parent_id for row in found.values()] == [None, *ids[:3]]


async def test_a_row_may_stand_before_its_parent(blank: Work, load: Load) -> None:
    header, *rows = DIVISIONS.splitlines()
    done = await load(blank, "divisions", "\n".join([header, *reversed(rows)]))
    assert done.created == 4
    assert (await stored(blank))["430121001001001"].town_id is not None


async def test_all_columns_are_kept(county: Work) -> None:
    town = (await stored(county))["430121001"]
    assert (town.source, town.name, town.short_name, town.level) == ("nbs", "星沙街道", "星沙", "town")
    assert (town.lat, town.lon, town.edition, town.valid_from, town.valid_to) == (
        *(28.25, 113.08),
        *("2017", date(2017, 1, 1), None),
    )
    assert await names(county) == {("星沙镇", "430121001"), ("星沙开发区", "430121001")}


async def test_an_edition_that_nobody_named_is_none_and_shuts_out_no_later_one(blank: Work, load: Load) -> None:
    await load(blank, "divisions", COUNTY)
    county = (await stored(blank))["430121"]
    assert (county.edition, county.valid_from) == ("", date(2026, 1, 1))
    assert (await load(blank, "divisions", COUNTY)).unchanged == 1
    await load(blank, "divisions", COUNTY.replace("长沙县", "星沙县"), edition="2017")
    assert (await stored(blank))["430121"].edition == "2017"


async def test_a_part_without_an_edition_takes_the_one_that_is_there(county: Work, load: Load) -> None:
    rows = "430121001,星沙新街道,town,430121\n430121001001002,第2网格,grid,430121001001\n"
    await load(county, "divisions", HEADER + rows)
    found = await stored(county)
    assert {row.edition for row in found.values()} == {"2017"}
    assert found["430121001001002"].valid_from == date(2026, 1, 1)
    # So the next official edition is no older one.
    await load(county, "divisions", DIVISIONS + "430121001001002,第2网格,grid,430121001001,,,,\n", edition="2024")


async def test_a_whole_edition_over_a_named_one_must_say_which_it_is(county: Work, load: Load) -> None:
    before = await stored(county)
    with pytest.raises(Invalid) as refused:
        await load(county, "divisions", DIVISIONS.replace("星沙街道", "星沙新街道"))
    assert refused.value.code == "import.edition"
    assert "库里已是 2017 年版，请用 --edition 写明文件是哪一年版，例如 --edition 2017" in refused.value.detail
    assert await stored(county) == before


@pytest.mark.parametrize(("edition", "why"), [("17", "四位年份"), ("2027", "不能晚于今年（2026）")])
async def test_an_edition_that_is_no_year_or_not_yet_there_is_refused(
    blank: Work, load: Load, edition: str, why: str
) -> None:
    with pytest.raises(Invalid, match=why):
        await load(blank, "divisions", COUNTY, edition=edition)


async def test_the_same_file_again_changes_nothing(county: Work, load: Load) -> None:
    before = await stored(county)
    done = await load(county, "divisions", DIVISIONS, edition="2023")
    assert (done.created, done.updated, done.unchanged, done.notices) == (0, 0, 4, ())
    assert await stored(county) == before


async def test_a_new_name_keeps_the_row_and_all_that_hangs_on_it(county: Work, load: Load) -> None:
    before = (await stored(county))["430121001"]
    done = await load(county, "divisions", HEADER + "430121001,星沙新街道,town,430121\n", edition="2023")
    after = (await stored(county))["430121001"]
    assert (done.created, done.updated, done.unchanged) == (0, 1, 0)
    assert done.notices == ("文件中没有的 3 个区划保持不变",)
    assert (after.id, after.name, after.edition) == (before.id, "星沙新街道", "2023")
    # The file has no such columns and says nothing of them; the short name was made from the name and follows it.
    assert (after.short_name, after.lat, after.valid_from) == ("星沙新", 28.25, date(2017, 1, 1))


async def test_a_short_name_that_was_set_stays_when_the_name_changes(county: Work, load: Load) -> None:
    await load(county, "divisions", "code,name,level,parent_code,short_name\n430121001,星沙街道,town,430121,星沙城\n")
    await load(county, "divisions", HEADER + "430121001,星沙新街道,town,430121\n")
    assert (await stored(county))["430121001"].short_name == "星沙城"


async def test_a_new_alias_counts_as_an_update_and_takes_none_away(county: Work, load: Load) -> None:
    file = "code,name,level,parent_code,aliases\n430121001,星沙街道,town,430121,㮾梨|星沙街道\n"
    done = await load(county, "divisions", file)
    assert (done.created, done.updated, done.unchanged) == (0, 1, 0)
    assert await names(county) == {(alias, "430121001") for alias in ("星沙镇", "星沙开发区", "㮾梨")}


async def test_a_child_of_a_stored_parent_is_added(county: Work, load: Load) -> None:
    done = await load(county, "divisions", HEADER + "430121001001002,第2网格,grid,430121001001\n")
    grids = await stored(county)
    assert done.created == 1
    assert grids["430121001001002"].village_id == grids["430121001001001"].village_id


async def test_levels_may_be_written_in_chinese(blank: Work, load: Load) -> None:
    await load(blank, "divisions", HEADER + "430121,长沙县,县,\n")
    assert (await stored(blank))["430121"].level == "county"


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("43012,长沙县,county,", "第 3 行：code 应为 6 位数字（县），现为“43012”"),
        ("43012100x,某镇,town,430121", "第 3 行：code 应为 9 位数字（镇街），现为“43012100x”"),
        ("430121002,某村,village,430121001", "第 3 行：code 应为 12 位数字（村社区），现为“430121002”"),
        ("430121002,某格,grid,430121001", "第 3 行：code 应为 15 位数字（网格），现为“430121002”"),
        (
            "430121002001,某村,village,430121002",
            "第 3 行：parent_code：没有代码为“430121002”的上级区划（文件和数据库里都没有）",
        ),
        (
            "430121002,某镇,town,430122",
            "第 3 行：parent_code 应为“430121”（上一级的代码，即 code 的前 6 位），现为“430122”",
        ),
        ("430122,某县,county,4301", "第 3 行：parent_code 应为空（县没有上级），现为“4301”"),
        ("430122,某县,county,", "第 3 行：code：一个数据库只能有一个县，已有“430121”"),
        ("430121,长沙县,county,", "第 3 行：code 与第 2 行重复"),
        ("430121002,,town,430121", "第 3 行：name 不能为空"),
        (f"430121002,{'长' * 61},town,430121", "第 3 行：name 最多 60 个字，现有 61 个"),
        ('430121002,"某\n镇",town,430121', "第 3 行：name 含有换行或乱码字符"),
    ],
)
async def test_a_wrong_row_is_named(blank: Work, refusals: Refusals, row: str, fault: str) -> None:
    assert fault in await refusals(blank, "divisions", f"{COUNTY}{row}\n")
    assert await stored(blank) == {}


async def test_an_unknown_level_lists_the_known_ones(blank: Work, refusals: Refusals) -> None:
    [fault] = await refusals(blank, "divisions", HEADER + "430121,长沙县,city,\n")
    assert fault == (
        "第 2 行：level 只能是 county（县）、town（镇街）、village（村社区）、grid（网格） 之一，现为“city”"
    )


@pytest.mark.parametrize(
    ("lat", "lon", "fault"),
    [
        ("91", "113", "lat 应为 -90 到 90 之间的度数，现为“91”"),
        ("28", "1e2", "lon 应为 -180 到 180 之间的度数，现为“1e2”"),
        ("28", "", "lat 和 lon 要么都填，要么都不填"),
    ],
)
async def test_a_wrong_coordinate_is_named(blank: Work, refusals: Refusals, lat: str, lon: str, fault: str) -> None:
    file = f"code,name,level,parent_code,lat,lon\n430121,长沙县,county,,{lat},{lon}\n"
    assert f"第 2 行：{fault}" in await refusals(blank, "divisions", file)


async def test_an_alias_of_one_character_is_refused(blank: Work, refusals: Refusals) -> None:
    file = "code,name,level,parent_code,aliases\n430121,长沙县,county,,星\n"
    assert await refusals(blank, "divisions", file) == ["第 2 行：aliases 里的“星”应为 2 到 60 个字，各项用 | 分隔"]


async def test_one_slip_is_not_a_fault_of_every_row_below_it(blank: Work, refusals: Refusals) -> None:
    rows = "430121001,,town,430121\n" + "".join(f"4301210010{n:02},某村,village,430121001\n" for n in range(1, 50))
    assert await refusals(blank, "divisions", COUNTY + rows) == ["第 3 行：name 不能为空"]


@pytest.mark.parametrize(
    ("name", "level", "short"),
    [
        ("长沙县", Level.COUNTY, "长沙"),
        ("星沙街道", Level.TOWN, "星沙"),
        ("黄花镇", Level.TOWN, "黄花"),
        ("开元路社区居委会", Level.VILLAGE, "开元路"),
        ("回龙村委会", Level.VILLAGE, "回龙"),
        ("泉星社会居委会", Level.VILLAGE, "泉星"),
        ("第1网格", Level.GRID, "第1网格"),
    ],
)
def test_a_short_name_leaves_out_what_says_the_kind(name: str, level: Level, short: str) -> None:
    assert short_of(name, level) == short
