"""The checker itself, on histories with a planted fault: it must find each, and nothing in a clean one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from app.base.db import Database
from app.base.secrets import Vault
from app.demo.cast import Account
from app.demo.county import DemoCounty
from app.divisions.service import atlas
from app.domain.policy import Actor
from app.domain.vocabulary import AccountMode, Action
from app.main import create_app
from app.tickets import service
from app.wechat.crypto import Keys
from tests.drills import checker
from tests.drills.checker import CHECKS, Findings, judge
from tests.drills.wechat import Delivery, Sent, deliver, write

ACTS: tuple[tuple[Action, dict[str, Any]], ...] = (
    (Action.ACCEPT, {"category": "C0105"}),
    (Action.DISPATCH, {"username": "admin-430121"}),
    (Action.START, {}),
    (Action.REPLY, {"text": "已派电工去看"}),
    (Action.COMPLETE, {"result": "灯泡已换好"}),
)
FIRST = "(SELECT min(id) FROM ticket)"
"""The ticket that was completed; the others are open."""
LAST = "(SELECT max(id) FROM ticket)"

ANSWERED = "an answered message is one inbound row, and one ticket or kept"
UNANSWERED = "an unanswered message is at most one inbound row and one ticket"
TWICE = "no citizen has two tickets for one message"
UNASKED = "no ticket that nobody's message asked for"
TOLD = "the number told is the ticket's"
TEXTS = "texts are equal, byte for byte"
TRAIL = "the trail counts from 1 without a gap, as many as the version"
CHAIN = "each event begins where the one before ended, and not earlier"
STATE = "the last event's state is the ticket's"
MILESTONES = "milestones come in order, and are there when their state is"
ASSIGNED = "an open ticket has one open assignment, to whom it says; others none"
UNBROKEN = "one node at a time was responsible, without a gap"
RESPONSIBLE = "exactly one node is responsible"
LIMITS = "limits are there: three in the first cycle, one in each later one, and due_at is the present one's"
KEYS = "outbox keys are unique"
NOTICE = "every ticket of an account has told its citizen, once"

COPY = "(jsonb_populate_record(x, jsonb_build_object({}))).* FROM {} x"
FAULTS: dict[str, tuple[str, str]] = {
    "message lost": (ANSWERED, f"DELETE FROM inbound WHERE ticket_id = {LAST}"),
    "ticket lost": (ANSWERED, f"DELETE FROM ticket WHERE id = {LAST}"),
    "message stored twice": (
        ANSWERED,
        "INSERT INTO inbound SELECT "
        + COPY.format("'id', -id, 'key', 'another'", "inbound")
        + f" WHERE ticket_id = {FIRST}",
    ),
    "kept and filed": (ANSWERED, f"UPDATE inbound SET outcome = 'kept' WHERE ticket_id = {FIRST}"),
    "unanswered, stored twice": (
        UNANSWERED,
        "INSERT INTO inbound SELECT "
        + COPY.format("'id', -id, 'key', 'another'", "inbound")
        + f" WHERE ticket_id = {LAST}",
    ),
    "filed twice": (
        TWICE,
        "INSERT INTO ticket SELECT " + COPY.format("'id', 0, 'number', '1234567890'", "ticket") + f" WHERE id = {LAST}",
    ),
    "filed unasked": (
        UNASKED,
        "INSERT INTO ticket SELECT "
        + COPY.format("'id', 0, 'number', '1234567890', 'citizen_id', null", "ticket")
        + f" WHERE id = {LAST}",
    ),
    "wrong number told": (TOLD, f"UPDATE ticket SET number = '1234567890' WHERE id = {FIRST}"),
    "blank lost": (TEXTS, f"UPDATE ticket SET description = rtrim(description) WHERE id = {FIRST}"),
    "event lost": (TRAIL, f"DELETE FROM ticket_event WHERE ticket_id = {FIRST} AND seq = 2"),
    "change without event": (TRAIL, f"UPDATE ticket SET version = version + 1 WHERE id = {FIRST}"),
    "events reordered": (
        CHAIN,
        f"UPDATE ticket_event SET seq = -seq WHERE ticket_id = {FIRST} AND seq IN (2, 3); "
        f"UPDATE ticket_event SET seq = 5 + seq WHERE ticket_id = {FIRST} AND seq < 0",
    ),
    "event altered": (CHAIN, f"UPDATE ticket_event SET to_status = 'received' WHERE ticket_id = {FIRST} AND seq = 2"),
    "event dated back": (
        CHAIN,
        f"UPDATE ticket_event SET at = at - interval '1 s' WHERE ticket_id = {FIRST} AND seq = 6",
    ),
    "state changed behind the trail": (STATE, f"UPDATE ticket SET status = 'accepted' WHERE id = {LAST}"),
    "completed before accepted": (
        MILESTONES,
        f"UPDATE ticket SET completed_at = accepted_at - interval '1 s' WHERE id = {FIRST}",
    ),
    "milestone missing": (MILESTONES, f"UPDATE ticket SET completed_at = NULL WHERE id = {FIRST}"),
    "open without assignment": (ASSIGNED, f"UPDATE assignment SET until = since WHERE ticket_id = {LAST}"),
    "completed but assigned": (
        ASSIGNED,
        f"UPDATE assignment SET until = NULL WHERE id = (SELECT max(id) FROM assignment WHERE ticket_id = {FIRST})",
    ),
    "assigned to another than it says": (
        ASSIGNED,
        f"UPDATE assignment SET person_id = coalesce(person_id, 0) + 1 WHERE ticket_id = {LAST}",
    ),
    "two nodes at a time": (
        UNBROKEN,
        f"UPDATE assignment SET since = since - interval '1 h' WHERE id = "
        f"(SELECT max(id) FROM assignment WHERE ticket_id = {FIRST})",
    ),
    "nobody responsible": (
        RESPONSIBLE,
        "ALTER TABLE ticket DROP CONSTRAINT ck_ticket_one_responsible; "
        f"UPDATE ticket SET responsible_division_id = NULL, responsible_unit_id = NULL WHERE id = {LAST}",
    ),
    "limit lost": (LIMITS, f"DELETE FROM ticket_limit WHERE ticket_id = {LAST} AND kind = 'reply'"),
    "another day in the row": (LIMITS, f"UPDATE ticket SET due_at = due_at + interval '1 d' WHERE id = {LAST}"),
    "notice twice": (
        KEYS,
        "ALTER TABLE outbox DROP CONSTRAINT uq_outbox_key; INSERT INTO outbox SELECT "
        + COPY.format("'id', -id", "outbox"),
    ),
    "notice lost": (NOTICE, f"DELETE FROM outbox WHERE ticket_id = {LAST} AND notice = 'citizen.received'"),
}


@pytest.fixture
async def log(
    database: Database, vault: Vault, demo: DemoCounty, actor: Callable[[str], Awaitable[Actor]]
) -> list[Sent]:
    """Three citizens' messages, each delivered twice; the first ticket is completed."""
    rows = next(sheet for sheet in demo.sheets if sheet.name == "accounts").rows
    row = next(row for row in rows if row["mode"] == AccountMode.SAFE)
    keys = Keys(row["appid"], row["token"], row["encoding_aes_key"], None, AccountMode.SAFE)
    account = Account(row["name"], row["division_code"], row["original_id"], keys)
    sent = [write(account, f"oCheckerChecker{n:013d}", f"黄兴镇路灯第{n}盏不亮了 ") for n in range(3)]
    transport = httpx.ASGITransport(app=create_app(database, vault))
    async with httpx.AsyncClient(transport=transport, base_url="http://county.test") as client:
        for one in sent * 2:
            await deliver(client, one, 30)
    who = await actor("admin-430121")
    for action, form in ACTS:
        async with database.open_work(who) as work:
            await service.act(work, await atlas(work), sent[0].number or "", action, form)
    return sent


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[Any]:
    """A transaction that may break every rule, and is rolled back."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    found = await asyncpg.connect(url)
    began = found.transaction()
    await began.start()
    if not await found.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        pytest.skip("a fault can only be planted past triggers and foreign keys, as a superuser")
    await found.execute("SET LOCAL session_replication_role = replica")
    yield found
    await began.rollback()
    await found.close()


def _what(findings: Findings) -> set[str]:
    return {violation.what for violation in findings.violations}


async def test_a_clean_history_has_nothing_against_it(log: list[Sent], conn: Any) -> None:
    findings = await judge(conn, log)
    assert _what(findings) == set(), [str(violation) for violation in findings.violations]
    assert (findings.tickets, findings.kept, findings.lost, findings.unsaid) == (3, (), (), ())


def test_every_check_has_its_fault() -> None:
    assert {what for what, _ in FAULTS.values()} == set(CHECKS)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_planted_fault_is_found(log: list[Sent], conn: Any, fault: str) -> None:
    what, planted = FAULTS[fault]
    await conn.execute(planted)
    if what == UNANSWERED:
        log[2].deliveries.clear()
    assert what in _what(await judge(conn, log))


async def test_a_message_that_was_given_up_is_told_apart_from_one_filed_in_silence(log: list[Sent], conn: Any) -> None:
    for sent in log[1:]:
        sent.deliveries.clear()
    await conn.execute(f"DELETE FROM inbound WHERE ticket_id = {LAST}; DELETE FROM ticket WHERE id = {LAST}")
    findings = await judge(conn, log)
    assert (findings.lost, findings.unsaid) == ((log[2].openid,), (log[1].openid,))
    assert findings.violations == ()


async def test_two_answers_to_one_message_are_found(log: list[Sent], conn: Any) -> None:
    log[0].deliveries.append(Delivery(0.0, 0.0, "另一个回答"))
    assert _what(await judge(conn, log)) == {"all deliveries of a message are answered alike"}


async def test_words_of_citizens_in_a_log_are_found(log: list[Sent], database: Database) -> None:
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    for written in (f"push from {log[1].openid}", f"error: '{log[1].text}'"):
        found = await checker.check(url, log, written)
        assert _what(found) == {"no openid and no citizen's text in the logs"}
    assert _what(await checker.check(url, log, "push kept account=wx1")) == set()


async def test_a_transaction_left_open_is_found(
    log: list[Sent], database: Database, conn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "SETTLE_SECONDS", 0.5)
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    await conn.fetchval("SELECT count(*) FROM ticket")
    assert _what(await checker.check(url, log)) == {"no transaction is left open"}
