"""What is in a database before a demo is put into it: nothing may be, and its tables need not be ours, or of today."""

from dataclasses import dataclass

from sqlalchemy import Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema import divisions, tickets

_TABLES = text(
    """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    """
)
"""Those of an extension are nobody's data."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Rows of a county; `others`: the tables where no version of this program has made any."""

    divisions: int
    tickets: int
    others: tuple[str, ...]


async def holdings(conn: AsyncConnection) -> Holdings:
    """Counts by name alone: the columns of an older version are others."""
    there = set((await conn.execute(_TABLES)).scalars())

    async def rows(table: Table) -> int:
        counted = select(func.count()).select_from(table)
        return int((await conn.execute(counted)).scalar_one()) if table.name in there else 0

    ours = {"alembic_version", divisions.name} <= there
    return Holdings(await rows(divisions), await rows(tickets), () if ours else tuple(sorted(there)))
