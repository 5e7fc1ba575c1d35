from typing import Any

import pytest
from sqlalchemy import select

from app.base.work import Work
from app.schema import categories, units
from tests.imports.county_files import Load, Refusals

HEADER = (
    "code,name,parent_code,level,kind_hint,lowest_level,unit,accept_working_days,reply_working_days,complete_days,"
    "day_rule,auto_accept,photo_required,sensitive,keywords\n"
)
BRANCH = "C13,党风政风,,1,,county,,1,3,10,natural,false,false,false,\n"
LEAF = "C1304,反映干部作风,C13,2,problem,county,长沙县公安局,1,2,10,working,否,是,true,作风|不作为\n"
FILE = HEADER + LEAF + BRANCH


async def stored(work: Work) -> dict[str, Any]:
    return {row.code: row for row in await work.conn.execute(select(categories))}


def leaf(**cells: str) -> str:
    """A leaf named C1301 in which some cells are different."""
    row = dict(zip(HEADER.strip().split(","), LEAF.strip().split(","), strict=True))
    return ",".join((row | {"code": "C1301", "name": "某事"} | cells).values()) + "\n"


async def test_a_leaf_is_kept_with_its_branch_its_unit_and_its_limits(county: Work, load: Load) -> None:
    done = await load(county, "categories", FILE)
    assert (done.created, done.updated, done.unchanged) == (2, 0, 0)
    found = await stored(county)
    row = found["C1304"]
    police = (await county.conn.execute(select(units.c.id).where(units.c.code == "U01"))).scalar_one()
    assert (row.parent_id, row.unit_id, row.level, row.kind_hint) == (found["C13"].id, police, 2, "problem")
    assert (row.accept_working_days, row.reply_working_days, row.complete_days, row.day_rule) == (1, 2, 10, "working")
    assert (row.auto_accept, row.photo_required, row.sensitive) == (False, True, True)
    assert (row.keywords, row.lowest_level) == (["作风", "不作为"], "county")
    assert (found["C13"].parent_id, found["C13"].unit_id, found["C13"].kind_hint) == (None, None, None)


async def test_the_same_file_again_changes_nothing(county: Work, load: Load) -> None:
    await load(county, "categories", FILE)
    done = await load(county, "categories", FILE)
    assert (done.created, done.updated, done.unchanged, done.notices) == (0, 0, 2, ())


async def test_changed_limits_keep_the_row(county: Work, load: Load) -> None:
    await load(county, "categories", FILE)
    before = (await stored(county))["C1304"]
    done = await load(county, "categories", HEADER + LEAF.replace(",1,2,10,", ",1,1,5,"))
    after = (await stored(county))["C1304"]
    assert (done.updated, done.notices) == (1, ("文件中没有的 1 个事项分类保持不变",))
    assert (after.id, after.reply_working_days, after.complete_days) == (before.id, 1, 5)


async def test_complaints_about_officials_are_confidential_whatever_the_file_says(county: Work, load: Load) -> None:
    await load(county, "categories", FILE)
    assert [(await stored(county))[code].confidential for code in ("C13", "C1304")] == [False, True]
    header = HEADER.replace("keywords", "keywords,confidential")
    await load(county, "categories", header + LEAF.replace("不作为", "不作为,false"))
    assert (await stored(county))["C1304"].confidential is True


async def test_other_categories_are_confidential_where_the_file_says_so_and_stay_it(county: Work, load: Load) -> None:
    header = HEADER.replace("keywords", "keywords,confidential")
    said = leaf().strip() + ",true\n"
    await load(county, "categories", header + BRANCH.strip() + ",false\n" + said)
    assert (await stored(county))["C1301"].confidential is True
    done = await load(county, "categories", HEADER + BRANCH + leaf())
    assert (done.unchanged, (await stored(county))["C1301"].confidential) == (2, True)


LIMITS = (
    "accept_working_days、reply_working_days、complete_days 不合规定：受理 1 个工作日，首次回复 1 至 3 个工作日，"
    "办结 1 至 10 天（按小时计 1 至 240 小时），现为 "
)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (leaf(accept_working_days="2"), f"{LIMITS}2、2、10（工作日）"),
        (leaf(reply_working_days="4"), f"{LIMITS}1、4、10（工作日）"),
        (leaf(complete_days="11"), f"{LIMITS}1、2、11（工作日）"),
        (leaf(complete_days="0"), f"{LIMITS}1、2、0（工作日）"),
        (leaf(complete_days="241", day_rule="hours"), f"{LIMITS}1、2、241（小时）"),
        (leaf(unit="长沙县某局"), "unit“长沙县某局”：没有这个名称的承办单位，请先导入 units"),
        (leaf(level="3"), "level 只能是 1 或 2，现为“3”"),
        (leaf(parent_code=""), "parent_code：没有代码为“”的一级分类（文件和数据库里都没有）"),
        (leaf(parent_code="C99"), "parent_code：没有代码为“C99”的一级分类（文件和数据库里都没有）"),
        (leaf(parent_code="C1301"), "parent_code：没有代码为“C1301”的一级分类（文件和数据库里都没有）"),
        (leaf(level="1"), "parent_code 应为空：一级分类没有上级"),
        (leaf(sensitive="maybe"), "sensitive 只能是 true 或 false（也可写 是、否），现为“maybe”"),
        (leaf(code="C13"), "code 与第 2 行重复"),
    ],
)
async def test_a_wrong_row_is_named(county: Work, refusals: Refusals, row: str, fault: str) -> None:
    assert await refusals(county, "categories", HEADER + BRANCH + row) == [f"第 3 行：{fault}"]
    assert await stored(county) == {}


async def test_a_number_that_is_none_is_named(county: Work, refusals: Refusals) -> None:
    found = await refusals(county, "categories", HEADER + BRANCH + leaf(complete_days="十"))
    assert "第 3 行：complete_days 应为整数，现为“十”" in found


@pytest.mark.parametrize("column", ["kind_hint", "lowest_level", "day_rule"])
async def test_an_unknown_word_is_named(county: Work, refusals: Refusals, column: str) -> None:
    [fault] = await refusals(county, "categories", HEADER + BRANCH + leaf(**{column: "nonsense"}))
    assert fault.startswith(f"第 3 行：{column} 只能是 ")
    assert fault.endswith("之一，现为“nonsense”")


async def test_the_countys_unit_is_meant_where_towns_have_one_of_its_name(county: Work, load: Load) -> None:
    await load(county, "units", "code,name,division_code\nA02,长沙县公安局,430121001\n")
    await load(county, "categories", FILE)
    police = (await county.conn.execute(select(units.c.id).where(units.c.code == "U01"))).scalar_one()
    assert (await stored(county))["C1304"].unit_id == police


async def test_a_unit_of_which_only_towns_have_several_is_refused(county: Work, load: Load, refusals: Refusals) -> None:
    await load(county, "divisions", "code,name,level,parent_code\n430121002,泉塘街道,town,430121\n")
    await load(county, "units", "code,name,division_code\nA,城管站,430121001\nB,城管站,430121002\n")
    assert await refusals(county, "categories", HEADER + BRANCH + leaf(unit="城管站")) == [
        "第 3 行：unit“城管站”：有 2 个承办单位同名，分不清是哪一个，请先给它们不同的名称"
    ]


async def test_columns_that_may_be_left_out_are_empty_for_what_is_new_and_stay_for_what_is_there(
    county: Work, load: Load
) -> None:
    left_out = ("kind_hint", "unit", "keywords")
    keep = [n for n, name in enumerate(HEADER.strip().split(",")) if name not in left_out]

    def cut(text: str) -> str:
        return "".join(",".join(line.split(",")[n] for n in keep) + "\n" for line in text.splitlines())

    assert (await load(county, "categories", cut(FILE))).created == 2
    row = (await stored(county))["C1304"]
    assert (row.kind_hint, row.unit_id, row.keywords) == (None, None, [])
    assert (await load(county, "categories", FILE)).updated == 1
    before = await stored(county)
    assert before["C1304"].unit_id is not None
    assert (await load(county, "categories", cut(FILE))).unchanged == 2
    assert await stored(county) == before


async def test_a_level_never_changes(county: Work, load: Load, refusals: Refusals) -> None:
    await load(county, "categories", FILE)
    row = BRANCH.replace("C13,", "C1304,", 1)
    assert await refusals(county, "categories", HEADER + row) == ["第 2 行：level 不能从 2 改为 1，请另立代码"]
