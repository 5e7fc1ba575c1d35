"""The one door to a ticket: `visible`, an SQL condition made from domain.policy.

Statements with it are built once for each shape of sight (which of its parts are there) and kept: building one anew
costs more than running it. The values come as parameters, `seen_by`.
"""

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, any_, bindparam, exists, false, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from app.domain.policy import Sight
from app.schema.divisions import divisions, units
from app.schema.tickets import assignments, tickets

t = tickets.c
Shape = frozenset[str]
"""The names of a sight's parts that are there."""
_PARTS = tuple(field.name for field in fields(Sight))


def shape_of(sight: Sight) -> Shape:
    return frozenset(name for name in _PARTS if getattr(sight, name))


def seen_by(sight: Sight) -> Mapping[str, object]:
    """The parameters of `visible(shape_of(sight))`."""
    values = {name: getattr(sight, name) for name in _PARTS}
    return {f"sight_{name}": sorted(v) if isinstance(v, frozenset) else v for name, v in values.items() if v}


@lru_cache(maxsize=256)
def visible(shape: Shape) -> ColumnElement[bool]:
    """The condition that a ticket must meet to be seen at all (domain.md, 2, see)."""
    open_to_many = [*_by_area(shape), *_by_seat(shape)]
    if "staff_id" in shape:
        open_to_many += [t.person_id == _one("staff_id"), t.recorder_id == _one("staff_id")]
    ordinary = and_(t.confidential.is_(False), or_(false(), *open_to_many))
    return or_(ordinary, *_own(shape))


def _own(shape: Shape) -> list[ColumnElement[bool]]:
    """The citizen's own, and the confidential ones of an inspector, never of the person complained about."""
    mine: list[ColumnElement[bool]] = []
    if "citizen_id" in shape:
        mine.append(t.citizen_id == _one("citizen_id"))
    if "inspects" in shape:
        held = or_(t.person_id == _one("staff_id"), t.responsible_division_id == _any("inspects"))
        about_me = t.about_staff_id.is_not_distinct_from(_one("staff_id"))
        mine.append(and_(t.confidential, held, ~about_me))
    return mine


def _by_area(shape: Shape) -> list[ColumnElement[bool]]:
    """In an area: the place, or a present or past responsible node, is one of its divisions or units."""
    found: list[ColumnElement[bool]] = []
    if "areas" in shape:
        below = select(divisions.c.id).where(below_any(_any("areas")))
        attached = select(units.c.id).where(units.c.division_id.in_(below))
        held = or_(assignments.c.division_id.in_(below), assignments.c.unit_id.in_(attached))
        found += [t.division_id.in_(below), exists().where(assignments.c.ticket_id == t.id, held)]
    if "unit_areas" in shape:
        held = assignments.c.unit_id == _any("unit_areas")
        found.append(exists().where(assignments.c.ticket_id == t.id, held))
    return found


def _by_seat(shape: Shape) -> list[ColumnElement[bool]]:
    seats = {"villages": t.responsible_division_id, "units": t.responsible_unit_id, "grids": t.division_id}
    return [column == _any(name) for name, column in seats.items() if name in shape]


def _one(name: str) -> ColumnElement[int]:
    return bindparam(f"sight_{name}", type_=BigInteger())


def _any(name: str) -> ColumnElement[Any]:
    return any_(bindparam(f"sight_{name}", type_=ARRAY(BigInteger())))


def below_any(areas: ColumnElement[Any]) -> ColumnElement[bool]:
    """Divisions that are one of `areas` (an id, or ANY of an array) or below one of them."""
    d = divisions.c
    return or_(*(column == areas for column in (d.county_id, d.town_id, d.village_id, d.grid_id)))
