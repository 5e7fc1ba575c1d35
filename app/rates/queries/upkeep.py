"""Whether the counters are folded, and whether any ticket has gone past them."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.rates import deltas, rollups
from app.schema.tickets import tickets


async def oldest(conn: AsyncConnection) -> int | None:
    """The delta that has waited longest: while a worker runs, never the same one for long."""
    return (await conn.execute(select(func.min(deltas.c.id)))).scalar_one()


async def uncounted(conn: AsyncConnection) -> int:
    """How many more tickets there are than were counted; below zero where fewer."""
    counted = [
        select(func.coalesce(func.sum(x.c.received + x.c.withdrawn + x.c.spam), 0)).scalar_subquery()
        for x in (rollups, deltas)
    ]
    there = select(func.count()).select_from(tickets).scalar_subquery()
    return int((await conn.execute(select(there - counted[0] - counted[1]))).scalar_one())
