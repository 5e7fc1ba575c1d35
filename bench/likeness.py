"""That a floor writes what the product writes: rows counted by table, and their shapes (which columns are filled)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

TICKETS_OF = {
    "ticket": "id",
    "inbound": "ticket_id",
    "ticket_limit": "ticket_id",
    "assignment": "ticket_id",
    "ticket_event": "ticket_id",
    "outbox": "ticket_id",
}
"""The tables that a message writes, with the column that names its ticket; and two that its citizen is in."""
_CITIZEN = ("citizen", "identity")


async def rows_of(conn: Any, act: Callable[[], Awaitable[None]]) -> dict[str, int]:
    """How many rows `act` adds to each table."""
    before = await _counts(conn)
    await act()
    after = await _counts(conn)
    return {table: after[table] - before[table] for table in after}


async def _counts(conn: Any) -> dict[str, int]:
    return {table: await conn.fetchval(f"SELECT count(*) FROM {table}") for table in (*TICKETS_OF, *_CITIZEN)}


def told(added: Mapping[str, int], messages: int) -> str:
    """A note for the report."""
    each = ", ".join(f"{table} {count / messages:.2g}" for table, count in added.items())
    return f"rows a message: {sum(added.values()) / messages:.2f} ({each})"


async def shapes(conn: Any, after: int, upto: int) -> dict[str, set[tuple[str, ...]]]:
    """For each table the sets of columns that are filled in rows of the tickets after `after`, up to `upto`."""
    return {
        table: {
            tuple(row["filled"]) for row in await conn.fetch(_SHAPES.format(table=table, column=column), after, upto)
        }
        for table, column in TICKETS_OF.items()
    }


_SHAPES = """
SELECT DISTINCT ARRAY(SELECT jsonb_object_keys(jsonb_strip_nulls(to_jsonb(r))) ORDER BY 1) AS filled
FROM {table} r WHERE {column} > $1 AND {column} <= $2
"""


def require(product: Mapping[str, set[tuple[str, ...]]], floor: Mapping[str, set[tuple[str, ...]]], name: str) -> None:
    """Raises AssertionError where a floor's rows are filled otherwise than the product's."""
    for table, seen in product.items():
        other = floor[table] ^ seen
        assert not other, f"{name} writes other rows into {table}: {[sorted(set(one)) for one in other]}"
