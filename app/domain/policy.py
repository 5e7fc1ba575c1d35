"""Who may do and see what. Deny by default: a capacity or a permission that nothing here grants is not held."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, auto

from app.domain.county import County, Node
from app.domain.vocabulary import Role, Word


class ActorKind(StrEnum):
    STAFF = auto()
    CITIZEN = auto()
    PUBLIC = auto()
    SYSTEM = auto()


@dataclass(frozen=True, slots=True)
class Appointment:
    """A role at a node, in force now."""

    role: Role
    node: Node


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts: a member of staff with appointments, a citizen, a stranger, or the clockwork."""

    kind: ActorKind
    id: int | None = None
    name: str = ""
    username: str | None = None
    appointments: tuple[Appointment, ...] = ()

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(a.role for a in self.appointments)


PUBLIC = Actor(ActorKind.PUBLIC)
SYSTEM = Actor(ActorKind.SYSTEM, name="系统")


class Permission(StrEnum):
    """What a door may ask for, `resource:action`. `PUBLIC` must be written down too."""

    PUBLIC = "public"
    WECHAT = "wechat:receive"
    METRICS = "metrics:read"
    SIGNED_IN = "staff:any"
    TICKET_OPEN = "ticket:open"
    TICKET_READ = "ticket:read"
    TICKET_ACT = "ticket:act"
    TICKET_RATE = "ticket:rate"
    FILE_UPLOAD = "file:upload"
    FILE_READ = "file:read"
    MESSAGE_SETTLE = "message:settle"
    COURIER_DAY = "courier:day"
    HOUSEHOLD_READ = "household:read"
    RATES_READ = "rates:read"
    REPORT_READ = "report:read"
    AUDIT_READ = "audit:read"


_EVERYONE = frozenset(Role)
_OVERSEERS = frozenset({Role.ADMINISTRATOR, Role.PRINCIPAL, Role.DEPUTY, Role.OFFICER, Role.INSPECTOR})
_SEEING = _OVERSEERS | {Role.COURIER, Role.HANDLER}
_READERS = _EVERYONE - {Role.OPERATOR, Role.AUDITOR}
_HOLDERS: dict[Permission, frozenset[Role]] = {
    Permission.SIGNED_IN: _EVERYONE,
    Permission.TICKET_OPEN: frozenset({Role.COURIER, Role.HANDLER, Role.ADMINISTRATOR}),
    Permission.TICKET_READ: _READERS,
    Permission.TICKET_ACT: _READERS,
    Permission.FILE_UPLOAD: _READERS,
    Permission.FILE_READ: _READERS,
    Permission.MESSAGE_SETTLE: frozenset({Role.ADMINISTRATOR}),
    Permission.COURIER_DAY: frozenset({Role.COURIER}),
    Permission.HOUSEHOLD_READ: frozenset({Role.ADMINISTRATOR}),
    Permission.RATES_READ: _EVERYONE,
    Permission.REPORT_READ: _EVERYONE,
    Permission.AUDIT_READ: frozenset({Role.AUDITOR}),
}


def permitted(permission: Permission) -> frozenset[Role]:
    """The roles that come through doors of that permission; none for those that are open to everybody."""
    return _HOLDERS.get(permission, frozenset())


def holds(actor: Actor, permission: Permission) -> bool:
    """Whether the actor may come through a door that asks for `permission` (what lies behind is judged again)."""
    if permission in {Permission.PUBLIC, Permission.WECHAT, Permission.METRICS, Permission.TICKET_RATE}:
        return True
    return actor.kind is ActorKind.STAFF and not actor.roles.isdisjoint(_HOLDERS[permission])


class Capacity(Word):
    """In what capacity an actor stands before one ticket (domain.md, 2, Who may act).

    COUNTY_PRINCIPAL: of a ticket that the county itself is responsible for. CALLER: may call the citizen back (回访).
    READER: any member of staff whom the door let through. ASKED_*: asked for what is to be decided.
    """

    ASSIGNED = "assigned", "承办人"
    COLLEAGUE = "colleague", "承办单位的同事、承办村社区的快递员"
    ADMINISTRATOR = "administrator", "承办节点或其上级的管理员（保密件为纪检人员）"
    PARENT_ADMINISTRATOR = "parent_administrator", "承办节点上级的管理员"
    COUNTY_PRINCIPAL = "county_principal", "县第一责任人（县级承办或申诉到县的事项）"
    INSPECTOR = "inspector", "督查员"
    CALLER = "caller", "没有经手的督查员或上级管理员（回访）"
    READER = "reader", "看得到此事项的工作人员"
    ASKED_EXTENSION = "asked_extension", "申请延期的人"
    ASKED_UNREASONABLE = "asked_unreasonable", "提请认定不合理诉求的人"
    CITIZEN = "citizen", "反映人"
    RECORDER = "recorder", "登记人（按群众的意思）"
    CLOCKWORK = "clockwork", "系统"


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a ticket decides who may act on it. `acted`: the actor was assigned it, or did anything on it."""

    node: Node
    person_id: int | None
    citizen_id: int | None
    recorder_id: int | None
    confidential: bool
    about_staff_id: int | None = None
    extension_asker_id: int | None = None
    unreasonable_asker_id: int | None = None
    acted: bool = True


def capacities(actor: Actor, ticket: Standing, county: County) -> frozenset[Capacity]:
    """Every capacity the actor has before this ticket; empty means: may do nothing with it."""
    if actor.kind is ActorKind.SYSTEM:
        return frozenset({Capacity.CLOCKWORK})
    if actor.kind is ActorKind.CITIZEN:
        return frozenset({Capacity.CITIZEN}) if actor.id == ticket.citizen_id else frozenset()
    if actor.kind is not ActorKind.STAFF or actor.id == ticket.about_staff_id:
        return frozenset()
    return _confidential(actor, ticket) if ticket.confidential else _ordinary(actor, ticket, county)


def _confidential(actor: Actor, ticket: Standing) -> frozenset[Capacity]:
    """Only the inspectors concerned: the one assigned, and those of the responsible node; they administer it."""
    inspects = any(a.role is Role.INSPECTOR and a.node == ticket.node for a in actor.appointments)
    assigned = actor.id == ticket.person_id and Role.INSPECTOR in actor.roles
    if not (inspects or assigned):
        return frozenset()
    own = {Capacity.INSPECTOR, Capacity.ADMINISTRATOR, Capacity.READER}
    return frozenset(own | {Capacity.ASSIGNED}) if actor.id == ticket.person_id else frozenset(own)


def _ordinary(actor: Actor, ticket: Standing, county: County) -> frozenset[Capacity]:
    found = {c for a in actor.appointments for c in _by_appointment(a, ticket.node, county)}
    if not actor.roles.isdisjoint(_SEEING):
        found.add(Capacity.READER)
    own = {
        Capacity.ASSIGNED: ticket.person_id,
        Capacity.RECORDER: ticket.recorder_id,
        Capacity.ASKED_EXTENSION: ticket.extension_asker_id,
        Capacity.ASKED_UNREASONABLE: ticket.unreasonable_asker_id,
    }
    found |= {capacity for capacity, staff_id in own.items() if staff_id is not None and staff_id == actor.id}
    if not ticket.acted and not found.isdisjoint({Capacity.INSPECTOR, Capacity.PARENT_ADMINISTRATOR}):
        found.add(Capacity.CALLER)
    return frozenset(found)


def _by_appointment(appointment: Appointment, node: Node, county: County) -> set[Capacity]:
    match appointment.role:
        case Role.ADMINISTRATOR:
            parent = county.parent_of(node)
            found: set[Capacity] = set()
            if administers(appointment.node, node, county):
                found.add(Capacity.ADMINISTRATOR)
            if parent is not None and administers(appointment.node, parent, county):
                found.add(Capacity.PARENT_ADMINISTRATOR)
            return found
        case Role.COURIER | Role.HANDLER if colleague(appointment, node, county):
            return {Capacity.COLLEAGUE}
        case Role.INSPECTOR if administers(appointment.node, node, county):
            return {Capacity.INSPECTOR}
        case Role.PRINCIPAL if appointment.node == node and county.parent_of(node) is None:
            return {Capacity.COUNTY_PRINCIPAL}
        case _:
            return set()


def fit(seats: Iterable[Appointment], node: Node, county: County, *, confidential: bool) -> bool:
    """Whether somebody with these appointments can be the person of a ticket of that node."""
    if confidential:
        return any(a.role is Role.INSPECTOR and administers(a.node, node, county) for a in seats)
    working = {Capacity.COLLEAGUE, Capacity.ADMINISTRATOR}
    return any(not working.isdisjoint(_by_appointment(a, node, county)) for a in seats)


def administers(seat: Node, node: Node, county: County) -> bool:
    """Whether an administrator at `seat` runs `node`: the same node, or a division at or above it."""
    if seat == node:
        return True
    if seat.division_id is None:
        return False
    return seat.division_id in county.division_of(node).lineage


def colleague(appointment: Appointment, node: Node, county: County) -> bool:
    """Another handler of the responsible unit, or a courier whose grid lies in the responsible village or grid."""
    if appointment.role is Role.HANDLER:
        return appointment.node == node
    seat = appointment.node.division_id
    if node.division_id is None or seat is None:
        return False
    lineage = county.divisions[seat].lineage
    return node.division_id in lineage[2:]


@dataclass(frozen=True, slots=True)
class Sight:
    """Which tickets an actor may see, as one union; tickets.queries turns it into one SQL condition.

    `areas`: divisions whose whole subtree (place, present or past responsible node) is open to them. `seats`: nodes
    responsible now. `grids`: places. `inspects`: divisions whose confidential tickets they hold as inspectors.
    """

    staff_id: int | None = None
    citizen_id: int | None = None
    areas: frozenset[int] = frozenset()
    unit_areas: frozenset[int] = frozenset()
    villages: frozenset[int] = frozenset()
    units: frozenset[int] = frozenset()
    grids: frozenset[int] = frozenset()
    inspects: frozenset[int] = frozenset()


def sight(actor: Actor, county: County) -> Sight:
    """What the actor may see (domain.md, 2, last rows). Auditors and operators see no ticket."""
    if actor.kind is ActorKind.CITIZEN:
        return Sight(citizen_id=actor.id)
    if actor.kind is not ActorKind.STAFF:
        return Sight()
    sees = not actor.roles.isdisjoint(_SEEING)
    seats = actor.appointments
    overseen = [a.node for a in seats if a.role in _OVERSEERS]
    grids = {a.node.division_id for a in seats if a.role is Role.COURIER and a.node.division_id is not None}
    villages = {county.divisions[g].lineage[2] for g in grids if len(county.divisions[g].lineage) > 2}
    return Sight(
        staff_id=actor.id if sees else None,
        areas=frozenset(n.division_id for n in overseen if n.division_id is not None),
        unit_areas=frozenset(n.unit_id for n in overseen if n.unit_id is not None),
        villages=frozenset(villages),
        units=frozenset(a.node.unit_id for a in seats if a.role is Role.HANDLER and a.node.unit_id is not None),
        grids=frozenset(grids),
        inspects=frozenset(
            a.node.division_id for a in seats if a.role is Role.INSPECTOR and a.node.division_id is not None
        ),
    )
