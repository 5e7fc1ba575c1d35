"""Routes a matter: place, node, person, and the reason in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.base import log
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import routing
from app.domain.coordinates import Point
from app.domain.county import Category, Node
from app.domain.routing import Candidate, How, Located, Request, Seat, Spot
from app.domain.vocabulary import Level
from app.routing import queries

_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a matter is (`division_id`), who is to act (`node`, and a person where one is there), and why.

    `choices`: the divisions an ambiguous name may mean; the citizen is asked.
    """

    division_id: int
    node: Node
    person: Candidate | None
    reason: str
    choices: tuple[int, ...] = ()


async def route(work: Work, atlas: Atlas, request: Request, category: Category | None) -> Routed:
    """Section 3 of domain.md for an ordinary matter."""
    # Of a place that was given nothing needs to be looked up.
    point = request.point if request.given_division_id is None else None
    said = None if point is None else await _spot(work, atlas, point)
    located = routing.where(atlas.county, atlas.places, request, said)
    return await _from_place(work, atlas, located, category, request.bound_grid_id)


async def _spot(work: Work, atlas: Atlas, point: Point) -> Spot:
    outlines = await queries.outlines(work.conn, point, atlas.county.root.id)
    return routing.spot(atlas.county, point, outlines, await queries.sites(work.conn, point))


async def reroute(work: Work, atlas: Atlas, division_id: int, category: Category | None, why: str) -> Routed:
    """From "What" on, for a place that a person has decided."""
    return await _from_place(work, atlas, Located(division_id, why, How.GIVEN), category, None)


async def _from_place(
    work: Work, atlas: Atlas, located: Located, category: Category | None, bound_grid_id: int | None
) -> Routed:
    county = atlas.county
    node, why = routing.node(county, located.division_id, category, located.elsewhere)
    grid = _grid(atlas, located.division_id, node, bound_grid_id)
    seats = routing.seats(county, node, grid, categorised=category is not None)
    person, who = await person_at(work, atlas, seats)
    return Routed(located.division_id, node, person, located.reason + why + who, located.candidates)


def _grid(atlas: Atlas, division_id: int, node: Node, bound_grid_id: int | None) -> int | None:
    """The grid whose courier comes first: the place itself, or the citizen's own where the matter is in its village."""
    if atlas.county.divisions[division_id].level is Level.GRID:
        return division_id
    if bound_grid_id is None or node.division_id not in atlas.county.divisions[bound_grid_id].lineage:
        return None
    return bound_grid_id


async def route_confidential(work: Work, atlas: Atlas, about: Node | None, accused_id: int | None) -> Routed:
    """To the inspector of the parent of whom it is about, never to that person; place and counts are the county's."""
    node = routing.confidential_node(atlas.county, about)
    person, who = await inspector_at(work, atlas, node, accused_id)
    reason = f"反映工作人员作风，保密件，由{atlas.county.name_of(node)}督查员办理。{who}"
    return Routed(atlas.county.root.id, node, person, reason)


async def inspector_at(work: Work, atlas: Atlas, node: Node, accused_id: int | None) -> tuple[Candidate | None, str]:
    """The inspector for a confidential ticket at `node`, or the nearest above; never whom it is about."""
    return await person_at(work, atlas, routing.inspector_seats(atlas.county, node), without=accused_id)


async def person_at(
    work: Work, atlas: Atlas, seats: Sequence[Seat], *, without: int | None = None
) -> tuple[Candidate | None, str]:
    """The least loaded person of the first seat that anybody (but `without`) holds, and why in words, with what was
    found empty before."""
    empty: dict[str, None] = {}
    for seat, found in zip(seats, await queries.candidates(work.conn, seats, work.now), strict=True):
        held = [candidate for candidate in found if candidate.staff_id != without]
        chosen = routing.choose(held)
        if chosen is not None:
            passed = "".join(f"{one}，" for one in empty)
            place = atlas.county.name_of(seat.node)
            counted = f"{place}可办{len(held)}人，{chosen.name}手头最少（在办{chosen.open_tickets}件）"
            return chosen, f"{passed}{counted}。"
        empty[_unmanned(atlas, seat)] = None
    # Nobody administers the county: an engineer has to know at once, for whom would one tell?
    _logger.error("nobody can take tickets", seats=len(seats))
    return None, "各级暂无可办人员，列入县级待派队列。"


def _unmanned(atlas: Atlas, seat: Seat) -> str:
    county = atlas.county
    place = "".join(county.path(seat.grids[0])[-2:]) if len(seat.grids) == 1 else county.name_of(seat.node)
    return f"{place}暂无{'、'.join(role.label for role in seat.roles)}"
