"""How much is still to be done, for whoever runs the house."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.base import Moment
from app.schema.tickets import is_open, tickets


@dataclass(frozen=True, slots=True)
class Backlog:
    """Tickets that are open, and those of them that are past due."""

    open: int
    overdue: int


# Over the partial index on due_at of open tickets: it costs what is open, not what ever was.
_COUNT = select(func.count(), func.count().filter(tickets.c.due_at <= bindparam("now", type_=Moment))).where(is_open)


async def count(conn: AsyncConnection, now: datetime) -> Backlog:
    return Backlog(*(await conn.execute(_COUNT, {"now": now})).one())
