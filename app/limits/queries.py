"""The calendar's rows, and the limits of tickets."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.limits import calendar_days, calendar_years, ticket_limits

_INSERT_LIMITS = insert(ticket_limits)


async def calendar_rows(conn: AsyncConnection) -> tuple[list[tuple[date, bool]], frozenset[int]]:
    """(days that differ from Monday to Friday, as (day, rest)), and the years that are published."""
    days = await conn.execute(select(calendar_days.c.day, calendar_days.c.rest))
    years = await conn.execute(select(calendar_years.c.year))
    return [(row.day, row.rest) for row in days], frozenset(years.scalars())


async def replace_calendar(
    conn: AsyncConnection, days: Sequence[Mapping[str, Any]], years: Sequence[Mapping[str, Any]]
) -> None:
    await conn.execute(delete(calendar_days))
    await conn.execute(delete(calendar_years))
    await conn.execute(insert(calendar_days), list(days))
    await conn.execute(insert(calendar_years), list(years))


async def insert_limits(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    await conn.execute(_INSERT_LIMITS, list(rows))


async def delete_limits(conn: AsyncConnection, ticket_id: int) -> None:
    await conn.execute(delete(ticket_limits).where(ticket_limits.c.ticket_id == ticket_id))
