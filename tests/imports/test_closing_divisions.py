"""What a newer edition no longer has, or a file names as closed: it stays, and gets nothing new."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from app.base.work import Work
from app.demo.county import DemoCounty, as_csv
from app.divisions.service import Atlas, atlas, must_be_open, open_division
from app.domain.county import Node
from app.domain.errors import Invalid
from app.domain.routing import Request
from app.routing.service import reroute, route
from app.schema import households
from tests.imports.county_files import Load, Refusals
from tests.imports.edition_files import (
    AFTER,
    BEFORE,
    DOORS,
    HEADER,
    LEFT,
    LEFT_GRID,
    STREET,
    closed,
    found_in,
    rows,
    sheet,
    stored,
)
from tests.rates.counted import UNTOUCHED, at, write

TODAY = date(2026, 9, 22)


async def refused(work: Work, load: Load, text: str, **more: Any) -> Invalid:
    """Why a file is not taken; nothing has changed."""
    before = await stored(work)
    with pytest.raises(Invalid) as error:
        await load(work, "divisions", text, **more)
    assert await stored(work) == before
    return error.value


async def test_what_a_whole_edition_leaves_out_is_closed_with_all_below_it_and_not_deleted(
    street: Work, load: Load
) -> None:
    before = await stored(street)
    done = await load(street, "divisions", AFTER, edition="2023")
    assert (done.created, done.updated, done.unchanged) == (0, 0, 7)
    assert await closed(street) == {LEFT: TODAY, LEFT_GRID: TODAY}
    after = await stored(street)
    assert {code: row.id for code, row in after.items()} == {code: row.id for code, row in before.items()}
    assert {after[code].edition for code in (LEFT, LEFT_GRID)} == {"2023"}
    assert done.notices == (
        "文件中没有的 5 个区划保持不变",
        "撤销了 2 个区划：后街社区居委会（连同其下各级）。它们的名称不再用来定位；"
        "并入别处的，请用别名文件把旧名指到并入的区划",
    )


async def test_the_same_whole_edition_again_changes_nothing(street: Work, load: Load) -> None:
    await load(street, "divisions", AFTER, edition="2023")
    before = await stored(street)
    done = await load(replace(street, now=street.now + timedelta(days=9)), "divisions", AFTER, edition="2023")
    assert (done.created, done.updated, done.unchanged) == (0, 0, 7)
    assert done.notices == ("文件中没有的 5 个区划保持不变",)
    assert await stored(street) == before


async def test_a_part_of_the_county_closes_nothing(street: Work, load: Load) -> None:
    await load(street, "divisions", sheet(rows(DOORS[:5])[1:]))
    assert await closed(street) == {}


async def test_whoever_closes_is_told_what_is_still_there(street: Work, load: Load) -> None:
    staff = "username,name,phone,role,division_code,unit_code\n"
    await load(street, "staff", f"{staff}kd-1,王演示,14200000001,courier,{LEFT_GRID},\n")
    known = await atlas(street)
    await write(street.conn, [at(known.county, LEFT_GRID, UNTOUCHED), at(known.county, LEFT_GRID)])
    house = {"key": "k", "grid_id": known.county.by_code[LEFT_GRID].id, "head_name": "王", "in_difficulty": False}
    await street.conn.execute(insert(households).values(house))
    done = await load(street, "divisions", AFTER, edition="2023")
    assert done.notices[-1] == "撤销的区划还有 1 件在办事项、1 项任职、1 户，请派给别的区划"
    # The seat that is held may stay in the file; a new one there is refused.
    again = await load(street, "staff", f"{staff}kd-1,王演示,14200000001,courier,{LEFT_GRID},\n")
    assert again.unchanged == 1


async def test_nobody_new_is_appointed_at_what_is_closed(street: Work, load: Load, refusals: Refusals) -> None:
    await load(street, "divisions", AFTER, edition="2023")
    file = f"username,name,phone,role,division_code,unit_code\nkd-1,王演示,14200000001,courier,{LEFT_GRID},\n"
    assert await refusals(street, "staff", file) == [
        f"第 2 行：division_code：区划“{LEFT_GRID}”已撤销，请改填现在的区划"
    ]


async def test_nothing_new_is_put_at_what_is_closed(street: Work, load: Load) -> None:
    await load(street, "divisions", AFTER, edition="2023")
    known = await atlas(street)
    with pytest.raises(Invalid) as error:
        open_division(known.county, LEFT)
    assert (error.value.code, error.value.faults[0].pointer) == ("division.closed", "/division_code")
    assert error.value.detail == f"后街社区居委会（{LEFT}）已撤销，不再接收新事项，请改填现在的区划"
    with pytest.raises(Invalid):
        must_be_open(known.county, Node(division_id=known.county.by_code[LEFT_GRID].id), "/username")
    assert open_division(known.county, STREET).code == STREET


async def test_a_closed_name_finds_what_is_above_until_the_successor_has_it(street: Work, load: Load) -> None:
    await load(street, "aliases", f"alias,division_code\n后街菜场,{LEFT}\n")
    await load(street, "divisions", AFTER, edition="2023")
    for text in ("后街社区的路灯", "后街社区第1网格", "后街菜场门口"):
        assert await found_in(street, text) == [STREET], text
    await load(street, "aliases", f"alias,division_code\n后街社区,{STREET}005\n")
    assert await found_in(street, "后街社区的路灯") == [f"{STREET}005"]


def code_of(known: Atlas, division_id: int | None) -> str:
    assert division_id is not None
    return known.county.divisions[division_id].code


async def test_a_bound_grid_an_account_and_an_old_ticket_at_a_closed_place_go_to_what_is_above(
    street: Work, load: Load
) -> None:
    await load(street, "divisions", AFTER, edition="2023")
    known = await atlas(street)
    place = known.county.by_code[LEFT_GRID].id
    for request in (Request("路灯不亮", bound_grid_id=place), Request("路灯不亮", account_division_id=place)):
        routed = await route(street, known, request, None)
        assert code_of(known, routed.division_id) == code_of(known, routed.node.division_id) == STREET
    # A ticket that is there stays there; whoever has to act now is above.
    routed = await reroute(street, known, place, None, "更正分类。")
    assert (code_of(known, routed.division_id), code_of(known, routed.node.division_id)) == (LEFT_GRID, STREET)


async def test_the_courier_of_a_closed_grid_is_no_candidate_for_its_village(street: Work, load: Load) -> None:
    staff = "username,name,phone,role,division_code,unit_code\n"
    await load(street, "staff", f"{staff}kd-1,王演示,14200000001,courier,{LEFT_GRID},\n")
    categories = (
        "code,name,parent_code,level,kind_hint,lowest_level,unit,accept_working_days,reply_working_days,"
        "complete_days,day_rule,auto_accept,photo_required,sensitive,keywords\n"
        "C01,环境,,1,,village,,1,3,10,natural,false,false,false,\n"
        "C0101,路灯,C01,2,,village,,1,3,10,natural,false,false,false,路灯\n"
    )
    await load(street, "categories", categories)

    async def person() -> str | None:
        known = await atlas(street)
        routed = await route(street, known, Request("后街社区的路灯不亮"), known.county.category_by_code["C0101"])
        return routed.person.username if routed.person else None

    assert await person() == "kd-1"
    await load(street, "divisions", sheet([f"{LEFT_GRID},第1网格,grid,{LEFT},2026-09-22"], HEADER + ",valid_to"))
    assert await person() is None


async def test_what_reappears_is_reopened_with_what_was_closed_with_it(street: Work, load: Load) -> None:
    extra = f"{LEFT}002,第2网格,grid,{LEFT},2026-09-01"
    await load(street, "divisions", sheet([extra], HEADER + ",valid_to"))
    await load(street, "divisions", AFTER, edition="2023")
    assert (await closed(street)).keys() == {LEFT, LEFT_GRID, f"{LEFT}002"}
    done = await load(street, "divisions", sheet(rows(grids=False)), edition="2023")
    assert (done.created, done.updated, done.unchanged) == (0, 1, 7)
    assert done.notices[-1] == "随上级一同恢复了 1 个区划"
    assert await closed(street) == {f"{LEFT}002": date(2026, 9, 1)}, "it was closed by itself"
    assert await found_in(street, "后街社区第1网格") == [LEFT_GRID]


async def test_what_a_whole_edition_leaves_out_stays_closed_when_its_town_reappears(street: Work, load: Load) -> None:
    town = ["430121002,泉塘街道,town,430121", "430121002001,泉星社区居委会,village,430121002"]
    kept = "430121002002,丁家岭社区居委会,village,430121002"
    await load(street, "divisions", sheet([*town, kept]))
    await load(street, "divisions", sheet([f"{town[0]},2026-09-01"], HEADER + ",valid_to"))
    assert len(await closed(street)) == 3
    await load(street, "divisions", sheet([*rows(grids=False), town[0], kept]), edition="2023")
    assert (await closed(street)).keys() == {"430121002001"}


# Closed by name: the column valid_to


async def test_a_part_may_close_what_it_names_with_all_below(street: Work, load: Load) -> None:
    file = sheet([f"{LEFT},后街社区居委会,village,{STREET},2026-08-31"], HEADER + ",valid_to")
    done = await load(street, "divisions", file)
    assert (done.created, done.updated, done.unchanged) == (0, 1, 0)
    assert await closed(street) == dict.fromkeys((LEFT, LEFT_GRID), date(2026, 8, 31))
    assert done.notices[1].startswith("撤销了 2 个区划：后街社区居委会（连同其下各级）")
    assert (await load(street, "divisions", file)).unchanged == 1


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (f"{LEFT},后街社区居委会,village,{STREET},去年", "valid_to 应为日期，如 2026-09-30，现为“去年”"),
        (
            f"{LEFT},后街社区居委会,village,{STREET},2026-09-23",
            "valid_to 应在启用日 2017-01-01 和今天 2026-09-22 之间，现为“2026-09-23”",
        ),
        (
            f"{LEFT},后街社区居委会,village,{STREET},2016-12-31",
            "valid_to 应在启用日 2017-01-01 和今天 2026-09-22 之间，现为“2016-12-31”",
        ),
        ("430121,长沙县,county,,2026-09-01", "县本身不能撤销，valid_to 应为空"),
    ],
)
async def test_a_wrong_last_day_is_named(street: Work, refusals: Refusals, row: str, fault: str) -> None:
    assert await refusals(street, "divisions", sheet([row], HEADER + ",valid_to")) == [f"第 2 行：{fault}"]


# What is refused


async def test_nothing_open_lies_under_what_is_closed(street: Work, load: Load, refusals: Refusals) -> None:
    fault = f"parent_code：上级区划“{LEFT}”已撤销，或按这个文件将撤销；它仍在的，请把它也写进文件"
    grid = f"{LEFT_GRID},第1网格,grid,{LEFT}"
    assert await refusals(street, "divisions", sheet([*rows(DOORS[:5]), grid])) == [f"第 14 行：{fault}"]
    named = [f"{LEFT},后街社区居委会,village,{STREET},2026-09-01", f"{grid},"]
    assert await refusals(street, "divisions", sheet(named, HEADER + ",valid_to")) == [f"第 3 行：{fault}"]
    await load(street, "divisions", AFTER, edition="2023")
    assert await refusals(street, "divisions", sheet([grid])) == [f"第 2 行：{fault}"]


async def test_an_older_edition_over_a_newer_is_refused(street: Work, load: Load) -> None:
    await load(street, "divisions", sheet(rows(town="星沙新街道")), edition="2023")
    why = await refused(street, load, BEFORE, edition="2022")
    assert why.code == "import.edition_older"
    assert why.detail.startswith("文件是 2022 年版，库里的区划已是 2023 年版，旧版不能覆盖新版，什么都没有导入；")
    # A part is no edition: it may say which one a row is of.
    await load(street, "divisions", sheet([f"{STREET}007,前街社区居委会,village,{STREET}"]), edition="2022")
    assert (await load(street, "divisions", sheet(rows(town="星沙新街道")[:2]), edition="2023")).unchanged == 2


async def test_a_file_that_lacks_more_than_a_fifth_of_a_level_is_taken_for_cut_off(street: Work, load: Load) -> None:
    why = await refused(street, load, sheet(rows(DOORS[:4], grids=False)), edition="2023")
    assert why.code == "import.cut_off"
    assert why.detail.startswith("文件里缺少 2 个村社区（现有 6 个），超过两成，像是不完整的文件，什么都没有导入；")
    await load(street, "divisions", sheet([f"{LEFT}{n:03},第{n}网格,grid,{LEFT}" for n in range(2, 9)]))
    why = await refused(street, load, AFTER, edition="2023")
    assert why.detail.startswith("文件里缺少的区划下面有 8 个网格（现有 13 个），超过两成")


async def test_closing_more_than_a_fifth_takes_naming_them(street: Work, load: Load) -> None:
    lines = [f"{line}," for line in rows(DOORS[:4], grids=False)]
    lines += [
        f"{STREET}{n:03},{name}社区居委会,village,{STREET},2026-09-01" for n, name in enumerate(DOORS[4:], start=5)
    ]
    await load(street, "divisions", sheet(lines, HEADER + ",valid_to"), edition="2023")
    assert (await closed(street)).keys() == {f"{STREET}{n:03}{grid}" for n in (5, 6) for grid in ("", "001")}


async def test_what_lies_below_a_named_one_is_not_missing(street: Work, load: Load) -> None:
    lines = [f"{line}," for line in rows(DOORS[:4])]
    lines += [
        f"{STREET}{n:03},{name}社区居委会,village,{STREET},2026-09-01" for n, name in enumerate(DOORS[4:], start=5)
    ]
    await load(street, "divisions", sheet(lines, HEADER + ",valid_to"), edition="2023")
    assert set((await closed(street)).values()) == {date(2026, 9, 1)}


async def test_a_faulty_row_is_not_taken_for_a_missing_one(street: Work, refusals: Refusals) -> None:
    lines = rows()
    lines[2] = lines[2].replace("village", "hamlet")
    [fault] = await refusals(street, "divisions", sheet(lines))
    assert fault.startswith("第 4 行：level 只能是")


async def test_a_whole_county_of_the_demos_size_loses_a_village_with_its_grids(
    work: Work, load: Load, demo: DemoCounty
) -> None:
    """The file that the demo itself imports, with all four levels, less one village."""
    gone = f"{STREET}001"
    table = next(one for one in demo.sheets if one.name == "divisions")
    lines = [line for line in as_csv(table).splitlines() if not line.startswith(gone)]
    county = (await atlas(work)).county
    below = {d.code for d in county.divisions.values() if d.code.startswith(gone)}
    done = await load(work, "divisions", "\n".join([*lines, ""]), edition="2017")
    assert (await closed(work)).keys() == below
    assert (done.created, done.updated, done.unchanged) == (0, 0, len(county.divisions) - len(below))
    assert done.notices[-1].startswith("撤销的区划还有 ")
    back = await load(work, "divisions", as_csv(table), edition="2017")
    assert (back.created, back.updated) == (0, len(below))
    assert await closed(work) == {}
