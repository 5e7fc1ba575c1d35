"""Writes the trail."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.audit import event_texts, ticket_events


async def insert_events(conn: AsyncConnection, events: Sequence[Mapping[str, Any]]) -> None:
    await conn.execute(insert(ticket_events), list(events))


async def insert_texts(conn: AsyncConnection, texts: Sequence[Mapping[str, Any]]) -> None:
    await conn.execute(insert(event_texts), list(texts))
