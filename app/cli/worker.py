"""`o2o worker`: the clockwork."""

import asyncio
import signal
from contextlib import suppress

import typer

from app.base import log
from app.base.db import Database
from app.base.running import readiness
from app.base.secrets import secret_key
from app.cli import settings as configuration
from app.cli.database import embedded
from app.cli.stopping import SIGNALS, stoppable
from app.domain.errors import Busy
from app.settings import Settings

LONGEST_WAIT = 30.0
"""Seconds between two looks for a database that is away."""


def worker() -> None:
    """后台进程：汇总四率的计数，清理过期的登录等。可以与任意多个 serve、worker 同时运行。"""
    settings = configuration.read()
    configuration.clock(settings)
    configuration.vault(settings)
    configuration.store(settings)
    with stoppable(), embedded(settings, guard=True) as url:
        asyncio.run(_work(settings, url))


async def _work(settings: Settings, url: str) -> None:
    from app.worker import POOL, beating, jobs_with  # heavy: not for commands that only ask for --help

    log.configure(json=settings.mode == "production", level=settings.log_level, key=secret_key(settings).encode())
    database = Database(url, configuration.clock(settings), pool_size=POOL)
    told = _told_to_stop()
    try:
        if await _found(database, told):
            async with beating(database, jobs_with(configuration.store(settings))):
                typer.echo("后台进程已开始工作", err=True)
                await told.wait()
    finally:
        await database.close()


def _told_to_stop() -> asyncio.Event:
    """Set by SIGTERM and Ctrl-C from now on: unlike an exception it does not strike in the middle of a job."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop(*_: object) -> None:
        for number in SIGNALS:  # a second one must not interrupt the closing
            signal.signal(number, signal.SIG_IGN)
        loop.call_soon_threadsafe(told.set)

    for number in SIGNALS:
        signal.signal(number, stop)
    return told


async def _found(database: Database, told: asyncio.Event) -> bool:
    """Waits for the database, however long; False where we were told to stop before it came.

    Raises Busy where its schema is another: that is for a person to see to.
    """
    wait = 1.0
    while not told.is_set():
        try:
            await readiness.require(database.engine)
        except Busy as busy:
            if busy.code != "database.away":
                raise
            typer.echo(f"{busy.detail}；{wait:.0f} 秒后再试", err=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), wait)
            wait = min(wait * 2, LONGEST_WAIT)
        else:
            return True
    return False
