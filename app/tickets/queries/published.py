"""What the public may see of tickets. These statements select no private column: no name, phone, words or location."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.vocabulary import Status
from app.schema.audit import event_texts, ticket_events
from app.schema.divisions import divisions
from app.schema.tickets import tickets
from app.tickets.queries.visibility import below_any

t = tickets.c


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
    """One ticket with its events (time, action, states, public text); None for confidential and unknown numbers."""
    e, x = ticket_events.c, event_texts.c
    event = func.json_build_object(
        "at", e.at, "action", e.action, "from", e.from_status, "to", e.to_status, "text", x.text
    )
    source = ticket_events.outerjoin(event_texts, and_(x.ticket_id == e.ticket_id, x.seq == e.seq, x.public))
    events = (
        select(func.json_agg(aggregate_order_by(event, e.seq)))
        .select_from(source)
        .where(e.ticket_id == t.id)
        .scalar_subquery()
    )
    found = await conn.execute(select(*_ROW, events).where(t.number == number, t.confidential.is_(False)))
    row = found.one_or_none()
    return None if row is None else (Row(*row[:-1]), row[-1] or [])


async def lately_completed(conn: AsyncConnection, area: int, most: int) -> list[Row]:
    """The tickets of an area that were completed last."""
    below = select(divisions.c.id).where(below_any(frozenset({area})))
    found = await conn.execute(
        select(*_ROW)
        .where(t.confidential.is_(False), t.completed_at.is_not(None), t.division_id.in_(below))
        .where(t.status.in_((Status.COMPLETED, Status.CLOSED)))
        .order_by(t.completed_at.desc(), t.id.desc())
        .limit(most)
    )
    return [Row(*row) for row in found]
