"""Links what was written without a hash, and seals a day."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import any_, bindparam, exists, func, insert, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.chain import Anchor
from app.audit.queries.rows import EVENT, Stored, event
from app.schema.audit import anchors, sealed_heads, ticket_events
from app.schema.base import Id
from app.schema.tickets import tickets

_TURN = 430125
t, e, s, a = tickets.c, ticket_events.c, sealed_heads.c, anchors.c
_BEHIND = or_(t.chain_head.is_(None), func.substring(t.chain_head, 1, 4) != func.int4send(t.version))
_UPDATE = text(
    "UPDATE ticket SET chain_head = head FROM unnest(CAST(:ids AS bigint[]), CAST(:heads AS bytea[])) AS c (id, head)"
    " WHERE ticket.id = c.id"
)


@dataclass(frozen=True, slots=True)
class Behind:
    """A ticket, held, whose head does not tell of all its events."""

    id: int
    head: bytes | None


async def behind(conn: AsyncConnection, after: int, limit: int) -> list[Behind]:
    """By id. One that somebody acts on just now is passed over."""
    query = select(t.id, t.chain_head).where(t.id > after, _BEHIND).order_by(t.id).limit(limit)
    return [Behind(*row) for row in await conn.execute(query.with_for_update(skip_locked=True))]


async def events_of(conn: AsyncConnection, ticket_ids: Sequence[int]) -> Mapping[int, list[Stored]]:
    """All events of these tickets, in order."""
    among = any_(literal(list(ticket_ids), ARRAY(Id)))
    found: dict[int, list[Stored]] = {}
    for row in await conn.execute(select(*EVENT).where(e.ticket_id == among).order_by(e.ticket_id, e.seq)):
        found.setdefault(row.ticket_id, []).append(event(row))
    return found


async def set_heads(conn: AsyncConnection, heads: Mapping[int, bytes]) -> None:
    await conn.execute(_UPDATE, {"ids": list(heads), "heads": list(heads.values())})


async def take_turn(conn: AsyncConnection) -> bool:
    """False where somebody else is sealing just now."""
    return bool((await conn.execute(select(func.pg_try_advisory_xact_lock(_TURN)))).scalar_one())


async def newest(conn: AsyncConnection) -> tuple[date, bytes] | None:
    """The day of the last anchor, and its hash."""
    row = (await conn.execute(select(a.day, a.hash).order_by(a.day.desc()).limit(1))).one_or_none()
    return None if row is None else (row.day, row.hash)


async def seal_heads(conn: AsyncConnection, day: date) -> None:
    """A row for each ticket whose head is not sealed yet."""
    sealed = exists().where(s.ticket_id == t.id, s.head == t.chain_head)
    fresh = select(t.id, bindparam("day", type_=s.day.type), t.chain_head).where(t.chain_head.is_not(None), ~sealed)
    await conn.execute(insert(sealed_heads).from_select(["ticket_id", "day", "head"], fresh), {"day": day})


async def heads_of(conn: AsyncConnection, day: date) -> AsyncIterator[tuple[int, bytes]]:
    """(ticket id, head) of all that were sealed that day, by id."""
    async with conn.stream(select(s.ticket_id, s.head).where(s.day == day).order_by(s.ticket_id)) as rows:
        async for row in rows:
            yield row.ticket_id, row.head


async def insert_anchor(conn: AsyncConnection, anchor: Anchor, before: bytes, after: bytes) -> None:
    values = {name: getattr(anchor, name) for name in ("day", "sealed_at", "heads", "digest", "office")}
    await conn.execute(insert(anchors).values(values | {"prev": before, "hash": after}))
