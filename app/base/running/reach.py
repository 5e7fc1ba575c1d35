"""Whether the database answers, as far as a process knows: whoever found it away spares the others the waiting."""

import asyncio

from sqlalchemy import literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.base import log
from app.base.running.patience import within
from app.base.work import Opener
from app.domain.policy import SYSTEM

EVERY = 1.0
"""Seconds between two looks."""
LOOK_SECONDS = 2.0
"""What one look may take: a server that was stopped (SIGSTOP, a frozen disk) refuses nobody, it just never answers."""

_ONE = select(literal(1))
_logger = log.get(__name__)


class Reach:
    """Shared by whoever can do without the database for a while. Whoever fails says `lost`."""

    def __init__(self) -> None:
        self._watch: asyncio.Task[None] | None = None

    @property
    def away(self) -> bool:
        """Whether nobody should even try; looked at anew once a second."""
        return self._watch is not None and not self._watch.done()

    def lost(self, opener: Opener) -> None:
        """Somebody could not reach the database. Looks at once: one connection that died is no outage."""
        if not self.away:
            self._watch = asyncio.get_running_loop().create_task(self._look_out(opener))

    async def close(self) -> None:
        """Looks no more."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})

    async def _look_out(self, opener: Opener) -> None:
        if await answers(opener):
            return
        _logger.error("database away")
        while True:
            await asyncio.sleep(EVERY)
            if await answers(opener):
                break
        _logger.error("database back")


async def answers(opener: Opener) -> bool:
    """Whether the database answers right now."""
    try:
        await within(LOOK_SECONDS, _look(opener))
    except Exception:
        return False
    return True


async def _look(opener: Opener) -> None:
    async with opener(SYSTEM) as work:
        await work.conn.execute(_ONE)


def dropped(error: BaseException) -> bool:
    """Whether only the connection had died, as all do that waited in the pool while the server was restarted.

    The pool has thrown them all away by then: with a new one it may work at once.
    """
    return isinstance(error, DBAPIError) and error.connection_invalidated


def full(error: BaseException) -> bool:
    """Whether the database is there but has no room left: no free connection, no disk (PostgreSQL, Appendix A, 53)."""
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return isinstance(error, PoolTimeout) or (state or "").startswith("53")
