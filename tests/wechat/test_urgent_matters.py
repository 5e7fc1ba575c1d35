"""Danger to life, a cut-off and an ambiguous place, as the citizen and the staff are told of them."""

from datetime import timedelta

from sqlalchemy import select

from app.schema import outbox, staff, ticket_limits
from app.schema.tickets import tickets
from tests.conftest import MOMENT
from tests.wechat.line import Line, Rows, number_in


async def test_danger_is_answered_with_whom_to_call_and_is_urgent(safe: Line, rows: Rows) -> None:
    reply = await safe.say("泉塘街道我家厨房着火了，快来人")
    first, second, *_ = reply.splitlines()
    assert first.startswith("如有生命危险，请马上拨打119（消防）；")
    assert number_in(reply) in second
    assert "这件事按紧急事项办理。" in reply
    assert await rows(select(tickets.c.urgent)) == [(True,)]
    found = await rows(select(ticket_limits.c.kind, ticket_limits.c.due_at, ticket_limits.c.rule))
    due = {row.kind: (row.due_at - MOMENT, row.rule) for row in found}
    assert due["accept"] == (timedelta(hours=2), "hours")
    assert due["reply"] == (timedelta(hours=24), "hours")


async def test_danger_alarms_the_nodes_administrator_and_officer(safe: Line, rows: Rows) -> None:
    await safe.say("泉塘街道有人落水了，快来人")
    query = (
        select(staff.c.username).join(outbox, outbox.c.staff_id == staff.c.id).where(outbox.c.notice == "node.urgent")
    )
    assert {name for (name,) in await rows(query)} == {"admin-430121002", "officer-430121002"}


async def test_a_cut_off_is_answered_within_a_day_and_is_not_urgent(safe: Line, rows: Rows) -> None:
    reply = await safe.say("我们这边停水一天了，没有接到通知")
    assert "119" not in reply
    assert await rows(select(tickets.c.urgent)) == [(False,)]
    found = await rows(select(ticket_limits.c.kind, ticket_limits.c.due_at, ticket_limits.c.rule))
    due = {row.kind: (row.due_at - MOMENT, row.rule) for row in found}
    assert due["reply"] == (timedelta(hours=24), "hours")
    assert due["accept"][1] == "working"


async def test_an_ambiguous_place_is_asked_after_the_number(safe: Line, rows: Rows) -> None:
    reply = await safe.say("星沙的公交太少")
    assert reply.index(number_in(reply)) < reply.index("星沙街道、泉塘街道、湘龙街道")
    ((reason,),) = await rows(select(tickets.c.routing_reason))
    assert "待确认" in reason
