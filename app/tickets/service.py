"""Acting on a ticket: lock, decide, apply, in one function that reads like the list it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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
from app.domain.limits import DEFAULT, limits
from app.domain.notices import Notice
from app.domain.policy import Capacity
from app.domain.steps import Chain, Live
from app.domain.ticket import Form, Ticket
from app.domain.vocabulary import OPEN, Action, Kind, Role
from app.limits import service as ticket_limits
from app.notifications import service as notifications
from app.notifications.service import Letter
from app.tickets import codes, moves
from app.tickets.counted import count_change
from app.tickets.opening import assignment, event_detail
from app.tickets.queries import changing
from app.tickets.queries.changing import Stored

_BY_PERSON = frozenset({Action.START, Action.VISIT, Action.REPLY, Action.COMPLETE})


@dataclass(frozen=True, slots=True)
class Held:
    """A ticket that is locked for the rest of the transaction, and in what capacities the actor stands before it."""

    row: Stored
    ticket: Ticket
    capacities: frozenset[Capacity]


async def hold(work: Work, atlas: Atlas, number: str) -> Held:
    """Locks the ticket for the actor. Raises Missing where there is none, or none that they may know of."""
    row = await changing.lock(work.conn, number, policy.sight(work.actor, atlas.county))
    if row is None:
        raise Missing("ticket.unknown", "没有这个事项编号，请核对后再试")
    return await held(work, atlas, row)


async def held(work: Work, atlas: Atlas, row: Stored) -> Held:
    """The locked row with the actor's capacities before it."""
    rated = await changing.last_rating_cycle(work.conn, row.id) if row.score else None
    ticket = changing.as_ticket(row, rated)
    return Held(row, ticket, policy.capacities(work.actor, ticket.standing, atlas.county))


async def act(work: Work, atlas: Atlas, number: str, action: Action, form: Form) -> int:
    """Does `action` and all that follows from it, inside the caller's transaction; returns the ticket's id.

    Raises Missing, Forbidden, Conflict, Invalid; then nothing has changed.
    """
    found = await hold(work, atlas, number)
    ticket = found.ticket
    may = not found.capacities.isdisjoint(TABLE[action].who)
    if may and form.get("version") not in (None, ticket.version):
        raise Conflict("ticket.stale", "事项已被他人更新，请刷新后再试", state=ticket.status, version=ticket.version)
    form = moves.without_what_is_so(atlas, found.row, form)
    decision = decide(ticket, action, found.capacities, form, work.now)
    move = await moves.resolve(work, atlas, found.row, decision, form)
    event = _event(work, atlas, found, decision, move)
    batch = Batch()
    changes = _changes(work, atlas, found, decision, form) | _moved(move)
    changes |= {"version": event.seq, "status": decision.status}
    changes |= await _clocks(work, batch, atlas, found.row, decision, move, changes)
    await changing.change(work.conn, ticket.id, changes)
    if move is not None or decision.status not in OPEN:
        await changing.end_assignment(work.conn, ticket.id, work.now)
    if move is not None:
        changing.add_assignment(batch, assignment(ticket.id, move.routed, action, work.now))
    elif "person_id" in changes:
        await changing.name_person(work.conn, ticket.id, changes["person_id"])
    if action is Action.VISIT:
        changing.add_visit(batch, _visit(work, ticket, form))
    audit.record(work, batch, ticket.id, [event])
    notifications.enqueue(work, batch, ticket.id, _letters(found.row, decision, event.seq, move))
    count_change(batch, atlas, found.row, changes)
    await batch.write(work.conn)
    return ticket.id


def _changes(work: Work, atlas: Atlas, found: Held, decision: Decision, form: Form) -> dict[str, Any]:
    changes = dict(decision.changes)
    row = found.row
    if decision.action is Action.START and row.person_id is None:
        changes["person_id"] = work.actor.id
    if decision.action is Action.COMPLETE and (row.account_id is None or row.citizen_id is None):
        # Nobody is known in WeChat who could rate it there.
        changes["rating_code"] = codes.new()
    if decision.action in {Action.ACCEPT, Action.DISPATCH} and form.get("category") is not None:
        changes |= _category(atlas, str(form["category"]))
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


def _moved(move: moves.Move | None) -> dict[str, Any]:
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
    }


async def _clocks(  # noqa: PLR0913 - what is decided, and what it changes
    work: Work,
    batch: Batch,
    atlas: Atlas,
    row: Stored,
    decision: Decision,
    move: moves.Move | None,
    changes: Mapping[str, Any],
) -> dict[str, Any]:
    """Limits and steps after an act; where place or category were corrected, they are reckoned anew from receipt."""
    if decision.status not in OPEN:
        await ticket_limits.stop_steps(work, row.id)
        return {}
    days = await ticket_limits.calendar(work, atlas)
    accepted = changes.get("accepted_at", row.accepted_at) is not None
    replied = changes.get("first_replied_at", row.first_replied_at) is not None
    if move is None or not decision.reroute:
        ended = [chain for chain, done in ((Chain.ACCEPT, accepted), (Chain.REPLY, replied)) if done]
        await ticket_limits.end_steps(work, row.id, ended, days)
        return {}
    rules = move.category.rules if move.category else DEFAULT
    found = limits(row.received_at, rules, days, urgent=row.urgent)
    due = found.complete.due_at
    live = Live(
        None if accepted else found.accept.due_at, None if replied else found.reply.due_at, due, idle_since=work.now
    )
    await ticket_limits.reset(work, batch, row.id, found)
    await ticket_limits.plan_anew(work, batch, row.id, row.cycle, live, days)
    return {"due_at": due, "original_due_at": due, "corrected": decision.action is Action.DISPATCH}


def _event(work: Work, atlas: Atlas, found: Held, decision: Decision, move: moves.Move | None) -> Event:
    detail: dict[str, object] = event_detail(move.routed) if move is not None else {}
    if found.row.person_id is not None and Capacity.ASSIGNED not in found.capacities and decision.action in _BY_PERSON:
        # 代办: done in another's place.
        detail["on_behalf_of"] = found.row.person_id
    return Event(
        seq=found.ticket.version + 1,
        action=decision.action,
        before=found.ticket.status,
        after=decision.status,
        role=role_before(work, atlas, found),
        detail=detail,
        text=decision.text,
        public=False if found.row.confidential else decision.public,
    )


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


def _letters(row: Stored, decision: Decision, seq: int, move: moves.Move | None) -> Sequence[Letter]:
    letters = []
    for notice in decision.notices:
        # Whoever has not filed in WeChat can't be told there.
        if notice.audience == "citizen" and row.account_id is not None and row.citizen_id is not None:
            letters.append(Letter(notice, seq, citizen_id=row.citizen_id))
    if move is not None and move.routed.person is not None and move.routed.person.staff_id != row.person_id:
        letters.append(Letter(Notice.STAFF_ASSIGNED, seq, staff_id=move.routed.person.staff_id))
    return letters


def must_be_staff(work: Work) -> int:
    """The actor's id as a member of staff. Raises Forbidden for anybody else."""
    if work.actor.kind is not policy.ActorKind.STAFF or work.actor.id is None:
        raise Forbidden("staff.only", "只有工作人员可以这样做")
    return work.actor.id
