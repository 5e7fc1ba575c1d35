"""Words of what is urgent: what every county begins with, and what a county makes of it."""

import pytest
from sqlalchemy import delete, func, select

from app.base.work import Work
from app.divisions.service import atlas
from app.domain.county import Sign
from app.imports import service
from app.imports.kinds import urgent_words as kind
from app.schema import urgent_words
from tests.imports.county_files import Load, Refusals

HEADER = "word,sign,alone,calls,category\n"
CATEGORIES = (
    "code,name,parent_code,level,kind_hint,lowest_level,unit,accept_working_days,reply_working_days,complete_days,"
    "day_rule,auto_accept,photo_required,sensitive,keywords,confidential\n"
    "C04,水电气讯,,1,,县,,1,3,10,natural,false,false,false,,false\n"
    "C0403,燃气,C04,2,,村社区,,1,3,10,natural,false,false,false,燃气,false\n"
)


async def count(work: Work) -> int:
    return (await work.conn.execute(select(func.count()).select_from(urgent_words))).scalar_one()


async def test_every_county_begins_with_the_same_words(blank: Work) -> None:
    there = await count(blank)
    assert there == len(kind.default().rows) > 400
    await service.seed(blank)
    assert await count(blank) == there
    await blank.conn.execute(delete(urgent_words))
    await service.seed(blank)
    assert await count(blank) == there


async def test_a_word_is_added_and_is_read_from_then_on(county: Work, load: Load) -> None:
    assert (await atlas(county)).urgency.read("锅炉要炸了", None) is None
    done = await load(county, "urgent-words", HEADER + "锅炉要炸,生命危险,是,119|120,\n")
    assert (done.created, done.updated, done.unchanged) == (1, 0, 0)
    found = (await atlas(county)).urgency.read("锅炉要炸了", None)
    assert found is not None
    assert (found.sign, found.calls) == (Sign.DANGER, ("119", "120"))


async def test_a_default_word_is_switched_off(county: Work, load: Load) -> None:
    assert (await atlas(county)).urgency.read("有人打群架", None) is not None
    done = await load(county, "urgent-words", HEADER + "打群架,harmless,,,\n")
    assert (done.created, done.updated) == (0, 1)
    assert (await atlas(county)).urgency.read("有人打群架", None) is None


async def test_a_word_may_mean_something_in_one_category_only(county: Work, load: Load) -> None:
    await load(county, "categories", CATEGORIES)
    done = await load(county, "urgent-words", HEADER + "漏气,danger,true,119,C0403\n漏气,harmless,,,\n")
    assert done.created == 2
    found = await atlas(county)
    gas = found.county.category_by_code["C0403"]
    assert found.urgency.read("家里漏气", gas) is not None
    assert found.urgency.read("家里漏气", None) is None
    again = await load(county, "urgent-words", HEADER + "漏气,danger,true,119,C0403\n漏气,harmless,,,\n")
    assert again.unchanged == 2


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (",danger,,119,", "word 不能为空"),
        ("火,danger,,119,", "word 至少 2 个字，现为“火”"),
        (
            "锅炉要炸,fire,,119,",
            "sign 只能是 danger（生命危险）、cutoff（停水停电停气）、harmless（不算紧急） 之一，现为“fire”",
        ),
        ("锅炉要炸,danger,,,", "calls：有生命危险的词要写明拨打哪个电话，如 119|120"),
        ("锅炉要炸,danger,,119|114,", "calls 只能是 110、119、120、122，用 | 分隔，现为“114”"),
        ("锅炉要炸,danger,maybe,119,", "alone 只能是 true 或 false（也可写 是、否），现为“maybe”"),
        ("锅炉要炸,danger,,119,C99", "category：没有代码为“C99”的事项分类"),
        ("断了水,danger,,119,", "word 和 category 与第 2 行重复"),
    ],
)
async def test_a_wrong_row_is_named(county: Work, refusals: Refusals, row: str, fault: str) -> None:
    before = await count(county)
    assert await refusals(county, "urgent-words", f"{HEADER}断了水,cutoff,,,\n{row}\n") == [f"第 3 行：{fault}"]
    assert await count(county) == before
