"""What a citizen can ask for and say of their tickets: progress, lists, 赞 and 踩."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from app.base.clock import Clock
from app.base.db import Database
from app.divisions.service import atlas
from app.domain import replies
from app.domain.limits import rating_ends
from app.domain.numbers import sound
from app.domain.policy import Actor
from app.domain.vocabulary import Action, Channel, Score
from app.schema.tickets import ratings, tickets
from app.schema.wechat import inbound
from app.tickets import opening
from app.tickets.opening import Matter
from tests.wechat.line import MATTER, Do, Line, Rows, number_in

t, i = tickets.c, inbound.c


async def standing(rows: Rows, number: str) -> Any:
    """(status, cycle, score, rating_comment) of a ticket."""
    (row,) = await rows(select(t.status, t.cycle, t.score, t.rating_comment).where(t.number == number))
    return tuple(row)


@pytest.mark.parametrize("words", ["谢谢", "你好！", "好的，收到[微笑]", "👍", "辛苦了", "？"])
async def test_courtesies_are_answered_and_open_nothing(safe: Line, rows: Rows, words: str) -> None:
    assert await safe.say(words) in (replies.courtesy(), replies.assistance())
    assert await rows(select(t.id)) == []
    assert await rows(select(i.outcome)) == [("done",)]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("帮助", replies.assistance()),
        ("1234567890", replies.mistyped("1234567890")),
        ("赞", replies.nothing_to_rate()),
        ("踩 太慢", replies.nothing_to_rate()),
        ("赞 ABCD2345", replies.unknown_number("ABCD2345")),
        ("abcd2345", replies.which_score("ABCD2345")),
    ],
)
async def test_commands_are_answered_and_open_nothing(safe: Line, rows: Rows, words: str, answer: str) -> None:
    assert await safe.say(words) == answer
    assert await rows(select(t.id)) == []


async def test_own_tickets_are_listed_by_state(safe: Line, complete: Do) -> None:
    done, waiting = [number_in(await safe.say(f"{n}号门口的路灯不亮")) for n in (1, 2)]
    await complete(done)
    everything, pending, finished = [await safe.say(words) for words in ("查进度", "待办", "已办")]
    assert (done in everything, waiting in everything) == (True, True)
    assert (done in pending, waiting in pending) == (False, True)
    assert (done in finished, waiting in finished) == (True, False)
    assert "（2件）" in everything


async def test_a_long_list_says_how_many_there_are(safe: Line) -> None:
    for n in range(replies.LISTED + 2):
        await safe.say(f"{n}号门口的路灯不亮")
    reply = await safe.say("查进度")
    assert f"（{replies.LISTED + 2}件）" in reply
    assert "还有2件没有列出" in reply


async def test_a_number_tells_the_citizen_all_of_their_own_ticket(safe: Line, do: Do, rows: Rows) -> None:
    number = number_in(await safe.say(MATTER))
    await do(number, (Action.ACCEPT, {"category": "C0105"}), (Action.START, {}))
    await do(number, (Action.REPLY, {"text": "电工明天上午到", "public": False}))
    reply = await safe.say(number)
    assert [words in reply for words in (number, MATTER, "办理中", "电工明天上午到")] == [True] * 4
    ((name,),) = await rows(text("SELECT s.name FROM ticket JOIN staff s ON s.id = person_id"))
    assert name in reply


async def test_of_anothers_ticket_nobody_learns_more_than_the_board_shows(safe: Line, complete: Do, rows: Rows) -> None:
    number = number_in(await safe.say(MATTER, "oOne"))
    await complete(number)
    reply = await safe.say(f"查进度 {number}", "oTwo")
    ((name,),) = await rows(text("SELECT s.name FROM ticket JOIN staff s ON s.id = person_id"))
    for secret in (MATTER, "路灯不亮", "灯泡已换好", "已派电工去看", name, "赞"):
        assert secret not in reply
    assert "已办结" in reply
    assert await safe.say("查进度", "oTwo") == replies.listing("您的事项", [], 0)
    for words in ("待办", "已办"):
        assert number not in await safe.say(words, "oTwo")


async def test_anothers_confidential_ticket_reads_like_one_that_never_was(safe: Line, rows: Rows) -> None:
    number = number_in(await safe.say("举报我们村的村干部张某吃拿卡要、贪污低保款", "oOne"))
    assert await rows(select(t.confidential)) == [(True,)]
    absent = "9" * 9 + next(d for d in "0123456789" if sound("9" * 9 + d))
    for ask in ("{}", "赞 {}", "踩 {} 太慢"):
        known, unknown = [await safe.say(ask.format(n), "oTwo") for n in (number, absent)]
        assert known.replace(number, absent) == unknown
    assert number in await safe.say(number, "oOne")


async def test_the_latest_completed_is_liked(safe: Line, complete: Do, clock: Clock, rows: Rows) -> None:
    first, second = [number_in(await safe.say(f"{n}号门口的路灯不亮")) for n in (1, 2)]
    await complete(second)
    clock.advance(timedelta(hours=1))
    await complete(first)
    assert await safe.say("赞，师傅很快") == f"谢谢您的点赞！{first}的评价已记下，我们会转告办理的同志。"
    assert await standing(rows, first) == ("completed", 1, "like", "师傅很快")
    assert (await standing(rows, second))[2] is None
    assert await rows(select(ratings.c.via)) == [("wechat",)]


async def test_a_rating_with_number_is_of_that_ticket(safe: Line, complete: Do, rows: Rows) -> None:
    first, second = [number_in(await safe.say(f"{n}号门口的路灯不亮")) for n in (1, 2)]
    await complete(first)
    await complete(second)
    assert first in await safe.say(f"赞 {first} 好")
    assert await standing(rows, first) == ("completed", 1, "like", "好")
    assert (await standing(rows, second))[2] is None


async def test_a_dislike_reopens_with_a_fresh_clock(safe: Line, complete: Do, clock: Clock, rows: Rows) -> None:
    number = number_in(await safe.say(MATTER))
    await complete(number)
    ((first_due,),) = await rows(select(t.due_at))
    clock.advance(timedelta(days=12))
    reply = await safe.say("踩一脚，还是不亮")
    assert await standing(rows, number) == ("in_progress", 2, "dislike", "还是不亮")
    ((due,),) = await rows(select(t.due_at))
    assert due > first_due
    assert number in reply
    assert replies.deadline(due) in reply
    assert "已重新办理" in reply


async def test_a_dislike_said_again_stays_with_the_ticket_it_was_about(
    safe: Line, complete: Do, clock: Clock, rows: Rows
) -> None:
    older, newer = [number_in(await safe.say(f"{n}号门口的路灯不亮")) for n in (1, 2)]
    await complete(older)
    clock.advance(timedelta(hours=1))
    await complete(newer)
    clock.advance(timedelta(hours=1))
    for words in ("踩", "踩：还没有修"):
        assert newer in await safe.say(words)
    assert await standing(rows, newer) == ("in_progress", 2, "dislike", "还没有修")
    assert (await standing(rows, older))[:3] == ("completed", 1, None)
    assert await safe.say("赞") == replies.not_yet(newer)


async def test_a_like_may_become_a_dislike(safe: Line, complete: Do, rows: Rows) -> None:
    number = number_in(await safe.say(MATTER))
    await complete(number)
    await safe.say("赞")
    await safe.say("踩")
    assert (await standing(rows, number))[:3] == ("in_progress", 2, "dislike")


async def test_a_rating_of_an_open_ticket_is_put_off(safe: Line, rows: Rows) -> None:
    number = number_in(await safe.say(MATTER))
    assert await safe.say(f"赞 {number}") == replies.not_yet(number)
    assert (await standing(rows, number))[2] is None


@pytest.mark.by_hand
@pytest.mark.parametrize("status", ["closed", "declined"])
async def test_a_rating_of_what_is_over_is_refused_in_words(
    safe: Line, complete: Do, database: Database, rows: Rows, status: str
) -> None:
    number = number_in(await safe.say(MATTER))
    await complete(number)
    async with database.engine.begin() as conn:
        await conn.execute(update(tickets).values(status=status))
    reply = await safe.say(f"踩 {number}")
    assert reply == replies.too_late(number) if status == "closed" else "不予受理" in reply
    assert await standing(rows, number) == (status, 1, None, None)


async def test_a_rating_after_fifteen_days_is_told_that_it_is_too_late(
    safe: Line, complete: Do, clock: Clock, rows: Rows
) -> None:
    number = number_in(await safe.say(MATTER))
    await complete(number)
    clock.set(rating_ends(clock.business()))
    assert await safe.say("踩") == replies.too_late(number)
    assert await standing(rows, number) == ("completed", 1, None, None)
    clock.advance(-timedelta(seconds=1))
    assert "已重新办理" in await safe.say("踩")


async def test_a_ticket_from_a_group_is_rated_by_its_code(
    safe: Line, complete: Do, database: Database, actor: Callable[[str], Awaitable[Actor]], rows: Rows
) -> None:
    admin = await actor("admin-430121")
    async with database.open_work(admin) as work:
        matter = Matter(channel=Channel.GROUP, description="路灯不亮", recorder_id=admin.id, recorder_division_id=None)
        number = (await opening.open_ticket(work, await atlas(work), matter)).number
    await complete(number)
    ((code,),) = await rows(select(t.rating_code))
    assert await safe.say(f"赞 {number}") == replies.unknown_number(number)
    assert await safe.say(f"赞 {code.lower()} 办得快") == replies.rated(number, Score.LIKE)
    assert await standing(rows, number) == ("completed", 1, "like", "办得快")
    assert "已重新办理" in await safe.say(f"踩 {code}")
    assert (await standing(rows, number))[:3] == ("in_progress", 2, "dislike")
    assert await rows(select(ratings.c.via).distinct()) == [("code",)]


async def test_a_text_after_a_completion_opens_a_new_ticket_and_names_the_completed_one(
    safe: Line, complete: Do, clock: Clock
) -> None:
    number = number_in(await safe.say(MATTER))
    await complete(number)
    again = await safe.say("还是不亮，没有人来修")
    assert number_in(again) != number
    assert f"踩 {number}" in again
    assert number not in await safe.say("还是不亮，没有人来修", "oSomebodyElse")
    clock.set(rating_ends(clock.business()))
    assert number not in await safe.say("又有一盏不亮了")


async def test_after_another_completion_the_citizen_is_asked_anew(safe: Line, complete: Do, rows: Rows) -> None:
    number = number_in(await safe.say(MATTER))
    await complete(number)
    await safe.say("踩")
    await complete(number, again=True)
    assert await safe.say("赞 这次好了") == replies.rated(number, Score.LIKE)
    assert await standing(rows, number) == ("completed", 2, "like", "这次好了")
    assert await rows(select(t.first_score)) == [("dislike",)]
