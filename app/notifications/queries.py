"""The outbox."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.notifications import outbox

_INSERT_NOTICES = insert(outbox)


async def insert_notices(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    await conn.execute(_INSERT_NOTICES, list(rows))
