"""One matter told by many becomes one piece of work (并单), and can be taken apart again (domain.md, 2, Merge)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from app.audit import service as audit
from app.audit.service import Event
from app.base.batch import Batch
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import policy, routing
from app.domain.county import Node
from app.domain.errors import Conflict, Forbidden, Invalid, Missing
from app.domain.lifecycle import Decision, decide
from app.domain.policy import Capacity
from app.domain.routing import Candidate
from app.domain.ticket import Form
from app.domain.vocabulary import OPEN, Action, Status
from app.limits import service as ticket_limits
from app.notifications import service as notifications
from app.people import queries as people
from app.routing import service as router
from app.routing.service import Routed
from app.tickets import clocks, letters, service
from app.tickets.counted import count_change
from app.tickets.following import milestones
from app.tickets.opening import assignment, event_detail
from app.tickets.queries import changing
from app.tickets.queries.changing import Locked, Stored
from app.tickets.service import Held

_GIVEN_BACK = (
    "accepted_at", "accepted_automatically", "first_replied_at",
    "responsible_division_id", "responsible_unit_id", "person_id",
)  # fmt: skip
"""What an unmerging gives back, beside the state."""


async def merge(work: Work, atlas: Atlas, number: str, form: Form) -> int:
    """Merges the ticket into the open one of number `into`; returns its id. Both are locked, in the order of ids.

    Raises Missing, Forbidden (not an administrator over both), Conflict, Invalid.
    """
    into_number = str(form.get("into") or "")
    found, into = await _both(work, atlas, number, into_number)
    service.must_be_current(found, Action.MERGE, form)
    decision = decide(found.ticket, Action.MERGE, found.capacities, form, work.now)
    if into_number == number:
        raise Invalid.field("merge.itself", "/into", "不能并入事项自己，请填另一件事项的编号")
    if into is None:
        raise Invalid.field("merge.unknown", "/into", "没有这个事项编号，请核对要并入的事项")
    if Capacity.ADMINISTRATOR not in into.capacities:
        raise Forbidden("merge.outside", "只有两件事项都归您管理时才能并单")
    if into.row.status not in OPEN or into.row.confidential:
        raise Conflict(
            "merge.into_closed",
            f"要并入的事项现在是“{Status(into.row.status).label}”，只能并入正在办理的事项",
            state=found.row.status,
            version=found.row.version,
        )
    await _merge(work, atlas, found, into, decision)
    return found.row.id


async def _both(work: Work, atlas: Atlas, number: str, into: str) -> tuple[Held, Held | None]:
    """Both, held; None for the second where there is none that the actor may know of. Raises Missing."""
    sight = policy.sight(work.actor, atlas.county)
    ids = await changing.ids_of(work.conn, (number, into), sight)
    if number not in ids:
        raise Missing("ticket.unknown", "没有这个事项编号，请核对后再试")
    rows: dict[int, Stored] = {}
    for ticket_id in sorted(ids.values()):
        row = await changing.lock_primary(work.conn, ticket_id)
        if row is not None:
            rows[ticket_id] = row
    if ids[number] not in rows:
        # A copy is held after its primary, and nothing is to be done with this one.
        found = await service.hold(work, atlas, number)
    else:
        found = await service.held(work, atlas, Locked(rows[ids[number]]))
    if into not in ids:
        return found, None
    if ids[into] not in rows:
        detail = "要并入的事项自己已并入别的事项，请填那一件的编号"
        raise Conflict("merge.into_copy", detail, state=found.row.status, version=found.row.version)
    return found, await service.held(work, atlas, Locked(rows[ids[into]]))


async def _merge(work: Work, atlas: Atlas, found: Held, into: Held, decision: Decision) -> None:
    row, over = found.row, into.row
    event = _event(work, atlas, found, decision.action, decision.status, {"primary_id": over.id})
    kept = {name: getattr(row, name) for name in _GIVEN_BACK}
    kept |= {name: at.isoformat() for name, at in kept.items() if name.endswith("_at") and at is not None}
    changes: dict[str, Any] = dict(decision.changes) | milestones(over, work.now)
    changes |= {"merged_into_id": over.id, "before_merge": kept, "status": decision.status, "version": event.seq}
    if row.extension_state == "asked":
        changes["extension_state"] = None
    batch = Batch()
    changes["chain_head"] = audit.record(work, batch, row.id, [event], row.chain_head)
    await changing.change(work.conn, row.id, changes)
    await changing.end_assignment(work.conn, row.id, work.now)
    await ticket_limits.stop_steps(work, row.id)
    told = await letters.addressed(work, atlas, row, decision.notices, event.seq, None)
    notifications.enqueue(work, batch, row.id, told)
    count_change(batch, atlas, row, changes)
    await _noted(work, batch, atlas, into, Action.MERGE, {"copy_id": row.id}, over.copies + 1)
    await batch.write(work.conn)


async def unmerge(work: Work, atlas: Atlas, number: str, form: Form) -> int:
    """Gives a merged ticket back its state, milestones and own limits, as if it had waited; returns its id.

    Raises Missing, Forbidden (not an administrator over both), Conflict.
    """
    found = await service.hold(work, atlas, number)
    service.must_be_current(found, Action.UNMERGE, form)
    decision = decide(found.ticket, Action.UNMERGE, found.capacities, form, work.now)
    row, over = found.row, found.primary
    assert over is not None, "guards.primary_open"
    kept = _unfrozen(row)
    node = Node(kept["responsible_division_id"], kept["responsible_unit_id"])
    before = replace(found.ticket.standing, node=node)
    if Capacity.ADMINISTRATOR not in policy.capacities(work.actor, before, atlas.county):
        raise Forbidden("unmerge.outside", "只有两件事项都归您管理时才能拆单")
    routed = await _again(work, atlas, row, node, kept["person_id"])
    event = _event(work, atlas, found, Action.UNMERGE, decision.status, event_detail(routed))
    changes: dict[str, Any] = (
        dict(kept)
        | {
            "status": decision.status,
            "version": event.seq,
            "responsible_division_id": routed.node.division_id,
            "responsible_unit_id": routed.node.unit_id,
            "person_id": routed.person.staff_id if routed.person else None,
            "completed_at": None,
            "last_completed_at": None,
        }
        | dict.fromkeys(("merged_into_id", "merged_at", "status_before", "before_merge"))
    )
    batch = Batch()
    changes["chain_head"] = audit.record(work, batch, row.id, [event], row.chain_head)
    await changing.change(work.conn, row.id, changes)
    changing.add_assignment(batch, assignment(row.id, routed, Action.UNMERGE, work.now))
    after = count_change(batch, atlas, row, changes)
    await clocks.go_on(work, batch, after, await ticket_limits.calendar(work, atlas))
    primary = await service.held(work, atlas, Locked(over))
    await _noted(work, batch, atlas, primary, Action.UNMERGE, {"copy_id": row.id}, over.copies - 1)
    await batch.write(work.conn)
    return row.id


def _unfrozen(row: Stored) -> dict[str, Any]:
    kept = dict(row.before_merge or {})
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value is not None else value
        for name, value in kept.items()
    }


async def _again(work: Work, atlas: Atlas, row: Stored, node: Node, person_id: int | None) -> Routed:
    """Who had it before, where they are still fit for it; else whom section 3 names at that node now."""
    if node.division_id is not None:
        node = Node(division_id=atlas.county.in_force(node.division_id))
    seats = await people.seats_of(work.conn, person_id, work.now) if person_id is not None else ()
    if person_id is not None and policy.fit(seats, node, atlas.county, confidential=row.confidential):
        return Routed(row.division_id, node, Candidate(person_id, "", "", 0, None), row.routing_reason)
    person, _ = await router.person_at(work, atlas, routing.seats(atlas.county, node))
    return Routed(row.division_id, node, person, row.routing_reason)


def _event(work: Work, atlas: Atlas, found: Held, action: Action, after: Status, detail: dict[str, object]) -> Event:
    role = service.role_before(work, atlas, found)
    return Event(found.row.version + 1, action, Status(found.row.status), after, role=role, detail=detail)


async def _noted(  # noqa: PLR0913
    work: Work, batch: Batch, atlas: Atlas, into: Held, action: Action, detail: dict[str, object], copies: int
) -> None:
    """The primary's own trail says what was merged into it, and what was taken out."""
    row = into.row
    event = _event(work, atlas, into, action, Status(row.status), detail)
    head = audit.record(work, batch, row.id, [event], row.chain_head)
    await changing.change(work.conn, row.id, {"copies": copies, "version": event.seq, "chain_head": head})
