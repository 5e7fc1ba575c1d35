"""Writes the trail."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import any_, delete, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.batch import Batch
from app.base.copy import copy_rows
from app.schema.audit import event_texts, ticket_events
from app.schema.base import Id


def add_events(batch: Batch, events: Sequence[Mapping[str, Any]]) -> None:
    batch.add(ticket_events, *events)


def add_texts(batch: Batch, texts: Sequence[Mapping[str, Any]]) -> None:
    batch.add(event_texts, *texts)


_EVENT = (
    "ticket_id", "seq", "at", "action", "from_status", "to_status", "actor_kind", "actor_id", "actor_role", "detail",
)  # fmt: skip


async def copy_events(conn: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Many events at once; `detail` is JSON text here."""
    await copy_rows(conn, ticket_events.name, _EVENT, ([row[name] for name in _EVENT] for row in rows))


async def replace_texts(conn: AsyncConnection, ticket_ids: Sequence[int], rows: Iterable[tuple[int, int, str]]) -> None:
    """Instead of all texts of these tickets: (ticket id, seq, text), shown to nobody outside."""
    await conn.execute(delete(event_texts).where(event_texts.c.ticket_id == any_(literal(list(ticket_ids), ARRAY(Id)))))
    await copy_texts(conn, ((ticket_id, seq, text, False) for ticket_id, seq, text in rows))


async def copy_texts(conn: AsyncConnection, rows: Iterable[tuple[int, int, str, bool | None]]) -> None:
    """(ticket id, seq, text, public) of many events."""
    await copy_rows(conn, event_texts.name, ("ticket_id", "seq", "text", "public"), rows)
