"""Households: a courier's own, those of an area, and the one that is visited. Phones and addresses stay sealed here."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.base import Moment
from app.schema.divisions import divisions
from app.schema.people import households, staff

h = households.c


@dataclass(frozen=True, slots=True)
class Household:
    """A row. `phone` and `address` are sealed; times are aware (UTC)."""

    id: int
    key: str
    grid_id: int
    head_name: str
    phone: str | None
    address: str | None
    courier_id: int | None
    in_difficulty: bool
    last_visited_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page shows; None leaves a filter out. `name`: a part of the head's name. At most `limit` households."""

    limit: int = 20
    in_difficulty: bool | None = None
    name: str | None = None


_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(h[field.name] for field in fields(Household))


def _narrowed(wanted: Wanted) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if wanted.in_difficulty is not None:
        chosen.append(h.in_difficulty.is_(wanted.in_difficulty))
    if wanted.name is not None:
        chosen.append(h.head_name.contains(wanted.name, autoescape=True))
    return chosen


def _within(villages: Collection[int]) -> ColumnElement[bool]:
    return h.grid_id.in_(select(divisions.c.id).where(divisions.c.village_id.in_(villages)))


async def of_courier(
    conn: AsyncConnection, courier_id: int, villages: Collection[int], wanted: Wanted
) -> list[Household]:
    """All of them that lie in one of the villages, in no order: a courier has about 40, and whom to visit next is a
    rule, not SQL."""
    chosen = (h.courier_id == courier_id, _within(villages), *_narrowed(wanted))
    return [Household(*row) for row in await conn.execute(select(*_COLUMNS).where(*chosen))]


async def below(conn: AsyncConnection, area: int, wanted: Wanted, after: int) -> list[tuple[Household, str | None]]:
    """Those of the division and all below it, by id from `after` on, each with its courier's username. One more than
    the limit tells that there is a next page."""
    d = divisions.c
    inside = select(d.id).where(or_(*(column == area for column in (d.county_id, d.town_id, d.village_id, d.grid_id))))
    query = (
        select(*_COLUMNS, staff.c.username)
        .select_from(households.outerjoin(staff, staff.c.id == h.courier_id))
        .where(h.grid_id.in_(inside), h.id > after, *_narrowed(wanted))
    )
    rows = await conn.execute(query.order_by(h.id).limit(wanted.limit + 1))
    return [(Household(*row[:-1]), row[-1]) for row in rows]


async def reachable(conn: AsyncConnection, household_id: int, villages: Collection[int]) -> Household | None:
    """The household, if it lies in one of the villages."""
    query = select(*_COLUMNS).where(h.id == household_id, _within(villages))
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else Household(*row)


async def visited(conn: AsyncConnection, household_id: int, at: datetime) -> None:
    """Moves the last visit on to `at`; an earlier visit that is entered later moves nothing."""
    moment = literal(at, Moment)
    newer = and_(h.id == household_id, or_(h.last_visited_at.is_(None), h.last_visited_at < moment))
    await conn.execute(update(households).where(newer).values(last_visited_at=moment))


async def count(conn: AsyncConnection) -> int:
    return int((await conn.execute(select(func.count()).select_from(households))).scalar_one())
