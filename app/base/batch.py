"""Rows for several tables, written by one statement: a round trip costs more than the rows do (docs/decisions.md)."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
Part = tuple[Table, tuple[str, ...], int]
"""A table, the columns that are given, and how many rows."""


class Batch:
    """Inserts gathered by those who each own a table, in the transaction of whoever writes them.

    Rows of one table all give the same columns. Foreign keys may point from one to another in any order (they are
    checked at the end of the statement); nothing of the batch can be read or changed before it is written.
    """

    def __init__(self) -> None:
        self._rows: dict[Table, list[Mapping[str, Any]]] = {}

    def add(self, table: Table, *rows: Mapping[str, Any]) -> None:
        kept = self._rows.setdefault(table, []) if rows else []
        for row in rows:
            if kept and row.keys() != kept[0].keys():
                raise ValueError(f"rows of {table.name} give different columns")
            kept.append(row)

    async def write(self, conn: AsyncConnection) -> None:
        """Writes everything and is empty again. An Enum of texts is a text."""
        gathered, self._rows = self._rows, {}
        if not gathered:
            return
        parts = tuple((table, tuple(rows[0]), len(rows)) for table, rows in gathered.items())
        values = [
            _sent(table, name, row[name])
            for (table, names, _), rows in zip(parts, gathered.values(), strict=True)
            for row in rows
            for name in names
        ]
        await conn.exec_driver_sql(_statement(parts), tuple(values))


@lru_cache(maxsize=512)
def _statement(parts: tuple[Part, ...]) -> str:
    """`WITH a AS (INSERT …), b AS (INSERT …) SELECT 1`, made once for each shape."""
    place = 0
    inserts = []
    for table, names, count in parts:
        types = [table.c[name].type.compile(_DIALECT) for name in names]
        rows = []
        for _ in range(count):
            rows.append("(" + ", ".join(f"${place + n}::{kind}" for n, kind in enumerate(types, 1)) + ")")
            place += len(names)
        into = f"{table.name} ({', '.join(names)}) VALUES {', '.join(rows)}"
        inserts.append(f"w_{table.name} AS (INSERT INTO {into})")
    return "WITH " + ", ".join(inserts) + " SELECT 1"


def _sent(table: Table, name: str, value: Any) -> Any:
    if value is None or not isinstance(table.c[name].type, JSONB):
        return value
    return json.dumps(value, ensure_ascii=False)
