"""A ticket's limits as rows. When the steps that follow from them come, they are made and moved here too."""

from typing import Any

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.limits import Limit, Limits
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


async def set_first(work: Work, ticket_id: int, found: Limits) -> None:
    """Writes the limits of a new ticket."""
    kinds = {"accept": found.accept, "reply": found.reply, "complete": found.complete}
    await queries.insert_limits(work.conn, [_row(ticket_id, 1, kind, limit) for kind, limit in kinds.items()])


async def reset(work: Work, ticket_id: int, found: Limits) -> None:
    """Limits reckoned anew after a correction: these are the original ones now (domain.md, 2, Acceptance)."""
    await queries.delete_limits(work.conn, ticket_id)
    await set_first(work, ticket_id, found)


async def set_cycle(work: Work, ticket_id: int, cycle: int, limit: Limit) -> None:
    """Writes the fresh completion limit of a reopened ticket."""
    await queries.insert_limits(work.conn, [_row(ticket_id, cycle, "complete", limit)])


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
