"""Watches an embedded server for as long as a service runs: where it was killed, it is started again."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.base.embedded import EmbeddedError, Lease, lease
from app.base.embedded.place import Say

EVERY = 1.0
"""Seconds between looks. One connection to a local socket each; PostgreSQL logs none of it."""


@contextmanager
def guarded(held: Lease, data_dir: Path, say: Say) -> Iterator[None]:
    """While inside, a killed server comes back within about two seconds (crash recovery apart), at the same address."""
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(held.socket, data_dir, say, done), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _watch(path: Path, data_dir: Path, say: Say, done: threading.Event) -> None:
    while not done.wait(EVERY):
        if _answers(path):
            continue
        # Our own lease is still held, so this one's end stops nothing.
        with suppress(EmbeddedError), lease(data_dir, say=say):
            say("内置数据库意外停止，已重新启动。")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(EVERY)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
