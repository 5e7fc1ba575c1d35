"""The store in a folder of this host, for all its processes; on several hosts it must be the same folder.

data directory/files/            0700
    ab/cdef…                     0600, one content; the two parts together are its digest
    .<16 hex>                    half written; swept away in time
"""

import asyncio
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.base.clock import machine
from app.base.running.reasons import why
from app.files.store import StoreAway

FOLDER = "files"
_DRAFT = re.compile("[.][0-9a-f]{16}")
_DRAFT_SECONDS = 3600.0


class DiskStore:
    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    @property
    def where(self) -> str:
        return str(self._folder)

    async def put(self, digest: str, content: bytes) -> None:
        await asyncio.to_thread(self._put, digest, content)

    async def get(self, digest: str) -> bytes | None:
        return await asyncio.to_thread(self._get, digest)

    async def size(self, digest: str) -> int | None:
        return await asyncio.to_thread(self._size, digest)

    async def drop(self, digest: str) -> None:
        await asyncio.to_thread(self._drop, digest)

    async def tidy(self) -> None:
        await asyncio.to_thread(self._tidy)

    async def probe(self) -> None:
        await asyncio.to_thread(self._probe)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]

    def _put(self, digest: str, content: bytes) -> None:
        final = self._path(digest)
        with _reached():
            # Read, not only looked for: what a bad disk has spoilt is mended by whoever sends the same again.
            if self._get(digest) != content:
                _folder(self._folder)
                _folder(final.parent)
                self._write(final, content)
            _sync(final.parent)

    def _write(self, final: Path, content: bytes) -> None:
        draft = self._folder / f".{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(final)
        finally:
            draft.unlink(missing_ok=True)

    def _get(self, digest: str) -> bytes | None:
        with _reached():
            try:
                return self._path(digest).read_bytes()
            except FileNotFoundError:
                return None

    def _size(self, digest: str) -> int | None:
        with _reached():
            try:
                return self._path(digest).stat().st_size
            except FileNotFoundError:
                return None

    def _drop(self, digest: str) -> None:
        with _reached():
            self._path(digest).unlink(missing_ok=True)

    def _tidy(self) -> None:
        now = machine().timestamp()
        with _reached():
            if not self._folder.exists():
                return
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        if _DRAFT.fullmatch(entry.name) and now - entry.stat().st_mtime > _DRAFT_SECONDS:
                            Path(entry.path).unlink()

    def _probe(self) -> None:
        """Makes no folder: whoever looks may be another user than the one who serves."""
        with _reached():
            there = next(path for path in (self._folder, *self._folder.absolute().parents) if path.exists())
            if there != self._folder:
                if not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
                    raise PermissionError(f"没有权限写 {there}")
                return
            content = secrets.token_bytes(16)
            probe = self._folder / f".{secrets.token_hex(8)}"
            self._write(probe, content)
            try:
                if probe.read_bytes() != content:
                    raise OSError("读回来的内容和写进去的不一样")
            finally:
                probe.unlink(missing_ok=True)


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreAway(str(error) if error.errno is None else why(error)) from error


def _folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    """Puts the names in a folder on the disk: fsync of a file does not (fsync(2))."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
