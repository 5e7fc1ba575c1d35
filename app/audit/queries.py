"""Writes the trail."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.audit import event_texts, ticket_events

_INSERT_EVENTS = insert(ticket_events)


_INSERT_TEXTS = insert(event_texts)


async def insert_events(conn: AsyncConnection, events: Sequence[Mapping[str, Any]]) -> None:
    await conn.execute(_INSERT_EVENTS, list(events))


async def insert_texts(conn: AsyncConnection, texts: Sequence[Mapping[str, Any]]) -> None:
    await conn.execute(_INSERT_TEXTS, list(texts))
