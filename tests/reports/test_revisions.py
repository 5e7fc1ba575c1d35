"""A revision says exactly what it changed, and that is frozen with it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.errors import Conflict
from app.reports import queries
from app.reports.differences import differences
from app.reports.records import intact, sealed
from tests.rates.counted import DONE, LIKED, RECEIVED, UNTOUCHED, at, write
from tests.reports.making import COUNTY, long_before, made, revised
from tests.reports.test_monthly_figures import JULY, OTHER_VILLAGE, TOWN, VILLAGE, earlier_version

NAMES = {COUNTY: "长沙县", TOWN: "星沙街道", VILLAGE: "开元路社区居委会"}


@pytest.fixture
async def county(work: Work) -> Atlas:
    return await long_before(work)


def told(items: list[dict[str, Any]], code: str) -> dict[str, tuple[Any, Any]]:
    return {one["field"]: (one["old"], one["new"]) for one in items if one["code"] == code}


async def test_a_revision_lists_exactly_what_is_not_as_it_was(work: Work, county: Atlas) -> None:
    await write(work.conn, [at(county.county, VILLAGE), at(county.county, VILLAGE, UNTOUCHED)])
    first = await made(work, county)
    # The second had been withdrawn by its citizen, and a third, liked, had not been recorded.
    await work.conn.execute(
        text("UPDATE ticket SET status = 'withdrawn', withdrawn_before_work = true WHERE status = 'received'")
    )
    await write(work.conn, [at(county.county, VILLAGE, LIKED)])
    second = await revised(work, county)
    changes = second.figures["changes"]
    assert (changes["revision"], changes["checksum"]) == (1, first.checksum)
    items = changes["items"]
    assert {one["code"]: one["name"] for one in items} == NAMES
    expected = {
        "受理": (1, 2),
        "回复": (1, 2),
        "办结": (1, 2),
        "点赞": (0, 1),
        "逾期未办结": (1, 0),
        "超过原期限未办结": (1, 0),
        "按时办结": (1, 2),
        "按原期限办结": (1, 2),
        "办结已评价": (0, 1),
        "首次点赞": (0, 1),
        "答已解决": (0, 1),
        "群众撤回": (0, 1),
        "参与排名受理": (1, 2),
        "参与排名回复": (1, 2),
        "参与排名点赞": (0, 1),
        **dict.fromkeys(("受理率", "回复率", "办结率", "按时办结率", "按原期限按时办结率"), ("50.00", "100.00")),
        "满意率": (None, "100.00"),
        "评价率": ("0.00", "50.00"),
        "首次满意率": (None, "100.00"),
        "解决率": (None, "100.00"),
    }
    assert told(items, VILLAGE) == expected
    taken = {f"{step}计入用时的件数": (1, 2) for step in ("受理", "首次回复", "办结")}
    assert told(items, TOWN) == told(items, COUNTY) == expected | taken
    paths = {(one["code"], one["path"]): (one["old"], one["new"]) for one in items}
    assert paths[VILLAGE, "counts.completed"] == (1, 2)
    assert paths[VILLAGE, "rates.completion_rate"] == ("50.00", "100.00")
    assert len(paths) == len(items)


async def test_it_lists_ranks_times_and_last_month_s_figures_too(work: Work, county: Atlas) -> None:
    await write(work.conn, [at(county.county, VILLAGE)] * 10 + [at(county.county, OTHER_VILLAGE, UNTOUCHED)] * 10)
    await made(work, county)
    await work.conn.execute(text("UPDATE ticket SET first_replied_at = NULL"))
    late = replace(DONE, completed_at=RECEIVED + timedelta(days=8))
    july = replace(UNTOUCHED, **JULY)
    await write(work.conn, [at(county.county, OTHER_VILLAGE, late)] * 30 + [at(county.county, VILLAGE, july)])
    items = (await revised(work, county)).figures["changes"]["items"]
    here = told(items, VILLAGE)
    assert (here["排名"], told(items, OTHER_VILLAGE)["排名"]) == ((1, 2), (2, 1))
    assert (here["上月收到"], here["上月受理率"], here["回复率"]) == ((0, 1), (None, "0.00"), ("100.00", "0.00"))
    assert told(items, COUNTY)["办结用时中位数"] == ("72.0", "192.0")


async def test_where_nothing_changed_nothing_is_revised(work: Work, county: Atlas) -> None:
    await write(work.conn, [at(county.county, VILLAGE)])
    first = await made(work, county)
    later = replace(work, now=work.now + timedelta(days=1))
    with pytest.raises(Conflict, match="与第 1 版相比，各项数据都没有变化，没有作修订"):
        await revised(later, county, "核对无误")
    assert await made(later, county) == first


async def test_an_issue_with_less_in_it_may_be_made_anew(work: Work, county: Atlas) -> None:
    await write(work.conn, [at(county.county, VILLAGE)])
    old = earlier_version(await made(work, county))
    await work.conn.execute(text("DELETE FROM report"))
    assert await queries.insert_report(work.conn, old)
    second = await revised(work, county, "补上办理用时")
    assert (second.revision, second.figures["changes"]["items"]) == (2, [])
    assert second.figures["beside"]


async def test_what_changed_is_under_the_checksum(work: Work, county: Atlas) -> None:
    await made(work, county)
    await write(work.conn, [at(county.county, VILLAGE)])
    second = await revised(work, county)
    assert intact(second)
    forged = {**second.figures["changes"], "items": second.figures["changes"]["items"][1:]}
    assert not intact(replace(second, figures={**second.figures, "changes": forged}))


async def test_each_revision_says_what_it_changed_of_the_one_before(work: Work, county: Atlas) -> None:
    await made(work, county)
    await write(work.conn, [at(county.county, VILLAGE)])
    await revised(work, county)
    await write(work.conn, [at(county.county, VILLAGE)])
    third = await revised(work, county)
    assert third.figures["changes"]["revision"] == 2
    assert told(third.figures["changes"]["items"], VILLAGE)["收到"] == (1, 2)


async def test_a_new_row_a_new_name_and_other_formulas_are_told(work: Work, county: Atlas) -> None:
    old = await made(work, county)
    rows = [one for one in old.figures["rows"] if one["code"] != VILLAGE]
    rows[1] = rows[1] | {"name": "星沙镇"}
    before = sealed(
        replace(old, figures={**old.figures, "rows": rows}, parameters={**old.parameters, "formulas_version": "0"})
    )
    items = list(differences(before, old))
    assert told(items, VILLAGE) == {"列入": ("否", "是")}
    assert told(items, TOWN) == {"名称": ("星沙镇", "星沙街道")}
    assert told(items, COUNTY) == {"公式和口径的版本": ("0", old.parameters["formulas_version"])}
    assert told(list(differences(old, before)), VILLAGE) == {"列入": ("是", "否")}


async def test_what_an_earlier_version_had_no_figure_of_has_not_changed(work: Work, county: Atlas) -> None:
    await write(work.conn, [at(county.county, VILLAGE)])
    new = await made(work, county)
    assert list(differences(earlier_version(new), new)) == []
