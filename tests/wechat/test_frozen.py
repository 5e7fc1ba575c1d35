"""A PostgreSQL that was stopped refuses nobody, it only never answers; each message is answered in time even so."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text

from app.base.clock import Clock
from app.base.db import Database
from app.base.embedded import lease
from app.base.migrate import migrate
from app.base.secrets import Vault
from app.base.spool import Spool
from app.demo.county import DemoCounty, as_csv
from app.domain import replies
from app.domain.policy import SYSTEM
from app.domain.vocabulary import AccountMode
from app.imports import service as imports
from app.limits.service import seed_calendar
from app.main import create_app
from app.schema.tickets import tickets
from app.wechat import accounts, intake
from app.wechat.crypto import Keys
from app.wechat.replay import Replayer
from tests.conftest import FOUNDED, MOMENT
from tests.wechat.line import Line, number_in

NEEDED = ("divisions", "units", "categories", "accounts")
"""Of the county, as much as a ticket cannot do without."""
WECHAT_SECONDS = 5.0
POOL = 4


@pytest.fixture(autouse=True)
def as_in_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere tests are more patient than WeChat (tests/conftest.py)."""
    monkeypatch.setattr(intake, "ANSWER_SECONDS", 3.5)
    monkeypatch.setattr(accounts, "LOOK_SECONDS", 1.0)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data directory of its own: the other tests' server must not stand still."""
    place = Path(tempfile.mkdtemp(prefix="o2o-frozen-"))
    # mkdtemp's 0700 would keep PostgreSQL's user out where root runs the tests.
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
async def own(folder: Path, demo: DemoCounty, vault: Vault) -> AsyncIterator[Database]:
    """A small county on a server of its own."""
    with lease(folder, say=lambda sentence: None) as held:
        clock = Clock()
        clock.set(FOUNDED)
        database = Database(held.url, clock, pool_size=POOL)
        await migrate(database.engine)
        async with database.open_work(SYSTEM) as work:
            await seed_calendar(work)
        for sheet in demo.sheets:
            if sheet.name in NEEDED:
                prepared = imports.prepare(sheet.name, as_csv(sheet).encode(), edition="2017")
                await imports.run(database.open_work, prepared, vault=vault)
        clock.set(MOMENT)
        yield database
        await database.close()


@pytest.fixture
async def app(own: Database, vault: Vault, folder: Path) -> AsyncIterator[FastAPI]:
    found = create_app(own, vault, data_dir=folder)
    yield found
    await found.state.intake.reach.close()


@pytest.fixture
async def line(app: FastAPI, demo: DemoCounty) -> AsyncIterator[Line]:
    """The county's account; known to the webhook, as to one that has served for a while."""
    row = next(row for sheet in demo.sheets if sheet.name == "accounts" for row in sheet.rows)
    keys = Keys(row["appid"], row["token"], row["encoding_aes_key"], None, AccountMode(row["mode"]))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://county.test") as client:
        found = Line(client, keys, row["original_id"], row["division_code"])
        await asyncio.gather(*(found.say("谢谢", f"oWarm{n}") for n in range(POOL)))
        yield found


@contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """While inside, PostgreSQL and all of its processes stand still (SIGSTOP)."""
    postmaster = int(((folder / "postgres").resolve() / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
    # Numbers are used again: never stop somebody else's process.
    assert Path(f"/proc/{postmaster}/cwd").resolve().is_relative_to((folder / "postgres").resolve())
    stopped = [postmaster, *_children(postmaster)]
    try:
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)


def _children(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(child) for child in tasks.read_text().split()]


async def in_time(line: Line, words: str, openid: str) -> str:
    async with asyncio.timeout(WECHAT_SECONDS):
        return await line.say(words, openid)


async def test_every_message_is_answered_in_time_and_none_is_lost(
    own: Database, app: FastAPI, line: Line, vault: Vault, folder: Path
) -> None:
    with frozen(folder):
        crowd = [in_time(line, f"{n}号门口的路灯不亮", f"oCitizen{n}") for n in range(30)]
        assert set(await asyncio.gather(*crowd)) == {replies.spooled()}
        # It takes its time, in which the transactions that were given up come to their ends.
        assert (await line.client.get("/readyz")).json() == {"status": "down", "database": "away", "spool": 30}
        assert await in_time(line, "三十一号门口的路灯不亮", "oCitizen30") == replies.spooled()
    for _ in range(100):
        if not app.state.intake.reach.away:
            break
        await asyncio.sleep(0.1)
    number_in(await in_time(line, "三十二号门口的路灯不亮", "oCitizen31"))
    spool: Spool = app.state.intake.spool
    assert await Replayer(vault, spool).once(own.open_work) == 31
    assert spool.count == 0
    async with own.open_work(SYSTEM) as work:
        both = select(func.count(), func.count(tickets.c.description.distinct()))
        assert tuple((await work.conn.execute(both)).one()) == (32, 32)
        hanging = "pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'"
        left = text(f"SELECT count(*) FROM pg_stat_activity WHERE {hanging}")
        assert (await work.conn.execute(left)).scalar_one() == 0
    number_in(await in_time(line, "谢谢", "oCitizen7"))
    assert own.engine.pool.status().endswith("Current Checked out connections: 0")
