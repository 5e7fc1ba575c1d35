"""Who could take a ticket, with how much they have in hand; outlines and stations about a place on the map."""

import math
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, any_, bindparam, case, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.coordinates import KM_PER_DEGREE, Point, in_datum
from app.domain.routing import NEAREST_KM, Candidate, Outline, Seat, Site
from app.domain.vocabulary import Datum
from app.schema.base import Id, Moment
from app.schema.divisions import division_areas, stations
from app.schema.people import appointments, staff
from app.schema.tickets import assignments, is_open, tickets


async def candidates(conn: AsyncConnection, seats: Sequence[Seat], now: datetime) -> list[list[Candidate]]:
    """For each seat, in order, who holds it now. One statement for all seats."""
    values: dict[str, object] = {"now": now}
    for number, seat in enumerate(seats):
        values[f"roles_{number}"] = list(seat.roles)
        values[f"at_{number}"] = list(seat.grids) or [seat.node.division_id or seat.node.unit_id]
    found: list[list[Candidate]] = [[] for _ in seats]
    for row in await conn.execute(_statement(tuple(map(_in_unit, seats))), values):
        found[row.seat].append(Candidate(row.id, row.username, row.name, row.in_hand, row.last_given))
    return found


def _in_unit(seat: Seat) -> bool:
    return not seat.grids and seat.node.unit_id is not None


@lru_cache(maxsize=256)
def _statement(units: tuple[bool, ...]) -> Select[Any]:
    """For seats of which each is at a unit or at divisions; built once for each such row of seats."""
    a = appointments.c
    now = bindparam("now", type_=Moment)
    holds = [_holds(number, unit) for number, unit in enumerate(units)]
    which = case(*((held, number) for number, held in enumerate(holds)), else_=-1)
    held = (
        select(a.staff_id, func.min(which).label("seat"))
        .where(or_(*holds), a.starts_at <= now, or_(a.ends_at.is_(None), a.ends_at > now))
        .group_by(a.staff_id)
        .subquery()
    )
    open_ones = select(func.count()).where(tickets.c.person_id == held.c.staff_id, is_open)
    last_given = select(func.max(assignments.c.since)).where(assignments.c.person_id == held.c.staff_id)
    in_hand, given = open_ones.scalar_subquery().label("in_hand"), last_given.scalar_subquery().label("last_given")
    return (
        select(held.c.seat, staff.c.id, staff.c.username, staff.c.name, in_hand, given)
        .select_from(held.join(staff, staff.c.id == held.c.staff_id))
        .where(staff.c.active)
        .order_by(staff.c.id)
    )


def _holds(number: int, unit: bool) -> ColumnElement[bool]:
    a = appointments.c
    roles = any_(bindparam(f"roles_{number}", type_=ARRAY(Text())))
    at = any_(bindparam(f"at_{number}", type_=ARRAY(Id)))
    return and_(a.role == roles, (a.unit_id if unit else a.division_id) == at)


async def outlines(conn: AsyncConnection, point: Point, county_id: int) -> list[Outline]:
    """The outlines that may hold the point, and the county's own, where it is there."""
    a = division_areas.c
    about = or_(a.division_id == county_id, *(and_(a.datum == datum, *_around(a, at)) for datum, at in _both(point)))
    rows = await conn.execute(select(a.division_id, a.datum, a.rings).where(about))
    return [Outline(*row) for row in rows]


async def sites(conn: AsyncConnection, point: Point) -> list[Site]:
    """The stations that may be within 3 km, and a few beyond."""
    s = stations.c
    near = or_(*(and_(s.datum == datum, *_near(s, at)) for datum, at in _both(point)))
    rows = await conn.execute(select(s.division_id, s.name, s.lat, s.lon, s.datum).where(near))
    return [Site(row.division_id, row.name, Point(row.lat, row.lon, row.datum)) for row in rows]


def _both(point: Point) -> list[tuple[str, Point]]:
    """The point in either datum."""
    return [(datum, in_datum(point, datum)) for datum in Datum]


def _around(a: Any, at: Point) -> tuple[ColumnElement[bool], ...]:
    return a.west <= at.lon, a.east >= at.lon, a.south <= at.lat, a.north >= at.lat


def _near(s: Any, at: Point) -> tuple[ColumnElement[bool], ...]:
    high = NEAREST_KM / KM_PER_DEGREE * 1.01
    # Towards the poles a degree of longitude gets short; there are no counties there.
    wide = high / max(math.cos(math.radians(at.lat)), 0.1)
    return s.lat.between(at.lat - high, at.lat + high), s.lon.between(at.lon - wide, at.lon + wide)
