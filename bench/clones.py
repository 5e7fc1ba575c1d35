"""Tickets like one that the product has made: its rows again, each with an id, a number and a citizen of its own."""

from collections.abc import Sequence
from typing import Any

from app.domain import numbers
from bench.ground import Ground
from bench.likeness import TICKETS_OF

Numbers = Sequence[str]

_GIVEN = "CREATE TEMP TABLE IF NOT EXISTS clone (id bigint, number text, citizen_id bigint)"
_IDS = "SELECT nextval('ticket_id_seq') AS id, nextval('citizen_id_seq') AS citizen_id FROM generate_series(1, $1::int)"
_OWN = {
    "ticket": {"id": "c.id", "number": "c.number", "citizen_id": "c.citizen_id"},
    "ticket_event": {"actor_id": "CASE WHEN r.actor_kind = 'citizen' THEN c.citizen_id ELSE r.actor_id END"},
    "outbox": {
        "citizen_id": "CASE WHEN r.citizen_id IS NOT NULL THEN c.citizen_id END",
        "key": "concat_ws(':', c.id, split_part(r.key, ':', 2), r.notice,"
        " CASE WHEN r.citizen_id IS NULL THEN '' ELSE c.citizen_id::text END, coalesce(r.staff_id::text, ''))",
    },
}
"""What a clone does not share with its original, beside the column that names the ticket."""
_LEFT_OUT = frozenset({"inbound", "ticket_import"})
"""How it came in is the original's alone, under a key that there is once."""


async def clone(conn: Any, laid: Ground, original: int, count: int) -> Numbers:
    """`count` tickets like that one; their numbers. Deltas are not cloned: the counters don't know of them."""
    async with conn.transaction():
        rows = await conn.fetch(_IDS, count)
        given = [(row["id"], numbers.number(row["id"], laid.number_key), row["citizen_id"]) for row in rows]
        await conn.execute(_GIVEN)
        await conn.execute("DELETE FROM clone")
        await conn.copy_records_to_table("clone", records=given)
        await conn.execute(
            "INSERT INTO citizen (id, name, phone, grid_id, created_at)"
            " SELECT c.citizen_id, name, phone, grid_id, created_at FROM citizen r, clone c"
            f" WHERE r.id = (SELECT citizen_id FROM ticket WHERE id = {original})"
        )
        for table, key in TICKETS_OF.items():
            if table not in _LEFT_OUT:
                await _again(conn, table, key, original)
    return [number for _, number, _ in given]


async def _again(conn: Any, table: str, key: str, original: int) -> None:
    columns = await conn.fetch(_COLUMNS, table, key)
    names = [column["name"] for column in columns]
    own = {key: "c.id"} | _OWN.get(table, {})
    values = ", ".join(own.get(name, f"r.{name}") for name in names)
    into = f"INSERT INTO {table} ({', '.join(names)}) SELECT {values}"
    await conn.execute(f"{into} FROM {table} r, clone c WHERE r.{key} = {original}")


# An identity draws itself, but for the ticket's, which is given.
_COLUMNS = """
SELECT attname AS name FROM pg_attribute
WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND (attidentity = '' OR attname = $2)
"""
