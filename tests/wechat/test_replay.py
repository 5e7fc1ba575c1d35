"""What waited in the spool has its effect once, as of when it came; its sender is told with the next message."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.base.clock import Clock
from app.base.db import Database
from app.base.running.reach import Reach
from app.base.secrets import Vault
from app.base.spool import FOLDER, Spool, waiting
from app.base.work import Work
from app.domain import replies
from app.domain.policy import Actor
from app.domain.replies import Late
from app.schema.notifications import outbox
from app.schema.people import citizens
from app.schema.tickets import tickets
from app.schema.wechat import inbound
from app.wechat.inbound import WORDS_NEEDED
from app.wechat.intake import Intake
from app.wechat.messages import REPLY_BYTES
from app.wechat.replay import SLOW, TRIES, Replayer, replaying
from tests.conftest import MOMENT
from tests.wechat.away import away
from tests.wechat.conftest import Statements
from tests.wechat.line import MATTER, OPENID, Do, Line, Logged, Rows, number_in
from tests.wechat.test_inbound import broken

t, i = tickets.c, inbound.c
Replay = Callable[[], Awaitable[int]]
NEXT = "另有一处井盖不见了"


@pytest.fixture
def replay(vault: Vault, spool: Spool, database: Database) -> Replay:
    """`await replay()`: one round, as the worker does it; how many messages were taken in."""
    replayer = Replayer(vault, spool)
    return lambda: replayer.once(database.open_work)


@pytest.fixture
def spooled(safe: Line, intake: Intake) -> Callable[..., Awaitable[None]]:
    """`await spooled("…", "…")`: a citizen writes these while the database is away."""

    async def written(*words: str, openid: str = OPENID) -> None:
        async with away(safe, intake):
            for one in words:
                await safe.say(one, openid)

    return written


async def numbers(rows: Rows) -> list[str]:
    return [row.number for row in await rows(select(t.number).order_by(t.id))]


async def test_a_spooled_text_becomes_a_ticket_of_the_moment_it_came(
    safe: Line, spooled: Callable[..., Awaitable[None]], replay: Replay, spool: Spool, rows: Rows, clock: Clock
) -> None:
    await spooled(MATTER)
    clock.advance(timedelta(hours=20))
    assert await replay() == 1
    ((number, words, received_at, entered_at),) = await rows(
        select(t.number, t.description, t.received_at, t.entered_at)
    )
    assert (words, received_at, entered_at) == (MATTER, MOMENT, MOMENT + timedelta(hours=20))
    assert await rows(select(i.outcome, i.received_at, i.untold).where(i.openid == OPENID)) == [("done", MOMENT, True)]
    assert await rows(select(func.count()).select_from(outbox).where(outbox.c.notice == "citizen.received")) == [(1,)]
    assert spool.count == 0
    clock.set(MOMENT)
    fresh = number_in(await safe.say(MATTER, "oAnother"))
    limits = await rows(select(t.due_at).where(t.number.in_([number, fresh])).distinct())
    assert len(limits) == 1, "its limits run from when it came"


async def test_the_number_is_told_with_the_next_message_once_and_below_its_own(
    safe: Line, spooled: Callable[..., Awaitable[None]], replay: Replay, rows: Rows
) -> None:
    await spooled(MATTER)
    await replay()
    answer = await safe.say(NEXT)
    late, fresh = await numbers(rows)
    assert number_in(answer) == fresh
    assert f"您9月22日10时发来的消息已登记，编号：{late}。" in answer.splitlines()[-1]
    assert late not in await safe.say("谢谢")


async def test_a_repeat_of_the_next_message_tells_it_again(
    safe: Line, spooled: Callable[..., Awaitable[None]], replay: Replay, rows: Rows
) -> None:
    await spooled(MATTER)
    await replay()
    xml = safe.text("谢谢")
    first = safe.said(await safe.push(xml))
    assert number_in(first) == (await numbers(rows))[0]
    assert safe.said(await safe.push(xml)) == first


async def test_a_picture_is_a_next_message_too(
    safe: Line, spooled: Callable[..., Awaitable[None]], replay: Replay, rows: Rows
) -> None:
    await spooled(MATTER)
    await replay()
    xml = safe.other("image", "<MsgId>9</MsgId><MediaId>m</MediaId>", OPENID)
    answers = [safe.said(await safe.push(xml)) for _ in range(2)]
    assert answers[0].startswith(WORDS_NEEDED)
    assert number_in(answers[0]) == (await numbers(rows))[0]
    assert answers[0] == answers[1]
    assert await safe.say("谢谢") == replies.courtesy()


async def test_wechats_repeat_of_a_replayed_message_is_told_the_number_and_nothing_more_is_owed(
    safe: Line, intake: Intake, replay: Replay, rows: Rows
) -> None:
    xml = safe.text(MATTER)
    async with away(safe, intake):
        await safe.push(xml)
    await replay()
    answer = safe.said(await safe.push(xml))
    assert [number_in(answer)] == await numbers(rows)
    assert await safe.say("谢谢") == replies.courtesy()


async def test_messages_of_one_citizen_keep_their_order(
    safe: Line, complete: Do, intake: Intake, replay: Replay, rows: Rows, clock: Clock
) -> None:
    number = number_in(await safe.say(MATTER))
    clock.advance(timedelta(hours=1))
    await complete(number)
    async with away(safe, intake):
        for words in ("赞", NEXT, "踩 灯又坏了"):
            await safe.say(words)
    assert await replay() == 3
    assert await rows(select(t.status, t.score, t.cycle).where(t.number == number)) == [("in_progress", "dislike", 2)]
    answer = await safe.say("谢谢")
    told = answer.splitlines()[-3:]
    assert "点赞" in told[0]
    assert (await numbers(rows))[1] in told[1]
    assert f"{number}已重新办理" in told[2]


async def test_what_was_committed_after_all_is_done_once_and_told(
    safe: Line, intake: Intake, spool: Spool, replay: Replay, rows: Rows
) -> None:
    """The answer of the first delivery was too late, so the second was spooled."""
    xml = safe.text(MATTER)
    number = number_in(safe.said(await safe.push(xml)))
    async with away(safe, intake):
        assert safe.said(await safe.push(xml)) == replies.spooled()
    assert await replay() == 1
    assert await numbers(rows) == [number]
    assert number in await safe.say("谢谢")


@pytest.mark.parametrize("words", ["查进度", "谢谢", "帮助", "1234567890"])
async def test_what_was_answered_at_once_is_not_told_again(
    safe: Line, spooled: Callable[..., Awaitable[None]], replay: Replay, rows: Rows, words: str
) -> None:
    await spooled(words)
    assert await replay() == 1
    assert await rows(select(i.id).where(i.untold)) == []
    assert await safe.say("谢谢") == replies.courtesy()


async def test_of_many_late_answers_three_are_told_and_the_others_with_the_next_message(
    safe: Line, spooled: Callable[..., Awaitable[None]], replay: Replay, rows: Rows
) -> None:
    await spooled(*(f"{n}号门口的路灯不亮" for n in range(5)))
    await replay()
    all_of_them = await numbers(rows)
    first, second, third = [await safe.say("谢谢") for _ in range(3)]
    assert [number in first for number in all_of_them] == [True] * 3 + [False] * 2
    assert "还有2条较早的消息" in first
    assert [number in second for number in all_of_them] == [False] * 3 + [True] * 2
    assert third == replies.courtesy()


def test_late_answers_never_push_an_answer_out_of_wechats_limit() -> None:
    moment = datetime(2026, 9, 22, 10, 5, tzinfo=MOMENT.tzinfo)
    late = [Late(moment, None, "字" * 300), Late(moment, "1234567890", None), Late(moment, "1234567891", None)]
    for length in range(0, 700, 7):
        whole, told = replies.with_late("长" * length, late, REPLY_BYTES)
        assert len(whole.encode()) <= REPLY_BYTES or told == 0
        assert whole.startswith("长" * length)
        assert (told < 3) == ("还有" in whole) or told == 0
    assert replies.with_late("好", late, REPLY_BYTES)[1] == 3


async def test_pictures_events_and_what_can_not_be_read_come_out_of_the_spool_too(
    safe: Line, intake: Intake, replay: Replay, rows: Rows
) -> None:
    async with away(safe, intake):
        await safe.push(safe.other("image", "<MsgId>9</MsgId><MediaId>m</MediaId>", "oOne"))
        await safe.push(safe.other("event", "<Event>subscribe</Event><EventKey></EventKey>", "oTwo"))
        await safe.push("<xml>")
    assert await replay() == 3
    found = await rows(select(i.openid, i.outcome, i.untold).where(i.openid.is_distinct_from("oSomebodyElse")))
    assert sorted(map(str, found)) == sorted(
        map(str, [("oOne", "kept", False), ("oTwo", "done", False), (None, "kept", False)])
    )


async def test_one_that_fails_for_its_own_reasons_is_kept_for_a_person_and_told_so(
    safe: Line, spooled: Callable[..., Awaitable[None]], replay: Replay, database: Database, rows: Rows
) -> None:
    await spooled(MATTER)
    async with broken(database, "ticket"):
        assert await replay() == 1
    assert await rows(select(i.outcome, i.untold).where(i.openid == OPENID)) == [("kept", True)]
    assert f"发来的消息：{replies.kept()}" in await safe.say("谢谢")


async def test_so_is_one_whose_whole_transaction_fails(
    safe: Line, spooled: Callable[..., Awaitable[None]], replay: Replay, database: Database, rows: Rows
) -> None:
    await spooled(MATTER)
    async with broken(database, "citizen"):
        assert await replay() == 1
    assert await rows(select(i.outcome, i.received_at, i.untold).where(i.openid == OPENID)) == [("kept", MOMENT, True)]
    assert await rows(select(func.count()).select_from(citizens)) == [(1,)]
    assert replies.kept() in await safe.say("谢谢")


async def test_what_does_not_open_goes_aside_with_a_word_and_the_others_go_on(
    spooled: Callable[..., Awaitable[None]], replay: Replay, spool: Spool, tmp_path: Path, rows: Rows, logged: Logged
) -> None:
    await spooled(MATTER)
    spool.put(f"{'0' * 16}-{'0' * 32}", b"sealed by nobody")
    logged()
    assert await replay() == 2
    assert len(await numbers(rows)) == 1
    assert (waiting(tmp_path).count, waiting(tmp_path).bad) == (0, 1)
    assert (tmp_path / FOLDER / "bad" / f"{'0' * 16}-{'0' * 32}").read_bytes() == b"sealed by nobody"
    assert "spooled message set aside" in {line["event"] for line in logged() if line["level"] == "error"}


async def test_one_that_breaks_its_connection_each_time_stops_nobody_else_and_is_kept_in_the_end(
    spooled: Callable[..., Awaitable[None]], replay: Replay, spool: Spool, database: Database, rows: Rows
) -> None:
    await spooled("毒", "同一人的下一条：路灯不亮", openid="oPoison")
    await spooled(MATTER)
    how = "IF NEW.description = '毒' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW"
    async with broken(database, "ticket", how):
        assert await replay() == 1
        assert [row.description for row in await rows(select(t.description))] == [MATTER]
        for _ in range(TRIES - 2):
            assert await replay() == 0
        assert await replay() == 2
    assert spool.count == 0
    of_poison = select(i.outcome).where(i.openid == "oPoison").order_by(i.id)
    assert await rows(of_poison) == [("kept",), ("done",)]


async def test_a_lock_that_somebody_holds_delays_one_citizen_only(
    safe: Line,
    spooled: Callable[..., Awaitable[None]],
    replay: Replay,
    spool: Spool,
    database: Database,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.wechat.replay.HANDLING_SECONDS", 1.0)
    await safe.say("谢谢", "oHeld")
    await spooled("一号路灯不亮", openid="oHeld")
    await spooled(MATTER)
    async with database.engine.begin() as conn:
        await conn.execute(select(citizens.c.id).with_for_update())
        assert await replay() == 1
    assert [row.description for row in await rows(select(t.description))] == [MATTER]
    assert await replay() == 1
    assert spool.count == 0


async def test_messages_that_always_take_too_long_starve_nobody_and_are_kept_in_the_end(
    spooled: Callable[..., Awaitable[None]],
    replay: Replay,
    spool: Spool,
    database: Database,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.wechat.replay.HANDLING_SECONDS", 1.0)
    for n in range(SLOW):
        await spooled("慢", "同一人的下一条：路灯不亮", openid=f"oSlow{n}")
    await spooled(MATTER)
    how = "IF NEW.description = '慢' THEN PERFORM pg_sleep(30); END IF; RETURN NEW"
    async with broken(database, "ticket", how):
        assert await replay() == 0
        assert await replay() == 1
        assert [row.description for row in await rows(select(t.description))] == [MATTER]
        for _ in range(TRIES - 3):
            assert await replay() == 0
        assert await replay() == 2 * SLOW
    assert spool.count == 0
    for n in range(SLOW):
        of_slow = select(i.outcome).where(i.openid == f"oSlow{n}").order_by(i.id)
        assert await rows(of_slow) == [("kept",), ("done",)]


def unreadable(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    """From now on the disk answers with this error when that file is read (root may read whatever its mode is)."""
    before = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == name:
            raise OSError(number, os.strerror(number), str(path))
        return before(path)

    monkeypatch.setattr(Path, "read_bytes", read)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
async def test_a_file_that_can_not_be_read_delays_its_citizen_only_and_goes_aside_in_the_end(
    spooled: Callable[..., Awaitable[None]],
    replay: Replay,
    spool: Spool,
    tmp_path: Path,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    await spooled("一号路灯不亮", "二号路灯不亮", openid="oHeld")
    await spooled(MATTER)
    first = spool.oldest_first()[0]
    unreadable(monkeypatch, first, number)
    assert await replay() == 1
    assert [row.description for row in await rows(select(t.description))] == [MATTER]
    for _ in range(TRIES - 2):
        assert await replay() == 0
    assert await replay() == 2
    assert (waiting(tmp_path).count, waiting(tmp_path).bad) == (0, 1)
    assert (tmp_path / FOLDER / "bad" / first).exists()


async def test_a_host_without_free_handles_sets_nothing_aside(
    spooled: Callable[..., Awaitable[None]],
    replay: Replay,
    spool: Spool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await spooled(MATTER)
    with monkeypatch.context() as full:
        unreadable(full, spool.oldest_first()[0], errno.EMFILE)
        for _ in range(TRIES + 1):
            assert await replay() == 0
    assert waiting(tmp_path).bad == 0
    assert await replay() == 1


async def test_one_that_can_not_even_be_set_aside_stops_nobody_else(
    spooled: Callable[..., Awaitable[None]], replay: Replay, spool: Spool, tmp_path: Path, rows: Rows
) -> None:
    spool.put(f"{'0' * 16}-{'0' * 32}", b"sealed by nobody")
    await spooled(MATTER)
    (tmp_path / FOLDER / "bad").write_text("a file where the folder should be")
    assert await replay() == 1
    assert len(await numbers(rows)) == 1
    assert spool.count == 1


async def test_when_the_database_goes_away_again_what_is_left_waits_on(
    spooled: Callable[..., Awaitable[None]], vault: Vault, spool: Spool, database: Database, rows: Rows, logged: Logged
) -> None:
    for n in range(12):
        await spooled(f"{n}号路灯不亮", openid=f"oCitizen{n}")
    reach = Reach()
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none", database.clock)
    opened = 0

    @asynccontextmanager
    async def failing(actor: Actor) -> AsyncIterator[Work]:
        nonlocal opened
        opened += 1
        # The accounts, and the first two messages.
        async with (database if opened <= 3 else nowhere).open_work(actor) as work:
            yield work

    logged()
    assert await Replayer(vault, spool, reach=reach).once(failing) == 2
    assert opened <= 7, "the third message, and looks whether it was only that one; the other nine are not tried"
    assert spool.count == 10
    assert reach.away
    assert "exception" not in str(logged())
    assert await Replayer(vault, spool).once(database.open_work) == 10
    words = [row.description for row in await rows(select(t.description).order_by(t.id))]
    assert words == [f"{n}号路灯不亮" for n in range(12)]
    await reach.close()
    await nowhere.close()


async def test_of_several_processes_one_replays(
    spooled: Callable[..., Awaitable[None]], vault: Vault, database: Database, tmp_path: Path, rows: Rows
) -> None:
    await spooled(*(f"{n}号路灯不亮" for n in range(6)))
    replayers = [Replayer(vault, Spool(tmp_path)) for _ in range(3)]
    done = await asyncio.gather(*(one.once(database.open_work) for one in replayers))
    assert sorted(done) == [0, 0, 6]
    assert len(await numbers(rows)) == 6


async def test_a_service_replays_by_itself_and_knows_its_keys_before_the_first_message(
    safe: Line, spooled: Callable[..., Awaitable[None]], vault: Vault, spool: Spool, database: Database, rows: Rows
) -> None:
    await spooled(MATTER)
    fresh = Intake(vault, spool)
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none", database.clock)
    async with replaying(fresh, database.open_work):
        assert await fresh.accounts.find(safe.keys.appid, nowhere.open_work) is not None
        for _ in range(200):
            if spool.refresh() == 0:
                break
            await asyncio.sleep(0.05)
    assert len(await numbers(rows)) == 1
    await nowhere.close()


async def test_an_empty_spool_is_told_of(
    spooled: Callable[..., Awaitable[None]], replay: Replay, logged: Logged
) -> None:
    await spooled(MATTER)
    logged()
    await replay()
    assert [line["event"] for line in logged() if line["level"] == "error"] == ["spool empty again"]


async def test_what_is_told_late_costs_two_statements_and_what_is_not_none(
    safe: Line, spooled: Callable[..., Awaitable[None]], replay: Replay, statements: Statements
) -> None:
    await spooled(MATTER)
    await replay()
    counts = []
    for n in range(3):
        statements.clear()
        await safe.say(f"{n}号路灯不亮")
        counts.append(len(statements))
    assert counts[0] == counts[1] + 2
    assert counts[1] == counts[2] <= 12


async def test_nothing_is_received_later_than_now_though_the_clock_was_set_back(
    spooled: Callable[..., Awaitable[None]], replay: Replay, rows: Rows, clock: Clock
) -> None:
    await spooled(MATTER)
    clock.advance(timedelta(hours=-1))
    assert await replay() == 1
    ((received_at, entered_at),) = await rows(select(t.received_at, t.entered_at))
    assert received_at == entered_at == MOMENT - timedelta(hours=1)
