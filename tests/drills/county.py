"""The demo county as a drill needs it: processes and a folder of its own, killed and brought back.

Nothing here knows the service from inside: it is `o2o`, its demo.json, its port and its processes.
"""

import asyncio
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.base.clock import machine
from app.base.embedded import EmbeddedError, lease
from app.base.spool import waiting
from app.demo import cast as casting
from app.demo.cast import Cast
from app.demo.folder import DEMO_JSON
from app.domain.errors import Refusal
from app.domain.vocabulary import SHANGHAI
from tests.drills.programs import DrillError, Postgres, Program, run

__all__ = [
    "Bar",
    "Demo",
    "DrillError",
    "bar",
    "conclude",
    "connections",
    "drained",
    "free_port",
    "running",
    "salt",
    "say",
]

FIRST_PORT, PORTS = 8210, 90
START_SECONDS = 180.0
"""The first start makes a database and imports the county; on a busy machine that is half a minute."""
DRAIN_SECONDS = 300.0
AT_WORK = "后台进程已开始工作"
"""What `o2o worker` says when it has found its database."""


@dataclass(slots=True)
class Demo:
    """The county over `data_dir`, on `port`: `o2o demo` alone, or apart: `o2o serve`, with `o2o worker` beside it.

    `starts`: seconds each start of the service took.
    """

    data_dir: Path
    port: int
    log: Path
    starts: list[float] = field(default_factory=list)
    service: Program = field(init=False)
    worker: Program | None = None

    def __post_init__(self) -> None:
        self.service = Program(("demo", "--port", str(self.port)), self.data_dir, self.log)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def announced(self) -> Path:
        """demo.json: written when `o2o demo` answers, so it goes away before each of its starts."""
        return self.data_dir / DEMO_JSON

    @property
    def postgres(self) -> Postgres:
        return Postgres(self.data_dir)

    def launch(self) -> None:
        """Starts the service; `answers` says when it is there."""
        if self.worker is None:
            self.announced.unlink(missing_ok=True)
        self.service.launch()

    async def answers(self) -> None:
        """Returns once demo.json is there and /readyz says ok. Raises DrillError where that never comes."""
        began, service = perf_counter(), self.service
        async with httpx.AsyncClient(base_url=self.base_url, trust_env=False, timeout=2) as client:
            while not (self.announced.exists() and await _ready(client)):
                if not service.alive():
                    raise DrillError(f"{service.name} ended by itself; its last words:\n{self.last_words()}")
                if perf_counter() - began > START_SECONDS:
                    raise DrillError(f"{service.name} did not answer in {START_SECONDS:.0f} s:\n{self.last_words()}")
                await asyncio.sleep(0.05)
        self.starts.append(perf_counter() - began)

    async def works(self) -> None:
        """Returns once the worker says that it has begun. Raises DrillError where that never comes."""
        began, worker = perf_counter(), self.worker
        while worker is not None and AT_WORK not in worker.said():
            if not worker.alive() or perf_counter() - began > START_SECONDS:
                raise DrillError(f"{worker.name} does not work; its last words:\n{worker.said()[-1000:]}")
            await asyncio.sleep(0.05)

    def cast(self) -> Cast:
        """Who can be played."""
        return casting.read(self.data_dir, self.base_url)

    def database_url(self) -> str:
        """What `o2o db url` prints."""
        return run(self.data_dir, "db", "url").strip()

    def bulletin(self) -> str:
        """Last month's, as JSON: made the first time, the same ever after."""
        last = (machine().astimezone(SHANGHAI).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
        return run(self.data_dir, "report", "monthly", "--division", self.cast().root, "--period", last, "--json")

    def cpu(self) -> float:
        """Seconds of CPU that the service (without PostgreSQL) has used since its start; 0 where it is gone."""
        return self.service.cpu()

    def frozen_postgres(self) -> AbstractContextManager[int]:
        return self.postgres.frozen()

    def stopped_postgres(self) -> AbstractContextManager[None]:
        return self.postgres.stopped()

    async def part(self) -> None:
        """From `o2o demo` to `o2o serve` and `o2o worker`, over the same county."""
        await asyncio.to_thread(self.service.stop)
        self.service = Program(("serve", "--port", str(self.port)), self.data_dir, self.log)
        self.worker = Program(("worker",), self.data_dir, self.log.with_name("worker.log"))
        self.launch()
        self.worker.launch()
        await self.answers()
        await self.works()

    def stop(self) -> None:
        """Ctrl-C, and the database with it, even where the service was killed. Raises DrillError if it won't stop."""
        try:
            for program in (self.service, self.worker):
                if program is not None:
                    program.stop()
        finally:
            self._stop_database()

    def _stop_database(self) -> None:
        """Joins and leaves: the last to leave stops it; a service that ended well has done so already."""
        left = any((self.data_dir / "postgres").resolve().glob("data/postmaster.pid"))
        if left:
            lease(self.data_dir, say=_unheard).close()

    def logs(self) -> str:
        """All that the service, the worker and PostgreSQL have written."""
        own = (self.data_dir / "postgres").resolve().glob("log/*.log")
        worker = [] if self.worker is None else [self.worker.log]
        paths = (self.log, *worker, *sorted(own))
        return "\n".join(path.read_text(errors="replace") for path in paths if path.exists())

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:]) if self.log.exists() else ""


@asynccontextmanager
async def running(
    name: str, port: int | None = None, *, keep: bool = False, apart: bool = False
) -> AsyncIterator[Demo]:
    """A fresh demo county that answers; stopped at the end, and its folder removed unless `keep`. Raises DrillError.

    `apart`: service and worker as processes of their own, as in production.
    """
    place = _folder(name)
    demo = Demo(place / "o2o", port or free_port(), place / "demo.log")
    try:
        demo.launch()
        await demo.answers()
        if apart:
            await demo.part()
        yield demo
    finally:
        try:
            demo.stop()
        except EmbeddedError as wrong:
            raise DrillError(f"the database did not stop: {wrong}") from wrong
        finally:
            if keep:
                say(f"kept: {place}")
            else:
                shutil.rmtree(place, ignore_errors=True)


def _folder(name: str) -> Path:
    place = Path(tempfile.mkdtemp(prefix=f"drills-{name}-"))
    # mkdtemp's 0700 would keep PostgreSQL's user out where root runs the drill.
    place.chmod(0o755)
    (place / "o2o").mkdir(mode=0o711)
    return place


async def drained(demo: Demo) -> float:
    """Waits until it is ready and nothing waits in its spool; how long that took, in seconds. Raises DrillError."""
    began = perf_counter()
    async with httpx.AsyncClient(base_url=demo.base_url, trust_env=False, timeout=10) as client:
        while perf_counter() - began < DRAIN_SECONDS:
            if await _ready(client) and waiting(demo.data_dir).count == 0:
                return perf_counter() - began
            await asyncio.sleep(0.1)
    raise DrillError(f"the spool did not empty within {DRAIN_SECONDS:.0f} s:\n{demo.last_words()}")


def free_port() -> int:
    """A free port of 127.0.0.1 from 8210 on. Raises DrillError."""
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DrillError(f"no free port between {FIRST_PORT} and {FIRST_PORT + PORTS}")


def connections(demo: Demo, most: int | None, patience: float) -> httpx.AsyncClient:
    """At most so many connections to the service (None: any number), `patience` in seconds, never by a proxy."""
    limits = httpx.Limits(max_connections=most, max_keepalive_connections=most)
    timeout = httpx.Timeout(patience, pool=None)
    return httpx.AsyncClient(base_url=demo.base_url, limits=limits, timeout=timeout, trust_env=False)


def salt() -> str:
    """What keeps the openids of one run apart from those of another."""
    return secrets.token_hex(4)


def conclude(drill: Coroutine[Any, Any, tuple[str, Sequence[str]]]) -> int:
    """Plays a drill, which gives its figures and its faults; prints both to stdout and returns the exit code."""
    try:
        figures, faults = asyncio.run(drill)
    except (DrillError, Refusal) as error:
        say(f"✗ {error}")
        return 1
    except ExceptionGroup as group:  # of a TaskGroup
        ours, others = group.split((DrillError, Refusal))
        if ours is None or others is not None:
            raise
        say("\n".join(f"✗ {error}" for error in ours.exceptions))
        return 1
    verdict = "不合格 FAILED" if faults else "合格 passed"
    sys.stdout.write("\n".join([figures, *faults, verdict]) + "\n")
    return 1 if faults else 0


def say(sentence: str) -> None:
    """A word on the way, for a person; results go to stdout (`conclude`)."""
    sys.stderr.write(sentence + "\n")


@contextmanager
def bar(what: str, total: int) -> Iterator["Bar"]:
    """A progress bar on stderr, or nothing where that is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        yield Bar(shown, what, total)


class Bar:
    """Call it once for each that is done; `label` says what goes on meanwhile."""

    def __init__(self, shown: Progress, what: str, total: int) -> None:
        self._shown = shown
        self._task = shown.add_task(what, total=total)

    def __call__(self) -> None:
        self._shown.advance(self._task)

    def label(self, what: str) -> None:
        self._shown.update(self._task, description=what)


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


def _unheard(sentence: str) -> None:
    """The folder's own story is in its logs."""
