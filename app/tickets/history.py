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
    bound = [_bound_again(past, known) for past, known in changed]
    kept = [rows.assignment(one) | {"since": work.now} for one in bound if one.past.life.status in OPEN]
    await history.replace_beside(conn, ids, kept, work.now)
    await limits.delete_all(conn, ids)
    people = await _people_again(work, changed)
    told, fresh, remembered = [], [], []
    for one, (past, known) in zip(bound, changed, strict=True):
        events = _gone_on(past, trails[one.id]) or [(Action.IMPORT, work.now, known.status, past.life.status, "")]
        version = known.version + len(events)
        fresh.append(rows.columns(one) | {"id": one.id, "version": version, "citizen_id": people[one.id]})
        told.append((one, events))
        kept_of_it = {"external_id": past.external_id, "ticket_id": one.id, "digest": past.digest}
        remembered.append(kept_of_it | {"version": version})
    await history.change_all(conn, fresh)
    await rosters.forget_citizens(conn, [known.citizen_id for _, known in changed if known.citizen_id is not None])
    await audit.replace_texts(conn, ids, _texts_again(bound, trails))
    await _trail(work, told)
    await _clocks(work, bound)
    await history.copy_ratings(conn, rows.ratings(bound))
    await history.remember(conn, remembered)
    await counting.count_new(conn, ids)


def _bound_again(past: Past, known: Known) -> Bound:
    same = known.completed_at == past.life.record.completed_at
    return Bound(past, known.ticket_id, known.version + 1, known.rating_code if same else None)


async def _people_again(work: Work, changed: Sequence[tuple[Past, Known]]) -> Mapping[int, int | None]:
    """The citizen of each ticket: the one it has, where the row names the same person still, else a new one."""
    moved = [(past, known) for past, known in changed if past.citizen != _person(known)]
    ids = await _citizens(work, [past for past, _ in moved])
    found = {known.ticket_id: known.citizen_id for _, known in changed}
    return found | {known.ticket_id: ids[past.citizen] if past.citizen else None for past, known in moved}


def _person(known: Known) -> Citizen | None:
    return None if known.citizen_id is None else (known.name, known.phone)


def _texts_again(
    bound: Sequence[Bound], trails: Mapping[int, Sequence[tuple[str, datetime]]]
) -> list[tuple[int, int, str]]:
    """(ticket, event, text) of the events that are there, as the row tells it now: texts are no part of the trail."""
    return [
        (one.id, seq, said[action])
        for one in bound
        for said in [{action: text for action, _, _, _, text in rows.entries(one.past) if text}]
        for seq, (action, _) in enumerate(trails[one.id], 1)
        if action in said
    ]


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
    # Nobody there wrote for everybody's eyes: names and addresses may stand in it.
    texts = ((one.id, seq, event[4], False) for one, seq, event in numbered if event[4])
    await audit.copy_texts(work.conn, texts)
