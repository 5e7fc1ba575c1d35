"""Writes and reads the trail."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.audit import event_texts, ticket_events
from app.schema.people import staff


async def insert_events(conn: AsyncConnection, events: Sequence[Mapping[str, Any]]) -> None:
    await conn.execute(insert(ticket_events), list(events))


async def insert_texts(conn: AsyncConnection, texts: Sequence[Mapping[str, Any]]) -> None:
    await conn.execute(insert(event_texts), list(texts))


async def timeline(conn: AsyncConnection, ticket_id: int) -> list[Mapping[str, Any]]:
    """The events of one ticket in order, each with its text and the name of the member of staff who did it."""
    e, x = ticket_events.c, event_texts.c
    rows = await conn.execute(
        select(
            e.seq,
            e.at,
            e.action,
            e.from_status,
            e.to_status,
            e.actor_kind,
            e.actor_role,
            e.detail,
            x.text,
            x.public,
            staff.c.name.label("staff_name"),
        )
        .select_from(
            ticket_events.outerjoin(event_texts, and_(x.ticket_id == e.ticket_id, x.seq == e.seq)).outerjoin(
                staff, and_(staff.c.id == e.actor_id, e.actor_kind == "staff")
            )
        )
        .where(e.ticket_id == ticket_id)
        .order_by(e.seq)
    )
    return [dict(row) for row in rows.mappings()]
