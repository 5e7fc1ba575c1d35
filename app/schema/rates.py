"""Counters of tickets: deltas beside what changed them, folded into rollups; what counts is domain.counting.Tally.

The key: the day of receipt (Shanghai), the division that the ticket counts at, and who is responsible for it: a unit,
or a division; the other of the two is 0. No clock is in it: what is overdue is counted when it is asked for.
"""

from dataclasses import fields
from datetime import date

from sqlalchemy import Column, Date, Identity, Index, Integer, Named, Table, TypedColumns

from app.domain.counting import Tally
from app.schema.base import Id, metadata

TALLIED = tuple(field.name for field in fields(Tally))


class _Deltas(TypedColumns):
    """What one change of one ticket adds (or, below zero, takes away)."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    day: Named[date] = Column(Date)
    division_id: Named[int] = Column(Id)
    handler_division_id: Named[int] = Column(Id)
    handler_unit_id: Named[int] = Column(Id)


deltas = Table("rate_delta", metadata, _Deltas, *(Column(name, Integer, nullable=False) for name in TALLIED))


class _Rollups(TypedColumns):
    day: Named[date] = Column(Date, primary_key=True)
    division_id: Named[int] = Column(Id, primary_key=True, autoincrement=False)
    handler_division_id: Named[int] = Column(Id, primary_key=True, autoincrement=False)
    handler_unit_id: Named[int] = Column(Id, primary_key=True, autoincrement=False)


rollups = Table(
    "rate_rollup",
    metadata,
    _Rollups,
    *(Column(name, Integer, nullable=False) for name in TALLIED),
    Index(None, "division_id", "day"),
)
