"""Work: one transaction, one business moment, one actor. Services take it first and never commit."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.policy import Actor


@dataclass(frozen=True, slots=True)
class Work:
    """Returning from the block that opened it commits, raising rolls back. `now` is aware, in the county's zone."""

    conn: AsyncConnection
    now: datetime
    actor: Actor


Opener = Callable[[Actor], AbstractAsyncContextManager[Work]]
"""Opens Work for an actor; for the few who must wait (a body, a password hash) before they begin."""
