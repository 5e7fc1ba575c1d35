"""What was counted: rollups, deltas not yet folded, and what a clock changes, in one statement and so of one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    not_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Date

from app.domain.counting import Counts, Running, Tally, counts_of
from app.domain.county import Division
from app.domain.vocabulary import Attribution, Level
from app.rates.queries.conditions import RUNNING
from app.schema.base import Id, Moment
from app.schema.divisions import divisions, units
from app.schema.rates import TALLIED, deltas, rollups
from app.schema.tickets import is_unfinished, tickets

t, d, u = tickets.c, divisions.c, units.c


@dataclass(frozen=True, slots=True)
class Cut:
    """Which tickets are counted: received on the days `first` to `last` (Shanghai), both included.

    They belong to `area` or below and are counted as they stand; `begin` and `end` are the same days as moments;
    overdue or not is as at `as_of`.
    """

    area: Division
    first: date
    last: date
    begin: datetime
    end: datetime
    as_of: datetime
    attribution: Attribution


_RUNNING = tuple(field.name for field in fields(Running))
_COLUMNS: Mapping[Level, ColumnElement[int | None]] = {
    Level.COUNTY: d.county_id,
    Level.TOWN: d.town_id,
    Level.VILLAGE: d.village_id,
    Level.GRID: d.grid_id,
}
_LEVELS = tuple(Level)
_FIRST, _LAST = bindparam("first", type_=Date()), bindparam("last", type_=Date())
_RECEIVED = and_(t.received_at >= bindparam("begin", type_=Moment), t.received_at < bindparam("end", type_=Moment))
_AREA = bindparam("area", type_=Id)


async def by_division(conn: AsyncConnection, cut: Cut, lowest: Level) -> Mapping[int, Counts]:
    """Each ticket at its division, or at the one above that is of level `lowest`: sums are left to the caller.

    A confidential ticket belongs to the county alone (domain.md, 2).
    """
    return await _counts(conn, _by_division(cut.area.level, lowest, cut.attribution), cut)


async def by_unit(conn: AsyncConnection, cut: Cut) -> Mapping[int, Counts]:
    """What units of the area's divisions are responsible for, by unit id; confidential tickets belong to none."""
    return await _counts(conn, _by_unit(cut.area.level), cut)


async def _counts(conn: AsyncConnection, statement: Select[Any], cut: Cut) -> Mapping[int, Counts]:
    values = {"area": cut.area.id, "first": cut.first, "last": cut.last, "as_of": cut.as_of}
    found: dict[int, Counts] = {}
    for key, *numbers in await conn.execute(statement, values | {"begin": cut.begin, "end": cut.end}):
        tally, running = Tally(*numbers[: len(TALLIED)]), Running(*numbers[len(TALLIED) :])
        found[key] = found.get(key, Counts.zero()) + counts_of(tally, running)
    return found


# Built once for each shape: what is made anew for each question costs more than its run.
@lru_cache(maxsize=64)
def _by_division(area: Level, lowest: Level, attribution: Attribution) -> Any:
    columns = [_COLUMNS[level] for level in _LEVELS[: lowest.depth]]
    own = func.coalesce(*reversed(columns))
    kept, live = _kept(), _live_place(attribution)
    if attribution is Attribution.TERRITORIAL:
        at = kept.join(divisions, d.id == kept.c.division_id)
    else:
        held = kept.outerjoin(units, u.id == kept.c.handler_unit_id)
        at = held.join(divisions, d.id == func.coalesce(u.division_id, kept.c.handler_division_id))
    confidential_at_county = case((t.confidential, d.county_id), else_=own)
    return union_all(
        _tallied(own, at, kept).where(_COLUMNS[area] == _AREA),
        _running(confidential_at_county, live).where(_COLUMNS[area] == _AREA),
    )


@lru_cache(maxsize=8)
def _by_unit(area: Level) -> Any:
    kept = _kept()
    at = kept.join(units, u.id == kept.c.handler_unit_id).join(divisions, d.id == u.division_id)
    live = tickets.join(units, u.id == t.responsible_unit_id).join(divisions, d.id == u.division_id)
    return union_all(
        _tallied(u.id, at, kept).where(_COLUMNS[area] == _AREA),
        _running(u.id, live).where(_COLUMNS[area] == _AREA, not_(t.confidential)),
    )


def _kept() -> Any:
    """The counters of the days asked for, folded or not."""
    names = ("division_id", "handler_division_id", "handler_unit_id", *TALLIED)
    return union_all(
        *(select(*(table.c[n] for n in names)).where(table.c.day.between(_FIRST, _LAST)) for table in (rollups, deltas))
    ).subquery("kept")


def _tallied(key: ColumnElement[Any], source: FromClause, kept: Any) -> Select[Any]:
    label = key.label("key")
    sums = [cast(func.sum(kept.c[name]), Integer).label(name) for name in TALLIED]
    nothing = [literal(0).label(name) for name in _RUNNING]
    return select(label, *sums, *nothing).select_from(source).group_by(label)


def _running(key: ColumnElement[Any], source: FromClause) -> Select[Any]:
    """What is not finished: few at any time, and in an index of their own."""
    label = key.label("key")
    nothing = [literal(0).label(name) for name in TALLIED]
    counts = [func.count().filter(RUNNING[name]).label(name) for name in _RUNNING]
    return select(label, *nothing, *counts).select_from(source).where(is_unfinished, _RECEIVED).group_by(label)


def _live_place(attribution: Attribution) -> FromClause:
    """Tickets with the division that they are counted at: the place, or the responsible node's."""
    if attribution is Attribution.TERRITORIAL:
        return tickets.join(divisions, d.id == t.division_id)
    held = tickets.outerjoin(units, u.id == t.responsible_unit_id)
    return held.join(divisions, d.id == func.coalesce(t.responsible_division_id, u.division_id))
