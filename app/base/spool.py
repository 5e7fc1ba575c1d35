"""What can't go into the database now and must not be lost: files of this host, whole and on the disk when `put` ends.

    data directory/spool/            0700, one for all processes of the host
        <16 hex>-<32 hex>            0600, one message; the first half is its group, whose files keep their order
        bad/                         what nobody could read; for a person
        lock                         flock: who takes messages out, one at a time
        .<16 hex>                    half written

Names are made of digests, contents are the caller's (sealed). Nothing here waits for anything but the disk: from a
coroutine it is called by asyncio.to_thread, all but `count` and `holds`.
"""

import fcntl
import os
import re
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.base.clock import machine

FOLDER = "spool"
LIMIT = 100_000
"""Messages: some 100 MB, an hour of a whole province (quality.md, 1)."""

_BAD, _LOCK = "bad", "lock"
_NAME = re.compile("[0-9a-f]{16}-[0-9a-f]{32}")
_DRAFT = re.compile("[.][0-9a-f]{16}")
_DRAFT_SECONDS = 3600.0


class SpoolFull(Exception):  # noqa: N818 - no error of ours
    """There are as many messages in it as it may hold."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How full a spool is: files that wait, the age of the oldest in seconds (None: none waits), files set aside."""

    count: int
    oldest: float | None
    bad: int


def waiting(data_dir: Path) -> Waiting:
    """How full the spool of that data directory is; for whoever only looks. Raises OSError where it may not be read."""
    folder = data_dir / FOLDER
    came = _by_age(folder)
    oldest = max(machine().timestamp() - came[0][0] / 1e9, 0.0) if came else None
    return Waiting(len(came), oldest, sum(1 for _ in _files(folder / _BAD)))


def unusable(data_dir: Path) -> list[str]:
    """Names in the spool of that data directory that this process could not take out, and those of its lock and its
    folders where it may not use them. Raises OSError where it can't even look."""
    folder = data_dir / FOLDER
    if not folder.exists():
        return []
    found = [entry.name for entry in _named(folder) if not (_regular(entry) and _may(Path(entry.path), os.R_OK))]
    lock, inner = folder / _LOCK, (folder, folder / _BAD)
    if os.path.lexists(lock) and not (stat.S_ISREG(lock.lstat().st_mode) and _may(lock, os.R_OK | os.W_OK)):
        found.append(_LOCK)
    return found + [one.name for one in inner if one.exists() and not _may(one, os.R_OK | os.W_OK | os.X_OK)]


def group(name: str) -> str:
    """The first half of a name: files of one group are to be taken out in the order in which they came."""
    return name.partition("-")[0]


class Spool:
    """The spool of one data directory as one process sees it; `refresh` shows what others put in or took out."""

    def __init__(self, data_dir: Path, limit: int = LIMIT) -> None:
        self._folder = data_dir / FOLDER
        self._limit = limit
        self._known: dict[str, tuple[str, ...]] = {}
        self._count = 0
        self._changing = threading.Lock()

    @property
    def count(self) -> int:
        """How many wait, by the last look."""
        return self._count

    def holds(self, one: str) -> bool:
        """Whether a message of that group waits. Asks the disk only where one did at the last look."""
        return any((self._folder / name).exists() for name in self._known.get(one, ()))

    def put(self, name: str, content: bytes) -> bool:
        """Keeps `content`: when this returns, no crash and no power cut takes it away. False where it was kept before.

        Raises SpoolFull, or OSError where the disk won't have it.
        """
        final = self._folder / name
        self._prepare()
        if not final.exists():
            if self._count >= self._limit:
                raise SpoolFull
            if self._write(final, content):
                return True
        # Perhaps by somebody who has not come to this line.
        _sync(self._folder)
        return False

    def refresh(self) -> int:
        """Looks what is there, and how many."""
        with self._changing:
            known: dict[str, tuple[str, ...]] = {}
            count = 0
            for entry in _files(self._folder):
                one = group(entry.name)
                known[one] = (*known.get(one, ()), entry.name)
                count += 1
            self._known, self._count = known, count
        return count

    def oldest_first(self) -> list[str]:
        """The names of all that waits, in the order in which they came. Sweeps away what was never finished."""
        self._sweep()
        return [name for _, name in _by_age(self._folder)]

    def read(self, name: str) -> bytes | None:
        """What was put there; None where somebody has taken it out. Raises OSError where it can't be read."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def drop(self, name: str) -> None:
        """Takes it out: it is where it belongs. One that comes back after a power cut does no harm (same key)."""
        with self._changing:
            (self._folder / name).unlink(missing_ok=True)
            rest = tuple(other for other in self._known.get(group(name), ()) if other != name)
            if len(rest) < len(self._known.get(group(name), ())):
                self._count -= 1
            if rest:
                self._known[group(name)] = rest
            else:
                self._known.pop(group(name), None)

    def set_aside(self, name: str) -> None:
        """Puts it where nobody tries it again; for a person."""
        bad = self._folder / _BAD
        bad.mkdir(mode=0o700, exist_ok=True)
        (self._folder / name).replace(bad / name)
        _sync(bad)
        self.drop(name)
        _sync(self._folder)

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Whether it is this process's turn to take out; the kernel ends it with the process, however that ends."""
        self._prepare()
        lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(lock)

    def _prepare(self) -> None:
        if not self._folder.exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(self._folder.parent)

    def _write(self, final: Path, content: bytes) -> bool:
        draft = self._folder / f".{secrets.token_hex(8)}"
        try:
            _write_through(draft, content)
            with self._changing:
                try:
                    # A link appears whole and replaces nothing: of two who keep the same message, one does.
                    os.link(draft, final)
                except FileExistsError:
                    return False
                one = group(final.name)
                self._known[one] = (*self._known.get(one, ()), final.name)
                self._count += 1
        finally:
            draft.unlink(missing_ok=True)
        _sync(self._folder)
        return True

    def _sweep(self) -> None:
        now = machine().timestamp()
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if _DRAFT.fullmatch(entry.name) and now - entry.stat().st_mtime > _DRAFT_SECONDS:
                        Path(entry.path).unlink()


def _files(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Files under whole names, nothing else that somebody may have put there under one."""
    return filter(_regular, _named(folder))


def _regular(entry: "os.DirEntry[str]") -> bool:
    return entry.is_file(follow_symlinks=False)


def _may(path: Path, how: int) -> bool:
    return os.access(path, how, effective_ids=True)


def _named(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Whatever has a whole name; nothing where the folder is not there yet."""
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                yield entry


def _by_age(folder: Path) -> list[tuple[int, str]]:
    """(nanoseconds since 1970, name), the oldest first."""
    found = []
    for entry in _files(folder):
        with suppress(FileNotFoundError):  # taken out meanwhile
            found.append((entry.stat().st_mtime_ns, entry.name))
    return sorted(found)


def _write_through(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Puts the names in a folder on the disk: fsync of a file does not (fsync(2))."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
