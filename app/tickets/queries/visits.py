"""Visits: at a household alone (those for a ticket are written with its change), and one person's, the latest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.people import households
from app.schema.tickets import tickets, visits

v = visits.c


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit with what it was at. Times are aware (UTC)."""

    id: int
    at: datetime
    seen: str
    lat: float | None
    lon: float | None
    datum: str | None
    ticket: str | None
    household_id: int | None
    head_name: str | None


async def of_staff(conn: AsyncConnection, staff_id: int, after: tuple[datetime, int] | None, most: int) -> list[Visit]:
    """At most `most`, from the one `after` on."""
    columns = (v.id, v.at, v.seen, v.lat, v.lon, v.datum, tickets.c.number, v.household_id, households.c.head_name)
    joined = visits.outerjoin(tickets, tickets.c.id == v.ticket_id).outerjoin(
        households, households.c.id == v.household_id
    )
    query = select(*columns).select_from(joined).where(v.staff_id == staff_id)
    if after is not None:
        query = query.where(tuple_(v.at, v.id) < after)
    rows = await conn.execute(query.order_by(v.at.desc(), v.id.desc()).limit(most))
    return [Visit(*row) for row in rows]


async def add(conn: AsyncConnection, row: Mapping[str, Any]) -> int:
    """Its id."""
    return int((await conn.execute(insert(visits).values(**row).returning(visits.c.id))).scalar_one())
