"""The SQL of the rates: all fields of domain.rates.Counts in one aggregate, equal to domain.rates.count (tested)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.counting import SPAM, Counts
from app.domain.county import Division
from app.domain.vocabulary import OPEN, Attribution, Level, Score, Status, Via
from app.schema.base import Moment
from app.schema.divisions import divisions, units
from app.schema.tickets import tickets

t, d, u = tickets.c, divisions.c, units.c


@dataclass(frozen=True, slots=True)
class Cut:
    """Which tickets are counted: received from `begin` (included) to `end` (excluded), belonging to `area` or below.

    They are counted as they stand, and are overdue or not at `as_of`. Moments are aware.
    """

    area: Division
    begin: datetime
    end: datetime
    as_of: datetime
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class Found:
    """What divisions count by themselves, without those below them, by division id; and which are closed."""

    counts: Mapping[int, Counts]
    closed: frozenset[int]


_AS_OF = bindparam("as_of", type_=Moment)
_withdrawn = and_(t.status == Status.WITHDRAWN, t.withdrawn_before_work)
_declined = t.status == Status.DECLINED
# The reason may be null, and a condition that is negated must not be.
_spam = and_(_declined, t.decline_reason.is_not_distinct_from(SPAM))
_accepted = t.accepted_at.is_not(None)
_completed = t.completed_at.is_not(None)
# A copy is open, overdue or completed as its primary is (domain.md, 2, Merge).
_unfinished = and_(t.status.in_(sorted(OPEN | {Status.MERGED})), not_(_completed))
_overdue = and_(_unfinished, t.due_at <= _AS_OF)
_ranked = or_(_completed, _overdue)
_like, _dislike = t.score == Score.LIKE, t.score == Score.DISLIKE
_callback = t.rating_via == Via.CALLBACK
_replied = or_(t.first_replied_at.is_not(None), _declined)

_COHORT: Mapping[str, ColumnElement[bool]] = {
    "received": true(),
    "accepted": _accepted,
    "accepted_automatically": and_(_accepted, t.accepted_automatically),
    "replied": _replied,
    "completed": _completed,
    "explained": and_(_completed, t.explained),
    "declined": _declined,
    "likes": _like,
    "dislikes": _dislike,
    "first_likes": t.first_score == Score.LIKE,
    "first_dislikes": t.first_score == Score.DISLIKE,
    "callback_likes": and_(_like, _callback),
    "callback_dislikes": and_(_dislike, _callback),
    "rated_completed": and_(_completed, t.score.is_not(None)),
    "solved_yes": t.solved.is_(True),
    "solved_no": t.solved.is_(False),
    "on_time": and_(_completed, t.kept_limit),
    "on_time_original": and_(_completed, t.kept_original),
    "open_overdue": _overdue,
    "open_overdue_original": and_(_unfinished, t.original_due_at <= _AS_OF),
    "not_yet_due": and_(_unfinished, t.due_at > _AS_OF),
    "ranked_accepted": and_(_ranked, _accepted),
    "ranked_replied": and_(_ranked, _replied),
    "ranked_likes": and_(_ranked, _like),
    "ranked_dislikes": and_(_ranked, _dislike),
}
_CONDITIONS = {name: and_(not_(_withdrawn), not_(_spam), condition) for name, condition in _COHORT.items()}
_CONDITIONS |= {"withdrawn": _withdrawn, "spam": _spam}
_NAMES = tuple(field.name for field in fields(Counts))
_COUNTS = tuple(func.count().filter(_CONDITIONS[name]).label(name) for name in _NAMES)

_COLUMNS: Mapping[Level, ColumnElement[int | None]] = {
    Level.COUNTY: d.county_id,
    Level.TOWN: d.town_id,
    Level.VILLAGE: d.village_id,
    Level.GRID: d.grid_id,
}
_LEVELS = tuple(Level)


async def by_division(conn: AsyncConnection, cut: Cut, lowest: Level) -> Found:
    """Each ticket at its division, or at the one above that is of level `lowest`: sums are left to the caller.

    A confidential ticket belongs to the county alone (domain.md, 2).
    """
    columns = [_COLUMNS[level] for level in _LEVELS[: lowest.depth]]
    own = case((t.confidential, d.county_id), else_=func.coalesce(*reversed(columns)))
    counted = _counted(own, _placed(cut.attribution), cut).subquery()
    # Hung on the one row of the closed ones, not on a row per division: joined to a thousand, the aggregate was run
    # a thousand times where the tables had no statistics yet.
    closed = select(func.array_agg(d.id).label("ids")).where(d.valid_to.is_not(None)).subquery()
    query = select(closed.c.ids, counted).select_from(closed.outerjoin(counted, true()))
    rows = (await conn.execute(query, {"as_of": cut.as_of})).mappings().all()
    return Found(_by_key(rows), frozenset(rows[0]["ids"] or ()))


async def by_unit(conn: AsyncConnection, cut: Cut) -> Mapping[int, Counts]:
    """What units of the area's divisions are responsible for, by unit id; confidential tickets belong to none."""
    held = tickets.join(units, u.id == t.responsible_unit_id).join(divisions, d.id == u.division_id)
    query = _counted(u.id, held, cut).where(not_(t.confidential))
    return _by_key((await conn.execute(query, {"as_of": cut.as_of})).mappings().all())


def _by_key(rows: Sequence[RowMapping]) -> Mapping[int, Counts]:
    return {row["key"]: Counts(*(row[name] for name in _NAMES)) for row in rows if row["key"] is not None}


def _counted(key: ColumnElement[Any], source: FromClause, cut: Cut) -> Select[Any]:
    label = key.label("key")
    return (
        select(label, *_COUNTS)
        .select_from(source)
        .where(t.received_at >= cut.begin, t.received_at < cut.end, _within(cut.area))
        .group_by(label)
    )


def _placed(attribution: Attribution) -> FromClause:
    """Tickets with the division that they are counted at: the place, or the responsible node's."""
    if attribution is Attribution.TERRITORIAL:
        return tickets.join(divisions, d.id == t.division_id)
    held = tickets.outerjoin(units, u.id == t.responsible_unit_id)
    return held.join(divisions, d.id == func.coalesce(t.responsible_division_id, u.division_id))


def _within(area: Division) -> ColumnElement[bool]:
    return _COLUMNS[area.level] == area.id
