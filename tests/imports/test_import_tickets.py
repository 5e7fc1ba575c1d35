"""History from another system: the county's own figures, every fault of every row, and what lives on here."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from app.base.db import Database
from app.base.work import Work
from app.demo.county import DemoCounty
from app.demo.past import COLUMNS, Span, history
from app.demo.sheets import as_csv
from app.divisions.service import atlas
from app.domain.errors import Invalid
from app.domain.policy import SYSTEM, Actor
from app.domain.rates import percent, share
from app.domain.vocabulary import SHANGHAI, Action, Level
from app.imports import service as imports
from app.imports.service import Result
from app.limits import jobs as limits_jobs
from app.rates import counters
from app.rates.service import rates_down_to
from app.tickets import public, rating, views
from app.tickets import service as tickets
from tests.balance import in_balance
from tests.conftest import MOMENT

GRID = "430121001001001"
COURIER = f"courier-{GRID}-1"
ROW = {
    "external_id": "旧-1",
    "channel": "group",
    "category": "C0103",
    "division_code": GRID,
    "title": "垃圾堆了一周",
    "description": "开元路社区3栋楼下垃圾堆了一周没人清运",
    "received_at": "2026-09-01T09:00:00",
    "handler_username": COURIER,
}
DONE = ROW | {
    "accepted_at": "2026-09-01 10:00",
    "first_replied_at": "2026/9/2 8:30",
    "reply": "正在安排",
    "completed_at": "2026-09-03T16:00:00+08:00",
    "result": "已清运",
    "rating": "非常满意",
    "rating_comment": "很快",
}


def csv_of(*rows: dict[str, str]) -> bytes:
    lines = [",".join(COLUMNS)]
    lines += [",".join('"' + row.get(name, "").replace('"', '""') + '"' for name in COLUMNS) for row in rows]
    return "\n".join(lines).encode()


async def brought(work: Work, *rows: dict[str, str]) -> Result:
    return await imports.apply(work, imports.prepare("tickets", csv_of(*rows)))


async def faults(work: Work, *rows: dict[str, str]) -> list[str]:
    with pytest.raises(Invalid) as refused:
        await brought(work, *rows)
    assert (await work.conn.execute(text("SELECT count(*) FROM ticket"))).scalar_one() == 0
    return [f"{fault.pointer}：{fault.detail}" for fault in refused.value.faults]


async def one(work: Work, query: str) -> object:
    return (await work.conn.execute(text(query))).scalar_one()


async def test_the_countys_own_figures(work: Work, demo: DemoCounty) -> None:
    """14,637 requests, 14,100 completed, 95 % satisfied: the county's report, through the import and the rates."""
    span = Span(date(2026, 3, 1), date(2026, 8, 31), tickets=14_637, completed=14_100, rated=10_000, liked=9_500)
    data = as_csv(history(demo, span, MOMENT)).encode()
    first = await imports.apply(work, imports.prepare("tickets", data))
    assert (first.created, first.updated, first.unchanged) == (14_637, 0, 0)
    county = await atlas(work)
    table = await rates_down_to(
        work, county, county.county.root.id, first=span.first, last=span.last, lowest=Level.GRID
    )
    top = table.rows[0].counts
    assert (top.received, top.completed, top.likes, top.dislikes) == (14_637, 14_100, 9_500, 500)
    assert str(percent(share(top.completed, top.received))) == "96.33"
    assert str(percent(share(top.likes, top.likes + top.dislikes))) == "95.00"
    sums = Counter[str]()
    for row in table.rows:
        sums[row.level] += row.counts.received
    # Everything happened in a grid, so each level has all of it.
    assert set(sums.values()) == {14_637}
    again = await imports.apply(work, imports.prepare("tickets", data))
    assert (again.created, again.updated, again.unchanged) == (0, 0, 14_637)
    assert await counters.verify(work) == []
    assert (
        await rates_down_to(work, county, county.county.root.id, first=span.first, last=span.last, lowest=Level.GRID)
    ).rows == table.rows


async def test_a_finished_life_has_its_trail_its_limits_and_its_rating(
    work: Work, actor: Callable[[str], Awaitable[Actor]]
) -> None:
    assert (await brought(work, DONE)).created == 1
    number = str(await one(work, "SELECT number FROM ticket"))
    seen = await views.one(Work(work.conn, work.now, await actor("admin-430121001001")), await atlas(work), number)
    assert (seen.status, seen.cycle, seen.overdue, seen.result) == ("closed", 1, False, "已清运")
    assert [(e["action"], f"{e['at']:%m-%d %H:%M}", e["to"]) for e in seen.timeline] == [
        ("open", "09-01 09:00", "received"),
        ("accept", "09-01 10:00", "accepted"),
        ("start", "09-02 08:30", "in_progress"),
        ("reply", "09-02 08:30", "in_progress"),
        ("complete", "09-03 16:00", "completed"),
        ("rate", "09-03 16:00", "completed"),
        ("archive", "09-19 00:00", "closed"),
    ]
    assert [e["text"] for e in seen.timeline if e["text"]] == ["正在安排", "已清运", "很快"]
    assert seen.rating is not None
    assert (seen.rating.score, seen.rating.via, seen.rating.comment) == ("like", "imported", "很快")
    assert await one(work, "SELECT grade FROM rating") == "非常满意"
    assert seen.responsible.person is not None
    assert (seen.responsible.division_code, seen.responsible.person.username) == ("430121001001", COURIER)
    assert "历史导入" in seen.routing_reason
    assert (
        seen.limits.complete.due_at == datetime(2026, 9, 5, tzinfo=SHANGHAI)
        or seen.limits.complete.due_at > seen.received_at
    )
    assert await one(work, "SELECT count(*) FROM step") == 0
    assert await one(work, "SELECT count(*) FROM outbox") == 0, "nobody is told of what is long over"


async def test_an_open_one_lives_on_and_what_was_due_before_is_done_in_silence(
    database: Database, actor: Callable[[str], Awaitable[Actor]]
) -> None:
    late = ROW | {"accepted_at": "2026-09-01T10:00:00"}
    async with database.open_work(await actor("operator-430121-1")) as work:
        await brought(work, late)
    async with database.open_work(await actor(COURIER)) as work:
        county = await atlas(work)
        number = str(await one(work, "SELECT number FROM ticket"))
        steps = await work.conn.execute(
            text("SELECT kind, silent, done_at IS NOT NULL AS done FROM step ORDER BY due_at")
        )
        passed = [(row.kind, row.silent) for row in steps if row.done]
        assert ("overdue", True) in passed
        assert ("fault", True) in passed
        assert await one(work, "SELECT count(*) FROM step WHERE done_at IS NULL") == 0, "all of it was due before"
        await tickets.act(work, county, number, Action.START, {})
        await tickets.act(work, county, number, Action.REPLY, {"text": "今天清运"})
        await tickets.act(work, county, number, Action.COMPLETE, {"result": "已清运", "explained": True})
        assert await counters.verify(work) == []


async def test_what_is_still_to_come_comes(database: Database, actor: Callable[[str], Awaitable[Actor]]) -> None:
    young = ROW | {"received_at": (MOMENT - timedelta(hours=1)).isoformat()}
    async with database.open_work(await actor("operator-430121-1")) as work:
        await brought(work, young)
        kinds = await work.conn.execute(text("SELECT kind FROM step WHERE done_at IS NULL"))
        assert {"accept_missed", "reply_missed", "idle"} < set(kinds.scalars())
    await in_balance(database)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"completed_at": "2026-08-30T09:00:00"}, "completed_at 是 2026-08-30 09:00，早于 first_replied_at"),
        ({"rated_at": "2026-09-02T09:00:00"}, "rated_at 是 2026-09-02 09:00，早于 completed_at"),
        ({"completed_at": "2027-01-01", "rated_at": ""}, "completed_at 是将来的时间"),
        ({"received_at": "2027-01-01"}, "received_at 是将来的时间"),
        ({"division_code": "430121999"}, "division_code：没有代码为“430121999”的区划"),
        ({"handler_username": "nobody"}, "handler_username：没有用户名为“nobody”"),
        ({"category": "X99"}, "category：没有代码"),
        ({"category": "C01"}, "category：没有代码"),
        ({"channel": "传真"}, "channel 只能是"),
        ({"kind": "投诉"}, "kind 只能是"),
        (
            {"rating": "一般"},
            "rating 只能是 like（点赞）、dislike（踩）、非常满意、满意、基本满意、不满意、非常不满意 之一，现为“一般”",
        ),
        ({"rating": "", "rating_comment": "", "rated_at": "2026-09-05"}, "rating 为空，但已有 rated_at"),
        ({"accepted_at": ""}, "accepted_at 为空，但已有 completed_at"),
        ({"completed_at": "", "result": ""}, "completed_at 为空，但已有 rating"),
        ({"received_at": ""}, "received_at 不能为空"),
        ({"received_at": "45231.5"}, "received_at 是 Excel 的日期序号"),
        ({"received_at": "昨天"}, "received_at 应写成"),
        ({"received_at": "2026-02-30"}, "received_at 不是一个存在的时间"),
        ({"received_at": "1899-12-30 00:00"}, "received_at 不在 1990 年"),
        ({"external_id": ""}, "external_id 不能为空"),
        ({"title": "", "description": ""}, "title 和 description 至少填一个"),
        ({"citizen_phone": "不知道"}, "citizen_phone 应为电话号码"),
        ({"title": "长" * 201}, "title 最多 200 个字"),
    ],
)
async def test_a_fault_is_told_with_its_row_and_column_and_nothing_is_imported(
    work: Work, changes: dict[str, str], said: str
) -> None:
    found = await faults(work, ROW | {"external_id": "旧-0"}, DONE | changes)
    assert all(line.startswith("第 3 行：") for line in found), found
    assert any(line.startswith(f"第 3 行：{said}") for line in found), found


async def test_a_ticket_needs_no_column_for_what_its_rows_leave_empty(work: Work) -> None:
    file = "external_id,channel,title,received_at\n旧-1,微信群,垃圾堆了一周,2026-09-01 09:00\n"
    assert (await imports.apply(work, imports.prepare("tickets", file.encode()))).created == 1
    whole = ROW | dict.fromkeys(("category", "division_code", "description", "handler_username"), "")
    again = await brought(work, whole | {"channel": "微信群", "received_at": "2026-09-01 09:00"})
    assert again.unchanged == 1, "the columns that are not there say the same as empty ones"


async def test_every_fault_of_every_row_is_told_at_once(work: Work) -> None:
    found = await faults(work, ROW | {"channel": "x", "category": "y"}, ROW | {"received_at": "z"})
    assert [line.split("：")[0] for line in found] == ["第 2 行", "第 2 行", "第 3 行", "第 3 行"]
    assert any("与第 2 行重复" in line for line in found)


async def test_a_row_that_has_gone_on_goes_on_here_and_a_corrected_one_is_corrected(work: Work) -> None:
    accepted = ROW | {"accepted_at": "2026-09-01 10:00"}
    await brought(work, accepted, ROW | {"external_id": "旧-2"})
    assert (await brought(work, DONE, ROW | {"external_id": "旧-2"})).updated == 1
    actions = await work.conn.execute(
        text(
            "SELECT action FROM ticket_event e JOIN ticket_import i USING (ticket_id) "
            "WHERE external_id = '旧-1' ORDER BY seq"
        )
    )
    assert list(actions.scalars()) == ["open", "accept", "start", "reply", "complete", "rate", "archive"]
    moved = DONE | {"received_at": "2026-08-31T09:00:00", "rating": "不满意", "division_code": "430121001002"}
    assert (await brought(work, moved)).updated == 1
    assert (
        await one(
            work,
            "SELECT action FROM ticket_event e JOIN ticket_import i USING (ticket_id) "
            "WHERE external_id = '旧-1' ORDER BY seq DESC LIMIT 1",
        )
        == "import"
    )
    assert (
        await one(
            work, "SELECT score FROM ticket t JOIN ticket_import i ON i.ticket_id = t.id WHERE external_id = '旧-1'"
        )
        == "dislike"
    )
    assert await one(work, "SELECT count(*) FROM rating") == 1
    assert await counters.verify(work) == []
    assert (await brought(work, moved)).unchanged == 1


async def test_a_row_whose_ticket_was_acted_on_here_is_left_and_said_so(
    database: Database, actor: Callable[[str], Awaitable[Actor]]
) -> None:
    async with database.open_work(await actor("admin-430121001001")) as work:
        await brought(work, ROW)
        county = await atlas(work)
        number = str(await one(work, "SELECT number FROM ticket"))
        await tickets.act(work, county, number, Action.ACCEPT, {})
        done = await brought(work, DONE)
        assert (done.created, done.updated, done.unchanged) == (0, 0, 1)
        assert any("旧-1" in notice and "已在本系统办理过" in notice for notice in done.notices)
        assert await one(work, "SELECT status FROM ticket") == "accepted"


async def test_a_complaint_about_staff_stays_confidential_and_with_the_county(work: Work) -> None:
    await brought(work, ROW | {"category": await _confidential(work)})
    row = (
        await work.conn.execute(
            text(
                "SELECT t.confidential, d.code, t.person_id, r.code AS responsible FROM ticket t "
                "JOIN division d ON d.id = t.division_id "
                "JOIN division r ON r.id = t.responsible_division_id"
            )
        )
    ).one()
    assert tuple(row) == (True, "430121", None, "430121")


async def _confidential(work: Work) -> str:
    county = (await atlas(work)).county
    return next(one.code for one in county.categories.values() if one.confidential and one.level == 2)


async def test_the_same_person_is_one_citizen_and_nobody_is_none(work: Work) -> None:
    person = {"citizen_name": "张三", "citizen_phone": "14200000001"}
    await brought(work, ROW | person, ROW | person | {"external_id": "旧-2"}, ROW | {"external_id": "旧-3"})
    assert await one(work, "SELECT count(*) FROM citizen") == 1
    assert await one(work, "SELECT count(*) FROM ticket WHERE citizen_id IS NOT NULL") == 2


async def test_one_completed_lately_can_still_be_rated_by_its_code(work: Work) -> None:
    lately = {"completed_at": "2026-09-20T16:00:00", "rating": "", "rating_comment": ""}
    await brought(work, DONE | lately)
    assert await one(work, "SELECT status FROM ticket WHERE rating_code IS NOT NULL") == "completed"


async def test_one_whose_limits_were_past_when_it_came_can_still_be_accepted_with_a_category(
    database: Database, actor: Callable[[str], Awaitable[Actor]]
) -> None:
    old = ROW | {"category": "", "handler_username": "", "received_at": "2026-01-05T10:00:00"}
    async with database.open_work(await actor("admin-430121001001")) as work:
        await brought(work, old)
        number = str(await one(work, "SELECT number FROM ticket"))
        await tickets.act(work, await atlas(work), number, Action.ACCEPT, {"category": "C0103"})
        kinds = await work.conn.execute(text("SELECT kind FROM step WHERE done_at IS NULL"))
        assert set(kinds.scalars()) == set(), "every step of this cycle fell due before it came here"
        assert await one(work, "SELECT count(*) FROM step WHERE silent") == await one(work, "SELECT count(*) FROM step")


async def test_what_was_corrected_is_read_so_everywhere(work: Work) -> None:
    person = {"citizen_name": "张三", "citizen_phone": "14200000001"}
    await brought(work, DONE | person | {"reply": "已联系李四", "result": "李四家住3栋"})
    await brought(work, DONE | {"citizen_name": "张三峰", "reply": "已联系本人", "result": "已处理"})
    texts = await work.conn.execute(text("SELECT text FROM event_text ORDER BY seq"))
    assert list(texts.scalars()) == ["已联系本人", "已处理", "很快"]
    assert await one(work, "SELECT result FROM ticket") == "已处理"
    found = await work.conn.execute(text("SELECT name, phone FROM citizen"))
    assert [tuple(row) for row in found] == [("张三峰", None)], "the wrong one is forgotten"


async def test_nothing_that_was_written_elsewhere_is_published(work: Work) -> None:
    await brought(work, DONE)
    assert await one(work, "SELECT bool_or(public) FROM event_text") is False
    seen = await public.one(work, await atlas(work), str(await one(work, "SELECT number FROM ticket")))
    assert "已清运" not in repr(seen)
    assert "正在安排" not in repr(seen)


async def test_a_code_that_was_handed_over_stays_good(work: Work) -> None:
    lately = DONE | {"completed_at": "2026-09-20T16:00:00", "rating": "", "rating_comment": ""}
    await brought(work, lately)
    code = await one(work, "SELECT rating_code FROM ticket")
    await brought(work, lately | {"title": "垃圾堆了一周了"})
    assert await one(work, "SELECT rating_code FROM ticket") == code
    await brought(work, lately | {"completed_at": "2026-09-20T17:00:00"})
    assert await one(work, "SELECT rating_code FROM ticket") != code


async def test_a_dislike_of_ones_own_reopens_what_was_disliked_elsewhere(
    database: Database, actor: Callable[[str], Awaitable[Actor]]
) -> None:
    lately = DONE | {"completed_at": "2026-09-20T16:00:00", "rating": "不满意"}
    async with database.open_work(await actor("admin-430121001001")) as work:
        await brought(work, lately)
        code = str(await one(work, "SELECT rating_code FROM ticket"))
        rated = await rating.rate_by_code(work, await atlas(work), code, {"score": "dislike"})
        assert rated.reopened is not None
        assert await one(work, "SELECT count(*) FROM outbox WHERE citizen_id IS NOT NULL") == 0
    await in_balance(database)


async def test_a_year_that_no_clock_can_tell_is_a_fault_like_any_other(work: Work) -> None:
    found = await faults(work, ROW | {"received_at": "9999-12-31T23:59:59-12:00"})
    assert found == ["第 2 行：received_at 不在 1990 年到 2999 年之间：“9999-12-31T23:59:59-12:00”"]


async def test_a_phone_that_is_none_is_not_repeated_in_the_fault(work: Work) -> None:
    found = await faults(work, ROW | {"citizen_phone": "一三八"})
    assert found == ["第 2 行：citizen_phone 应为电话号码"]


async def test_open_tickets_without_steps_get_them(database: Database) -> None:
    async with database.open_work(SYSTEM) as work:
        await brought(work, ROW | {"received_at": (MOMENT - timedelta(hours=1)).isoformat()})
        planned = await work.conn.execute(text("DELETE FROM step RETURNING kind, due_at"))
        before = {tuple(row) for row in planned}
    assert await limits_jobs.plan_missing(database.open_work) == 1
    assert await limits_jobs.plan_missing(database.open_work) == 0
    async with database.open_work(SYSTEM) as work:
        rows = await work.conn.execute(text("SELECT kind, due_at FROM step"))
        assert {tuple(row) for row in rows} == before
