"""Other tickets that may be about the same matter: through the one door, like everything that shows a ticket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.batch import Batch
from app.domain.policy import Sight
from app.schema.base import Id, Moment
from app.schema.divisions import divisions
from app.schema.likeness import likenesses
from app.schema.tickets import tickets
from app.tickets.queries.visibility import Shape, seen_by, shape_of, visible

t, k, d = tickets.c, likenesses.c, divisions.c
MOST = 300
"""Tickets of one place that are compared, the newest first."""


@dataclass(frozen=True, slots=True)
class Other:
    id: int
    number: str
    status: str
    title: str
    description: str
    category_id: int | None
    division_id: int
    received_at: datetime
    merged_into_id: int | None


_OTHER = tuple(t[name] for name in Other.__slots__)


def add_keys(batch: Batch, ticket_id: int, received_at: datetime, keys: Sequence[int]) -> None:
    """None where the text says too little to be known again."""
    if keys:
        batch.add(likenesses, {"ticket_id": ticket_id, "received_at": received_at, "sketch": list(keys)})


async def others(conn: AsyncConnection, sight: Sight, mine: Mapping[str, Any], keys: Sequence[int]) -> list[Other]:
    """Ordinary tickets that the actor may see, received between `since` and `until`, of the town, or that share a
    key from anywhere; not `id` itself."""
    shape, values = shape_of(sight), {**mine, **seen_by(sight)}
    rows = list(await conn.execute(_near(shape), values))
    if keys:
        rows += await conn.execute(_same(shape), values | {"keys": list(keys)})
    return list({row.id: Other(*row) for row in rows}.values())


def _query(shape: Shape) -> Select[Any]:
    since, until = bindparam("since", type_=Moment), bindparam("until", type_=Moment)
    return (
        select(*_OTHER)
        .where(t.received_at.between(since, until), t.id != bindparam("id", type_=Id), t.confidential.is_(False))
        .where(visible(shape))
        .order_by(t.received_at.desc(), t.id.desc())
        .limit(literal(MOST))
    )


@lru_cache(maxsize=256)
def _near(shape: Shape) -> Select[Any]:
    town = bindparam("town", type_=Id)
    below = select(d.id).where(or_(d.town_id == town, d.id == town))
    return _query(shape).where(t.division_id.in_(below))


@lru_cache(maxsize=256)
def _same(shape: Shape) -> Select[Any]:
    alike = select(k.ticket_id).where(k.sketch.overlap(bindparam("keys", type_=ARRAY(BigInteger))))
    return _query(shape).where(t.id.in_(alike))
