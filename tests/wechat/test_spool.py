"""What the webhook does while the database is away: keeps each message on the disk, and answers it politely."""

import asyncio
import re
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text

from app.base.db import Database
from app.base.secrets import Vault
from app.base.spool import FOLDER, Spool, waiting
from app.base.work import Work
from app.domain import replies
from app.domain.policy import Actor
from app.domain.vocabulary import AccountMode
from app.schema.tickets import tickets
from app.schema.wechat import inbound
from app.web import problems
from app.wechat.inbound import GREETING, WORDS_NEEDED
from app.wechat.intake import Intake
from app.wechat.queries import Entry, Outcome
from app.wechat.routes import router
from app.wechat.spool import Spooled, name_of, seal, unseal
from tests.wechat.away import away
from tests.wechat.line import MATTER, OPENID, Line, Logged, Rows, number_in
from tests.wechat.test_inbound import broken


@pytest.mark.parametrize("mode", list(AccountMode))
async def test_a_text_is_kept_once_on_the_disk_and_answered_politely_each_time(
    line: Callable[[AccountMode], Line], intake: Intake, tmp_path: Path, rows: Rows, mode: AccountMode
) -> None:
    account = line(mode)
    xml = account.text(MATTER)
    async with away(account, intake):
        answers = [account.said(await account.push(xml)) for _ in range(3)]
    assert answers == [replies.spooled()] * 3
    assert waiting(tmp_path).count == 1
    assert await rows(select(tickets.c.id)) == []


async def test_nobody_can_read_from_the_disk_who_wrote_what(safe: Line, intake: Intake, tmp_path: Path) -> None:
    async with away(safe, intake):
        await safe.push(safe.text(MATTER))
    (path,) = (file for file in (tmp_path / FOLDER).iterdir() if file.name != "lock")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for secret in (MATTER, OPENID, safe.keys.appid):
        assert secret.encode() not in path.read_bytes()
        assert secret not in path.name


async def test_an_outage_is_told_once_and_without_a_traceback(safe: Line, intake: Intake, logged: Logged) -> None:
    async with away(safe, intake):
        logged()
        for n in range(3):
            await safe.say(MATTER, f"oCitizen{n}")
        lines = logged()
    errors = [line["event"] for line in lines if line["level"] == "error"]
    assert errors.count("spool in use") == 1
    assert set(errors) <= {"spool in use", "database away"}
    assert not any("exception" in line for line in lines)
    assert MATTER not in str(lines)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("赞", replies.rating_spooled()),
        ("踩 太慢", replies.rating_spooled()),
        ("查进度", replies.unseen()),
        ("待办", replies.unseen()),
        ("帮助", replies.assistance()),
        ("谢谢", replies.courtesy()),
        ("1234567890", replies.mistyped("1234567890")),
    ],
)
async def test_a_command_is_answered_as_far_as_can_be_without_a_database(
    safe: Line, intake: Intake, spool: Spool, words: str, answer: str
) -> None:
    async with away(safe, intake):
        assert await safe.say(words) == answer
    assert spool.count == 1


def test_what_is_said_meanwhile_holds_no_number_that_could_be_taken_for_the_tickets() -> None:
    for words in (replies.spooled(), replies.rating_spooled(), replies.unseen()):
        assert re.search("[0-9]{8,14}", words) is None
    assert all(number in replies.spooled() for number in ("12345", "110", "119", "120"))


async def test_what_is_no_text_is_kept_and_answered_as_ever(safe: Line, intake: Intake, spool: Spool) -> None:
    async with away(safe, intake):
        picture = safe.other("image", "<MsgId>9</MsgId><MediaId>m</MediaId>")
        assert safe.said(await safe.push(picture)) == WORDS_NEEDED
        follow = safe.other("event", "<Event>subscribe</Event><EventKey></EventKey>")
        assert safe.said(await safe.push(follow)).startswith(GREETING)
        assert safe.said(await safe.push(safe.other("event", "<Event>VIEW</Event>"))) == "success"
        assert (await safe.push("<xml>")).content == b"success"
    assert spool.count == 4


async def test_where_a_citizen_is_is_not_even_spooled(safe: Line, intake: Intake, spool: Spool) -> None:
    place = "<Event>LOCATION</Event><Latitude>28.24</Latitude><Longitude>113.08</Longitude><Precision>65</Precision>"
    async with away(safe, intake):
        assert safe.said(await safe.push(safe.other("event", place))) == "success"
    assert spool.count == 0


async def test_after_one_who_found_it_away_nobody_else_asks_the_database(
    safe: Line, intake: Intake, spool: Spool, database: Database
) -> None:
    asked, nowhere = 0, Database("postgresql://nobody@127.0.0.1:1/none", database.clock)

    @asynccontextmanager
    async def opener(actor: Actor) -> AsyncIterator[Work]:
        nonlocal asked
        asked += 1
        async with nowhere.open_work(actor) as work:
            yield work

    await safe.say("谢谢")
    intake.reach.lost(opener)
    # The database is there, so whoever asked it would be told a number.
    for n in range(20):
        assert await safe.say(MATTER, f"oCitizen{n}") == replies.spooled()
    assert spool.count == 20
    assert asked <= 2, "the look-out looks once at once, then every second"


async def test_a_full_spool_refuses_so_that_wechat_delivers_again(
    safe: Line, intake: Intake, tmp_path: Path, logged: Logged
) -> None:
    intake.spool = Spool(tmp_path, limit=1)
    async with away(safe, intake):
        assert await safe.say(MATTER) == replies.spooled()
        logged()
        answer = await safe.push(safe.text(MATTER))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        turned = [line for line in logged() if line["event"] == "push turned away"]
        assert [(line["level"], line["spool"]) for line in turned] == [("error", "SpoolFull")]


async def test_a_disk_that_will_not_have_it_refuses_likewise(safe: Line, intake: Intake, tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("no folder")
    async with away(safe, intake):
        assert (await safe.push(safe.text(MATTER))).status_code == 503


async def test_a_process_that_started_while_the_database_was_away_knows_no_keys(
    vault: Vault, tmp_path: Path, safe: Line, database: Database
) -> None:
    app = FastAPI()
    app.state.database = Database("postgresql://nobody@127.0.0.1:1/none", database.clock)
    app.state.intake = Intake(vault, Spool(tmp_path))
    problems.install(app)
    app.include_router(router)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://county.test") as client:
        answer = await Line(client, safe.keys, safe.original_id, safe.division_code).push(safe.text(MATTER))
    assert answer.status_code == 503
    assert waiting(tmp_path).count == 0


async def test_connections_that_died_in_the_pool_cost_nobody_the_number(
    safe: Line, database: Database, spool: Spool
) -> None:
    await asyncio.gather(*(safe.say("谢谢", f"oWarm{n}") for n in range(4)))
    async with database.engine.connect() as conn:
        others = "pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'"
        await conn.execute(text(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {others}"))
    number_in(await safe.say(MATTER))
    assert spool.count == 0


async def test_a_message_that_breaks_its_connection_is_spooled(
    safe: Line, database: Database, spool: Spool, rows: Rows
) -> None:
    async with broken(database, "ticket", "PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW"):
        assert await safe.say(MATTER) == replies.spooled()
    assert await rows(select(inbound.c.id)) == []
    assert spool.count == 1


async def test_a_later_message_does_not_overtake_one_that_waits(
    safe: Line, intake: Intake, spool: Spool, rows: Rows
) -> None:
    async with away(safe, intake):
        await safe.say("一号门口的路灯不亮", "oOne")
    assert await safe.say("二号门口的路灯不亮", "oOne") == replies.spooled()
    number_in(await safe.say("三号门口的路灯不亮", "oTwo"))
    assert spool.count == 2
    assert await rows(select(func.count()).select_from(tickets)) == [(1,)]


async def test_where_the_spool_is_full_a_later_message_overtakes_rather_than_be_refused(
    safe: Line, intake: Intake, tmp_path: Path
) -> None:
    intake.spool = Spool(tmp_path, limit=1)
    async with away(safe, intake):
        await safe.say("一号门口的路灯不亮", "oOne")
    number_in(await safe.say("二号门口的路灯不亮", "oOne"))


def test_a_spooled_message_opens_under_its_own_name_alone(vault: Vault, database: Database) -> None:
    entry = Entry("k" * 64, b"\xff\x00<xml>", Outcome.DONE, "oOne")
    message = Spooled("wx1", entry.raw, database.clock.business(), None)
    name = name_of("wx1", entry)
    sealed = seal(vault, name, message)
    assert unseal(vault, name, sealed) == message
    for bad in (sealed[:-4], b"", b"\xff", b"AAAA"):
        with pytest.raises(ValueError):
            unseal(vault, name, bad)
    with pytest.raises(ValueError):
        unseal(vault, name[:-1] + "x", sealed)


def test_deliveries_of_a_message_share_a_file_and_messages_of_a_citizen_a_group() -> None:
    one = name_of("wx1", Entry("k1", b"", Outcome.DONE, "oOne"))
    assert one == name_of("wx1", Entry("k1", b"again", Outcome.DONE, "oOne"))
    assert one[:16] == name_of("wx1", Entry("k2", b"", Outcome.DONE, "oOne"))[:16]
    others = [("wx2", "oOne"), ("wx1", "oTwo"), ("wx1", None)]
    assert one[:16] not in {name_of(appid, Entry("k1", b"", Outcome.DONE, who))[:16] for appid, who in others}
