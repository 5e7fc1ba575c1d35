"""What citizens write, and what comes of it: one ticket or none, exactly once, in the words of a person."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import func, insert, select, text, update

from app.base.db import Database
from app.domain import replies
from app.domain.policy import SYSTEM
from app.domain.vocabulary import Channel
from app.schema.audit import ticket_events
from app.schema.divisions import divisions
from app.schema.notifications import outbox
from app.schema.people import citizens, identities
from app.schema.tickets import tickets
from app.schema.wechat import inbound
from app.wechat.inbound import WORDS_NEEDED
from tests.wechat.conftest import Statements
from tests.wechat.line import MATTER, Do, Line, Logged, Rows, number_in

t, i = tickets.c, inbound.c


@pytest.mark.parametrize(
    "words",
    [
        "]]> 井盖不见了 <a>&amp;</a> ]]]]><![CDATA[>",
        "  前后都有空白的井盖\n\n第二行\t结束  \n",
        "井盖👨‍👩‍👧‍👦🇨🇳不见了[微笑]/::)",
        "榔梨的井盖" + "很久没有人管了，" * 1124 + "请来看看",
        '"; DROP TABLE ticket; -- %s {0} \\u0041 井盖',
        "𠮷野家门口的井盖\u200b\u202e不见了",
    ],
    ids=["CDATA", "white space", "emoji", "9,000 characters", "injection", "rare characters"],
)
async def test_a_text_is_stored_as_it_was_sent(safe: Line, rows: Rows, words: str) -> None:
    number = number_in(await safe.say(words))
    assert await rows(select(t.number, t.description)) == [(number, words)]


async def test_forbidden_characters_are_replaced_and_the_raw_message_is_kept(safe: Line, rows: Rows) -> None:
    xml = safe.text("井盖\x08坏\x1d了")
    number_in(safe.said(await safe.push(xml)))
    assert await rows(select(t.description)) == [("井盖\ufffd坏\ufffd了",)]
    assert await rows(select(i.raw)) == [(xml.encode(),)]


async def test_a_ticket_of_the_account_belongs_to_its_citizen_and_its_account(plain: Line, rows: Rows) -> None:
    await plain.say(MATTER, "oOne")
    (row,) = await rows(
        select(t.channel, t.status, t.citizen_id, t.account_id, i.ticket_id == t.id, identities.c.openid)
        .select_from(tickets)
        .join(inbound, i.ticket_id == t.id)
        .join(identities, identities.c.citizen_id == t.citizen_id)
    )
    assert (row.channel, row.status, row.openid) == (Channel.ACCOUNT, "received", "oOne")
    assert row.account_id is not None
    events = await rows(select(ticket_events.c.actor_kind, ticket_events.c.actor_id))
    assert events == [("citizen", row.citizen_id)]


async def test_the_receipt_names_number_limits_and_who_acts(safe: Line, rows: Rows) -> None:
    reply = await safe.say(MATTER)
    assert await rows(select(t.number)) == [(number_in(reply),)]
    assert re.search(r"由榔梨街道.*负责，9月23日24时前受理，\d+月\d+日24时前办结", reply)


async def test_without_a_place_in_the_text_the_accounts_town_acts(plain: Line, rows: Rows) -> None:
    await plain.say("门口的路灯不亮了")
    where = select(divisions.c.code).join(tickets, divisions.c.id == t.division_id)
    assert await rows(where) == [(plain.division_code,)]


async def test_without_a_place_in_the_text_the_grid_that_the_citizen_is_bound_to_comes_first(
    plain: Line, database: Database, rows: Rows
) -> None:
    await plain.say("你好，门口的井盖不见了")
    ((grid,),) = await rows(select(func.min(divisions.c.id)).where(divisions.c.level == "grid"))
    async with database.engine.begin() as conn:
        await conn.execute(update(citizens).values(grid_id=grid))
    number = number_in(await plain.say("门口的路灯不亮了"))
    assert await rows(select(t.division_id).where(t.number == number)) == [(grid,)]


async def test_where_a_name_is_ambiguous_the_number_is_told_first_and_the_place_asked(safe: Line) -> None:
    reply = await safe.say("松雅湖边上的路灯不亮")
    assert reply.index(number_in(reply)) < reply.index("请问事情发生在哪里")
    assert "星沙街道" in reply
    assert "湘龙街道" in reply


async def test_three_deliveries_make_one_ticket_and_get_one_answer(safe: Line, rows: Rows) -> None:
    xml = safe.text(MATTER)
    answers = [safe.said(await safe.push(xml)) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert await rows(select(t.number)) == [(number_in(answers[0]),)]
    assert await rows(select(func.count()).select_from(outbox)) == [(2,)]


async def test_twenty_deliveries_at_once_make_one_ticket_and_get_one_answer(safe: Line, rows: Rows) -> None:
    xml = safe.text(MATTER)
    answers = await asyncio.gather(*(safe.push(xml) for _ in range(20)))
    words = {safe.said(answer) for answer in answers}
    assert len(words) == 1
    assert await rows(select(t.number)) == [(number_in(words.pop()),)]
    assert await rows(select(func.count()).select_from(citizens)) == [(1,)]


async def test_the_first_messages_of_one_citizen_at_once_make_one_citizen(safe: Line, rows: Rows) -> None:
    answers = await asyncio.gather(*(safe.say(f"{n}号门口的井盖不见了", "oFresh") for n in range(12)))
    assert len({number_in(answer) for answer in answers}) == 12
    assert await rows(select(func.count()).select_from(citizens)) == [(1,)]
    assert await rows(select(func.count(t.citizen_id.distinct()), func.count())) == [(1, 12)]


async def test_one_msgid_of_two_citizens_makes_two_tickets(safe: Line, rows: Rows) -> None:
    for openid in ("oOne", "oTwo"):
        number_in(safe.said(await safe.push(safe.text(MATTER, openid, msg_id=7))))
    assert await rows(select(func.count(), func.count(t.citizen_id.distinct()))) == [(2, 2)]


async def test_following_the_account_is_greeted_and_unfollowing_is_not(safe: Line, rows: Rows) -> None:
    greeted = safe.other("event", "<Event>subscribe</Event><EventKey></EventKey>")
    reply = safe.said(await safe.push(greeted))
    assert replies.assistance() in reply
    assert safe.said(await safe.push(greeted)) == reply
    for event in ("unsubscribe", "VIEW", "TEMPLATESENDJOBFINISH", "never_seen"):
        assert safe.said(await safe.push(safe.other("event", f"<Event>{event}</Event>"))) == "success"
    assert await rows(select(i.outcome).distinct()) == [("done",)]
    assert await rows(select(t.id)) == []


async def test_where_a_citizen_is_when_opening_the_account_is_not_stored(safe: Line, rows: Rows) -> None:
    place = "<Event>LOCATION</Event><Latitude>28.24</Latitude><Longitude>113.08</Longitude><Precision>65</Precision>"
    assert safe.said(await safe.push(safe.other("event", place))) == "success"
    assert await rows(select(i.id)) == []


@pytest.mark.parametrize("kind", ["image", "voice", "video", "shortvideo", "location", "link"])
async def test_what_is_no_text_is_kept_and_a_sentence_is_asked_for(safe: Line, rows: Rows, kind: str) -> None:
    xml = safe.other(kind, "<MsgId>9</MsgId><MediaId>m</MediaId>", "oOne")
    assert [safe.said(await safe.push(xml)) for _ in range(2)] == [WORDS_NEEDED] * 2
    assert await rows(select(i.outcome, i.raw, i.openid)) == [("kept", xml.encode(), "oOne")]
    assert await rows(select(t.id)) == []


async def test_a_text_message_without_text_is_kept(safe: Line, rows: Rows) -> None:
    assert safe.said(await safe.push(safe.other("text", "<MsgId>9</MsgId>"))) == replies.kept()
    assert await rows(select(i.outcome)) == [("kept",)]


@asynccontextmanager
async def broken(
    database: Database, table: str, how: str = "RAISE EXCEPTION 'refused for a test'"
) -> AsyncIterator[None]:
    """While inside, every insert into `table` does this (in PL/pgSQL)."""
    async with database.engine.begin() as conn:
        body = f"$$BEGIN {how}; END$$"
        await conn.execute(text(f"CREATE FUNCTION refuse_insert() RETURNS trigger LANGUAGE plpgsql AS {body}"))
        await conn.execute(
            text(f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_insert()")
        )
    try:
        yield
    finally:
        async with database.engine.begin() as conn:
            await conn.execute(text("DROP FUNCTION refuse_insert() CASCADE"))


@pytest.mark.parametrize("table", ["ticket", "ticket_limit", "ticket_event", "outbox"])
async def test_a_failure_of_ours_undoes_all_but_the_message_and_is_answered_politely(
    safe: Line, database: Database, rows: Rows, logged: Logged, table: str
) -> None:
    xml = safe.text(MATTER, "oOne")
    async with broken(database, table):
        assert safe.said(await safe.push(xml)) == replies.kept()
    assert await rows(select(i.outcome, i.reply, i.raw, i.openid)) == [("kept", replies.kept(), xml.encode(), "oOne")]
    for what in (tickets, ticket_events, outbox):
        assert await rows(select(func.count()).select_from(what)) == [(0,)]
    ((problem,),) = await rows(select(i.problem))
    assert "DBAPIError" in problem
    lines = logged()
    assert [line["level"] for line in lines] == ["error"]
    assert MATTER not in str(lines) + problem
    assert safe.said(await safe.push(xml)) == replies.kept()
    assert "编号" in await safe.say(MATTER, "oOne")


async def test_without_a_county_the_message_is_kept_and_no_citizen_is_told_of_imports(
    safe: Line, database: Database, rows: Rows, logged: Logged
) -> None:
    await safe.say("谢谢")
    async with database.engine.begin() as conn:
        await conn.execute(text("UPDATE setting SET name = 'county_revision_away' WHERE name = 'county_revision'"))
    try:
        assert await safe.say(MATTER) == replies.kept()
    finally:
        async with database.engine.begin() as conn:
            await conn.execute(text("UPDATE setting SET name = 'county_revision' WHERE name LIKE 'county_revision%'"))
    assert await rows(select(i.outcome).order_by(i.id)) == [("done",), ("kept",)]
    assert [line["level"] for line in logged()] == ["error"]


async def test_a_new_text_takes_at_most_twelve_statements_and_a_repeat_three(
    safe: Line, complete: Do, statements: Statements
) -> None:
    number = number_in(await safe.say("先热一下：路灯不亮", "oKnown"))
    await complete(number)
    counts = {}
    for who, openid in (("of a new citizen", "oNew"), ("of a known citizen with a completed ticket", "oKnown")):
        xml = safe.text(MATTER, openid)
        for delivery in ("text", "repeat"):
            statements.clear()
            number_in(safe.said(await safe.push(xml)))
            counts[f"{delivery} {who}"] = len(statements)
    assert all(0 < count <= (12 if what.startswith("text") else 3) for what, count in counts.items()), counts


async def test_a_citizen_who_is_rating_does_not_stop_staff_from_writing_to_them(
    safe: Line, complete: Do, database: Database, rows: Rows
) -> None:
    """Staff hold the ticket and name the citizen; a rating holds the citizen and waits for the ticket."""
    number = number_in(await safe.say(MATTER))
    await complete(number)
    ((ticket_id, citizen_id),) = await rows(select(t.id, t.citizen_id))
    async with database.open_work(SYSTEM) as work:
        await work.conn.execute(select(t.id).where(t.id == ticket_id).with_for_update())
        rating = asyncio.create_task(safe.say("赞"))
        waits = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        for _ in range(100):
            # In a transaction of its own: this one would go on seeing the sessions of its first look.
            if await rows(waits) != [(0,)]:
                break
            await asyncio.sleep(0.02)
        else:
            pytest.fail("the rating did not wait for the ticket")
        row = {"key": "k", "notice": "citizen.replied", "ticket_id": ticket_id, "citizen_id": citizen_id}
        await asyncio.wait_for(work.conn.execute(insert(outbox).values(**row, body={}, created_at=work.now)), timeout=3)
    assert "点赞" in await rating
