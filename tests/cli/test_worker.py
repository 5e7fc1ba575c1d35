"""The clockwork: jobs run, fail and stop as they should; `o2o worker` as a process, told to stop."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.base.clock import machine
from app.base.db import Database
from app.base.work import Opener, Work
from app.domain.policy import SYSTEM
from app.people import jobs as people
from app.tickets import jobs as tickets
from app.worker import JOBS, Job, beating

OFTEN = 0.01
ROOT = Path(__file__).parents[2]


def job(run: Callable[[], object], seconds: float = OFTEN) -> Job:
    async def ran(opener: Opener) -> int:
        found = run()
        return await found if asyncio.iscoroutine(found) else 0

    return Job("test.job", seconds, ran)


async def test_a_job_that_fails_is_tried_again_and_the_others_go_on(database: Database) -> None:
    tries, others, again = [], asyncio.Event(), asyncio.Event()

    def failing() -> None:
        tries.append(1)
        if len(tries) > 2:
            again.set()
        raise ConnectionRefusedError if len(tries) == 1 else ValueError

    async with beating(database, [job(failing), job(others.set, 3600)]):
        await asyncio.wait_for(again.wait(), 30)
        await asyncio.wait_for(others.wait(), 30)


async def test_one_job_never_runs_twice_at_once(database: Database) -> None:
    running, most, runs = 0, 0, 0
    enough = asyncio.Event()

    async def slow() -> int:
        nonlocal running, most, runs
        running, runs = running + 1, runs + 1
        most = max(most, running)
        await asyncio.sleep(OFTEN * 5)
        running -= 1
        if runs == 3:
            enough.set()
        return 1

    async with beating(database, [job(slow)]):
        await asyncio.wait_for(enough.wait(), 30)
    assert most == 1


async def test_what_is_at_work_is_finished_before_it_stops(database: Database) -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def work() -> int:
        begun.set()
        await may_end.wait()
        ended.append(1)
        return 1

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(beating(database, [job(work)]))
        await asyncio.wait_for(begun.wait(), 30)
        leaving = asyncio.create_task(stack.pop_all().aclose())
        for _ in range(10):
            await asyncio.sleep(0)
        assert (leaving.done(), ended) == (False, [])
        may_end.set()
        await asyncio.wait_for(leaving, 30)
    assert ended == [1]


async def test_what_does_not_end_is_cut_short_and_rolled_back(database: Database) -> None:
    begun = asyncio.Event()

    async def run(opener: Opener) -> int:
        async with opener(SYSTEM) as work:
            await work.conn.execute(text("INSERT INTO setting VALUES ('half done', '1')"))
            begun.set()
            await asyncio.Event().wait()
        return 1

    async with beating(database, [Job("test.endless", OFTEN, run)], patience=0.1):
        await asyncio.wait_for(begun.wait(), 30)
    async with database.open_work(SYSTEM) as work:
        found = await work.conn.execute(text("SELECT count(*) FROM setting WHERE name = 'half done'"))
        assert found.scalar_one() == 0


async def test_every_job_of_the_house_runs(database: Database) -> None:
    for one in JOBS:
        # Nothing but a seal for a day that nobody has lived.
        assert await one.run(database.open_work) == (one.name == "audit.seal")


async def _rows(work: Work, query: str) -> list[object]:
    return list((await work.conn.execute(text(query))).scalars())


async def test_sessions_that_are_over_are_swept_away_and_no_others(database: Database) -> None:
    now = machine()
    rows = [
        {"token": f"t{n:04}", "seen": now, "ends": now + timedelta(minutes=1 if n == 0 else -1)} for n in range(1, 1003)
    ]
    rows.append({"token": "alive", "seen": now - timedelta(hours=3), "ends": now + timedelta(minutes=1)})
    async with database.open_work(SYSTEM) as work:
        insert = text("INSERT INTO session SELECT :token, min(id), :seen, :seen, :ends FROM staff")
        await work.conn.execute(insert, rows)
    assert await people.sweep(database.open_work) == 1002
    async with database.open_work(SYSTEM) as work:
        assert await _rows(work, "SELECT token_digest FROM session") == ["alive"]


async def test_failures_to_sign_in_are_forgotten_a_day_after_their_wait(database: Database) -> None:
    now = machine()
    waits = {
        "long ago": now - timedelta(days=2),
        "lately": now - timedelta(hours=1),
        "blocked": now + timedelta(hours=1),
    }
    async with database.open_work(SYSTEM) as work:
        for username, until in waits.items():
            insert = text("INSERT INTO sign_in_failure VALUES (:username, '192.0.2.7', 5, :until)")
            await work.conn.execute(insert, {"username": username, "until": until})
    assert await people.sweep(database.open_work) == 1
    async with database.open_work(SYSTEM) as work:
        assert set(await _rows(work, "SELECT username FROM sign_in_failure")) == {"lately", "blocked"}


async def test_remembered_answers_are_forgotten_after_a_week(database: Database) -> None:
    now = database.clock.business()
    async with database.open_work(SYSTEM) as work:
        for key, days in (("old", 8), ("fresh", 6)):
            columns = "staff_id, key, body_digest, created_at"
            insert = text(f"INSERT INTO idempotency ({columns}) SELECT min(id), :key, '', :at FROM staff")
            await work.conn.execute(insert, {"key": key, "at": now - timedelta(days=days)})
    assert await tickets.sweep(database.open_work) == 1
    async with database.open_work(SYSTEM) as work:
        assert await _rows(work, "SELECT key FROM idempotency") == ["fresh"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """`start(url)`: an `o2o worker` on that database."""
    started = []

    def begun(url: str) -> "subprocess.Popen[str]":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("O2O_")}
        environment |= {"O2O_DATABASE_URL": url, "O2O_ENV": "demo", "O2O_SECRET_KEY": "k" * 32}
        script = [sys.executable, "-c", "from app.cli import main; main()", "worker"]
        process = subprocess.Popen(
            script, env=environment | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield begun
    for process in started:
        process.kill()
        process.communicate()


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    return process.stderr.readline()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_folds_what_waits_and_ends_well_when_told_to(
    start: Callable[[str], "subprocess.Popen[str]"], database: Database, number: signal.Signals
) -> None:
    columns = "day, division_id, handler_division_id, handler_unit_id"
    async with database.open_work(SYSTEM) as work:
        names = await _rows(
            work,
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'rate_delta'"
            " AND column_name NOT IN ('id', 'day', 'division_id', 'handler_division_id', 'handler_unit_id')",
        )
        ones = ", ".join(["1"] * len(names))
        listed = ", ".join(map(str, names))
        await work.conn.execute(
            text(f"INSERT INTO rate_delta ({columns}, {listed}) VALUES ('2026-09-01', 1, 1, 0, {ones})")
        )
    process = start(database.engine.url.render_as_string(hide_password=False))
    assert await asyncio.to_thread(_line, process) == "后台进程已开始工作\n"
    async with asyncio.timeout(30):
        while True:
            async with database.open_work(SYSTEM) as work:
                if not await _rows(work, "SELECT id FROM rate_delta"):
                    break
            await asyncio.sleep(0.1)
    process.send_signal(number)
    assert await asyncio.to_thread(process.wait, 30) == 0
    async with database.open_work(SYSTEM) as work:
        assert await _rows(work, "SELECT received FROM rate_rollup") == [1]


def test_a_worker_waits_for_a_database_that_is_away_and_says_so(
    start: Callable[[str], "subprocess.Popen[str]"],
) -> None:
    process = start("postgresql://o2o:x@127.0.0.1:1/o2o")
    for seconds in (1, 2):
        line = _line(process)
        assert line.startswith("连不上数据库：")
        assert line.endswith(f"；{seconds} 秒后再试\n")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
