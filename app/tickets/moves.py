"""Where a ticket goes: corrections of place and category, dispatch, and what leads up, down, back and sideways."""

from dataclasses import dataclass, field, replace
from typing import Any

from app.base.work import Work
from app.divisions import service as divisions
from app.divisions.service import Atlas
from app.domain import policy, routing
from app.domain.county import Category, County, Node
from app.domain.errors import Forbidden, Invalid
from app.domain.lifecycle import Decision
from app.domain.limits import return_ends
from app.domain.policy import Actor
from app.domain.routing import Candidate, Request
from app.domain.ticket import Form
from app.domain.vocabulary import Action, Role
from app.domain.workdays import Calendar
from app.people import queries as people
from app.routing import service as router
from app.routing.service import Routed
from app.tickets.queries.changing import Stored

_DO_WORK = frozenset({Role.COURIER, Role.HANDLER, Role.ADMINISTRATOR})
"""Roles to which a ticket can be given."""
MOST_RETURNS = 2
"""One more leads to the parent's administrator, who designates the node (指定承办; domain.md, 2, Moves)."""


@dataclass(frozen=True, slots=True)
class Move:
    """The new place, node and person of a ticket, with the category that is now its own. `also`: columns beside."""

    routed: Routed
    category: Category | None
    confidential: bool
    also: dict[str, Any] = field(default_factory=dict)


def without_what_is_so(atlas: Atlas, row: Stored, form: Form) -> Form:
    """The form less a category and a place that the ticket has already: they correct nothing."""
    category, place = atlas.county.category(row.category_id), atlas.county.divisions[row.division_id]
    same = {"category": category and category.code, "place_code": place.code}
    return {name: value for name, value in form.items() if name not in same or value != same[name]}


async def resolve(work: Work, atlas: Atlas, row: Stored, decision: Decision, form: Form, days: Calendar) -> Move | None:
    """Where an action leads; None where it moves nothing.

    Raises Forbidden for a place or node outside the actor's area, Invalid for one that does not exist.
    """
    match decision.action:
        case Action.ACCEPT | Action.DISPATCH:
            move = await _corrected(work, atlas, row, decision, form)
        case Action.TRANSFER:
            move = await _sideways(work, atlas, row, form)
        case Action.ESCALATE:
            move = await _up(work, atlas, row)
        case Action.RETURN:
            move = await _back(work, atlas, row)
        case Action.APPEAL:
            move = await _appealed(work, atlas, row)
        case _:
            return None
    if move is None or move.routed.node == row.node:
        return move
    return replace(move, also=_trace(work, atlas, row, decision, move, days) | move.also)


def _trace(work: Work, atlas: Atlas, row: Stored, decision: Decision, move: Move, days: Calendar) -> dict[str, Any]:
    """Where the new node got it from, and until when it may send it back: not what came up or back, nor what the
    parent designated, nor from the top."""
    routed_anew = decision.reroute
    came_from = None if routed_anew else row.node
    up_or_back = decision.action in {Action.ESCALATE, Action.RETURN, Action.APPEAL}
    back_to = atlas.county.parent_of(move.routed.node) if came_from is None else came_from
    never = up_or_back or move.confidential or row.returns > MOST_RETURNS or back_to is None
    return {
        "came_from_division_id": came_from and came_from.division_id,
        "came_from_unit_id": came_from and came_from.unit_id,
        "return_until": None if never else return_ends(work.now, days),
    }


async def _corrected(work: Work, atlas: Atlas, row: Stored, decision: Decision, form: Form) -> Move | None:
    """An accept or a dispatch."""
    category = _category(atlas, row, form)
    place = _place(work, atlas, row, form)
    confidential = bool(row.marked_confidential) or (category is not None and category.confidential)
    target = await _target(work, atlas, form) if decision.action is Action.DISPATCH else None
    if target is not None and not _administers(work.actor, target.node, atlas.county):
        raise Forbidden("dispatch.outside", f"{atlas.county.name_of(target.node)}不在您管理的范围内，请上报或转办")
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
        routed = await _towards(work, atlas, place, target, "指定承办，派给" if row.returns > MOST_RETURNS else "派给")
    return Move(routed, category, confidential=False)


async def _sideways(work: Work, atlas: Atlas, row: Stored, form: Form) -> Move:
    """To a node with the same parent, or a unit of the same division."""
    target = await _target(work, atlas, form)
    if target is None:
        raise Invalid.field("transfer.nowhere", "", "请写明转给谁（单位、村社区或人员）")
    county = atlas.county
    beside = county.parent_of(target.node) == county.parent_of(row.node)
    if target.node.unit_id is not None and row.responsible_division_id is not None:
        beside = beside or county.units[target.node.unit_id].division_id == row.responsible_division_id
    if not beside:
        name = county.name_of(target.node)
        raise Invalid.field("transfer.elsewhere", "", f"{name}与现承办节点不是同级，不能转办；向下请派单，向上请上报")
    routed = await _towards(work, atlas, row.division_id, target, "转给")
    return Move(routed, county.category(row.category_id), confidential=False)


async def _up(work: Work, atlas: Atlas, row: Stored) -> Move:
    parent = atlas.county.parent_of(row.node)
    assert parent is not None, "guards.has_parent"
    return await _to(work, atlas, row, parent, f"{atlas.county.name_of(row.node)}上报。")


async def _back(work: Work, atlas: Atlas, row: Stored) -> Move:
    """To the node it came from; a routed one, and whatever was returned too often, to the parent's administrator."""
    county = atlas.county
    parent = county.parent_of(row.node)
    often = row.returns + 1 > MOST_RETURNS
    goal = parent if (often or row.came_from is None) and parent is not None else row.came_from
    assert goal is not None, "guards.returnable"
    why = f"{county.name_of(row.node)}退单。"
    move = await _to(work, atlas, row, goal, why + "多次退单，由上级指定承办。" if often else why)
    return replace(move, also={"returns": row.returns + 1})


async def _appealed(work: Work, atlas: Atlas, row: Stored) -> Move:
    """To the parent; an appeal against the county to its principal."""
    county = atlas.county
    parent = county.parent_of(row.node)
    if parent is not None or row.confidential:
        return await _to(work, atlas, row, parent or row.node, f"对{county.name_of(row.node)}不予受理的申诉。")
    person, why = await router.person_at(work, atlas, (routing.Seat(row.node, (Role.PRINCIPAL,)),))
    routed = Routed(row.division_id, row.node, person, f"对县级不予受理的申诉，由第一责任人决定。{why}")
    return Move(routed, county.category(row.category_id), confidential=False, also={"for_principal": True})


async def _to(work: Work, atlas: Atlas, row: Stored, goal: Node, why: str) -> Move:
    """To that node, or the one in force above it, and whom section 3 names there."""
    county = atlas.county
    if goal.division_id is not None:
        goal = Node(division_id=county.in_force(goal.division_id))
    if row.confidential:
        person, who = await router.inspector_at(work, atlas, goal, row.about_staff_id)
    else:
        person, who = await router.person_at(work, atlas, routing.seats(county, goal))
    reason = f"{why}交{county.name_of(goal)}；{who}"
    return Move(Routed(row.division_id, goal, person, reason), county.category(row.category_id), row.confidential)


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


async def _towards(work: Work, atlas: Atlas, place: int, target: Target, how: str) -> Routed:
    name = atlas.county.name_of(target.node)
    if target.person is not None:
        return Routed(place, target.node, target.person, f"{how}{name}{target.person.name}")
    person, why = await router.person_at(work, atlas, routing.seats(atlas.county, target.node))
    return Routed(place, target.node, person, f"{how}{name}；{why}")
