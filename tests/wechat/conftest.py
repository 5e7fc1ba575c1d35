"""An application with nothing but the webhook, WeChat on the other side of it, and what can be seen of it."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import Select, event
from sqlalchemy.engine import Engine

from app.base import log
from app.base.db import Database
from app.base.secrets import Vault
from app.base.spool import Spool
from app.demo.county import DemoCounty
from app.divisions.service import atlas
from app.domain.policy import SYSTEM, Actor
from app.domain.vocabulary import AccountMode, Action
from app.tickets import service
from app.web import problems
from app.wechat.crypto import Keys
from app.wechat.intake import Intake
from app.wechat.routes import router
from tests.balance import in_balance
from tests.wechat.line import Do, Line, Logged, Rows


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """Where the webhook puts what it can't store."""
    return Spool(tmp_path)


@pytest.fixture
async def intake(vault: Vault, spool: Spool) -> AsyncIterator[Intake]:
    """What the webhook has in memory."""
    found = Intake(vault, spool)
    yield found
    await found.reach.close()


@pytest.fixture
async def client(
    request: pytest.FixtureRequest, database: Database, vault: Vault, intake: Intake
) -> AsyncIterator[httpx.AsyncClient]:
    """An application with the webhook alone, on the demo county."""
    app = FastAPI()
    app.state.database, app.state.vault, app.state.intake = database, vault, intake
    problems.install(app)
    app.include_router(router)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://county.test") as found:
        yield found
    if request.node.get_closest_marker("by_hand") is None:
        await in_balance(database)


@pytest.fixture
def line(client: httpx.AsyncClient, demo: DemoCounty) -> Callable[[AccountMode], Line]:
    """`line(AccountMode.SAFE)`: the first account in that mode (in safe mode the county's own)."""
    rows = next(sheet for sheet in demo.sheets if sheet.name == "accounts").rows

    def found(mode: AccountMode) -> Line:
        row = next(row for row in rows if row["mode"] == mode)
        keys = Keys(row["appid"], row["token"], row["encoding_aes_key"], None, mode)
        return Line(client, keys, row["original_id"], row["division_code"])

    return found


@pytest.fixture
def safe(line: Callable[[AccountMode], Line]) -> Line:
    """The county's account, in safe mode."""
    return line(AccountMode.SAFE)


@pytest.fixture
def plain(line: Callable[[AccountMode], Line]) -> Line:
    """A town's account, in plain mode."""
    return line(AccountMode.PLAIN)


@pytest.fixture
def rows(database: Database) -> Rows:
    """`await rows(select(...))`: what is committed, as a list."""

    async def found(query: Select[Any]) -> list[Any]:
        async with database.open_work(SYSTEM, read=True) as work:
            return list(await work.conn.execute(query))

    return found


@pytest.fixture
def do(database: Database, actor: Callable[[str], Awaitable[Actor]]) -> Do:
    """`await do(number, (Action.START, {}), …)`: a county administrator acts on a ticket."""

    async def acted(number: str, *acts: tuple[Action, dict[str, Any]]) -> None:
        who = await actor("admin-430121")
        for action, form in acts:
            async with database.open_work(who) as work:
                await service.act(work, await atlas(work), number, action, form)

    return acted


@pytest.fixture
def complete(do: Do) -> Do:
    """`await complete(number)`: from received, or from in progress after a reopening, to completed."""

    async def done(number: str, *, again: bool = False) -> None:
        opening_acts = [] if again else [(Action.ACCEPT, {"category": "C0105"}), (Action.START, {})]
        reply, result = {"text": "已派电工去看"}, {"result": "灯泡已换好", "explained": True}
        await do(number, *opening_acts, (Action.REPLY, reply), (Action.COMPLETE, result))

    return done


class Statements(list[str]):
    """What was sent to the database, but for savepoints."""

    def heard(self, _conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK TO")):
            self.append(statement)


@pytest.fixture
def statements(database: Database) -> Any:
    """The statements sent from now on; `clear()` begins anew."""
    heard = Statements()
    engine: Engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", heard.heard)
    yield heard
    event.remove(engine, "before_cursor_execute", heard.heard)


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    """Our own lines since the last call, logged as in production."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    log.configure(json=True, level="info", key=b"of the tests")

    def ours() -> list[dict[str, Any]]:
        lines = map(json.loads, capsys.readouterr().err.splitlines())
        return [line for line in lines if line["logger"].startswith("app.")]

    yield ours
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()
