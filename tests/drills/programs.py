"""The processes of a drill, started, measured and killed: `o2o …`, and the PostgreSQL below them."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep

STOP_SECONDS = 40.0
_O2O = Path(sys.executable).with_name("o2o")


class DrillError(RuntimeError):
    """The drill itself can't go on; the text says why."""


@dataclass(slots=True)
class Program:
    """`o2o` with `words`, over `data_dir`; what it prints goes to `log`."""

    words: tuple[str, ...]
    data_dir: Path
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _heard: int = field(default=0, repr=False)

    @property
    def name(self) -> str:
        return f"o2o {self.words[0]}"

    def launch(self) -> None:
        self._heard = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as said:
            # Its own session: Ctrl-C ends the drill, which then ends the program itself.
            self._process = subprocess.Popen(
                [str(_O2O), *self.words],
                cwd=self.data_dir,
                env=environment(self.data_dir),
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9, without waiting: whoever is hit has no say in it."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """Ctrl-C. Raises DrillError if it won't stop."""
        if self._process is None:
            return
        if self.alive():
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise DrillError(f"{self.name} did not stop within {STOP_SECONDS:.0f} s of Ctrl-C") from None

    def said(self) -> str:
        """What it has printed since it was launched last."""
        with self.log.open("rb") as printed:
            printed.seek(self._heard)
            return printed.read().decode(errors="replace")

    def cpu(self) -> float:
        """Seconds of CPU since its start, without PostgreSQL's; 0 where it is gone."""
        if self._process is None or not self.alive():
            return 0.0
        fields = _stat(Path(f"/proc/{self._process.pid}/stat"))
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> tuple[float, float]:
        """Memory in MB (10^6): now (VmRSS) and at most so far (VmHWM), by proc(5). Raises DrillError if it is gone."""
        if self._process is None or not self.alive():
            raise DrillError(f"{self.name} ended by itself")
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        kept = {name: value for name, _, value in (line.partition(":") for line in lines)}
        now, most = (int(kept[name].removesuffix("kB")) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
        return now, most


def environment(data_dir: Path) -> dict[str, str]:
    """That of the drill without its O2O_*, which are somebody else's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("O2O_")}
    return kept | {"O2O_DATA_DIR": str(data_dir)}


def run(data_dir: Path, *words: str) -> str:
    """What an `o2o` command that ends prints to stdout. Raises DrillError where it fails."""
    done = subprocess.run(
        [str(_O2O), *words], cwd=data_dir, env=environment(data_dir), capture_output=True, text=True, timeout=120
    )
    if done.returncode != 0:
        raise DrillError(f"o2o {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Postgres:
    """The server of a data directory."""

    data_dir: Path

    def kill(self) -> int:
        """kill -9 of the postmaster and each of its children; returns how many. Raises DrillError for none."""
        return self._signal(self._family(), signal.SIGKILL)

    @contextmanager
    def frozen(self) -> Iterator[int]:
        """While inside, it stands still (SIGSTOP): it takes connections and never answers. Gives how many processes."""
        hit = self._family()
        try:
            yield self._signal(hit, signal.SIGSTOP)
        finally:
            self._signal(hit, signal.SIGCONT)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """While inside, it is stopped, as by its administrator; the service's guard starts it afterwards."""
        postmaster = self._postmaster()
        # Whoever wants to start it waits for its turn (app.base.embedded).
        with (self.data_dir / "postgres.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._signal([postmaster], signal.SIGINT)
            deadline = perf_counter() + STOP_SECONDS
            while Path(f"/proc/{postmaster}").exists() and perf_counter() < deadline:
                sleep(0.05)
            yield

    def _family(self) -> list[int]:
        postmaster = self._postmaster()
        return [postmaster, *_children(postmaster)]

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

    def _signal(self, processes: list[int], number: signal.Signals) -> int:
        for process in processes:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue
        return len(processes)


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = _stat(stat)
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def _stat(stat: Path) -> list[str]:
    """After the name in brackets: state, then the parent's number (proc(5))."""
    return stat.read_text().rpartition(")")[2].split()
