"""Acting on a ticket: lock, decide, apply, in one function that reads like the list it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.audit import service as audit
from app.audit.service import Event
from app.base.batch import Batch
from app.base.work import Work
from app.divisions import service as divisions
from app.divisions.service import Atlas
from app.domain import policy
from app.domain.errors import Conflict, Forbidden, Missing
from app.domain.lifecycle import TABLE, Decision, decide
from app.domain.notices import Notice
from app.domain.policy import Capacity
from app.domain.ticket import Form, Primary, Ticket
from app.domain.vocabulary import OPEN, Action, Kind, Role, Status
from app.files import service as files
from app.limits import service as ticket_limits
from app.notifications import service as notifications
from app.notifications.service import Letter
from app.tickets import clocks, codes, following, letters, moves
from app.tickets.counted import count_change
from app.tickets.moves import Move
from app.tickets.opening import assignment, event_detail
from app.tickets.queries import changing
from app.tickets.queries.changing import Locked, Stored

_BY_PERSON = frozenset({Action.START, Action.VISIT, Action.REPLY, Action.COMPLETE})
_OF_THE_TRAIL: Mapping[Action, tuple[str, ...]] = {
    Action.DECLINE: ("reason", "sub_reason"),
    Action.WAIT: ("reason", "look_again_on"),
    Action.REQUEST_EXTENSION: ("days",),
    Action.DECIDE_EXTENSION: ("approve",),
    Action.DECIDE_UNREASONABLE: ("approve",),
}
"""What of a form goes into the trail: code words, days, yes or no; never what a person wrote."""


@dataclass(frozen=True, slots=True)
class Held:
    """A ticket that is locked for the rest of the transaction, and in what capacities the actor stands before it.

    `primary`: the row that a merged one follows, locked as well.
    """

    row: Stored
    ticket: Ticket
    capacities: frozenset[Capacity]
    primary: Stored | None = None


async def hold(work: Work, atlas: Atlas, number: str) -> Held:
    """Locks the ticket for the actor. Raises Missing where there is none, or none that they may know of."""
    found = await changing.lock(work.conn, number, policy.sight(work.actor, atlas.county))
    if found is None:
        raise Missing("ticket.unknown", "没有这个事项编号，请核对后再试")
    return await held(work, atlas, found)


async def held(work: Work, atlas: Atlas, found: Locked, *, acted: bool = True) -> Held:
    """The locked row with the actor's capacities before it; `acted`: whether they have ever acted on it."""
    row, over = found.row, found.primary
    rated = await changing.last_rating_cycle(work.conn, row.id) if row.score else None
    primary = None if over is None else Primary(Status(over.status), over.cycle)
    ticket = changing.as_ticket(row, atlas.county, rated, primary, acted=acted)
    return Held(row, ticket, policy.capacities(work.actor, ticket.standing, atlas.county), over)


def must_be_current(found: Held, action: Action, form: Form) -> None:
    """Raises Conflict where the form names another version than the present; not to whoever may not act at all."""
    ticket = found.ticket
    may = not found.capacities.isdisjoint(TABLE[action].who)
    if may and form.get("version") not in (None, ticket.version):
        raise Conflict("ticket.stale", "事项已被他人更新，请刷新后再试", state=ticket.status, version=ticket.version)


async def act(work: Work, atlas: Atlas, number: str, action: Action, form: Form) -> int:
    """Does `action` and all that follows from it, inside the caller's transaction; returns the ticket's id.

    Merging and unmerging are in `merging`, ratings in `rating`. Raises Missing, Forbidden, Conflict, Invalid; then
    nothing has changed.
    """
    found = await hold(work, atlas, number)
    must_be_current(found, action, form)
    if found.primary is None:
        await _act(work, atlas, found, action, form)
        return found.ticket.id
    # What is said to a merged ticket goes to its primary.
    decision = decide(found.ticket, action, found.capacities, form, work.now)
    if decision.status is Status.MERGED and action is Action.REPLY:
        over = await held(work, atlas, Locked(found.primary))
        await _act(work, atlas, over, action, {name: value for name, value in form.items() if name != "version"})
    else:
        await _act(work, atlas, found, action, form)
    return found.ticket.id


async def _act(work: Work, atlas: Atlas, found: Held, action: Action, form: Form) -> None:
    row, ticket = found.row, found.ticket
    ids: Sequence[str] = form.get("files") or ()  # type: ignore[assignment]  # of the bodies' shape
    form = {**moves.without_what_is_so(atlas, row, form), "photos": await files.photos(work, ids)}
    decision = decide(ticket, action, found.capacities, form, work.now)
    claimed = await files.claim(work, ids)
    days = await ticket_limits.calendar(work, atlas)
    move = await moves.resolve(work, atlas, row, decision, form, days)
    event = _event(work, atlas, found, decision, form, move)
    batch = Batch()
    changes = _changes(work, atlas, found, decision, form) | _moved(move)
    changes |= {"version": event.seq, "status": decision.status}
    changes["chain_head"] = audit.record(work, batch, ticket.id, [event], row.chain_head)
    changes |= await clocks.after(work, batch, atlas, row, decision, move, changes, days)
    await changing.change(work.conn, ticket.id, changes)
    await _assign(work, batch, row, decision, move, changes)
    if action is Action.VISIT:
        changing.add_visit(batch, _visit(work, ticket, form))
    files.link(batch, ticket.id, event.seq, claimed)
    notices = [*decision.notices, *_besides(decision, form, changes)]
    told = await letters.addressed(work, atlas, row, notices, event.seq, changes.get("person_id", row.person_id))
    notifications.enqueue(work, batch, ticket.id, _not_to_oneself(work, row, told, move))
    after = count_change(batch, atlas, row, changes)
    if row.copies:
        await following.follow(work, batch, atlas, after, event, decision.notices)
    await batch.write(work.conn)


async def _assign(
    work: Work, batch: Batch, row: Stored, decision: Decision, move: Move | None, changes: Mapping[str, Any]
) -> None:
    """Exactly one open assignment of an open ticket, none of others."""
    if move is not None or (decision.status not in OPEN and row.status in OPEN):
        await changing.end_assignment(work.conn, row.id, work.now)
    if move is not None:
        changing.add_assignment(batch, assignment(row.id, move.routed, decision.action, work.now))
    elif "person_id" in changes:
        await changing.name_person(work.conn, row.id, changes["person_id"])


def _changes(work: Work, atlas: Atlas, found: Held, decision: Decision, form: Form) -> dict[str, Any]:
    changes = dict(decision.changes)
    row = found.row
    match decision.action:
        case Action.START if row.person_id is None:
            changes["person_id"] = work.actor.id
        case Action.COMPLETE if row.account_id is None or row.citizen_id is None:
            # Nobody is known in WeChat who could rate it there.
            changes["rating_code"] = codes.new()
        case Action.ACCEPT | Action.DISPATCH if form.get("category") is not None:
            changes |= _category(atlas, str(form["category"]))
        case Action.DECLINE if row.copies:
            # They are declined with it, and stand for themselves again.
            changes["copies"] = 0
        case Action.REQUEST_EXTENSION:
            changes["extension_asker_id"] = work.actor.id
        case Action.PROPOSE_UNREASONABLE:
            changes["unreasonable_asker_id"] = work.actor.id
        case _:
            pass
    if form.get("kind") is not None:
        changes["kind"] = form["kind"]
    return changes


def _category(atlas: Atlas, code: str) -> dict[str, Any]:
    category = divisions.category(atlas.county, code)
    return {
        "category_id": category.id,
        "category_suggested": False,
        "kind": category.kind_hint or Kind.CONSULTATION,
    }


def _moved(move: Move | None) -> dict[str, Any]:
    """What a move changes on the ticket."""
    if move is None:
        return {}
    routed = move.routed
    return {
        "division_id": routed.division_id,
        "responsible_division_id": routed.node.division_id,
        "responsible_unit_id": routed.node.unit_id,
        "person_id": routed.person.staff_id if routed.person else None,
        "routing_reason": routed.reason,
        "confidential": move.confidential,
        **move.also,
    }


def _event(work: Work, atlas: Atlas, found: Held, decision: Decision, form: Form, move: Move | None) -> Event:
    detail: dict[str, object] = event_detail(move.routed) if move is not None else {}
    detail |= {name: form[name] for name in _OF_THE_TRAIL.get(decision.action, ()) if form.get(name) is not None}
    if form.get("explained"):
        detail["explained"] = True
    if found.row.person_id is not None and Capacity.ASSIGNED not in found.capacities and decision.action in _BY_PERSON:
        # 代办: done in another's place.
        detail["on_behalf_of"] = found.row.person_id
    return Event(
        seq=found.ticket.version + 1,
        action=decision.action,
        before=found.ticket.status,
        after=decision.status,
        role=role_before(work, atlas, found),
        detail={name: value.isoformat() if isinstance(value, date) else value for name, value in detail.items()},
        text=decision.text,
        public=False if found.row.confidential else decision.public,
    )


def _besides(decision: Decision, form: Form, changes: Mapping[str, Any]) -> list[Notice]:
    """Notices that depend on what was decided."""
    match decision.action:
        case Action.DECIDE_EXTENSION if form["approve"]:
            return [Notice.CITIZEN_EXTENDED]
        case Action.DECIDE_UNREASONABLE if form["approve"]:
            return [Notice.CITIZEN_UNREASONABLE]
        case Action.RETURN if changes["returns"] > moves.MOST_RETURNS:
            return [Notice.INSPECTOR_RETURNED]
        case Action.ACCEPT if "person_id" in changes:
            return [Notice.STAFF_ASSIGNED]
    return []


def _not_to_oneself(work: Work, row: Stored, told: Sequence[Letter], move: Move | None) -> list[Letter]:
    """Who had it before and has it still is not told that it is theirs."""
    same = move is not None and move.routed.person is not None and move.routed.person.staff_id == row.person_id
    return [letter for letter in told if not (same and letter.notice is Notice.STAFF_ASSIGNED)]


def role_before(work: Work, atlas: Atlas, found: Held) -> str | None:
    """The role in which the actor stands before the ticket, for the trail and the timeline."""
    roles = work.actor.roles
    if Capacity.CITIZEN in found.capacities:
        return "citizen"
    preferred: tuple[Role, ...] = (Role.COURIER, Role.HANDLER, Role.ADMINISTRATOR, Role.INSPECTOR)
    if found.capacities.isdisjoint({Capacity.ASSIGNED, Capacity.COLLEAGUE}):
        preferred = (Role.ADMINISTRATOR, Role.INSPECTOR, Role.COURIER, Role.HANDLER)
    return next((role for role in (*preferred, *sorted(roles)) if role in roles), None)


def _visit(work: Work, ticket: Ticket, form: Form) -> dict[str, Any]:
    point = form.get("location")
    place: Mapping[str, Any] = point if isinstance(point, Mapping) else {}
    at = form.get("at")
    return {
        "ticket_id": ticket.id,
        "household_id": form.get("household_id"),
        "staff_id": work.actor.id,
        "cycle": ticket.cycle,
        "at": at if isinstance(at, datetime) else work.now,
        "seen": form["seen"],
        "lat": place.get("lat"),
        "lon": place.get("lon"),
        "datum": place.get("datum"),
    }


def must_be_staff(work: Work) -> int:
    """The actor's id as a member of staff. Raises Forbidden for anybody else."""
    if work.actor.kind is not policy.ActorKind.STAFF or work.actor.id is None:
        raise Forbidden("staff.only", "只有工作人员可以这样做")
    return work.actor.id
