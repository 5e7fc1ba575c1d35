"""A service that is told to stop: what was asked is still answered, and nothing is left behind."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from app.base.db import Database
from app.domain.policy import SYSTEM
from tests.conftest import SECRET_KEY

ROOT = Path(__file__).parents[2]
Start = Callable[..., "tuple[subprocess.Popen[str], str]"]


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: pytest makes that 0700 for root, and the embedded server's user could not enter.
    made = Path(tempfile.gettempdir()) / f"o2o-test-{secrets.token_hex(4)}"
    made.mkdir(mode=0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """`start("serve", "--workers", "2", O2O_…=…)`: the process, and where it will answer."""
    started = []

    def begun(*args: str, **settings: str) -> "tuple[subprocess.Popen[str], str]":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("O2O_")}
        environment |= {"O2O_ENV": "demo", "O2O_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(ROOT)} | settings
        script = [sys.executable, "-c", "from app.cli import main; main()", *args, "--port", str(port)]
        with (folder / "log").open("a") as log:
            process = subprocess.Popen(script, env=environment, cwd=folder, stdout=log, stderr=log, text=True)
        started.append(process)
        return process, f"http://127.0.0.1:{port}"

    yield begun
    for process in started:
        process.kill()
        process.wait()


async def _answers(client: httpx.AsyncClient, path: str = "/readyz") -> None:
    """Returns once it answers 200 there."""
    async with asyncio.timeout(60):
        while True:
            try:
                if (await client.get(path)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def _stopping(log: Path, processes: int) -> None:
    """Returns once that many processes have been told. (The port tells nothing: of several their parent keeps it.)"""
    async with asyncio.timeout(30):
        while True:
            said = await asyncio.to_thread(log.read_text)
            if said.count("Shutting down") == processes:
                return
            await asyncio.sleep(0.05)


async def _waits(database: Database) -> None:
    """Returns once somebody waits for a lock."""
    query = text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database"
        " WHERE datname = current_database())"
    )
    async with asyncio.timeout(30):
        while True:
            async with database.open_work(SYSTEM, read=True) as work:
                if (await work.conn.execute(query)).scalar_one():
                    return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(("workers", "number"), [("1", signal.SIGTERM), ("1", signal.SIGINT), ("2", signal.SIGTERM)])
async def test_a_request_that_is_under_way_is_answered_before_the_service_ends_well(
    start: Start, database: Database, folder: Path, workers: str, number: signal.Signals
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    process, base_url = start("serve", "--workers", workers, O2O_DATABASE_URL=url, O2O_SECRET_KEY=SECRET_KEY)
    async with httpx.AsyncClient(base_url=base_url, timeout=60) as client:
        await _answers(client)
        async with database.open_work(SYSTEM) as work:
            await work.conn.execute(text("LOCK TABLE setting IN ACCESS EXCLUSIVE MODE"))
            slow = asyncio.create_task(client.get("/board"))
            await _waits(database)
            process.send_signal(number)
            await _stopping(folder / "log", int(workers))
            assert not slow.done()
        answer = await slow
    assert (answer.status_code, "满意率" in answer.text) == (200, True)
    assert await asyncio.to_thread(process.wait, 30) == 0


def _files(temporary: Path) -> list[Path]:
    return list(temporary.glob("minsheng-metrics-*/histogram_*.db"))


async def test_several_processes_answer_for_all_of_them_and_leave_no_folder(
    start: Start, database: Database, folder: Path
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    temporary = folder / "tmp"
    temporary.mkdir()
    settings = {"O2O_DATABASE_URL": url, "O2O_SECRET_KEY": SECRET_KEY, "TMPDIR": str(temporary)}
    process, base_url = start("serve", "--workers", "2", **settings)
    async with httpx.AsyncClient(base_url=base_url, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        await _answers(client)
        asked = 0
        async with asyncio.timeout(60):
            # Until both have begun, and each has answered something.
            while len(await asyncio.to_thread(_files, temporary)) < 2:
                await client.get("/healthz")
                asked += 1
        page = (await client.get("/metrics")).text
    assert f'o2o_http_requests_total{{method="GET",route="/healthz",status="200"}} {asked:.1f}' in page
    assert "o2o_database_connections_most 20.0" in page
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 30) == 0
    assert list(temporary.iterdir()) == []


async def test_a_demo_that_is_told_to_stop_stops_its_database_too(start: Start, folder: Path) -> None:
    process, base_url = start("demo")
    async with httpx.AsyncClient(base_url=base_url) as client:
        await _answers(client)
        await _answers(client, "/metrics")
    pid_file = folder / "data" / "postgres" / "data" / "postmaster.pid"
    assert pid_file.exists()
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 60) == 0, (folder / "log").read_text()
    assert not pid_file.exists()
