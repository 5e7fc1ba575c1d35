"""Rows of files and of what they belong to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, any_, delete, exists, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.batch import Batch
from app.schema.files import file_links, files

f = files.c
_LOCK = 430122
"""Keeps locks on digests apart from others'."""
Sender = Mapping[str, int]
"""{"staff_id": …} or {"citizen_id": …}."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it is kept, or is about to be."""

    id: str
    digest: str
    content_type: str
    bytes: int


async def reserve(conn: AsyncConnection, file: Kept, sender: Sender, now: datetime) -> None:
    """Writes the row of a file before its bytes are written: from its commit on, nobody takes these bytes away."""
    await _lock(conn, file.digest)
    await conn.execute(insert(files).values(**asdict(file), **sender, created_at=now))


async def mark_stored(conn: AsyncConnection, file_id: str) -> None:
    await conn.execute(update(files).where(f.id == file_id).values(stored=True))


async def waiting(conn: AsyncConnection, sender: Sender) -> int:
    """How many files of theirs no act has taken yet."""
    query = select(func.count()).select_from(files).where(_sent_by(sender), f.stored, ~f.used)
    return (await conn.execute(query)).scalar_one()


async def claim(conn: AsyncConnection, ids: Sequence[str], sender: Sender, since: datetime) -> list[Kept]:
    """Takes those for this transaction that they sent since then and that nothing has taken; which these were."""
    mine = update(files).where(_any_id(ids), _sent_by(sender), f.stored, ~f.used, f.created_at > since)
    rows = await conn.execute(mine.values(used=True).returning(f.id, f.digest, f.content_type, f.bytes))
    return [Kept(*row) for row in rows]


async def used(conn: AsyncConnection, ids: Sequence[str], sender: Sender) -> bool:
    """Whether one of these, of theirs, belongs to something already."""
    query = select(exists().where(_any_id(ids), _sent_by(sender), f.used))
    return (await conn.execute(query)).scalar_one()


async def of_type(conn: AsyncConnection, ids: Sequence[str], sender: Sender, content_type: str) -> int:
    """How many of these, of theirs, are of that type."""
    query = select(func.count()).select_from(files)
    return (
        await conn.execute(query.where(_any_id(ids), _sent_by(sender), f.stored, f.content_type == content_type))
    ).scalar_one()


def add_links(batch: Batch, rows: Sequence[Mapping[str, Any]]) -> None:
    batch.add(file_links, *rows)


async def forget_one(conn: AsyncConnection, before: datetime, spared: Collection[str]) -> tuple[str, bool] | None:
    """Deletes one file that was sent before then and never used; its digest, and whether no other has these bytes.

    Held until the transaction ends: whoever sends the same bytes meanwhile waits. None where there is none.
    """
    over = [~f.used, f.created_at <= before, f.digest.not_in(spared)]
    query = select(f.id, f.digest).where(*over).order_by(f.created_at).limit(1).with_for_update(skip_locked=True)
    found = (await conn.execute(query)).one_or_none()
    if found is None:
        return None
    await _lock(conn, found.digest)
    await conn.execute(delete(files).where(f.id == found.id))
    left = (await conn.execute(select(exists().where(f.digest == found.digest)))).scalar_one()
    return found.digest, not left


async def count(conn: AsyncConnection) -> int:
    return (await conn.execute(select(func.count()).select_from(files).where(f.stored))).scalar_one()


async def some(conn: AsyncConnection, most: int) -> list[Kept]:
    """At most so many of those whose bytes must be there, by chance."""
    query = select(f.id, f.digest, f.content_type, f.bytes).where(f.stored).order_by(func.random()).limit(most)
    return [Kept(*row) for row in await conn.execute(query)]


async def _lock(conn: AsyncConnection, digest: str) -> None:
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(digest, _LOCK))))


def _any_id(ids: Sequence[str]) -> ColumnElement[bool]:
    return f.id == any_(literal(list(ids), ARRAY(f.id.type)))


def _sent_by(sender: Sender) -> ColumnElement[bool]:
    ((column, value),) = sender.items()
    return f[column] == value
