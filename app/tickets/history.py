"""Brings in tickets from another system, whole: rows, limits, trail, counters, and the steps still to come.

All of it in the caller's transaction, by COPY: as fast as the tables take it (domain.md, 7).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.audit import queries as audit
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.vocabulary import OPEN, Action
from app.limits import queries as limits
from app.people.queries import rosters
from app.rates.queries import counting
from app.tickets import pasts as rows
from app.tickets.pasts import Bound, Citizen, Entry, Past
from app.tickets.queries import history
from app.tickets.queries.history import Known

__all__ = ["Brought", "Past", "bring"]


@dataclass(frozen=True, slots=True)
class Brought:
    """How many were new, changed, or left as they were; of the last, `acted_on` because something was done here."""

    created: int
    updated: int
    unchanged: int
    acted_on: tuple[str, ...]


async def bring(work: Work, atlas: Atlas, pasts: Sequence[Past]) -> Brought:
    """Writes them in the caller's transaction: new ones whole; changed ones, unless they were acted on here."""
    before = await history.known(work.conn, [past.external_id for past in pasts])
    new = [past for past in pasts if past.external_id not in before]
    again = [(past, before[past.external_id]) for past in pasts if past.external_id in before]
    unlike = [(past, known) for past, known in again if past.digest != known.digest]
    changed = [(past, known) for past, known in unlike if not known.acted_on]
    await _create(work, atlas, new)
    await _update(work, atlas, changed)
    acted_on = tuple(past.external_id for past, known in unlike if known.acted_on)
    return Brought(len(new), len(changed), len(again) - len(changed), acted_on)


async def _create(work: Work, atlas: Atlas, pasts: Sequence[Past]) -> None:
    if not pasts:
        return
    conn = work.conn
    citizens = await _citizens(work, pasts)
    ids = await history.new_ids(conn, len(pasts))
    bound = [Bound(past, ticket_id) for past, ticket_id in zip(pasts, ids, strict=True)]
    begun = (rows.columns(one) | rows.begun(work, atlas, one, citizens) for one in bound)
    await history.copy_tickets(conn, begun)
    await history.copy_assignments(conn, (rows.assignment(one) for one in bound))
    await _beside(work, bound)
    await history.copy_imported(conn, ((o.past.external_id, o.id, o.past.digest, rows.version(o)) for o in bound))
    await counting.count_new(conn, ids)


async def _update(work: Work, atlas: Atlas, changed: Sequence[tuple[Past, Known]]) -> None:
    """History that has gone on, or was corrected, at its source before anybody did anything to it here."""
    if not changed:
        return
    conn, ids = work.conn, [known.ticket_id for _, known in changed]
    await counting.count_new(conn, ids, sign=-1)
    trails = await history.trails(conn, ids)
    bound = [Bound(past, known.ticket_id, known.version + 1) for past, known in changed]
    kept = [rows.assignment(one) | {"since": work.now} for one in bound if one.past.life.status in OPEN]
    await history.replace_beside(conn, ids, kept, work.now)
    await limits.delete_all(conn, ids)
    told, remembered = [], []
    for one, (past, known) in zip(bound, changed, strict=True):
        events = _gone_on(past, trails[one.id]) or [(Action.IMPORT, work.now, known.status, past.life.status, "")]
        version = known.version + len(events)
        await history.change(conn, one.id, rows.columns(one) | {"version": version})
        told.append((one, events))
        kept_of_it = {"external_id": past.external_id, "ticket_id": one.id, "digest": past.digest}
        remembered.append(kept_of_it | {"version": version})
    await _trail(work, told)
    await _clocks(work, bound)
    await history.copy_ratings(conn, rows.ratings(bound))
    await history.remember(conn, remembered)
    await counting.count_new(conn, ids)


def _gone_on(past: Past, trail: Sequence[tuple[str, datetime]]) -> list[Entry]:
    """The events behind those that are there; none where those are not the beginning of the life as it is told now."""
    told = rows.entries(past)
    there = len(trail)
    same = [(action, at) for action, at, *_ in told[:there]] == [(action, at) for action, at in trail]
    return told[there:] if same else []


async def _citizens(work: Work, pasts: Sequence[Past]) -> Mapping[Citizen, int]:
    """One citizen for each name and phone of the file."""
    people = list(dict.fromkeys(past.citizen for past in pasts if past.citizen is not None))
    ids = await rosters.copy_citizens(work.conn, people, work.now)
    return dict(zip(people, ids, strict=True))


async def _beside(work: Work, bound: Sequence[Bound]) -> None:
    await _clocks(work, bound)
    await _trail(work, [(one, rows.entries(one.past)) for one in bound])
    await history.copy_ratings(work.conn, rows.ratings(bound))


async def _clocks(work: Work, bound: Sequence[Bound]) -> None:
    await limits.copy_limits(work.conn, (row for one in bound for row in rows.limits(one)))
    await limits.copy_steps(work.conn, (row for one in bound for row in rows.steps(work, one)))


async def _trail(work: Work, told: Sequence[tuple[Bound, Sequence[Entry]]]) -> None:
    numbered = [(one, seq, event) for one, events in told for seq, event in enumerate(events, one.first_seq)]
    await audit.copy_events(work.conn, (rows.event(one, seq, event) for one, seq, event in numbered))
    # What was said is shown as the category says; a confidential one's never.
    texts = ((one.id, seq, event[4], rows.is_public(one, event[0])) for one, seq, event in numbered if event[4])
    await audit.copy_texts(work.conn, texts)
