"""Who stands before a ticket in what capacity, on the real county."""

from dataclasses import replace

import pytest

from app.domain.county import Node
from app.domain.policy import (
    PUBLIC,
    SYSTEM,
    Actor,
    ActorKind,
    Appointment,
    Capacity,
    Permission,
    Standing,
    capacities,
    holds,
    sight,
)
from app.domain.vocabulary import Level, Role
from tests.domain.county_from_csv import demo_county

COUNTY = demo_county()
TOWN = COUNTY.by_code["430121001"]
OTHER_TOWN = COUNTY.by_code["430121002"]
VILLAGE = COUNTY.by_code["430121001001"]
OTHER_VILLAGE = COUNTY.by_code["430121001002"]
UNIT = COUNTY.unit_by_code["U05"]


def staff(role: Role, division: int | None = None, unit: int | None = None, id: int = 1) -> Actor:
    return Actor(ActorKind.STAFF, id, "某某", "someone", (Appointment(role, Node(division, unit)),))


def ticket(node: Node, **changes: object) -> Standing:
    fields = {"person_id": None, "citizen_id": 50, "recorder_id": None, "confidential": False} | changes
    return Standing(node, **fields)  # type: ignore[arg-type]


AT_VILLAGE = ticket(Node(division_id=VILLAGE.id))


@pytest.mark.parametrize("division", [VILLAGE, TOWN, COUNTY.root])
def test_an_administrator_runs_their_node_and_all_below(division: object) -> None:
    actor = staff(Role.ADMINISTRATOR, division.id)  # type: ignore[attr-defined]
    assert Capacity.ADMINISTRATOR in capacities(actor, AT_VILLAGE, COUNTY)


@pytest.mark.parametrize("division", [OTHER_VILLAGE, OTHER_TOWN])
def test_an_administrator_beside_is_a_reader_where_the_door_lets_them_through(division: object) -> None:
    beside = staff(Role.ADMINISTRATOR, division.id)  # type: ignore[attr-defined]
    assert capacities(beside, AT_VILLAGE, COUNTY) == {Capacity.READER}


def test_an_administrator_below_decides_nothing_above() -> None:
    above = ticket(Node(division_id=TOWN.id))
    assert capacities(staff(Role.ADMINISTRATOR, VILLAGE.id), above, COUNTY) == {Capacity.READER}


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_who_sees_no_ticket_has_no_capacity_before_any(role: Role) -> None:
    assert capacities(staff(role, COUNTY.root.id), AT_VILLAGE, COUNTY) == frozenset()


def test_only_who_had_no_hand_in_it_may_call_back() -> None:
    fresh = replace(AT_VILLAGE, acted=False)
    assert Capacity.CALLER in capacities(staff(Role.INSPECTOR, TOWN.id), fresh, COUNTY)
    assert Capacity.CALLER in capacities(staff(Role.ADMINISTRATOR, TOWN.id), fresh, COUNTY)
    assert Capacity.CALLER not in capacities(staff(Role.ADMINISTRATOR, TOWN.id), AT_VILLAGE, COUNTY)
    assert Capacity.CALLER not in capacities(staff(Role.ADMINISTRATOR, VILLAGE.id), fresh, COUNTY)


def test_the_countys_principal_decides_only_of_what_the_county_itself_has() -> None:
    principal = staff(Role.PRINCIPAL, COUNTY.root.id)
    assert Capacity.COUNTY_PRINCIPAL in capacities(principal, ticket(Node(division_id=COUNTY.root.id)), COUNTY)
    assert Capacity.COUNTY_PRINCIPAL not in capacities(principal, AT_VILLAGE, COUNTY)


def test_the_parents_administrator_is_told_apart() -> None:
    of_town = capacities(staff(Role.ADMINISTRATOR, TOWN.id), AT_VILLAGE, COUNTY)
    of_village = capacities(staff(Role.ADMINISTRATOR, VILLAGE.id), AT_VILLAGE, COUNTY)
    assert Capacity.PARENT_ADMINISTRATOR in of_town
    assert Capacity.PARENT_ADMINISTRATOR not in of_village


def test_a_units_parent_is_its_division() -> None:
    at_unit = ticket(Node(unit_id=UNIT.id))
    of_county = capacities(staff(Role.ADMINISTRATOR, COUNTY.root.id), at_unit, COUNTY)
    assert {Capacity.ADMINISTRATOR, Capacity.PARENT_ADMINISTRATOR} <= of_county
    assert Capacity.COLLEAGUE in capacities(staff(Role.HANDLER, unit=UNIT.id), at_unit, COUNTY)


def test_the_person_assigned_the_recorder_and_the_citizen() -> None:
    mine = ticket(Node(division_id=VILLAGE.id), person_id=1)
    assert Capacity.ASSIGNED in capacities(staff(Role.COURIER, OTHER_VILLAGE.id), mine, COUNTY)
    recorded = ticket(Node(division_id=VILLAGE.id), recorder_id=1)
    assert capacities(staff(Role.PRINCIPAL, OTHER_TOWN.id), recorded, COUNTY) == {Capacity.RECORDER, Capacity.READER}
    assert capacities(Actor(ActorKind.CITIZEN, 50), AT_VILLAGE, COUNTY) == {Capacity.CITIZEN}
    assert capacities(Actor(ActorKind.CITIZEN, 51), AT_VILLAGE, COUNTY) == frozenset()
    assert capacities(PUBLIC, AT_VILLAGE, COUNTY) == frozenset()
    assert capacities(SYSTEM, AT_VILLAGE, COUNTY) == {Capacity.CLOCKWORK}


@pytest.mark.parametrize("role", set(Role) - {Role.INSPECTOR})
def test_a_confidential_ticket_is_nobodys_but_the_inspectors(role: Role) -> None:
    secret = ticket(Node(division_id=TOWN.id), confidential=True, person_id=1, recorder_id=1)
    assert capacities(staff(role, TOWN.id), secret, COUNTY) == frozenset()


def test_the_inspector_of_the_node_administers_a_confidential_ticket() -> None:
    secret = ticket(Node(division_id=TOWN.id), confidential=True)
    assert Capacity.ADMINISTRATOR in capacities(staff(Role.INSPECTOR, TOWN.id), secret, COUNTY)
    assert capacities(staff(Role.INSPECTOR, OTHER_TOWN.id), secret, COUNTY) == frozenset()


def test_whoever_is_complained_of_has_no_capacity_whatever_they_hold() -> None:
    about_me = ticket(Node(division_id=TOWN.id), confidential=True, about_staff_id=1, person_id=1)
    assert capacities(staff(Role.INSPECTOR, TOWN.id), about_me, COUNTY) == frozenset()


def test_doors_are_shut_by_default() -> None:
    shut = [p for p in Permission if holds(PUBLIC, p)]
    assert shut == [Permission.PUBLIC, Permission.WECHAT, Permission.METRICS, Permission.TICKET_RATE]
    nobody = Actor(ActorKind.STAFF, 1, "无岗位", "none")
    assert not any(holds(nobody, p) for p in Permission if p not in shut)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_operators_and_auditors_come_through_no_ticket_door(role: Role) -> None:
    actor = staff(role, COUNTY.root.id)
    for permission in (Permission.TICKET_READ, Permission.TICKET_OPEN, Permission.TICKET_ACT):
        assert not holds(actor, permission)
    assert sight(actor, COUNTY).staff_id is None
    assert sight(actor, COUNTY).areas == frozenset()


def test_a_courier_sees_their_grid_and_their_village_but_no_area() -> None:
    grid = next(d for d in COUNTY.divisions.values() if d.level in {Level.GRID, Level.VILLAGE})
    seen = sight(staff(Role.COURIER, grid.id), COUNTY)
    assert seen.grids == {grid.id}
    assert seen.villages == {grid.lineage[2]}
    assert seen.areas == frozenset()
