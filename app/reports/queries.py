"""Writes a report once and reads it again, and counts what the rates don't. A report's row is never changed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    null,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.counting import SPAM
from app.domain.county import Division
from app.domain.vocabulary import Level, Status
from app.schema.base import Moment
from app.schema.divisions import divisions
from app.schema.reports import reports
from app.schema.tickets import tickets

r, t, d = reports.c, tickets.c, divisions.c


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


@dataclass(frozen=True, slots=True)
class Issue:
    """A report as a list shows it, without its figures."""

    id: int
    kind: str
    division_id: int
    period: str
    revision: int
    as_of: datetime
    reason: str | None
    checksum: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reports a list shows; None: whatever it is."""

    division_id: int | None = None
    kind: str | None = None
    period: str | None = None


_REPORT = tuple(r[field.name] for field in fields(Report))
_ISSUE = tuple(r[field.name] for field in fields(Issue))


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


async def by_id(conn: AsyncConnection, report_id: int) -> Report | None:
    """Exactly that revision."""
    row = (await conn.execute(select(*_REPORT).where(r.id == report_id))).one_or_none()
    return None if row is None else Report(*row)


async def page(conn: AsyncConnection, wanted: Wanted, limit: int, after: tuple[datetime, int] | None) -> list[Issue]:
    """The newest first, at most `limit`; `after` is the last row of the page before."""
    chosen = [r[name] == value for name, value in asdict(wanted).items() if value is not None]
    query = select(*_ISSUE).where(*chosen)
    if after is not None:
        mark = tuple_(bindparam("moment", after[0], type_=Moment), bindparam("id", after[1], type_=BigInteger()))
        query = query.where(tuple_(r.as_of, r.id) < mark)
    rows = await conn.execute(query.order_by(r.as_of.desc(), r.id.desc()).limit(limit))
    return [Issue(*row) for row in rows]


async def insert_report(conn: AsyncConnection, report: Report) -> bool:
    """Whether this is the one that stands: of two made at once the second waits for the first, and is none."""
    row = {field.name: getattr(report, field.name) for field in fields(report)}
    taken = await conn.execute(insert(reports).values(row).on_conflict_do_nothing().returning(r.id))
    return taken.one_or_none() is not None


@dataclass(frozen=True, slots=True)
class Took:
    """How long `tickets` tickets took to a milestone: half of them no longer than `median`, nine in ten than `most`."""

    tickets: int
    median: timedelta | None
    most: timedelta | None


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a division's rates. `matters`: tickets, those merged into another left out.

    `declines` by reason, spam left out; `took` by milestone: accepted, replied, completed.
    """

    tickets: int
    matters: int
    declines: Mapping[str, int]
    took: Mapping[str, Took]


DECLINES = ("outside_jurisdiction", "no_facts", "in_procedure")
_PLACES: Mapping[Level, ColumnElement[int | None]] = {
    Level.COUNTY: d.county_id,
    Level.TOWN: d.town_id,
    Level.VILLAGE: d.village_id,
    Level.GRID: d.grid_id,
}
_MILESTONES = {"accepted": t.accepted_at, "replied": t.first_replied_at, "completed": t.completed_at}
_withdrawn = and_(t.status == Status.WITHDRAWN, t.withdrawn_before_work)
_declined = t.status == Status.DECLINED
_left_out = (_withdrawn, and_(_declined, t.decline_reason.is_not_distinct_from(SPAM)))
# A confidential ticket belongs to the county alone.
_town = case((t.confidential, null()), else_=d.town_id)
# Discrete: the time that a ticket really took, so that no average of two is rounded anywhere.
_halves: ColumnElement[Any] = literal_column("ARRAY[0.5, 0.9]::float8[]")
_COLUMNS = (
    func.count().label("tickets"),
    func.count().filter(t.status != Status.MERGED).label("matters"),
    *(func.count().filter(and_(_declined, t.decline_reason == reason)).label(reason) for reason in DECLINES),
    *(func.count(reached).label(f"{name}_tickets") for name, reached in _MILESTONES.items()),
    *(
        func.percentile_disc(_halves).within_group(reached - t.received_at).label(f"{name}_took")
        for name, reached in _MILESTONES.items()
    ),
)


async def any_before(conn: AsyncConnection, area: Division, end: datetime) -> bool:
    """Whether the area has ever received anything before `end` (aware)."""
    joined = tickets.join(divisions, divisions.c.id == t.division_id)
    received = select(t.id).select_from(joined).where(_PLACES[area.level] == area.id, t.received_at < end)
    return bool((await conn.execute(select(received.exists()))).scalar_one())


async def beside(conn: AsyncConnection, area: Division, begin: datetime, end: datetime) -> Mapping[int, Beside]:
    """By division id: the area itself and, in a county, its towns. The cohort is that of the rates, territorial.

    Received from `begin` (included) to `end` (excluded), both aware.
    """
    within = [_PLACES[area.level] == area.id]
    if area.level is not Level.COUNTY:
        within.append(not_(t.confidential))
    rows = await conn.execute(
        select(func.grouping(_town).label("whole"), _town.label("town"), *_COLUMNS)
        .select_from(tickets.join(divisions, d.id == t.division_id))
        .where(t.received_at >= begin, t.received_at < end, *within, *(not_(one) for one in _left_out))
        .group_by(func.rollup(_town))
    )
    found = {area.id if row.whole else row.town: _beside(row) for row in rows if row.whole or row.town is not None}
    return found if area.level is Level.COUNTY else {area.id: found[area.id]}


def _beside(row: Row[Any]) -> Beside:
    value = row._mapping
    declines = {reason: value[reason] for reason in DECLINES}
    took = {name: Took(value[f"{name}_tickets"], *(value[f"{name}_took"] or (None, None))) for name in _MILESTONES}
    return Beside(value["tickets"], value["matters"], declines, took)
