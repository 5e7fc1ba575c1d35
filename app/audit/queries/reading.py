"""Reads the trail back, to be verified: a range of tickets at a time, whole, whoever of them is left."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.chain import Anchor, OfficeEntry
from app.audit.queries import rows
from app.audit.queries.rows import ANCHOR, EVENT, OFFICE, SEALED, Stored, event
from app.schema.audit import anchors, event_texts, office_events, sealed_heads, ticket_events
from app.schema.tickets import tickets

t, e, x, s, o, a = tickets.c, ticket_events.c, event_texts.c, sealed_heads.c, office_events.c, anchors.c
_LAST = text(
    "SELECT max(id) FROM (SELECT id FROM ("
    "(SELECT id FROM ticket WHERE id > :after ORDER BY id LIMIT :most)"
    " UNION (SELECT DISTINCT ticket_id FROM ticket_event WHERE ticket_id > :after ORDER BY ticket_id LIMIT :most)"
    " UNION (SELECT DISTINCT ticket_id FROM sealed_head WHERE ticket_id > :after ORDER BY ticket_id LIMIT :most)"
    ") AS there ORDER BY id LIMIT :most) AS lot"
)


@dataclass(frozen=True, slots=True)
class TicketRow:
    """What a ticket's row says of its trail."""

    number: str
    version: int
    head: bytes | None


@dataclass(slots=True)
class Kept:
    """All that there is of one ticket's trail. `texts`: by seq, each with its salt; `sealed`: (day, packed head)."""

    row: TicketRow | None = None
    events: list[Stored] = field(default_factory=list)
    texts: dict[int, tuple[str, bytes | None]] = field(default_factory=dict)
    sealed: list[tuple[date, bytes]] = field(default_factory=list)


async def count(conn: AsyncConnection) -> int:
    return int((await conn.execute(select(func.count()).select_from(tickets))).scalar_one())


async def id_of(conn: AsyncConnection, number: str) -> int | None:
    return (await conn.execute(select(t.id).where(t.number == number))).scalar_one_or_none()


async def last_of_next(conn: AsyncConnection, after: int, most: int) -> int | None:
    """The id up to which there are `most` tickets behind `after`, removed ones too; None where there is none left."""
    found = (await conn.execute(_LAST, {"after": after, "most": most})).scalar_one_or_none()
    return None if found is None else int(found)


async def kept(conn: AsyncConnection, after: int, upto: int) -> Mapping[int, Kept]:
    """By ticket id, in order: of all tickets behind `after` up to `upto`, the trail and what proves it."""

    def among(column: ColumnElement[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return column > after, column <= upto

    found: dict[int, Kept] = {}
    of_tickets = select(t.id, t.number, t.version, t.chain_head).where(*among(t.id))
    for one, number, version, end in await conn.execute(of_tickets):
        found.setdefault(one, Kept()).row = TicketRow(number, version, end)
    events = select(*EVENT).where(*among(e.ticket_id)).order_by(e.ticket_id, e.seq)
    for row in await conn.execute(events):
        found.setdefault(row.ticket_id, Kept()).events.append(event(row))
    for one, seq, said, salt in await conn.execute(
        select(x.ticket_id, x.seq, x.text, x.salt).where(*among(x.ticket_id))
    ):
        found.setdefault(one, Kept()).texts[seq] = (said, salt)
    sealed = select(*SEALED).where(*among(s.ticket_id)).order_by(s.ticket_id, s.day)
    for one, day, head in await conn.execute(sealed):
        found.setdefault(one, Kept()).sealed.append((day, head))
    return dict(sorted(found.items()))


async def office(conn: AsyncConnection) -> list[tuple[OfficeEntry, bytes, bytes]]:
    """(entry, prev, hash) of the office's whole trail, in order."""
    return [rows.office(row) for row in await conn.execute(select(*OFFICE).order_by(o.seq))]


async def all_anchors(conn: AsyncConnection) -> list[tuple[Anchor, bytes, bytes]]:
    """(anchor, prev, hash), by day."""
    return [rows.anchor(row) for row in await conn.execute(select(*ANCHOR).order_by(a.day))]
