"""Writes a report once and reads it again. A row is never changed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.reports import reports

r = reports.c


@dataclass(frozen=True, slots=True)
class Report:
    """One issue of a report. `as_of` is when it was made, aware; `reason` why it followed the revision before it.

    `figures` and `parameters` hold only what JSON keeps as it is: texts, whole numbers, lists, objects, null.
    """

    kind: str
    division_id: int
    period: str
    revision: int
    as_of: datetime
    reason: str | None
    parameters: Mapping[str, Any]
    figures: Mapping[str, Any]
    checksum: str


_REPORT = tuple(r[field.name] for field in fields(Report))


async def newest(conn: AsyncConnection, kind: str, division_id: int, period: str) -> Report | None:
    """The report's latest revision."""
    found = await conn.execute(
        select(*_REPORT)
        .where(r.kind == kind, r.division_id == division_id, r.period == period)
        .order_by(r.revision.desc())
        .limit(1)
    )
    row = found.one_or_none()
    return None if row is None else Report(*row)


async def insert_report(conn: AsyncConnection, report: Report) -> bool:
    """Whether this is the one that stands: of two made at once the second waits for the first, and is none."""
    taken = await conn.execute(insert(reports).values(**asdict(report)).on_conflict_do_nothing().returning(r.id))
    return taken.one_or_none() is not None
