"""What the public may see of tickets. These statements select no private column: no name, phone, words or location."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.vocabulary import Status
from app.schema.audit import event_texts, ticket_events
from app.schema.divisions import categories, divisions
from app.schema.people import citizens
from app.schema.tickets import tickets
from app.tickets.queries.visibility import below_any

t = tickets.c
SHORTEST_NAME = 2


@dataclass(frozen=True, slots=True)
class Row:
    """The public columns of one ticket. Times are aware (UTC)."""

    number: str
    kind: str
    channel: str
    status: str
    cycle: int
    category_id: int | None
    division_id: int
    responsible_division_id: int | None
    responsible_unit_id: int | None
    received_at: datetime
    accepted_at: datetime | None
    first_replied_at: datetime | None
    completed_at: datetime | None
    due_at: datetime
    explained: bool
    score: str | None


_ROW = tuple(t[name] for name in Row.__slots__)


async def one(conn: AsyncConnection, number: str) -> tuple[Row, list[dict[str, Any]]] | None:
    """One ticket with its events (time, action, states, public text); None for confidential and unknown numbers.

    The names that the ticket knows are masked in SQL: they don't leave the database.
    """
    e, x = ticket_events.c, event_texts.c
    ordinary = ~func.coalesce(categories.c.sensitive, false())
    shown = or_(x.public.is_(True), and_(x.public.is_(None), ordinary))
    speaker = func.jsonb_extract_path_text(t.source, "speaker")
    text = _masked(_masked(x.text, citizens.c.name), speaker)
    event = func.json_build_object(
        "at", e.at, "action", e.action, "from", e.from_status, "to", e.to_status, "text", text
    )
    said = ticket_events.outerjoin(event_texts, and_(x.ticket_id == e.ticket_id, x.seq == e.seq, shown))
    events = (
        select(func.json_agg(aggregate_order_by(event, e.seq)))
        .select_from(said)
        .where(e.ticket_id == t.id)
        .correlate(tickets, citizens, categories)
        .scalar_subquery()
    )
    source = tickets.outerjoin(citizens, citizens.c.id == t.citizen_id)
    source = source.outerjoin(categories, categories.c.id == t.category_id)
    found = await conn.execute(
        select(*_ROW, events).select_from(source).where(t.number == number, t.confidential.is_(False))
    )
    row = found.one_or_none()
    return None if row is None else (Row(*row[:-1]), row[-1] or [])


def _masked(text: ColumnElement[str], name: ColumnElement[str | None]) -> ColumnElement[str]:
    """The text with a name of two characters or more as 张**: of one character it would mask half the language."""
    known = func.coalesce(func.length(name), 0) >= SHORTEST_NAME
    return case((known, func.replace(text, name, func.concat(func.left(name, 1), "**"))), else_=text)


async def lately_completed(conn: AsyncConnection, area: int, most: int) -> list[Row]:
    """The tickets of an area that were completed last."""
    below = select(divisions.c.id).where(below_any(literal(area)))
    found = await conn.execute(
        select(*_ROW)
        .where(t.confidential.is_(False), t.completed_at.is_not(None), t.division_id.in_(below))
        .where(t.status.in_((Status.COMPLETED, Status.CLOSED)))
        .order_by(t.completed_at.desc(), t.id.desc())
        .limit(most)
    )
    return [Row(*row) for row in found]
