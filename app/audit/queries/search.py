"""What auditors look up: the newest first, and who and what the ids in it are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, any_, literal, null, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.audit import office_events, ticket_events
from app.schema.base import Id
from app.schema.divisions import divisions, units
from app.schema.people import staff
from app.schema.tickets import tickets

e, o, t = ticket_events.c, office_events.c, tickets.c
Mark = tuple[datetime, int, int]
"""Where a row stands: its moment, its ticket's id (0: the office's), its seq."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Ids are checked. `first` is in, `end` is not. `reader_id`: whose own complaints stay out."""

    reader_id: int | None
    ticket_id: int | None = None
    staff_id: int | None = None
    action: str | None = None
    first: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """An event of a ticket (`ticket_id`; `number` None where its row is gone) or of the office."""

    at: datetime
    ticket_id: int
    seq: int
    number: str | None
    action: str
    from_status: str | None
    to_status: str | None
    actor_kind: str
    actor_id: int | None
    actor_role: str | None
    detail: Any
    hash: bytes | None

    @property
    def mark(self) -> Mark:
        return self.at, self.ticket_id, self.seq


async def of_tickets(conn: AsyncConnection, sought: Sought, most: int, after: Mark | None) -> list[Row]:
    """Behind the mark `after`, the newest first."""
    columns = (e.at, e.ticket_id, e.seq, t.number, e.action, e.from_status, e.to_status)
    who = (e.actor_kind, e.actor_id, e.actor_role)
    source = ticket_events.outerjoin(tickets, t.id == e.ticket_id)
    query: Any = select(*columns, *who, e.detail, e.hash).select_from(source)
    # A complaint about the reader is not for their eyes (domain.md, 2).
    query = query.where(or_(t.about_staff_id.is_(None), t.about_staff_id != sought.reader_id))
    if sought.ticket_id is not None:
        query = query.where(e.ticket_id == sought.ticket_id)
    if after is not None:
        query = query.where(tuple_(e.at, e.ticket_id, e.seq) < tuple_(*_bound(after)))
    query = _filtered(query, sought, e).order_by(e.at.desc(), e.ticket_id.desc(), e.seq.desc()).limit(most)
    return [Row(*row) for row in await conn.execute(query)]


async def of_office(conn: AsyncConnection, sought: Sought, most: int, after: Mark | None) -> list[Row]:
    """Likewise."""
    columns = (o.at, literal(0), o.seq, null(), o.action, null(), null())
    query: Any = select(*columns, o.actor_kind, o.actor_id, o.actor_role, o.detail, o.hash)
    if after is not None:
        at, ticket_id, seq = after
        # Of one moment, those of tickets come first.
        upto = literal(2**62 if ticket_id else seq, BigInteger())
        query = query.where(tuple_(o.at, o.seq) < tuple_(literal(at, o.at.type), upto))
    query = _filtered(query, sought, o).order_by(o.at.desc(), o.seq.desc()).limit(most)
    return [Row(*row) for row in await conn.execute(query)]


def _bound(mark: Mark) -> Sequence[Any]:
    at, ticket_id, seq = mark
    return literal(at, e.at.type), literal(ticket_id, Id), literal(seq, BigInteger())


def _filtered(query: Any, sought: Sought, c: Any) -> Any:
    if sought.staff_id is not None:
        query = query.where(c.actor_kind == "staff", c.actor_id == sought.staff_id)
    if sought.action is not None:
        query = query.where(c.action == sought.action)
    if sought.first is not None:
        query = query.where(c.at >= sought.first)
    if sought.end is not None:
        query = query.where(c.at < sought.end)
    return query


async def staff_id_of(conn: AsyncConnection, username: str) -> int | None:
    """Whether they still work here or not."""
    return (await conn.execute(select(staff.c.id).where(staff.c.username == username))).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class Names:
    """What ids stand for: (code or username, name), and numbers of tickets."""

    staff: Mapping[int, tuple[str, str]]
    divisions: Mapping[int, tuple[str, str]]
    units: Mapping[int, tuple[str, str]]
    tickets: Mapping[int, str]


async def names(
    conn: AsyncConnection,
    people: Collection[int],
    places: Collection[int],
    seats: Collection[int],
    numbers: Collection[int],
) -> Names:
    """Of these ids of staff, divisions, units and tickets."""
    s, d, u = staff.c, divisions.c, units.c

    async def pairs(query: Select[int, str, str], column: Any, ids: Collection[int]) -> dict[int, tuple[str, str]]:
        return {row[0]: (row[1], row[2]) for row in await conn.execute(query.where(_among(column, ids)))} if ids else {}

    found = await conn.execute(select(t.id, t.number).where(_among(t.id, numbers))) if numbers else ()
    return Names(
        staff=await pairs(select(s.id, s.username, s.name), s.id, people),
        divisions=await pairs(select(d.id, d.code, d.name), d.id, places),
        units=await pairs(select(u.id, u.code, u.name), u.id, seats),
        tickets={row.id: row.number for row in found},
    )


def _among(column: Any, ids: Collection[int]) -> Any:
    return column == any_(literal(list(ids), ARRAY(Id)))
