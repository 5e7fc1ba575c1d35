"""The tables that imports write: the four levels and their outlines, categories, names, urgent words, stations,
groups, staff with their seats, households, accounts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, Text, Update, any_, bindparam, cast, delete, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.copy import copy_rows
from app.domain.vocabulary import Role
from app.schema.base import Id
from app.schema.divisions import (
    categories,
    division_aliases,
    division_areas,
    divisions,
    groups,
    settings,
    stations,
    units,
    urgent_words,
)
from app.schema.people import appointments, households, staff
from app.schema.tickets import is_open, tickets
from app.schema.wechat import accounts

Rows = Sequence[Mapping[str, Any]]
Stored = dict[str, Mapping[str, Any]]
_TURN = 430122
"""One import after another: two that both find a row missing would both insert it."""


async def take_turn(conn: AsyncConnection) -> None:
    """Waits for an import that is under way; the next waits until this transaction ends."""
    await conn.execute(select(func.pg_advisory_xact_lock(_TURN)))


async def renew_county(conn: AsyncConnection) -> None:
    """Tells every process that its copy of the county is old."""
    fresh = cast(func.gen_random_uuid(), Text)
    await conn.execute(update(settings).where(settings.c.name == "county_revision").values(value=fresh))


async def analyze(conn: AsyncConnection) -> None:
    """Tells the planner what came: until autovacuum has been by, it would plan for empty tables."""
    await conn.execute(text("ANALYZE division, unit, category, staff, appointment, household, station, chat_group"))


async def _new_ids(conn: AsyncConnection, table: str, count: int) -> list[int]:
    """Ids drawn before their rows are written, so that children can name their parents."""
    drawn = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
    return list((await conn.execute(drawn, {"table": table, "count": count})).scalars())


def _changed(table: Table[Any], rows: Rows) -> Update:
    """Sets every column that the rows have, `row_id` saying where."""
    columns = [column for column in rows[0] if column != "row_id"]
    return update(table).where(table.c.id == bindparam("row_id")).values({c: bindparam(c) for c in columns})


async def any_division(conn: AsyncConnection) -> bool:
    return bool((await conn.execute(select(select(divisions.c.id).exists()))).scalar_one())


async def stored_divisions(conn: AsyncConnection, source: str) -> Stored:
    found = await conn.execute(select(divisions).where(divisions.c.source == source))
    return {row["code"]: dict(row) for row in found.mappings()}


async def division_ids(conn: AsyncConnection, count: int) -> list[int]:
    return await _new_ids(conn, "division", count)


async def insert_divisions(conn: AsyncConnection, rows: Rows) -> None:
    """Parents stand before their children."""
    await conn.execute(insert(divisions), rows)


async def update_divisions(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(_changed(divisions, rows), rows)


async def stored_aliases(conn: AsyncConnection) -> set[tuple[str, int]]:
    """(name, division id)."""
    found = await conn.execute(select(division_aliases.c.alias, division_aliases.c.division_id))
    return {(row.alias, row.division_id) for row in found}


async def insert_aliases(conn: AsyncConnection, pairs: Sequence[tuple[str, int]]) -> None:
    await conn.execute(insert(division_aliases), [{"alias": alias, "division_id": id_} for alias, id_ in pairs])


async def delete_aliases(conn: AsyncConnection, pairs: Sequence[tuple[str, int]]) -> None:
    a = division_aliases.c
    one = delete(division_aliases).where(a.alias == bindparam("name"), a.division_id == bindparam("place"))
    await conn.execute(one, [{"name": alias, "place": id_} for alias, id_ in pairs])


async def left_at(conn: AsyncConnection, ids: Sequence[int], now: datetime) -> tuple[int, int, int]:
    """(open tickets, appointments, households) at these divisions and at their units; a ticket's place counts too."""
    t, a = tickets.c, appointments.c
    here = any_(bindparam("ids", type_=ARRAY(Id)))
    seats = select(units.c.id).where(units.c.division_id == here)
    held = or_(t.division_id == here, t.responsible_division_id == here, t.responsible_unit_id.in_(seats))
    present = or_(a.ends_at.is_(None), a.ends_at > now)
    counts = (
        select(func.count()).select_from(tickets).where(is_open, held),
        select(func.count()).select_from(appointments).where(present, or_(a.division_id == here, a.unit_id.in_(seats))),
        select(func.count()).select_from(households).where(households.c.grid_id == here),
    )
    query = select(*(count.scalar_subquery() for count in counts))
    row = (await conn.execute(query, {"ids": list(ids)})).one()
    return row[0], row[1], row[2]


async def stored_units(conn: AsyncConnection) -> Stored:
    found = await conn.execute(select(units))
    return {row["code"]: dict(row) for row in found.mappings()}


async def insert_units(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(insert(units), rows)


async def update_units(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(_changed(units, rows), rows)


async def stored_categories(conn: AsyncConnection) -> Stored:
    found = await conn.execute(select(categories))
    return {row["code"]: dict(row) for row in found.mappings()}


async def category_ids(conn: AsyncConnection, count: int) -> list[int]:
    return await _new_ids(conn, "category", count)


async def insert_categories(conn: AsyncConnection, rows: Rows) -> None:
    """Parents stand before their children."""
    await conn.execute(insert(categories), rows)


async def update_categories(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(_changed(categories, rows), rows)


async def stored_staff(conn: AsyncConnection) -> Stored:
    found = await conn.execute(select(staff))
    return {row["username"]: dict(row) for row in found.mappings()}


async def staff_ids(conn: AsyncConnection, count: int) -> list[int]:
    return await _new_ids(conn, "staff", count)


async def insert_staff(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(insert(staff), rows)


async def update_staff(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(_changed(staff, rows), rows)


async def stored_seats(conn: AsyncConnection, now: datetime) -> dict[tuple[int, str, int | None, int | None], int]:
    """(staff id, role, division id, unit id) of every appointment that has not ended → its id."""
    a = appointments.c
    found = await conn.execute(select(appointments).where(or_(a.ends_at.is_(None), a.ends_at > now)))
    return {(row.staff_id, row.role, row.division_id, row.unit_id): row.id for row in found}


async def insert_seats(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(insert(appointments), rows)


async def end_seats(conn: AsyncConnection, ids: Sequence[int], now: datetime) -> None:
    await conn.execute(update(appointments).where(appointments.c.id.in_(ids)).values(ends_at=now))


async def households_left(conn: AsyncConnection, staff_ids: Collection[int], now: datetime) -> int:
    """How many households have one of these as courier who has no courier's seat in their village now."""
    h, a = households.c, appointments.c
    place, seat = divisions.alias("place"), divisions.alias("seat")
    there = (
        select(a.id)
        .join_from(appointments, seat, seat.c.id == a.division_id)
        .where(a.staff_id == h.courier_id, a.role == Role.COURIER, seat.c.village_id == place.c.village_id)
        .where(or_(a.ends_at.is_(None), a.ends_at > now))
    )
    query = select(func.count()).join_from(households, place, place.c.id == h.grid_id)
    return int((await conn.execute(query.where(h.courier_id.in_(staff_ids), ~there.exists()))).scalar_one())


async def stored_accounts(conn: AsyncConnection) -> Stored:
    found = await conn.execute(select(accounts))
    return {row["appid"]: dict(row) for row in found.mappings()}


async def insert_accounts(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(insert(accounts), rows)


async def update_accounts(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(_changed(accounts, rows), rows)


async def stored_households(conn: AsyncConnection) -> Stored:
    """By their keys; phones and addresses are sealed."""
    h = households.c
    found = await conn.execute(select(h.id, h.key, h.phone, h.address, h.courier_id, h.in_difficulty))
    return {row["key"]: dict(row) for row in found.mappings()}


async def copy_households(conn: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes new ones as they are drawn: a county has 65,000."""
    columns = ("key", "grid_id", "head_name", "phone", "address", "courier_id", "in_difficulty")
    await copy_rows(conn, households.name, columns, (tuple(row[column] for column in columns) for row in rows))


async def update_households(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(_changed(households, rows), rows)


async def stored_stations(conn: AsyncConnection) -> Stored:
    """By division id and name, a line break between them."""
    found = await conn.execute(select(stations))
    return {f"{row['division_id']}\n{row['name']}": dict(row) for row in found.mappings()}


async def insert_stations(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(insert(stations), rows)


async def update_stations(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(_changed(stations, rows), rows)


async def stored_groups(conn: AsyncConnection) -> Stored:
    """By division id and name, a line break between them."""
    found = await conn.execute(select(groups))
    return {f"{row['division_id']}\n{row['name']}": dict(row) for row in found.mappings()}


async def insert_groups(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(insert(groups), rows)


async def update_groups(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(_changed(groups, rows), rows)


async def stored_areas(conn: AsyncConnection) -> Stored:
    """By division id."""
    found = await conn.execute(select(division_areas))
    return {str(row["division_id"]): dict(row) for row in found.mappings()}


async def insert_areas(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(insert(division_areas), rows)


async def update_areas(conn: AsyncConnection, rows: Rows) -> None:
    here = [row["division_id"] for row in rows]
    await conn.execute(delete(division_areas).where(division_areas.c.division_id.in_(here)))
    await insert_areas(conn, rows)


async def stored_urgent_words(conn: AsyncConnection) -> Stored:
    """By word and category id, a line break between them."""
    found = await conn.execute(select(urgent_words))
    return {f"{row['word']}\n{row['category_id'] or ''}": dict(row) for row in found.mappings()}


async def insert_urgent_words(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(insert(urgent_words), rows)


async def update_urgent_words(conn: AsyncConnection, rows: Rows) -> None:
    await conn.execute(_changed(urgent_words, rows), rows)
