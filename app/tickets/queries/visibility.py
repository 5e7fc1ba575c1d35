"""The one door to a ticket: `visible`, an SQL condition made from domain.policy."""

from sqlalchemy import ColumnElement, and_, exists, false, or_, select

from app.domain.policy import Sight
from app.schema.divisions import divisions, units
from app.schema.tickets import assignments, tickets

t = tickets.c


def visible(sight: Sight) -> ColumnElement[bool]:
    """The condition that a ticket must meet to be seen at all (domain.md, 2, see)."""
    own = _own(sight)
    open_to_many = [*_by_area(sight), *_by_seat(sight)]
    if sight.staff_id is not None:
        open_to_many += [t.person_id == sight.staff_id, t.recorder_id == sight.staff_id]
    ordinary = and_(t.confidential.is_(False), or_(false(), *open_to_many))
    return or_(ordinary, own)


def _own(sight: Sight) -> ColumnElement[bool]:
    """The citizen's own, and the confidential ones of an inspector, never of the person complained about."""
    mine: list[ColumnElement[bool]] = []
    if sight.citizen_id is not None:
        mine.append(t.citizen_id == sight.citizen_id)
    if sight.inspects:
        held = or_(t.person_id == sight.staff_id, t.responsible_division_id.in_(sight.inspects))
        about_me = t.about_staff_id.is_not_distinct_from(sight.staff_id)
        mine.append(and_(t.confidential, held, ~about_me))
    return or_(false(), *mine)


def _by_area(sight: Sight) -> list[ColumnElement[bool]]:
    """In an area: the place, or a present or past responsible node, is one of its divisions or units."""
    found: list[ColumnElement[bool]] = []
    if sight.areas:
        below = select(divisions.c.id).where(below_any(sight.areas))
        attached = select(units.c.id).where(units.c.division_id.in_(below))
        held = or_(assignments.c.division_id.in_(below), assignments.c.unit_id.in_(attached))
        found += [t.division_id.in_(below), exists().where(assignments.c.ticket_id == t.id, held)]
    if sight.unit_areas:
        held = assignments.c.unit_id.in_(sight.unit_areas)
        found.append(exists().where(assignments.c.ticket_id == t.id, held))
    return found


def _by_seat(sight: Sight) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if sight.villages:
        found.append(t.responsible_division_id.in_(sight.villages))
    if sight.units:
        found.append(t.responsible_unit_id.in_(sight.units))
    if sight.grids:
        found.append(t.division_id.in_(sight.grids))
    return found


def below_any(areas: frozenset[int]) -> ColumnElement[bool]:
    """Divisions that are one of `areas` or below one of them."""
    d = divisions.c
    return or_(*(column.in_(areas) for column in (d.county_id, d.town_id, d.village_id, d.grid_id)))
