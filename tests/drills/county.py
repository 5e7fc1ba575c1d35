"""The demo county as a drill needs it: a process and a folder of its own, killed and brought back.

Nothing here knows the service from inside: it is `o2o demo`, its demo.json, its ports and its processes.
"""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.base.embedded import EmbeddedError, lease
from app.demo import cast as casting
from app.demo.cast import Cast

FIRST_PORT, PORTS = 8210, 90
START_SECONDS = 180.0
"""The first start makes a database and imports the county; on a busy machine that is half a minute."""
STOP_SECONDS = 40.0

_O2O = Path(sys.executable).with_name("o2o")


class DrillError(RuntimeError):
    """The drill itself can't go on; the text says why."""


@dataclass(slots=True)
class Demo:
    """`o2o demo` over `data_dir` on `port`; what it prints goes to `log`. `starts`: seconds each start took."""

    data_dir: Path
    port: int
    log: Path
    starts: list[float] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def announced(self) -> Path:
        """demo.json: written when the service answers, so it goes away before each start."""
        return self.data_dir / casting.FILE

    def launch(self) -> None:
        """Starts the service; `answers` says when it is there."""
        self.announced.unlink(missing_ok=True)
        with self.log.open("ab") as said:
            call = [str(_O2O), "demo", "--port", str(self.port)]
            # Its own session: Ctrl-C ends the drill, which then ends the service itself.
            self._process = subprocess.Popen(
                call, cwd=self.data_dir, env=self.environment(), stdout=said, stderr=said, start_new_session=True
            )

    async def answers(self) -> None:
        """Returns once demo.json is there and /readyz says ok. Raises DrillError where that never comes."""
        began = perf_counter()
        async with httpx.AsyncClient(base_url=self.base_url, trust_env=False, timeout=2) as client:
            while not (self.announced.exists() and await _ready(client)):
                if self._process is None or self._process.poll() is not None:
                    raise DrillError(f"o2o demo ended by itself; its last words:\n{self.last_words()}")
                if perf_counter() - began > START_SECONDS:
                    raise DrillError(f"o2o demo did not answer within {START_SECONDS:.0f} s:\n{self.last_words()}")
                await asyncio.sleep(0.05)
        self.starts.append(perf_counter() - began)

    def environment(self) -> dict[str, str]:
        """That of the drill without its O2O_*, which are somebody else's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("O2O_")}
        return kept | {"O2O_DATA_DIR": str(self.data_dir)}

    def cast(self) -> Cast:
        """Who can be played."""
        return casting.read(self.data_dir, self.base_url)

    def database_url(self) -> str:
        """What `o2o db url` prints."""
        call = [str(_O2O), "db", "url"]
        done = subprocess.run(
            call, cwd=self.data_dir, env=self.environment(), capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            raise DrillError(f"o2o db url: {done.stderr.strip()}")
        return done.stdout.strip()

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def cpu(self) -> float:
        """Seconds of CPU that the service (without PostgreSQL) has used since its start; 0 where it is gone."""
        if self._process is None or not self.alive():
            return 0.0
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill_service(self) -> None:
        """kill -9, without waiting: whoever is hit has no say in it."""
        if self._process is not None:
            self._process.kill()

    def kill_postgres(self) -> int:
        """kill -9 of the postmaster and each of its children; returns how many. Raises DrillError for none."""
        postmaster = self._postmaster()
        hit = [postmaster, *_children(postmaster)]
        for process in hit:
            _kill(process)
        return len(hit)

    def _postmaster(self) -> int:
        path = (self.data_dir / "postgres").resolve() / "data" / "postmaster.pid"
        try:
            process = int(path.read_text().split("\n", 1)[0])
            command = Path(f"/proc/{process}/cmdline").read_bytes()
        except (OSError, ValueError) as wrong:
            raise DrillError(f"no PostgreSQL to kill: {wrong}") from wrong
        # Numbers are used again: never kill somebody else's process.
        if b"cluster_name=minsheng-" not in command:
            raise DrillError(f"process {process} of {path} is no PostgreSQL of ours")
        return process

    def stop(self) -> None:
        """Ctrl-C, and the database with it, even where the service was killed. Raises DrillError if it won't stop."""
        if self._process is not None:
            if self.alive():
                self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                raise DrillError(f"o2o demo did not stop within {STOP_SECONDS:.0f} s of Ctrl-C") from None
            finally:
                self._stop_database()

    def _stop_database(self) -> None:
        """Joins and leaves: the last to leave stops it; a service that ended well has done so already."""
        left = any((self.data_dir / "postgres").resolve().glob("data/postmaster.pid"))
        if left:
            lease(self.data_dir, say=_unheard).close()

    def logs(self) -> str:
        """All that the service and PostgreSQL have written."""
        own = (self.data_dir / "postgres").resolve().glob("log/*.log")
        return "\n".join(path.read_text(errors="replace") for path in (self.log, *sorted(own)) if path.exists())

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:]) if self.log.exists() else ""


@asynccontextmanager
async def running(name: str, port: int | None = None, *, keep: bool = False) -> AsyncIterator[Demo]:
    """A fresh demo county that answers; stopped at the end, and its folder removed unless `keep`. Raises DrillError."""
    place = _folder(name)
    demo = Demo(place / "o2o", port or free_port(), place / "demo.log")
    try:
        demo.launch()
        await demo.answers()
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
    except DrillError as error:
        say(f"✗ {error}")
        return 1
    except ExceptionGroup as group:  # of a TaskGroup
        ours, others = group.split(DrillError)
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


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name in brackets: state, then the parent's number (proc(5)).
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _unheard(sentence: str) -> None:
    """The folder's own story is in its logs."""
