"""Many rows at once, by COPY, inside the transaction of the caller."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection


async def copy_rows(
    conn: AsyncConnection, table_name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Writes the rows, their values in the order of `columns`; returns how many. An identity may be left out.

    They are sent as they are drawn from `rows`, in the driver's binary format, so each value must be of its column's
    type. What the database refuses comes as asyncpg's own error, not wrapped by SQLAlchemy.
    """
    raw = (await conn.get_raw_connection()).driver_connection
    assert raw is not None
    if not raw.is_in_transaction():
        # SQLAlchemy begins with its first statement; a COPY before that would commit by itself.
        await conn.execute(select(1))
    status: str = await raw.copy_records_to_table(table_name, columns=list(columns), records=rows)
    return int(status.removeprefix("COPY "))
