"""Who could take a ticket, with how much they have in hand."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.routing import Candidate, Seat
from app.domain.vocabulary import OPEN
from app.schema.people import appointments, staff
from app.schema.tickets import assignments, tickets


async def candidates(conn: AsyncConnection, seats: Sequence[Seat], now: datetime) -> list[list[Candidate]]:
    """For each seat, in order, who holds it now. One statement for all seats."""
    a = appointments.c
    which = case(*((_holds(seat), number) for number, seat in enumerate(seats)), else_=-1)
    held = (
        select(a.staff_id, func.min(which).label("seat"))
        .where(or_(*map(_holds, seats)), a.starts_at <= now, or_(a.ends_at.is_(None), a.ends_at > now))
        .group_by(a.staff_id)
        .subquery()
    )
    in_hand = (
        select(func.count()).where(tickets.c.person_id == held.c.staff_id, tickets.c.status.in_(OPEN)).scalar_subquery()
    )
    last_given = select(func.max(assignments.c.since)).where(assignments.c.person_id == held.c.staff_id)
    rows = await conn.execute(
        select(
            held.c.seat,
            staff.c.id,
            staff.c.username,
            staff.c.name,
            in_hand.label("in_hand"),
            last_given.scalar_subquery().label("last_given"),
        )
        .select_from(held.join(staff, staff.c.id == held.c.staff_id))
        .where(staff.c.active)
        .order_by(staff.c.id)
    )
    found: list[list[Candidate]] = [[] for _ in seats]
    for row in rows:
        found[row.seat].append(Candidate(row.id, row.username, row.name, row.in_hand, row.last_given))
    return found


def _holds(seat: Seat) -> ColumnElement[bool]:
    a = appointments.c
    if seat.grids:
        return and_(a.role.in_(seat.roles), a.division_id.in_(seat.grids))
    at = a.unit_id == seat.node.unit_id if seat.node.unit_id is not None else a.division_id == seat.node.division_id
    return and_(a.role.in_(seat.roles), at)
