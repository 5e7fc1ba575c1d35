"""Where to look for the person of a ticket, and whom of those on duty to take (domain.md, 3.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.domain.county import County, Node
from app.domain.vocabulary import Level, Role


@dataclass(frozen=True, slots=True)
class Seat:
    """One place to look for a person: who holds one of `roles` at `node`, or, where `grids` is given, at one of these
    divisions (the couriers of a village sit in its grids)."""

    node: Node
    roles: tuple[Role, ...]
    grids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person on duty who could get the ticket. `last_given_at`: when they last got one, None if never."""

    staff_id: int
    username: str
    name: str
    open_tickets: int
    last_given_at: datetime | None


def seats(
    county: County, responsible: Node, grid_id: int | None = None, *, categorised: bool = True
) -> tuple[Seat, ...]:
    """Where to look for a person, first to last: those who handle at the node, then the nearest administrator above.

    `grid_id`: the grid of the matter, if known (its courier comes first). Without a category it is the node's
    administrator who has to look (domain.md, 3.2): `categorised=False` leaves couriers and handlers out.
    """
    handling = _handling(county, responsible, grid_id) if categorised else ()
    return (*handling, *_upward(county, responsible, Role.ADMINISTRATOR))


def inspector_seats(county: County, responsible: Node) -> tuple[Seat, ...]:
    """Where to look for the person of a confidential complaint: the node's inspector, then the nearest above."""
    return _upward(county, responsible, Role.INSPECTOR)


def choose(candidates: Iterable[Candidate]) -> Candidate | None:
    """Of those on duty, the one with the fewest open tickets; ties: the longest without a new one, never being
    longest; then the lower id. None where there is nobody."""
    return min(candidates, key=_burden, default=None)


def _burden(candidate: Candidate) -> tuple[int, float, int]:
    given = candidate.last_given_at
    return candidate.open_tickets, float("-inf") if given is None else given.timestamp(), candidate.staff_id


def _handling(county: County, responsible: Node, grid_id: int | None) -> tuple[Seat, ...]:
    if responsible.division_id is None:
        return (Seat(responsible, (Role.HANDLER,)),)
    division = county.divisions[responsible.division_id]
    if division.level is Level.GRID:
        return (Seat(responsible, (Role.COURIER,), (division.id,)),)
    if division.level is not Level.VILLAGE:
        return ()
    grids = tuple(d.id for d in county.divisions.values() if d.parent_id == division.id and d.in_force)
    own = (Seat(responsible, (Role.COURIER,), (grid_id,)),) if grid_id in grids and grid_id is not None else ()
    return (*own, Seat(responsible, (Role.COURIER,), grids)) if grids else ()


def _upward(county: County, responsible: Node, role: Role) -> tuple[Seat, ...]:
    """The role at the node and at each node above, nearest first (domain.md, 1: filled by the nearest above)."""
    found = [Seat(responsible, (role,))]
    above = county.parent_of(responsible)
    while above is not None:
        found.append(Seat(above, (role,)))
        above = county.parent_of(above)
    return tuple(found)
