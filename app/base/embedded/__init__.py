"""The private PostgreSQL that a data directory owns, shared by the processes that use it.

Who stops it: each process holds a shared flock on postgres.users while it uses the server, and whoever leaves and then
gets that lock exclusively was the last. The kernel frees the lock of a killed process, so nothing stale is ever left.
Starting and stopping happen under an exclusive flock on postgres.lock: two files, because turning one flock from
exclusive to shared is not atomic (flock(2)), and a leaver could slip in between and stop what was just joined.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self
from urllib.parse import quote

from app.base.embedded import server as embedded_server
from app.base.embedded.place import EmbeddedError, Say
from app.base.embedded.server import Server
from app.base.running.reasons import why

__all__ = ["EmbeddedError", "Lease", "dsn", "lease"]


def _to_stderr(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


@dataclass(slots=True)
class Lease:
    """Held by a process while it uses the server: close it, or use it as a context manager."""

    url: str = field(repr=False)  # holds the password
    _server: Server = field(repr=False)
    _users: int | None = field(repr=False)
    _say: Say = field(repr=False)

    @property
    def socket(self) -> Path:
        """Where the server listens, as long as it lives."""
        return self._server.sockets / ".s.PGSQL.5432"

    def close(self) -> None:
        """Leaves; the last to leave stops the server cleanly. May be called again. Raises EmbeddedError."""
        if self._users is None:
            return
        data_dir = self._server.data_dir
        if not data_dir.exists():  # deleted under us: a server without its postmaster.pid stops itself within a minute
            _leave(self)
            return
        with _turn(data_dir, self._say):
            _leave(self)
            _stop_if_last(self._server)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def lease(data_dir: Path, *, say: Say = _to_stderr) -> Lease:
    """Joins the server of `data_dir`, or starts it (after creating it, the first time); blocks until it is ready.

    Crash recovery is waited for however long. `say` gets one Chinese sentence at a time, for a person. Where the server
    was killed under a holder, another lease() starts it again, at the same address. Raises EmbeddedError.
    """
    try:
        # Root's server runs as another user, who must get through; what is in there is protected file by file.
        data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        data_dir = data_dir.resolve()
        with _turn(data_dir, say):
            return _join(data_dir, say)
    except OSError as wrong:
        raise EmbeddedError(f"无法使用数据目录 {data_dir}：{why(wrong)}（{wrong.filename}）。") from wrong


def dsn(data_dir: Path) -> str | None:
    """The address for psql and other libpq programs (password inside); None where `data_dir` has no database yet.

    Says nothing on whether the server runs. Raises EmbeddedError where the caller may not read the password.
    """
    kept = embedded_server.kept_secrets(data_dir)
    home = (data_dir / "postgres").resolve()
    try:
        exists = kept is not None and (home / "data").exists()
    except PermissionError as wrong:
        raise EmbeddedError(f"无权进入 {home}：请用建立它的用户或 root 运行。") from wrong
    return _address("postgresql", kept[0], embedded_server.sockets(home, kept[1])) if kept and exists else None


def _address(scheme: str, password: str, sockets: Path) -> str:
    return f"{scheme}://o2o:{password}@/o2o?host={quote(str(sockets))}"


def _join(data_dir: Path, say: Say) -> Lease:
    server = embedded_server.load(data_dir, say)
    users = _open(data_dir / "postgres.users")
    try:
        fcntl.flock(users, fcntl.LOCK_SH)  # nobody has it exclusively for longer than a moment, and only in their turn
        server = embedded_server.ensure(server, say)
    except BaseException:  # Ctrl-C while waiting, too
        os.close(users)
        with suppress(EmbeddedError):
            _stop_if_last(server)
        raise
    url = _address("postgresql+asyncpg", server.password, server.sockets)
    return Lease(url, server, users, say)


def _leave(held: Lease) -> None:
    # Closed, not unlocked: a forked child shares the lock, and its leaving must not end its parent's.
    if held._users is not None:
        os.close(held._users)
        held._users = None


def _stop_if_last(server: Server) -> None:
    users = _open(server.data_dir / "postgres.users")
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        embedded_server.stop(server)
    except BlockingIOError:
        return
    finally:
        os.close(users)


@contextmanager
def _turn(data_dir: Path, say: Say) -> Iterator[None]:
    lock = _open(data_dir / "postgres.lock")
    began = told = monotonic()
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if monotonic() - told >= embedded_server.WORD_EVERY:
                    told = monotonic()
                    say(f"另一个进程正在启动或停止 {data_dir} 的数据库，已等待 {told - began:.0f} 秒。")
                sleep(0.02)
        yield
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
