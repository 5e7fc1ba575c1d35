"""What was counted: rollups, deltas not yet folded, and what a clock changes, in one statement and so of one moment."""

from collections.abc import Mapping, Sequence
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
    null,
    select,
    tuple_,
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


async def by_division(conn: AsyncConnection, cut: Cut, highest: Level, lowest: Level) -> Mapping[int, Counts]:
    """What every division of the area counts with all below it, from level `highest` down to `lowest`, by its id.

    A confidential ticket belongs to the county alone (domain.md, 2). None of one that has nothing to count.
    """
    return await _counts(conn, _by_division(cut.area.level, highest, lowest, cut.attribution), cut)


async def by_unit(conn: AsyncConnection, cut: Cut) -> Mapping[int, Counts]:
    """What units of the area's divisions are responsible for, by unit id; confidential tickets belong to none."""
    return await _counts(conn, _by_unit(cut.area.level), cut)


async def _counts(conn: AsyncConnection, statement: Select[Any], cut: Cut) -> Mapping[int, Counts]:
    values = {"area": cut.area.id, "first": cut.first, "last": cut.last, "as_of": cut.as_of}
    found: dict[int, Counts] = {}
    for key, *numbers in await conn.execute(statement, values | {"begin": cut.begin, "end": cut.end}):
        tally, running = Tally(*numbers[: len(TALLIED)]), Running(*numbers[len(TALLIED) :])
        counts = counts_of(tally, running)
        # Two rows at most: what no clock changes, and what one does.
        found[key] = found[key] + counts if key in found else counts
    found.pop(None, None)  # type: ignore[call-overload]  # whose level has no such column
    return found


# Built once for each shape: what is made anew for each question costs more than its run.
@lru_cache(maxsize=64)
def _by_division(area: Level, highest: Level, lowest: Level, attribution: Attribution) -> Any:
    levels = _LEVELS[highest.depth - 1 : lowest.depth]
    kept, at = _held(area) if attribution is Attribution.HANDLING else _placed(area)
    # A confidential ticket has no place below the county's.
    live = {one: case((t.confidential, null()), else_=_COLUMNS[one]) for one in levels} | {Level.COUNTY: d.county_id}
    return union_all(
        _tallied([_COLUMNS[one] for one in levels], at, kept),
        _running([live[one] for one in levels], _live_place(attribution)).where(_COLUMNS[area] == _AREA),
    )


@lru_cache(maxsize=8)
def _by_unit(area: Level) -> Any:
    kept = _kept(["handler_unit_id"])
    at = kept.join(units, u.id == kept.c.handler_unit_id).join(divisions, d.id == u.division_id)
    live = tickets.join(units, u.id == t.responsible_unit_id).join(divisions, d.id == u.division_id)
    return union_all(
        _tallied([u.id], at, kept).where(_COLUMNS[area] == _AREA),
        _running([u.id], live).where(_COLUMNS[area] == _AREA, not_(t.confidential)),
    )


def _placed(area: Level) -> tuple[Any, FromClause]:
    """Counters by place, of the area alone: its divisions are found first, their counters by index."""
    kept = _kept(["division_id"], select(d.id).where(_COLUMNS[area] == _AREA))
    return kept, kept.join(divisions, d.id == kept.c.division_id)


def _held(area: Level) -> tuple[Any, FromClause]:
    """Counters by the division that is responsible, or whose unit is."""
    kept = _kept(["handler_division_id", "handler_unit_id"])
    held = kept.outerjoin(units, u.id == kept.c.handler_unit_id)
    at = d.id == func.coalesce(u.division_id, kept.c.handler_division_id)
    return kept, held.join(divisions, and_(at, _COLUMNS[area] == _AREA))


def _kept(names: Sequence[str], places: Any = None) -> Any:
    """The counters of the days asked for, folded or not, one row for each value of `names`; `places`: only theirs."""
    both = union_all(*(_of_days(table, names, places) for table in (rollups, deltas))).subquery("both")
    columns = [both.c[name] for name in names]
    sums = [func.sum(both.c[name]).label(name) for name in TALLIED]
    return select(*columns, *sums).group_by(*columns).subquery("kept")


def _of_days(table: Any, names: Sequence[str], places: Any) -> Select[Any]:
    query = select(*(table.c[name] for name in (*names, *TALLIED))).where(table.c.day.between(_FIRST, _LAST))
    return query if places is None else query.where(table.c.division_id.in_(places))


def _tallied(keys: Sequence[ColumnElement[Any]], source: FromClause, kept: Any) -> Select[Any]:
    sums = [cast(func.sum(kept.c[name]), Integer).label(name) for name in TALLIED]
    nothing = [literal(0).label(name) for name in _RUNNING]
    return select(_one_of(keys), *sums, *nothing).select_from(source).group_by(_each(keys))


def _running(keys: Sequence[ColumnElement[Any]], source: FromClause) -> Select[Any]:
    """What is not finished: few at any time, and in an index of their own."""
    nothing = [literal(0).label(name) for name in TALLIED]
    counts = [func.count().filter(RUNNING[name]).label(name) for name in _RUNNING]
    query = select(_one_of(keys), *nothing, *counts).select_from(source)
    return query.where(is_unfinished, _RECEIVED).group_by(_each(keys))


def _each(keys: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """A row for each value of each key: a division counts all below it."""
    return func.grouping_sets(*(tuple_(key) for key in keys)) if len(keys) > 1 else keys[0]


def _one_of(keys: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """In a row for one key the others are null."""
    return (func.coalesce(*keys) if len(keys) > 1 else keys[0]).label("key")


def _live_place(attribution: Attribution) -> FromClause:
    """Tickets with the division that they are counted at: the place, or the responsible node's."""
    if attribution is Attribution.TERRITORIAL:
        return tickets.join(divisions, d.id == t.division_id)
    held = tickets.outerjoin(units, u.id == t.responsible_unit_id)
    return held.join(divisions, d.id == func.coalesce(t.responsible_division_id, u.division_id))
