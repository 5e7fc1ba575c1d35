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
from app.domain.errors import Conflict, Forbidden, Missing
from app.domain.lifecycle import Decision, decide
from app.domain.limits import DEFAULT, Limit, reopened
from app.domain.notices import Notice
from app.domain.policy import Capacity
from app.domain.routing import Candidate
from app.domain.steps import Live
from app.domain.ticket import Form
from app.domain.vocabulary import Action, Role, Via
from app.limits import service as ticket_limits
from app.notifications import service as notifications
from app.notifications.service import Letter
from app.people import queries as people
from app.routing import service as router
from app.routing.service import Routed
from app.tickets import service
from app.tickets.counted import count_change
from app.tickets.opening import assignment
from app.tickets.queries import changing
from app.tickets.queries.changing import Stored
from app.tickets.service import Held


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
    row = await changing.lock_by_code(work.conn, code)
    if row is None or (number is not None and row.number != number):
        if number is not None and not await changing.published(work.conn, number):
            raise Missing("ticket.unknown", "没有这个事项编号，请核对后再试")
        raise Forbidden("rating.code", "评价码不对，或已失效，请核对后再试")
    found = await service.held(work, atlas, row)
    # The code stands for the citizen: it is handed to nobody else.
    return await _rate(work, atlas, replace(found, capacities=frozenset({Capacity.CITIZEN})), form, Via.CODE)


async def _rate(work: Work, atlas: Atlas, found: Held, form: Form, via: Via) -> Rated:
    ticket, row = found.ticket, found.row
    if form.get("version") not in (None, ticket.version):
        raise Conflict("ticket.stale", "事项已被他人更新，请刷新后再试", state=ticket.status, version=ticket.version)
    decision = decide(ticket, Action.RATE, found.capacities, form, work.now)
    if decision.repeats:
        return await _comment_again(work, found, decision)
    cycle = ticket.cycle
    rating = {"ticket_id": ticket.id, "cycle": cycle, "via": via, "at": work.now}
    rating |= {"score": form["score"], "comment": form.get("comment"), "solved": form.get("solved")}
    batch = Batch()
    changing.add_rating(batch, rating)
    changes = dict(decision.changes) | {"rating_via": via, "version": ticket.version + 1}
    event = Event(ticket.version + 1, Action.RATE, ticket.status, ticket.status, role="citizen", text=decision.text)
    await changing.change(work.conn, ticket.id, changes)
    audit.record(work, batch, ticket.id, [replace(event, detail={"score": str(form["score"]), "cycle": cycle})])
    rated = count_change(batch, atlas, row, changes)
    limit = await _reopen(work, batch, atlas, replace(found, row=rated)) if decision.reopens else None
    await batch.write(work.conn)
    return Rated(ticket.id, row.number, row.node, limit, not row.confidential)


async def _comment_again(work: Work, found: Held, decision: Decision) -> Rated:
    """The same score again: the comment is replaced where one came, and nothing else happens."""
    ticket, row = found.ticket, found.row
    if decision.changes:
        version = ticket.version + 1
        await changing.change(work.conn, ticket.id, dict(decision.changes) | {"version": version})
        event = Event(version, Action.RATE, ticket.status, ticket.status, role="citizen", text=decision.text)
        batch = Batch()
        audit.record(work, batch, ticket.id, [event])
        await batch.write(work.conn)
    return Rated(ticket.id, row.number, row.node, None, not row.confidential)


async def _reopen(work: Work, batch: Batch, atlas: Atlas, found: Held) -> Limit:
    """Cycle + 1, half the category's limit, the same node and person where still in office, the parent on notice."""
    row = found.row
    ticket = replace(found.ticket, version=found.ticket.version + 1)
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
    await changing.change(work.conn, ticket.id, changes)
    count_change(batch, atlas, row, changes)
    ticket_limits.set_cycle(batch, ticket.id, ticket.cycle + 1, limit)
    live = Live(accept=None, reply=None, complete=limit.due_at, idle_since=work.now)
    ticket_limits.plan_steps(work, batch, ticket.id, ticket.cycle + 1, live, days)
    changing.add_assignment(batch, assignment(ticket.id, routed, "reopened", work.now))
    detail = {"cycle": ticket.cycle + 1}
    event = Event(ticket.version + 1, Action.REOPEN, ticket.status, decision.status, role="system", detail=detail)
    audit.record(work, batch, ticket.id, [event])
    notifications.enqueue(work, batch, ticket.id, await _letters(work, atlas, row, decision, event.seq, person_id))
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


async def _letters(
    work: Work, atlas: Atlas, row: Stored, decision: Decision, seq: int, person_id: int | None
) -> list[Letter]:
    letters = []
    for notice in decision.notices:
        if notice.audience == "citizen" and row.account_id is not None and row.citizen_id is not None:
            letters.append(Letter(notice, seq, citizen_id=row.citizen_id))
        elif notice.audience == "staff" and person_id is not None:
            letters.append(Letter(notice, seq, staff_id=person_id))
        elif notice.audience == "parent":
            letters += await _parents(work, atlas, row, notice, seq)
    return letters


async def _parents(work: Work, atlas: Atlas, row: Stored, notice: Notice, seq: int) -> list[Letter]:
    """The administrators of the node above, or of the nearest one above it that has any; of none for a confidential."""
    parent = atlas.county.parent_of(row.node)
    if row.confidential or parent is None:
        return []
    lineage = atlas.county.division_of(parent).lineage
    held = await people.holders(work.conn, Role.ADMINISTRATOR, lineage, work.now)
    nearest = next((d for d in reversed(lineage) if any(place == d for place, _ in held)), None)
    return [Letter(notice, seq, staff_id=staff) for place, staff in held if place == nearest]
