"""Writes the trail: in a batch with what it tells of, or by COPY."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import any_, delete, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.chain import Entry
from app.base.batch import Batch
from app.base.copy import copy_rows
from app.schema.audit import event_texts, ticket_events
from app.schema.base import Id

_COVERED = (
    "ticket_id", "seq", "at", "action", "from_status", "to_status", "actor_kind", "actor_id", "actor_role", "detail",
    "text_digest",
)  # fmt: skip
_TEXT = ("ticket_id", "seq", "text", "public", "salt")
Row = tuple[object, ...]
"""Of an event, for COPY."""


def add_event(batch: Batch, entry: Entry, before: bytes | None, after: bytes | None) -> None:
    """`before`, `after`: the hash that it follows and its own; None where its chain does not lead up to it."""
    row = {name: getattr(entry, name) for name in _COVERED}
    batch.add(ticket_events, row | {"detail": json.loads(entry.detail), "prev": before, "hash": after})


def add_text(batch: Batch, row: Mapping[str, Any]) -> None:
    batch.add(event_texts, row)


def row_of(entry: Entry, before: bytes | None, after: bytes | None) -> Row:
    """As `add_event`, for `copy_events`."""
    return (
        *(entry.ticket_id, entry.seq, entry.at, entry.action, entry.from_status, entry.to_status),
        *(entry.actor_kind, entry.actor_id, entry.actor_role, entry.detail, entry.text_digest),
        before,
        after,
    )


async def copy_events(conn: AsyncConnection, rows: Iterable[Row]) -> None:
    """Many events at once."""
    await copy_rows(conn, ticket_events.name, (*_COVERED, "prev", "hash"), rows)


async def copy_texts(conn: AsyncConnection, rows: Iterable[tuple[int, int, str, bool | None, bytes]]) -> None:
    """(ticket id, seq, text, public, salt) of many events."""
    await copy_rows(conn, event_texts.name, _TEXT, rows)


async def delete_texts(conn: AsyncConnection, ticket_ids: Sequence[int]) -> None:
    """All texts of these tickets, their salts with them."""
    await conn.execute(delete(event_texts).where(event_texts.c.ticket_id == any_(literal(list(ticket_ids), ARRAY(Id)))))
