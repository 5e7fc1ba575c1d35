"""Remembered answers to requests with an Idempotency-Key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.tickets import idempotency

k = idempotency.c


@dataclass(frozen=True, slots=True)
class First:
    """The first request under a key: what it sent, what it got."""

    body_digest: str
    answer: Mapping[str, Any]


async def claim(conn: AsyncConnection, staff_id: int, key: str, digest: str, now: datetime) -> First | None:
    """Takes the key for this transaction, or gives the first request under it.

    One that is under way at the same moment is waited for: the unique row makes the second wait for its commit.
    """
    row = {"staff_id": staff_id, "key": key, "body_digest": digest, "created_at": now}
    taken = await conn.execute(insert(idempotency).values(**row).on_conflict_do_nothing().returning(k.id))
    if taken.one_or_none() is not None:
        return None
    found = await conn.execute(select(k.body_digest, k.answer).where(k.staff_id == staff_id, k.key == key))
    first = found.one()
    return First(first.body_digest, first.answer or {})


async def remember(
    conn: AsyncConnection, staff_id: int, key: str, ticket_id: int | None, answer: Mapping[str, Any]
) -> None:
    changed = update(idempotency).where(k.staff_id == staff_id, k.key == key)
    await conn.execute(changed.values(ticket_id=ticket_id, answer=dict(answer)))


async def forget(conn: AsyncConnection, before: datetime) -> int:
    """Deletes up to a thousand answers from before that moment, the oldest first; how many there were."""
    oldest = select(k.id).where(k.created_at < before).order_by(k.id).limit(1000).with_for_update(skip_locked=True)
    return (await conn.execute(delete(idempotency).where(k.id.in_(oldest)))).rowcount
