"""Where a ticket goes: corrections of place and category, and dispatch to a node or a person."""

from dataclasses import dataclass

from app.base.work import Work
from app.divisions import service as divisions
from app.divisions.service import Atlas
from app.domain import policy, routing
from app.domain.county import Category, County, Node
from app.domain.errors import Forbidden, Invalid
from app.domain.lifecycle import Decision
from app.domain.policy import Actor
from app.domain.routing import Candidate, Request
from app.domain.ticket import Form
from app.domain.vocabulary import Action, Role
from app.people import queries as people
from app.routing import service as router
from app.routing.service import Routed
from app.tickets.queries.changing import Stored

_DO_WORK = frozenset({Role.COURIER, Role.HANDLER, Role.ADMINISTRATOR})
"""Roles to which a ticket can be given."""


@dataclass(frozen=True, slots=True)
class Move:
    """The new place, node and person of a ticket, with the category that is now its own."""

    routed: Routed
    category: Category | None
    confidential: bool


def without_what_is_so(atlas: Atlas, row: Stored, form: Form) -> Form:
    """The form less a category and a place that the ticket has already: they correct nothing."""
    category, place = atlas.county.category(row.category_id), atlas.county.divisions[row.division_id]
    same = {"category": category and category.code, "place_code": place.code}
    return {name: value for name, value in form.items() if name not in same or value != same[name]}


async def resolve(work: Work, atlas: Atlas, row: Stored, decision: Decision, form: Form) -> Move | None:
    """Where an accept or a dispatch leads; None where it moves nothing.

    Raises Forbidden for a place or node outside the actor's area, Invalid for one that does not exist.
    """
    if decision.action not in {Action.ACCEPT, Action.DISPATCH}:
        return None
    category = _category(atlas, row, form)
    place = _place(work, atlas, row, form)
    confidential = bool(row.marked_confidential) or (category is not None and category.confidential)
    target = await _target(work, atlas, form) if decision.action is Action.DISPATCH else None
    if confidential:
        return await _confidential(work, atlas, row, category, target, decision)
    if row.confidential and form.get("place_code") is None:
        # No longer a complaint about staff: the place that the text names was never looked for.
        routed = await router.route(work, atlas, Request(f"{row.title}\n{row.description}"), category)
    elif row.confidential or (target is None and decision.reroute):
        routed = await router.reroute(work, atlas, place, category, "平台管理员更正地点或分类。")
    elif target is None:
        return _corrected_in_place(row, place, category)
    else:
        routed = await _towards(work, atlas, place, target)
    return Move(routed, category, confidential=False)


def _category(atlas: Atlas, row: Stored, form: Form) -> Category | None:
    if form.get("category") is not None:
        return divisions.category(atlas.county, str(form["category"]))
    return atlas.county.category(row.category_id)


def _place(work: Work, atlas: Atlas, row: Stored, form: Form) -> int:
    if form.get("place_code") is None:
        return int(row.division_id)
    place = divisions.open_division(atlas.county, str(form["place_code"]), "/place_code")
    # The inspector acts as administrator of a confidential ticket.
    role = Role.INSPECTOR if row.confidential else Role.ADMINISTRATOR
    if not _administers(work.actor, Node(division_id=place.id), atlas.county, role):
        raise Forbidden("place.outside", f"{place.name}不在您管理的范围内，请上报由上级更正")
    return place.id


def _administers(actor: Actor, node: Node, county: County, role: Role = Role.ADMINISTRATOR) -> bool:
    seats = (a.node for a in actor.appointments if a.role is role)
    return any(policy.administers(seat, node, county) for seat in seats)


async def _confidential(
    work: Work, atlas: Atlas, row: Stored, category: Category | None, target: "Target | None", decision: Decision
) -> Move | None:
    if target is not None:
        raise Forbidden("dispatch.confidential", "保密件只由督查员办理，不能派给其他人员")
    if not row.confidential:
        return Move(await router.route_confidential(work, atlas, None, None), category, confidential=True)
    # Already with its inspector, who keeps it; a corrected category has its own limits.
    return Move(_as_it_is(row, row.division_id), category, confidential=True) if decision.reroute else None


def _as_it_is(row: Stored, place: int) -> Routed:
    person = Candidate(row.person_id, "", "", 0, None) if row.person_id is not None else None
    return Routed(place, row.node, person, row.routing_reason)


def _corrected_in_place(row: Stored, place: int, category: Category | None) -> Move | None:
    """A later correction of place or category that leaves responsibility and limits where they are."""
    return None if place == row.division_id else Move(_as_it_is(row, place), category, confidential=False)


@dataclass(frozen=True, slots=True)
class Target:
    """A node, a person, or both."""

    node: Node
    person: Candidate | None


async def _target(work: Work, atlas: Atlas, form: Form) -> Target | None:
    node: Node | None = None
    if form.get("division_code") is not None:
        node = Node(division_id=divisions.open_division(atlas.county, str(form["division_code"])).id)
    elif form.get("unit_code") is not None:
        node = Node(unit_id=divisions.unit(atlas.county, str(form["unit_code"])).id)
    person: Candidate | None = None
    if form.get("username") is not None:
        node, person = await _person(work, atlas, str(form["username"]), node)
    if node is None:
        return None
    divisions.must_be_open(atlas.county, node, "/username" if person else "/unit_code")
    if not _administers(work.actor, node, atlas.county):
        raise Forbidden("dispatch.outside", f"{atlas.county.name_of(node)}不在您管理的范围内，请上报或转办")
    return Target(node, person)


async def _person(work: Work, atlas: Atlas, username: str, node: Node | None) -> tuple[Node, Candidate]:
    """A person at `node`, or alone: then the node is that person's own (a courier's is the village)."""
    known = await people.staff_by_username(work.conn, username)
    seats = await people.seats_of(work.conn, known[0], work.now) if known is not None else ()
    nodes = [atlas.county.works_for(seat.node) for seat in seats if seat.role in _DO_WORK]
    if known is None or not nodes:
        raise Invalid.field("dispatch.person", "/username", f"没有可派单的工作人员“{username[:32]}”")
    if node is not None and node not in nodes:
        raise Invalid.field("dispatch.person_elsewhere", "/username", f"{known[1]}不在{atlas.county.name_of(node)}")
    return node or nodes[0], Candidate(known[0], username, known[1], 0, None)


async def _towards(work: Work, atlas: Atlas, place: int, target: Target) -> Routed:
    name = atlas.county.name_of(target.node)
    if target.person is not None:
        return Routed(place, target.node, target.person, f"派给{name}{target.person.name}")
    person, why = await router.person_at(work, atlas, routing.seats(atlas.county, target.node))
    return Routed(place, target.node, person, f"派给{name}；{why}")
