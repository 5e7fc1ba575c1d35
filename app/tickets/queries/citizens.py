"""A citizen's own tickets, as they ask for them in WeChat. Every statement here is bound to one citizen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.county import Node
from app.domain.vocabulary import OPEN, Action, Score, Status
from app.schema.audit import event_texts, ticket_events
from app.schema.people import staff
from app.schema.tickets import tickets

t = tickets.c


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket in a citizen's list. `due_at` is aware (UTC)."""

    number: str
    status: Status
    title: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Own:
    """One ticket as its citizen sees it; `latest` is the last reply or result, published or not."""

    line: Line
    node: Node
    person_name: str | None
    latest: str | None


async def listed(
    conn: AsyncConnection, citizen_id: int, statuses: Sequence[Status], most: int
) -> tuple[list[Line], int]:
    """The citizen's tickets in one of `statuses` (none: in any), the newest first, at most `most`; and how many in all.

    One statement.
    """
    in_state = [t.status.in_(statuses)] if statuses else []
    found = await conn.execute(
        select(t.number, t.status, t.title, t.due_at, func.count().over().label("total"))
        .where(t.citizen_id == citizen_id, *in_state)
        .order_by(t.received_at.desc(), t.id.desc())
        .limit(most)
    )
    rows = found.all()
    lines = [Line(row.number, Status(row.status), row.title, row.due_at) for row in rows]
    return lines, rows[0].total if rows else 0


async def own(conn: AsyncConnection, citizen_id: int, number: str) -> Own | None:
    """That ticket, if it is the citizen's own."""
    e, x = ticket_events.c, event_texts.c
    latest = (
        select(x.text)
        .select_from(event_texts.join(ticket_events, and_(e.ticket_id == x.ticket_id, e.seq == x.seq)))
        .where(x.ticket_id == t.id, e.action.in_((Action.REPLY, Action.COMPLETE)))
        .order_by(x.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = await conn.execute(
        select(
            t.number,
            t.status,
            t.title,
            t.due_at,
            t.responsible_division_id,
            t.responsible_unit_id,
            staff.c.name.label("person_name"),
            latest.label("latest"),
        )
        .select_from(tickets.outerjoin(staff, staff.c.id == t.person_id))
        .where(t.number == number, t.citizen_id == citizen_id)
    )
    row = found.one_or_none()
    if row is None:
        return None
    line = Line(row.number, Status(row.status), row.title, row.due_at)
    return Own(line, Node(row.responsible_division_id, row.responsible_unit_id), row.person_name, row.latest)


async def latest_rateable(conn: AsyncConnection, citizen_id: int) -> str | None:
    """The number of the ticket that a 赞 or 踩 without a number is about: the one completed last.

    One that a dislike has reopened counts from that dislike on: 踩 said twice must not go to an older ticket.
    """
    reopened = and_(t.status.in_(OPEN), t.score == Score.DISLIKE)
    found = await conn.execute(
        select(t.number)
        .where(t.citizen_id == citizen_id, or_(t.status.in_((Status.COMPLETED, Status.CLOSED)), reopened))
        .order_by(func.coalesce(t.completed_at, t.rated_at).desc().nulls_last(), t.id.desc())
        .limit(1)
    )
    return found.scalar_one_or_none()


async def lately_completed(conn: AsyncConnection, citizen_id: int) -> tuple[str, datetime] | None:
    """(number, when) of the citizen's completed ticket that was completed last."""
    found = await conn.execute(
        select(t.number, t.completed_at)
        .where(t.citizen_id == citizen_id, t.status == Status.COMPLETED, t.completed_at.is_not(None))
        .order_by(t.completed_at.desc(), t.id.desc())
        .limit(1)
    )
    row = found.one_or_none()
    return None if row is None or row.completed_at is None else (row.number, row.completed_at)
