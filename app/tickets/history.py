"""Brings in tickets from another system, whole: rows, limits, trail, counters, and the steps still to come.

All of it in the caller's transaction, by COPY: as fast as the tables take it (domain.md, 7).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.audit.trails import BEGIN, Trails
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

_LOT = 5_000
"""Tickets whose trails are held in memory at a time."""


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
    for first in range(0, len(bound), _LOT):
        lot, trails = bound[first : first + _LOT], Trails()
        heads = [trails.tell(BEGIN, rows.told(one, rows.entries(one.past))) for one in lot]
        begun = [rows.columns(one) | rows.begun(work, atlas, one, citizens) for one in lot]
        await history.copy_tickets(conn, (row | {"chain_head": head} for row, head in zip(begun, heads, strict=True)))
        await trails.write(conn)
    await history.copy_assignments(conn, (rows.assignment(one) for one in bound))
    await _clocks(work, bound)
    await history.copy_ratings(conn, rows.ratings(bound))
    await history.copy_imported(conn, ((o.past.external_id, o.id, o.past.digest, rows.version(o)) for o in bound))
    await counting.count_new(conn, ids)


async def _update(work: Work, atlas: Atlas, changed: Sequence[tuple[Past, Known]]) -> None:
    """History that has gone on, or was corrected, at its source before anybody did anything to it here."""
    if not changed:
        return
    conn, ids = work.conn, [known.ticket_id for _, known in changed]
    await counting.count_new(conn, ids, sign=-1)
    there, trails = await history.trails(conn, ids), Trails()
    bound = [_bound_again(past, known) for past, known in changed]
    kept = [rows.assignment(one) | {"since": work.now} for one in bound if one.past.life.status in OPEN]
    await history.replace_beside(conn, ids, kept, work.now)
    await limits.delete_all(conn, ids)
    people = await _people_again(work, changed)
    fresh, remembered = [], []
    for one, (past, known) in zip(bound, changed, strict=True):
        events = _gone_on(past, there[one.id]) or [(Action.IMPORT, work.now, known.status, past.life.status, "")]
        version = known.version + len(events)
        again = trails.retell(one.id, _texts_again(past, there[one.id]))
        head = trails.tell(known.chain_head, rows.told(one, events, again))
        moved = {"id": one.id, "version": version, "chain_head": head, "citizen_id": people[one.id]}
        fresh.append(rows.columns(one) | moved)
        kept_of_it = {"external_id": past.external_id, "ticket_id": one.id, "digest": past.digest}
        remembered.append(kept_of_it | {"version": version})
    await history.change_all(conn, fresh)
    await rosters.forget_citizens(conn, [known.citizen_id for _, known in changed if known.citizen_id is not None])
    await trails.write(conn)
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


def _texts_again(past: Past, trail: Sequence[tuple[str, datetime]]) -> list[tuple[int, str]]:
    """(event, text) of the events that are there, as the row tells it now: texts stand beside the trail."""
    said = {action: text for action, _, _, _, text in rows.entries(past) if text}
    return [(seq, said[action]) for seq, (action, _) in enumerate(trail, 1) if action in said]


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


async def _clocks(work: Work, bound: Sequence[Bound]) -> None:
    await limits.copy_limits(work.conn, (row for one in bound for row in rows.limits(one)))
    await limits.copy_steps(work.conn, (row for one in bound for row in rows.steps(work, one)))
