"""Whether the counters are folded."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.rates import deltas


async def oldest(conn: AsyncConnection) -> int | None:
    """The delta that has waited longest: while a worker runs, never the same one for long."""
    return (await conn.execute(select(func.min(deltas.c.id)))).scalar_one()
