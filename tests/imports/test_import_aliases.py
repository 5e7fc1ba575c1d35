import pytest
from sqlalchemy import func, select

from app.base.work import Work
from app.schema import division_aliases
from tests.imports.county_files import Load, Refusals

FILE = "alias,division_code,note\n板仓,430121001,名\n板仓,430121001001,名\n星沙镇,430121001,已有\n"


async def count(work: Work) -> int:
    return (await work.conn.execute(select(func.count()).select_from(division_aliases))).scalar_one()


async def test_names_are_added_and_one_name_may_mean_several_places(county: Work, load: Load) -> None:
    done = await load(county, "aliases", FILE)
    assert (done.created, done.updated, done.unchanged) == (2, 0, 1)
    assert done.notices == ("忽略了不认识的列：note",)
    assert await count(county) == 4


async def test_the_same_file_again_changes_nothing(county: Work, load: Load) -> None:
    await load(county, "aliases", FILE)
    done = await load(county, "aliases", FILE)
    assert (done.created, done.updated, done.unchanged) == (0, 0, 3)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("松雅湖,430199", "division_code：没有代码为“430199”的区划"),
        ("湖,430121001", "alias 至少 2 个字，现为“湖”"),
        (",430121001", "alias 不能为空"),
        ("板仓,430121001", "alias 和 division_code 与第 2 行重复"),
    ],
)
async def test_a_wrong_row_is_named(county: Work, refusals: Refusals, row: str, fault: str) -> None:
    file = f"alias,division_code\n板仓,430121001\n{row}\n"
    assert await refusals(county, "aliases", file) == [f"第 3 行：{fault}"]
    assert await count(county) == 2
