"""The office's own trail: one chain, written by one at a time."""

from collections.abc import Mapping

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.chain import BEGIN, Head, OfficeEntry
from app.schema.audit import office_events, office_heads

_TURN = 430124
"""Whoever writes holds it to the end of the transaction: such changes are rare."""
o = office_events.c
_LAST = select(o.seq, o.hash).order_by(o.seq.desc()).limit(1)


async def take_turn(conn: AsyncConnection) -> None:
    await conn.execute(select(func.pg_advisory_xact_lock(_TURN)))


async def last_head(conn: AsyncConnection) -> Head:
    """Where the chain ends, by its last row."""
    row = (await conn.execute(_LAST)).one_or_none()
    found = Head(row.seq, row.hash) if row is not None else Head.unpacked(BEGIN)
    assert found is not None
    return found


async def append(conn: AsyncConnection, entry: OfficeEntry, detail: Mapping[str, object], before: bytes) -> None:
    """Writes the next row behind the one of that hash, and the head beside it."""
    after = entry.hash_after(before)
    values = {name: getattr(entry, name) for name in ("seq", "at", "action", "actor_kind", "actor_id", "actor_role")}
    await conn.execute(insert(office_events).values(values | {"detail": dict(detail), "prev": before, "hash": after}))
    head = upsert(office_heads).values(one=True, head=Head(entry.seq, after).packed())
    await conn.execute(head.on_conflict_do_update(index_elements=["one"], set_={"head": head.excluded.head}))


async def head(conn: AsyncConnection) -> bytes | None:
    """Where the chain ends, by what was written down."""
    return (await conn.execute(select(office_heads.c.head))).scalar_one_or_none()
