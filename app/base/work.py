"""Work: one transaction, one business moment, one actor. Services take it first and never commit."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.policy import SYSTEM, Actor


@dataclass(frozen=True, slots=True)
class Work:
    """Returning from the block that opened it commits, raising rolls back. `now` is aware, in the county's zone."""

    conn: AsyncConnection
    now: datetime
    actor: Actor


Opener = Callable[[Actor], AbstractAsyncContextManager[Work]]
"""Opens Work for an actor; for the few who must wait (a body, a password hash) before they begin."""


async def piecemeal(opener: Opener, some: Callable[[Work], Awaitable[int]]) -> int:
    """Does `some`, which says how much it did, until it finds nothing more; each time in a transaction of its own."""
    total = 0
    while True:
        async with opener(SYSTEM) as work:
            done = await some(work)
        total += done
        if not done:
            return total
