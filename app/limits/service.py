"""A ticket's limits, and the steps that follow from them, as rows: made, moved and ended with what changes them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from app.base.batch import Batch
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.limits import Limit, Limits
from app.domain.steps import CHAINS, LIFTED, Chain, Live, Step, StepKind, coming, idle_at
from app.domain.workdays import Calendar, Day, calendar_of
from app.limits import queries
from app.limits.seed import published

# By the county's revision, which a changed calendar changes too.
_kept: dict[str, Calendar] = {}


async def calendar(work: Work, atlas: Atlas) -> Calendar:
    """The calendar in force; read once an edition."""
    found = _kept.get(atlas.revision)
    if found is None:
        rows, years = await queries.calendar_rows(work.conn)
        found = calendar_of([Day(day, rest) for day, rest in rows], years)
        _kept.clear()
        _kept[atlas.revision] = found
    return found


async def seed_calendar(work: Work) -> None:
    """Puts the published calendar in where there is none yet."""
    _, years = await queries.calendar_rows(work.conn)
    if years:
        return
    edition = published()
    await queries.replace_calendar(
        work.conn,
        [{"day": row.day, "rest": row.rest} for row in edition.rows],
        [{"year": year, "source": edition.source, "version": edition.version} for year in sorted(edition.years)],
    )


def set_first(batch: Batch, ticket_id: int, found: Limits) -> None:
    """The limits of a new ticket, written with the batch."""
    kinds = {"accept": found.accept, "reply": found.reply, "complete": found.complete}
    queries.add_limits(batch, [_row(ticket_id, 1, kind, limit) for kind, limit in kinds.items()])


async def reset(work: Work, batch: Batch, ticket_id: int, found: Limits) -> None:
    """Limits reckoned anew after a correction: these are the original ones now (domain.md, 2, Acceptance)."""
    await queries.delete_limits(work.conn, ticket_id)
    set_first(batch, ticket_id, found)


def set_cycle(batch: Batch, ticket_id: int, cycle: int, limit: Limit) -> None:
    """The fresh completion limit of a reopened ticket, written with the batch."""
    queries.add_limits(batch, [_row(ticket_id, cycle, "complete", limit)])


def plan_steps(work: Work, batch: Batch, ticket_id: int, cycle: int, live: Live, days: Calendar) -> None:
    """The next step of each chain that runs, written with the batch; of this cycle there must be no step yet."""
    queries.add_steps(batch, [_step(ticket_id, cycle, step) for step in coming(live, work.now, days)])


async def plan_anew(work: Work, batch: Batch, ticket_id: int, cycle: int, live: Live, days: Calendar) -> None:
    """The limits were reckoned anew: what was to come goes, what was done stays done, the rest is planned."""
    await queries.stop_steps(work.conn, ticket_id)
    done = await queries.done_kinds(work.conn, ticket_id, cycle)
    queries.add_steps(batch, [_step(ticket_id, cycle, step) for step in coming(live, work.now, days, done)])


def plan_archive(batch: Batch, ticket_id: int, cycle: int, at: datetime) -> None:
    """The one step of a completed ticket, written with the batch: nobody can rate it from then on."""
    queries.add_steps(batch, [_step(ticket_id, cycle, Step(StepKind.ARCHIVE, at))])


async def move(work: Work, ticket_id: int, cycle: int, kind: str, limit: Limit, *, original: bool) -> None:
    """That limit is another now; `original`: as if it had been so from the first."""
    await queries.move_limit(
        work.conn, (ticket_id, cycle, kind), _row(ticket_id, cycle, kind, limit), original=original
    )


async def lift(work: Work, ticket_id: int, cycle: int) -> None:
    """An extension was approved: what has happened because the limit passed may happen again."""
    await queries.forget_done(work.conn, ticket_id, cycle, sorted(LIFTED))


async def first_limits(work: Work, ticket_id: int) -> tuple[datetime | None, datetime | None]:
    """Until when the ticket had to be accepted and answered."""
    found = await queries.due_of(work.conn, ticket_id, 1)
    return found.get("accept", (None, None))[0], found.get("reply", (None, None))[0]


async def completion_limit(work: Work, ticket_id: int, cycle: int) -> tuple[datetime, datetime]:
    """(limit, original limit) of completing it in that cycle."""
    return (await queries.due_of(work.conn, ticket_id, cycle))["complete"]


async def end_steps(work: Work, ticket_id: int, ended: Iterable[Chain], days: Calendar) -> None:
    """What these chains had to come is done; the wait for an act begins anew (somebody has just acted)."""
    kinds = [kind for chain in ended for kind in CHAINS[chain]]
    await queries.end_steps(work.conn, ticket_id, kinds, idle_at(work.now, days))


async def stop_steps(work: Work, ticket_id: int) -> None:
    """The ticket is no longer open, or is to be planned anew: nothing is to come."""
    await queries.stop_steps(work.conn, ticket_id)


def _step(ticket_id: int, cycle: int, step: Step) -> dict[str, Any]:
    return {"ticket_id": ticket_id, "cycle": cycle, "kind": step.kind, "due_at": step.due_at, "silent": False}


def _row(ticket_id: int, cycle: int, kind: str, limit: Limit) -> dict[str, Any]:
    return {
        "ticket_id": ticket_id,
        "cycle": cycle,
        "kind": kind,
        "due_at": limit.due_at,
        "original_due_at": limit.due_at,
        "rule": limit.rule,
        "provisional": limit.provisional,
    }
