"""Staff: one row is one appointment, so a person with several has several rows."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.domain.vocabulary import Level, Role
from app.imports import queries
from app.imports.cells import Line, known
from app.imports.changes import Changes, Result, Stored, Values, compare, left_alone
from app.imports.kinds.divisions import SOURCE
from app.imports.passwords import weakness

COLUMNS = Columns(("username", "name", "phone", "role"), ("division_code", "unit_code", "password"))
APART = frozenset({Role.OPERATOR, Role.AUDITOR})
"""Duties that go with no other: neither sees a ticket, and 系统, 安全, 审计 are never one person's (domain.md, 1)."""
_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{1,63}")
_PHONE = re.compile(r"[0-9]{11}")

_Seat = tuple[str, int | None, int | None]
"""Role, division id, unit id."""
_Held = tuple[int, str, int | None, int | None]
"""The same, behind the id of whoever has it."""


@dataclass(frozen=True, slots=True)
class _Nodes:
    places: Stored
    divisions: Mapping[str, int]
    units: Mapping[str, int]
    closed: frozenset[int]
    held: frozenset[tuple[str, str, int | None]]
    """(username, role, division id) of present seats: one at a division that was closed since may stay in the file."""


@dataclass(slots=True)
class _Person:
    first: int
    name: str
    phone: str
    password: str
    seats: dict[_Seat, int] = field(default_factory=dict)
    roles: dict[Role, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A file that has been found right: its people, who of them is there already, and who has which seat now."""

    people: Mapping[str, _Person]
    stored: Stored
    seats: Mapping[tuple[int, str, int | None, int | None], int]
    notices: tuple[str, ...]

    @property
    def passwords(self) -> dict[str, str]:
        """The passwords of the file, by username."""
        return {username: person.password for username, person in self.people.items() if person.password}

    @property
    def hashes(self) -> dict[str, str | None]:
        """What is stored of the passwords now, by username."""
        return {username: row["password_hash"] for username, row in self.stored.items()}


async def plan(work: Work, sheet: Sheet) -> Plan:
    """Checks the whole file and changes nothing. Raises Invalid."""
    faults = Faults()
    places = await queries.stored_divisions(work.conn, SOURCE)
    units = {code: row["id"] for code, row in (await queries.stored_units(work.conn)).items()}
    stored = await queries.stored_staff(work.conn)
    seats = await queries.stored_seats(work.conn, work.now)
    nodes = _nodes(places, units, stored, seats)
    people: dict[str, _Person] = {}
    for row in sheet.rows:
        _add(Line(row, faults), people, nodes)
    faults.refuse()
    notices = sheet.notices + _about(people, places, stored) + left_alone(people, stored, "名工作人员")
    return Plan(people, stored, seats, notices)


def _nodes(places: Stored, units: Mapping[str, int], stored: Stored, seats: Iterable[_Held]) -> _Nodes:
    usernames = {row["id"]: username for username, row in stored.items()}
    return _Nodes(
        places=places,
        divisions={code: row["id"] for code, row in places.items()},
        units=units,
        closed=frozenset(row["id"] for row in places.values() if row["valid_to"] is not None),
        held=frozenset((usernames[person], role, division) for person, role, division, _ in seats),
    )


def _add(line: Line, people: dict[str, _Person], nodes: _Nodes) -> None:
    username = line.match("username", _USERNAME, "应为 2 到 64 个字母、数字或 . _ @ -，以字母或数字开头")
    name, phone = line.text("name", most=40), line.match("phone", _PHONE, "应为 11 位数字")
    password = line.raw("password")
    if password and (why := weakness(password, username)):
        line.wrong(f"password：{why}")
    role, seat = _seat(line, nodes)
    if not username:
        return
    person = people.setdefault(username, _Person(line.number, name, phone, password))
    person.password = person.password or password
    said = {"name": (name, person.name), "phone": (phone, person.phone)}
    for column, (here, before) in (said | {"password": (password or person.password, person.password)}).items():
        if here != before:
            line.wrong(f"{column} 与第 {person.first} 行不同，username 却相同")
    if role is not None and seat is not None:
        _appoint(line, person, role, seat)


def _seat(line: Line, nodes: _Nodes) -> tuple[Role | None, _Seat | None]:
    role = line.word("role", Role)
    at_division, at_unit = bool(line.raw("division_code")), bool(line.raw("unit_code"))
    if at_division == at_unit:
        line.wrong("division_code 和 unit_code 要填且只能填一个")
        return role, None
    if role is Role.COURIER and at_unit:
        line.wrong("unit_code 应为空：民生快递员任职于区划，请填 division_code")
    if role is Role.HANDLER and at_division:
        line.wrong("division_code 应为空：承办人任职于承办单位，请填 unit_code")
    division = known(line, "division_code", nodes.divisions, "区划") if at_division else None
    if division in nodes.closed and (line.raw("username"), role, division) not in nodes.held:
        line.wrong(f"division_code：区划“{line.raw('division_code')}”已撤销，请改填现在的区划")
    unit = known(line, "unit_code", nodes.units, "承办单位") if at_unit else None
    return role, (str(role), division, unit)


def _appoint(line: Line, person: _Person, role: Role, seat: _Seat) -> None:
    first = person.seats.setdefault(seat, line.number)
    if first != line.number and 0 not in seat[1:]:
        line.wrong(f"username 和 role 与第 {first} 行重复（同一人的同一职务）")
    for other, number in person.roles.items():
        if other is not role and not APART.isdisjoint({other, role}):
            line.wrong(
                f"role：同一人不能既是{other.label}（第 {number} 行）又是{role.label}："
                "系统管理、安全管理、审计三权分立，系统管理员和审计员不兼其他职务"
            )
    person.roles.setdefault(role, line.number)


def _about(people: Mapping[str, _Person], places: Stored, stored: Stored) -> tuple[str, ...]:
    grids = {row["id"] for row in places.values() if row["level"] == Level.GRID}
    seats = (seat for person in people.values() for seat in person.seats)
    astray = sum(1 for role, division, _ in seats if role == Role.COURIER and division not in grids)
    # Nobody gets back in because an old file was imported again.
    inactive = sum(1 for username in people if username in stored and not stored[username]["active"])
    notices = {
        f"{astray} 名民生快递员不在网格任职，派单时不会按网格找到他们": astray,
        f"{inactive} 名已停用的工作人员仍是停用": inactive,
    }
    return tuple(notice for notice, count in notices.items() if count)


async def bring(work: Work, sheet: Sheet, hashes: Mapping[str, str]) -> Result:
    """Writes the staff; `hashes` holds one for each person of the file that has a password. Seats that a person's rows
    no longer name end now; people whom the file does not name keep theirs. Raises Invalid."""
    planned = await plan(work, sheet)
    wanted = {username: _values(username, person, hashes) for username, person in planned.people.items()}
    changes = compare(wanted, planned.stored)
    ids = await _write(work, planned, wanted, changes)
    held = {(ids[username], *seat): username for username, person in planned.people.items() for seat in person.seats}
    new = [seat for seat in held if seat not in planned.seats]
    if new:
        await queries.insert_seats(work.conn, [_appointment(seat, work) for seat in new])
    ours = {ids[username] for username in planned.people}
    over = [id_ for seat, id_ in planned.seats.items() if seat[0] in ours and seat not in held]
    if over:
        await queries.end_seats(work.conn, over, work.now)
    updated = sum(1 for seat, username in held.items() if seat in planned.seats and username in changes.changed)
    notices = planned.notices + ((f"{len(over)} 项任职文件里已没有，自现在起结束",) if over else ())
    notices += await _left(work, {seat[0] for seat, id_ in planned.seats.items() if id_ in over})
    return Result(len(new), updated, len(held) - len(new) - updated, notices)


async def _left(work: Work, ids: Collection[int]) -> tuple[str, ...]:
    """Who was moved away sees their households there no more, and nobody else does as their own."""
    count = await queries.households_left(work.conn, ids, work.now) if ids else 0
    return (f"{count} 户的联系快递员已不在该村，请重新导入 households",) if count else ()


def _values(username: str, person: _Person, hashes: Mapping[str, str]) -> Values:
    values: Values = {"name": person.name, "phone": person.phone}
    if person.password:
        values["password_hash"] = hashes[username]
    return values


async def _write(work: Work, planned: Plan, wanted: Mapping[str, Values], changes: Changes) -> Mapping[str, int]:
    """Inserts and updates people; returns the id of everyone by username."""
    drawn = await queries.staff_ids(work.conn, len(changes.new))
    ids = {username: row["id"] for username, row in planned.stored.items()}
    ids |= dict(zip(changes.new, drawn, strict=True))
    if changes.new:
        blank = {"password_hash": None, "active": True}
        rows = [{"id": ids[name], "username": name, **blank, **wanted[name]} for name in changes.new]
        await queries.insert_staff(work.conn, rows)
    if changes.changed:
        kept = planned.hashes
        rows = [{"row_id": ids[n], "password_hash": kept[n], **wanted[n]} for n in sorted(changes.changed)]
        await queries.update_staff(work.conn, rows)
    return ids


def _appointment(seat: tuple[int, str, int | None, int | None], work: Work) -> dict[str, Any]:
    staff_id, role, division_id, unit_id = seat
    return {
        "staff_id": staff_id,
        "role": role,
        "division_id": division_id,
        "unit_id": unit_id,
        "starts_at": work.now,
        "ends_at": None,
    }
