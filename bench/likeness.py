"""That a floor writes what the product writes: rows counted by table, and their shapes (which columns are filled)."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

TICKETS_OF = {
    "ticket": "id",
    "inbound": "ticket_id",
    "ticket_limit": "ticket_id",
    "step": "ticket_id",
    "assignment": "ticket_id",
    "ticket_event": "ticket_id",
    "event_text": "ticket_id",
    "outbox": "ticket_id",
    "rating": "ticket_id",
    "ticket_import": "ticket_id",
    "ticket_likeness": "ticket_id",
}
"""The tables that hold rows of tickets, with the column that names the ticket."""
DELTAS = "rate_delta"
_OTHERS = ("citizen", "identity", DELTAS)

Shape = tuple[str, ...]
Shapes = Mapping[str, Counter[Shape]]


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest ticket and the newest delta at a moment."""

    ticket: int
    delta: int


async def mark(conn: Any) -> Mark:
    return Mark(await _newest(conn, "ticket"), await _newest(conn, DELTAS))


async def _newest(conn: Any, table: str) -> int:
    return int(await conn.fetchval(f"SELECT coalesce(max(id), 0) FROM {table}"))


async def rows_of(conn: Any, act: Callable[[], Awaitable[None]]) -> dict[str, int]:
    """How many rows `act` adds to each table."""
    before = await _counts(conn)
    await act()
    after = await _counts(conn)
    return {table: after[table] - before[table] for table in after}


async def _counts(conn: Any) -> dict[str, int]:
    return {table: await conn.fetchval(f"SELECT count(*) FROM {table}") for table in (*TICKETS_OF, *_OTHERS)}


def told(added: Mapping[str, int], messages: int) -> str:
    """A note for the report."""
    each = ", ".join(f"{table} {count / messages:.2g}" for table, count in added.items() if count)
    return f"rows a message: {sum(added.values()) / messages:.2f} ({each})"


async def shapes(conn: Any, after: Mark, upto: Mark) -> Shapes:
    """For each table which columns are filled, and in how many rows, of the tickets between two marks; of the deltas
    which counters. Without confidential ones: no floor plays those."""
    found: dict[str, Counter[Shape]] = {}
    for table, column in TICKETS_OF.items():
        rows = await conn.fetch(_SHAPES.format(table=table, column=column), after.ticket, upto.ticket)
        found[table] = Counter({tuple(row["filled"]): row["many"] for row in rows})
    counted = await conn.fetch(_COUNTED, after.delta, upto.delta)
    # Deltas know no ticket, so not how many of them are of confidential ones.
    found[DELTAS] = Counter({tuple(row["filled"]) for row in counted})
    return found


_SHAPES = """
SELECT ARRAY(SELECT jsonb_object_keys(jsonb_strip_nulls(to_jsonb(r))) ORDER BY 1) AS filled, count(*) AS many
FROM {table} r JOIN ticket t ON t.id = r.{column} AND NOT t.confidential
WHERE t.id > $1 AND t.id <= $2 GROUP BY 1
"""
_COUNTED = """
SELECT DISTINCT ARRAY(
  SELECT key || ' ' || (value #>> '{}') FROM jsonb_each(to_jsonb(r))
  WHERE value <> '0' AND key NOT IN ('id', 'day') AND key NOT LIKE '%\\_id' ORDER BY 1
) AS filled
FROM rate_delta r WHERE id > $1 AND id <= $2
"""


def require(product: Shapes, floor: Shapes, name: str) -> None:
    """Raises AssertionError where a floor's rows are others, or more or fewer, than the product's."""
    for table, seen in product.items():
        beside = floor[table]
        assert beside.keys() == seen.keys(), (
            f"{name} fills other columns of {table}: {[sorted(one) for one in beside.keys() ^ seen.keys()]}"
        )
        assert beside == seen, (
            f"{name} writes {sum(beside.values())} rows into {table}, the product {sum(seen.values())}"
        )


Rows = Mapping[str, Sequence[Mapping[str, Any]]]


async def rows(conn: Any, number: str, delta: int, span: tuple[datetime, datetime]) -> Rows:
    """All rows of one ticket by table, and the deltas behind that one; so written that those of another ticket to
    which the same was done are equal: what is its own has a name, and so has a moment that lies in `span`."""
    own = await conn.fetchrow("SELECT id, citizen_id, number FROM ticket WHERE number = $1", number)
    found = {}
    for table, column in (*TICKETS_OF.items(), (DELTAS, "id")):
        where = f"id > {delta}" if table == DELTAS else f"{column} = {own['id']}"
        texts = await conn.fetch(f"SELECT to_jsonb(r)::text AS row FROM {table} r WHERE {where}")
        found[table] = sorted((_named(json.loads(one["row"]), table, own, span) for one in texts), key=repr)
    return found


def _named(row: dict[str, Any], table: str, own: Mapping[str, Any], span: tuple[datetime, datetime]) -> dict[str, Any]:
    if table != "ticket":
        row.pop("id", None)
    names = {"id": "ticket", "ticket_id": "ticket", "citizen_id": "citizen", "number": "number"}
    if row.get("actor_kind") == "citizen":
        names["actor_id"] = "citizen"
    for column, value in row.items():
        if column in _LINKS:
            row[column] = value and "bytes"
        elif column in names and value is not None:
            row[column] = names[column]
        elif (table, column) == ("outbox", "key"):
            ticket, seq, notice, citizen, staff = value.split(":")
            owned = (ticket == str(own["id"]), citizen == str(own["citizen_id"]))
            row[column] = (owned, seq, notice, staff)
        elif isinstance(value, str) and (column in _MOMENTS or column.endswith("_at")):
            row[column] = "now" if span[0] <= datetime.fromisoformat(value) <= span[1] else value
    return row


_MOMENTS = frozenset({"at", "since", "until"})
_LINKS = frozenset({"chain_head", "prev", "hash", "salt", "text_digest"})
"""Of the trail's chain: a floor writes as many bytes, of no meaning."""


def require_same(product: Rows, floor: Rows, name: str) -> None:
    """Raises AssertionError where a floor has left other rows behind than the product."""
    for table, kept in product.items():
        assert floor[table] == kept, f"{name} writes {table} otherwise: {floor[table]} instead of {kept}"
