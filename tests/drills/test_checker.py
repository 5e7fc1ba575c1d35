"""The checker itself, on histories with a planted fault: it must find each, and nothing in a clean one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.base.db import Database
from app.base.secrets import Vault
from app.demo.cast import Account
from app.demo.county import DemoCounty
from app.demo.past import COLUMNS
from app.demo.sheets import Sheet, as_csv
from app.divisions.service import atlas
from app.domain.policy import SYSTEM, Actor
from app.domain.vocabulary import AccountMode, Action
from app.imports import service as imports
from app.main import create_app
from app.reports.service import monthly
from app.tickets import service
from app.wechat.crypto import Keys
from tests.drills.checker import RULES, Act, Beside, Findings, Guarantee, Rules, State, judge, judging
from tests.drills.checker.messages import SPOOL
from tests.drills.planted import ANSWERED, FAULTS, FIRST, LAST, SIGNS, UNANSWERED
from tests.drills.wechat import Delivery, Sent, deliver, write

ACTS: tuple[tuple[Action, dict[str, Any]], ...] = (
    (Action.ACCEPT, {"category": "C0105"}),
    (Action.DISPATCH, {"username": "admin-430121"}),
    (Action.START, {}),
    (Action.REPLY, {"text": "已派电工去看"}),
    (Action.COMPLETE, {"result": "灯泡已换好", "explained": True}),
)
BEFORE = {"external_id": "旧-1", "channel": "account", "title": "路灯不亮", "description": "路灯不亮"}
BEFORE |= {"received_at": "2026-09-17 09:00", "division_code": "430121"}
FINISHED = BEFORE | {"external_id": "旧-2", "received_at": "2026-08-31 09:00", "accepted_at": "2026-08-31 10:00"}
FINISHED |= {"completed_at": "2026-09-09 10:00", "result": "已修好", "rating": "满意"}


@dataclass(slots=True)
class History:
    """The client's log of it, as `judge` takes it."""

    log: list[Sent]
    aside: list[Sent]
    beside: Beside

    async def judged(self, conn: Any, rules: Rules = RULES) -> Findings:
        return await judge(conn, self.log, self.aside, self.beside, rules)


@pytest.fixture
async def history(
    database: Database, vault: Vault, demo: DemoCounty, actor: Callable[[str], Awaitable[Actor]], tmp_path: Path
) -> History:
    """Three citizens' messages, each delivered twice; the first ticket is completed and rated. Two tickets of a past,
    one still open, and a report."""
    past = Sheet("tickets", COLUMNS, [{name: row.get(name, "") for name in COLUMNS} for row in (BEFORE, FINISHED)])
    await imports.run(database.open_work, imports.prepare("tickets", as_csv(past).encode()))
    account = _account(demo)
    log = [write(account, f"oCheckerChecker{n:013d}", f"黄兴镇路灯第{n}盏不亮了 ") for n in range(3)]
    liked = write(account, log[0].openid, judging.LIKE)
    transport = httpx.ASGITransport(app=create_app(database, vault))
    async with httpx.AsyncClient(transport=transport, base_url="http://county.test") as client:
        for one in log * 2:
            await deliver(client, one, 30)
        number = log[0].number or ""
        who = await actor("admin-430121")
        for action, form in ACTS:
            async with database.open_work(who) as work:
                await service.act(work, await atlas(work), number, action, form)
        await deliver(client, liked, 30)
    async with database.open_work(SYSTEM, read=True) as work:
        county = (await atlas(work)).county.root
    report = await monthly(database.open_work, county.id, "2026-08")
    acts = [Act(number, action, known=True) for action, _ in ACTS]
    return History(log, [liked], Beside(acts, [report.checksum], tmp_path))


def _account(demo: DemoCounty) -> Account:
    rows = next(sheet for sheet in demo.sheets if sheet.name == "accounts").rows
    row = next(row for row in rows if row["mode"] == AccountMode.SAFE)
    keys = Keys(row["appid"], row["token"], row["encoding_aes_key"], None, AccountMode.SAFE)
    return Account(row["name"], row["division_code"], row["original_id"], keys)


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[Any]:
    """A transaction that may break every rule, and is rolled back."""
    found = await asyncpg.connect(_url(database))
    began = found.transaction()
    await began.start()
    if not await found.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        pytest.skip("a fault can only be planted past triggers and foreign keys, as a superuser")
    await found.execute("SET LOCAL session_replication_role = replica")
    yield found
    await began.rollback()
    await found.close()


def _url(database: Database) -> str:
    return database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _what(findings: Findings) -> set[str]:
    return {violation.what for violation in findings.violations}


def _states(findings: Findings) -> dict[Guarantee, State]:
    return {verdict.guarantee: verdict.state for verdict in findings.verdicts}


async def test_a_clean_history_has_nothing_against_it(history: History, conn: Any) -> None:
    findings = await history.judged(conn)
    assert _what(findings) == set(), [str(violation) for violation in findings.violations]
    assert (findings.tickets, findings.kept, findings.lost, findings.unsaid) == (3, (), (), ())
    assert (findings.seen["其中导入"], findings.seen["报表"]) == (2, 1)


async def test_every_guarantee_gets_its_verdict_and_what_is_not_built_is_said(history: History, conn: Any) -> None:
    findings = await history.judged(conn)
    built = dict.fromkeys(Guarantee, State.HELD)
    assert _states(findings) == built | dict.fromkeys(RULES.not_built, State.NOT_BUILT)
    assert set(RULES.not_built) == {Guarantee.STEPS, Guarantee.NOTICES}
    lines = findings.told().splitlines()
    for guarantee, claim in RULES.not_built.items():
        assert any(f"{guarantee} {State.NOT_BUILT}" in line and claim.why in line for line in lines)


@pytest.mark.parametrize("missing", list(Guarantee))
async def test_a_guarantee_that_is_silently_missing_fails_the_drill(
    history: History, conn: Any, missing: Guarantee
) -> None:
    checks = [check for check in RULES.checks if check.guarantee is not missing]
    not_built = {one: claim for one, claim in RULES.not_built.items() if one is not missing}
    findings = await history.judged(conn, Rules(checks, not_built))
    assert _what(findings) == {"a guarantee has neither a check nor an entry as not built"}
    assert _states(findings)[missing] is State.BROKEN


@pytest.mark.parametrize("number", SIGNS)
async def test_what_is_built_must_not_be_said_not_to_be(history: History, conn: Any, number: int) -> None:
    await conn.execute(SIGNS[number])
    findings = await history.judged(conn)
    assert "it is said not to be built, and is: its entry has to go, and its checks to come" in _what(findings)
    assert _states(findings)[Guarantee(number)] is State.BROKEN


def test_every_query_has_its_fault_and_every_name_is_its_own() -> None:
    names = [check.what for check in RULES.checks]
    assert len(set(names)) == len(names)
    asked = {check.what for check in RULES.checks if check.query}
    assert asked <= {what for what, _ in FAULTS.values()} <= set(names)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_planted_fault_is_found(history: History, conn: Any, fault: str) -> None:
    what, planted = FAULTS[fault]
    await conn.execute(planted)
    if what == UNANSWERED:
        history.log[2].deliveries.clear()
    findings = await history.judged(conn)
    assert what in _what(findings)
    guarantee = next(check.guarantee for check in RULES.checks if check.what == what)
    assert _states(findings)[guarantee] is State.BROKEN


async def test_a_message_that_was_given_up_is_told_apart_from_one_filed_in_silence(history: History, conn: Any) -> None:
    log = history.log
    for sent in log[1:]:
        sent.deliveries.clear()
    await conn.execute(
        f"DELETE FROM rate_delta WHERE id = (SELECT max(id) FROM rate_delta WHERE received = 1 AND accepted = 0); "
        f"DELETE FROM step WHERE ticket_id = {LAST}; DELETE FROM outbox WHERE ticket_id = {LAST}; "
        f"DELETE FROM inbound WHERE ticket_id = {LAST}; DELETE FROM ticket WHERE id = {LAST}"
    )
    findings = await history.judged(conn)
    assert (findings.lost, findings.unsaid) == ((log[2].openid,), (log[1].openid,))
    assert findings.violations == ()


async def test_a_message_in_the_spool_is_kept_and_not_lost_but_must_not_stay_there(history: History, conn: Any) -> None:
    sent = history.log[2]
    (history.beside.data_dir or Path()).joinpath("spool").mkdir()
    name = judging.spooled_as(sent)
    (history.beside.data_dir or Path()).joinpath("spool", name).write_bytes(b"sealed")
    await conn.execute(f"DELETE FROM inbound WHERE ticket_id = {LAST}")
    findings = await history.judged(conn)
    assert (findings.kept, findings.lost) == ((sent.openid,), ())
    assert SPOOL.what in _what(findings)
    assert ANSWERED not in _what(findings)


async def test_two_answers_to_one_message_are_found(history: History, conn: Any) -> None:
    history.log[0].deliveries.append(Delivery(0.0, 0.0, "另一个回答"))
    assert _what(await history.judged(conn)) == {"all deliveries of a message are answered alike"}


async def test_words_of_citizens_in_a_log_are_found(history: History, database: Database) -> None:
    log = history.log
    for written in (f"push from {log[1].openid}", f"error: '{log[1].text}'"):
        found = await judging.check(_url(database), log, written, history.aside, history.beside)
        assert _what(found) == {"no openid and no citizen's text in the logs"}
        assert _states(found)[Guarantee.BESIDE] is State.BROKEN
    assert _what(await judging.check(_url(database), log, "push kept account=wx1", history.aside)) == set()


async def test_a_transaction_left_open_is_found(
    history: History, database: Database, conn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "SETTLE_SECONDS", 0.5)
    await conn.fetchval(f"SELECT count(*) FROM ticket WHERE id = {FIRST}")
    found = await judging.check(_url(database), history.log, "", history.aside, replace(history.beside, data_dir=None))
    assert _what(found) == {"no transaction is left open, idle or not"}
