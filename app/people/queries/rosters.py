"""Many people at once: everybody who works, and citizens that come with imported tickets."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import any_, delete, literal, not_, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.copy import copy_rows
from app.domain.county import Node
from app.domain.policy import Appointment
from app.domain.vocabulary import Role
from app.people.queries import in_force
from app.schema.base import Id
from app.schema.people import appointments, citizens, identities, staff
from app.schema.tickets import tickets

Roster = Mapping[str, tuple[int, tuple[Appointment, ...]]]
"""Username → id and present appointments, the oldest first; none of somebody who holds nothing now."""


async def roster(conn: AsyncConnection, now: datetime) -> Roster:
    """Everybody there has ever been."""
    a, s = appointments.c, staff.c
    held = staff.outerjoin(appointments, (a.staff_id == s.id) & in_force(now) & s.active)
    rows = await conn.execute(
        select(s.username, s.id, a.role, a.division_id, a.unit_id).select_from(held).order_by(s.id, a.id)
    )
    found: dict[str, tuple[int, tuple[Appointment, ...]]] = {}
    for username, staff_id, role, division_id, unit_id in rows:
        seats = found.get(username, (staff_id, ()))[1]
        seat = () if role is None else (Appointment(Role(role), Node(division_id, unit_id)),)
        found[username] = (staff_id, seats + seat)
    return found


async def copy_citizens(
    conn: AsyncConnection, people: Iterable[tuple[str | None, str | None]], now: datetime
) -> list[int]:
    """Writes citizens (name, phone), known by no identity; their ids, in order."""
    listed = list(people)
    drawn = text("SELECT nextval(pg_get_serial_sequence('citizen', 'id')) FROM generate_series(1, :many)")
    ids = [int(one) for one in (await conn.execute(drawn, {"many": len(listed)})).scalars()]
    rows = [(id_, name, phone, now) for id_, (name, phone) in zip(ids, listed, strict=True)]
    await copy_rows(conn, citizens.name, ("id", "name", "phone", "created_at"), rows)
    return ids


async def forget_citizens(conn: AsyncConnection, ids: Iterable[int]) -> None:
    """Those of them whom no ticket and no identity names any more."""
    c = citizens.c
    named = or_(
        select(tickets.c.id).where(tickets.c.citizen_id == c.id).exists(),
        select(identities.c.openid).where(identities.c.citizen_id == c.id).exists(),
    )
    await conn.execute(delete(citizens).where(c.id == any_(literal(list(ids), ARRAY(Id))), not_(named)))
