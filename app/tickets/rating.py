"""A citizen likes or dislikes; a dislike reopens the ticket with a fresh clock (domain.md, 2, Rating)."""

from dataclasses import dataclass, replace

from app.audit import service as audit
from app.audit.service import Event
from app.base.batch import Batch
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import policy
from app.domain import routing as rules
from app.domain.county import Node
from app.domain.errors import Forbidden, Missing
from app.domain.lifecycle import Decision, decide
from app.domain.limits import DEFAULT, Limit, reopened
from app.domain.notices import Notice
from app.domain.policy import Capacity
from app.domain.routing import Candidate
from app.domain.steps import Live
from app.domain.ticket import Form
from app.domain.vocabulary import Action, Status, Via
from app.limits import service as ticket_limits
from app.notifications import service as notifications
from app.people import queries as people
from app.routing import service as router
from app.routing.service import Routed
from app.tickets import following, letters, service
from app.tickets.counted import count_change
from app.tickets.opening import assignment
from app.tickets.queries import changing
from app.tickets.queries.changing import Locked, Stored
from app.tickets.service import Held

SUPERVISED_FROM = 2
"""Dislikes: from the second on the inspector supervises too (督办)."""


@dataclass(frozen=True, slots=True)
class Rated:
    """What came of a rating. `node`: who is responsible; `reopened`: its fresh limit, where a dislike reopened it.

    `published`: whether the public may know of the ticket (not of a confidential one).
    """

    ticket_id: int
    number: str
    node: Node
    reopened: Limit | None
    published: bool


async def rate_own(work: Work, atlas: Atlas, number: str, form: Form) -> Rated:
    """By the citizen who filed, known to Work. Raises Missing, Conflict."""
    return await _rate(work, atlas, await service.hold(work, atlas, number), form, Via.WECHAT)


async def rate_by_code(work: Work, atlas: Atlas, code: str, form: Form, number: str | None = None) -> Rated:
    """By whoever has the rating code of this completion. Raises Forbidden for a wrong one, Conflict.

    With `number`, the code must be of that ticket.
    """
    found = await changing.lock_by_code(work.conn, code)
    if found is None or (number is not None and found.row.number != number):
        if number is not None and not await changing.published(work.conn, number):
            raise Missing("ticket.unknown", "没有这个事项编号，请核对后再试")
        raise Forbidden("rating.code", "评价码不对，或已失效，请核对后再试")
    held = await service.held(work, atlas, found)
    # The code stands for the citizen: it is handed to nobody else.
    return await _rate(work, atlas, replace(held, capacities=frozenset({Capacity.CITIZEN})), form, Via.CODE)


async def rate_by_callback(work: Work, atlas: Atlas, number: str, form: Form) -> Rated:
    """What the citizen said to somebody outside the handling chain who called. Raises Missing, Forbidden, Conflict."""
    staff_id = service.must_be_staff(work)
    found = await changing.lock(work.conn, number, policy.sight(work.actor, atlas.county))
    if found is None:
        raise Missing("ticket.unknown", "没有这个事项编号，请核对后再试")
    acted = await changing.acted(work.conn, found.row.id, staff_id)
    held = await service.held(work, atlas, found, acted=acted)
    if acted and not held.capacities.isdisjoint({Capacity.INSPECTOR, Capacity.PARENT_ADMINISTRATOR}):
        raise Forbidden("rating.acted", "您办理过此事项，回访要由没有经手的督查员或上级管理员来做")
    return await _rate(work, atlas, held, form, Via.CALLBACK)


async def _rate(work: Work, atlas: Atlas, found: Held, form: Form, via: Via) -> Rated:
    ticket, row = found.ticket, found.row
    service.must_be_current(found, Action.RATE, form)
    decision = decide(ticket, Action.RATE, found.capacities, form, work.now)
    role = service.role_before(work, atlas, found) if via is Via.CALLBACK else "citizen"
    if decision.repeats:
        return await _comment_again(work, found, decision, role)
    over = ticket.primary or ticket
    # Of the last completion: where a dislike has reopened it since, that of the cycle before.
    cycle = over.cycle if over.status is Status.COMPLETED else over.cycle - 1
    rating = {"ticket_id": ticket.id, "cycle": cycle, "via": via, "at": work.now}
    rating |= {"score": form["score"], "comment": form.get("comment"), "solved": form.get("solved")}
    batch = Batch()
    changing.add_rating(batch, rating)
    changes = dict(decision.changes) | {"rating_via": via, "version": ticket.version + 1}
    detail = {"score": str(form["score"]), "cycle": cycle, "via": str(via)}
    event = Event(ticket.version + 1, Action.RATE, ticket.status, ticket.status, role, detail, text=decision.text)
    changes["chain_head"] = audit.record(work, batch, ticket.id, [event], row.chain_head)
    await changing.change(work.conn, ticket.id, changes)
    rated = count_change(batch, atlas, row, changes)
    limit = None
    if decision.reopens:
        over_held = replace(found, row=rated)
        if found.primary is not None:
            over_held = await service.held(work, atlas, Locked(found.primary))
        limit = await _reopen(work, batch, atlas, over_held)
    await batch.write(work.conn)
    return Rated(ticket.id, row.number, row.node, limit, not row.confidential)


async def _comment_again(work: Work, found: Held, decision: Decision, role: str | None) -> Rated:
    """The same score again: the comment is replaced where one came, and nothing else happens."""
    ticket, row = found.ticket, found.row
    if decision.changes:
        version = ticket.version + 1
        event = Event(version, Action.RATE, ticket.status, ticket.status, role=role, text=decision.text)
        batch = Batch()
        head = audit.record(work, batch, ticket.id, [event], row.chain_head)
        changes = dict(decision.changes) | {"version": version, "chain_head": head}
        await changing.change(work.conn, ticket.id, changes)
        await batch.write(work.conn)
    return Rated(ticket.id, row.number, row.node, None, not row.confidential)


async def _reopen(work: Work, batch: Batch, atlas: Atlas, found: Held) -> Limit:
    """Cycle + 1, half the category's limit, the same node and person where still in office, the parent on notice."""
    row = found.row
    # Its own rating, where there was one, has an event already.
    ticket = replace(found.ticket, version=row.version)
    decision = decide(ticket, Action.REOPEN, frozenset({Capacity.CLOCKWORK}), {}, work.now)
    category = atlas.county.category(row.category_id)
    rules_of_it = category.rules if category else DEFAULT
    days = await ticket_limits.calendar(work, atlas)
    limit = reopened(work.now, rules_of_it, days)
    routed = await _still_there(work, atlas, row)
    person_id = routed.person.staff_id if routed.person else None
    changes = dict(decision.changes) | {"status": decision.status, "version": ticket.version + 1}
    changes |= {
        "due_at": limit.due_at,
        "original_due_at": limit.due_at,
        "person_id": person_id,
        "routing_reason": routed.reason,
    }
    detail = {"cycle": ticket.cycle + 1}
    event = Event(ticket.version + 1, Action.REOPEN, ticket.status, decision.status, role="system", detail=detail)
    changes["chain_head"] = audit.record(work, batch, ticket.id, [event], row.chain_head)
    await changing.change(work.conn, ticket.id, changes)
    after = count_change(batch, atlas, row, changes)
    # Nobody archives it now.
    await ticket_limits.stop_steps(work, ticket.id)
    ticket_limits.set_cycle(batch, ticket.id, ticket.cycle + 1, limit)
    live = Live(accept=None, reply=None, complete=limit.due_at, idle_since=work.now)
    ticket_limits.plan_steps(work, batch, ticket.id, ticket.cycle + 1, live, days)
    changing.add_assignment(batch, assignment(ticket.id, routed, "reopened", work.now))
    supervised = (Notice.INSPECTOR_DISLIKED,) if ticket.cycle + 1 > SUPERVISED_FROM else ()
    told = await letters.addressed(work, atlas, row, (*decision.notices, *supervised), event.seq, person_id)
    notifications.enqueue(work, batch, ticket.id, told)
    if row.copies:
        await following.follow(work, batch, atlas, after, event, decision.notices)
    return limit


async def _still_there(work: Work, atlas: Atlas, row: Stored) -> Routed:
    """The same node, and the person who had it if still fit for it; else whom section 3 names now."""
    if row.person_id is not None:
        seats = await people.seats_of(work.conn, row.person_id, work.now)
        if policy.fit(seats, row.node, atlas.county, confidential=row.confidential):
            return Routed(row.division_id, row.node, Candidate(row.person_id, "", "", 0, None), row.routing_reason)
    if row.confidential:
        person, why = await router.inspector_at(work, atlas, row.node, row.about_staff_id)
    else:
        person, why = await router.person_at(work, atlas, rules.seats(atlas.county, row.node))
    return Routed(row.division_id, row.node, person, f"重办：原承办人已不在岗。{why}")
