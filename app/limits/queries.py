"""The calendar's rows, and the limits of tickets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, any_, bindparam, delete, func, insert, literal, not_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.batch import Batch
from app.base.copy import copy_rows
from app.domain.steps import StepKind
from app.schema.audit import ticket_events
from app.schema.base import Id, Moment
from app.schema.limits import calendar_days, calendar_years, steps, ticket_limits
from app.schema.tickets import is_completed, is_open, tickets

s = steps.c


async def calendar_rows(conn: AsyncConnection) -> tuple[list[tuple[date, bool]], frozenset[int]]:
    """(days that differ from Monday to Friday, as (day, rest)), and the years that are published."""
    days = await conn.execute(select(calendar_days.c.day, calendar_days.c.rest))
    years = await conn.execute(select(calendar_years.c.year))
    return [(row.day, row.rest) for row in days], frozenset(years.scalars())


async def replace_calendar(
    conn: AsyncConnection, days: Sequence[Mapping[str, Any]], years: Sequence[Mapping[str, Any]]
) -> None:
    await conn.execute(delete(calendar_days))
    await conn.execute(delete(calendar_years))
    await conn.execute(insert(calendar_days), list(days))
    await conn.execute(insert(calendar_years), list(years))


def add_limits(batch: Batch, rows: Sequence[Mapping[str, Any]]) -> None:
    batch.add(ticket_limits, *rows)


def add_steps(batch: Batch, rows: Sequence[Mapping[str, Any]]) -> None:
    batch.add(steps, *rows)


async def delete_limits(conn: AsyncConnection, ticket_id: int) -> None:
    await conn.execute(delete(ticket_limits).where(ticket_limits.c.ticket_id == ticket_id))


async def due_of(conn: AsyncConnection, ticket_id: int, cycle: int) -> dict[str, tuple[datetime, datetime]]:
    """(limit, original limit) of that cycle, by kind."""
    x = ticket_limits.c
    query = select(x.kind, x.due_at, x.original_due_at).where(x.ticket_id == ticket_id, x.cycle == cycle)
    return {kind: (due, original) for kind, due, original in await conn.execute(query)}


async def move_limit(
    conn: AsyncConnection, key: tuple[int, int, str], row: Mapping[str, Any], *, original: bool
) -> None:
    x = ticket_limits.c
    values = {name: row[name] for name in ("due_at", "rule", "provisional")}
    if original:
        values["original_due_at"] = row["due_at"]
    ticket_id, cycle, kind = key
    await conn.execute(
        update(ticket_limits).where(x.ticket_id == ticket_id, x.cycle == cycle, x.kind == kind).values(values)
    )


async def forget_done(conn: AsyncConnection, ticket_id: int, cycle: int, kinds: Sequence[StepKind]) -> None:
    await conn.execute(delete(steps).where(s.ticket_id == ticket_id, s.cycle == cycle, s.kind.in_(kinds)))


# Built once: they run with every act on a ticket.
_COMING = (s.ticket_id == bindparam("ticket"), s.done_at.is_(None))
_STOP = delete(steps).where(*_COMING)
_ENDED = delete(steps).where(*_COMING, s.kind == any_(bindparam("ended", type_=ARRAY(Text())))).cte("ended")
_GO_ON = (
    update(steps)
    .where(*_COMING, s.kind == StepKind.IDLE)
    .values(due_at=bindparam("idle", type_=Moment))
    .add_cte(_ENDED)
)


async def done_kinds(conn: AsyncConnection, ticket_id: int, cycle: int) -> frozenset[str]:
    """The kinds of the steps that this cycle has had."""
    done = select(s.kind).where(s.ticket_id == ticket_id, s.cycle == cycle, s.done_at.is_not(None))
    return frozenset((await conn.execute(done)).scalars())


async def stop_steps(conn: AsyncConnection, ticket_id: int) -> None:
    """Nothing more is to come of the ticket."""
    await conn.execute(_STOP, {"ticket": ticket_id})


async def end_steps(conn: AsyncConnection, ticket_id: int, ended: Sequence[StepKind], idle_at: datetime) -> None:
    """Those kinds are no longer to come; the wait for an act begins anew."""
    await conn.execute(_GO_ON, {"ticket": ticket_id, "ended": list(ended), "idle": idle_at})


_LIMIT = ("ticket_id", "cycle", "kind", "due_at", "original_due_at", "rule", "provisional")
_STEP = ("ticket_id", "cycle", "kind", "due_at", "done_at", "silent")


async def copy_limits(conn: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    await copy_rows(conn, ticket_limits.name, _LIMIT, ([row[name] for name in _LIMIT] for row in rows))


async def copy_steps(conn: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    await copy_rows(conn, steps.name, _STEP, ([row[name] for name in _STEP] for row in rows))


async def delete_all(conn: AsyncConnection, ticket_ids: Sequence[int]) -> None:
    """Limits and steps of these tickets, done ones too."""
    for table in (steps, ticket_limits):
        await conn.execute(delete(table).where(table.c.ticket_id == any_(literal(list(ticket_ids), ARRAY(Id)))))


@dataclass(frozen=True, slots=True)
class Unplanned:
    """An open ticket of which nothing waits for an act. Its limits, its last act by staff, and the kinds of steps that
    its present cycle has had (`done`) or is to have (`coming`)."""

    id: int
    cycle: int
    received_at: datetime
    accepted: bool
    replied: bool
    accept: datetime | None
    reply: datetime | None
    complete: datetime
    acted_at: datetime | None
    done: frozenset[str]
    coming: frozenset[str]


def _unplanned_statement() -> Select[Any]:
    t, x, e = tickets.c, ticket_limits.c, ticket_events.c
    of_cycle = (s.ticket_id == t.id, s.cycle == t.cycle)

    def due(kind: str) -> ColumnElement[Any]:
        return select(x.due_at).where(x.ticket_id == t.id, x.cycle == 1, x.kind == kind).scalar_subquery()

    def kinds(*conditions: ColumnElement[bool]) -> ColumnElement[Any]:
        return select(func.array_agg(s.kind)).where(*of_cycle, *conditions).scalar_subquery()

    acted = select(func.max(e.at)).where(e.ticket_id == t.id, e.actor_kind == "staff").scalar_subquery()
    waits = select(s.kind).where(*of_cycle, s.kind == StepKind.IDLE).exists()
    return (
        select(t.id, t.cycle, t.received_at, t.accepted_at.is_not(None), t.first_replied_at.is_not(None))
        .add_columns(due("accept"), due("reply"), t.due_at, acted)
        .add_columns(kinds(s.done_at.is_not(None)), kinds(s.done_at.is_(None)))
        .where(is_open, not_(waits))
        .order_by(t.id)
        .limit(_AT_ONCE)
        .with_for_update(of=tickets, skip_locked=True)
    )


_AT_ONCE = 500
_UNPLANNED = _unplanned_statement()


async def unplanned(conn: AsyncConnection) -> list[Unplanned]:
    """Some of them, held until the transaction ends; none that somebody else holds."""
    facts = [field.name for field in fields(Unplanned)]
    found = []
    for row in await conn.execute(_UNPLANNED):
        given: dict[str, Any] = dict(zip(facts, row, strict=True))
        kinds = {name: frozenset(given[name] or ()) for name in ("done", "coming")}
        found.append(Unplanned(**given | kinds))
    return found


@dataclass(frozen=True, slots=True)
class Unarchived:
    """A completed ticket for which no moment is set at which it is archived."""

    id: int
    cycle: int
    completed_at: datetime


async def unarchived(conn: AsyncConnection) -> list[Unarchived]:
    """Some of them, held until the transaction ends; none that somebody else holds."""
    t = tickets.c
    planned = select(s.kind).where(s.ticket_id == t.id, s.cycle == t.cycle, s.kind == StepKind.ARCHIVE).exists()
    query = select(t.id, t.cycle, t.completed_at).where(is_completed, not_(planned)).order_by(t.id).limit(_AT_ONCE)
    held = query.with_for_update(of=tickets, skip_locked=True)
    return [Unarchived(one, cycle, at) for one, cycle, at in await conn.execute(held) if at is not None]
