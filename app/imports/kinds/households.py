"""Households: who lives in a grid, and the courier who visits them. Phones and addresses are sealed before they are
stored, and no fault quotes them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.base.secrets import Vault
from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.domain.errors import Invalid
from app.domain.vocabulary import Level, Role
from app.imports import queries
from app.imports.cells import Line, known, refuse_closed
from app.imports.changes import Changes, Progress, Result, Stored, Values, compare, left_alone
from app.imports.kinds.divisions import SOURCE
from app.people.households import key_of, place

COLUMNS = Columns(("grid_code", "head_name", "in_difficulty"), ("phone", "address", "courier_username"))
_BLANK: Values = {"phone": None, "courier_id": None}
"""What a new one has of the columns that a file may leave out; what is there keeps its own."""
_PHONE = re.compile(r"[0-9]{11}")
_LONGEST_NAME, _LONGEST_ADDRESS = 40, 100
_STEP = 1000
"""Rows between two signs of progress. Checking them takes about as long as sealing and writing them."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a row may refer to: divisions by code; staff by username; the villages a courier works in, by staff id."""

    places: Stored
    grids: Mapping[str, int]
    staff: Stored
    villages: Mapping[int, frozenset[int]]


async def bring(work: Work, sheet: Sheet, vault: Vault | None, progress: Progress) -> Result:
    """Writes the households; one is known again by its grid, head and address. Raises Invalid."""
    if vault is None:
        raise Invalid("import.vault", "导入户需要 O2O_SECRET_KEY，电话和地址要用它加密保存")
    faults = Faults()
    here = await _known(work)
    stored = await queries.stored_households(work.conn)
    _check_key(stored, vault)
    seen: dict[str, int] = {}
    wanted: dict[str, Values] = {}
    for done, row in enumerate(sheet.rows):
        line = Line(row, faults)
        values = _values(line, sheet.columns, here)
        key = key_of(vault, line.raw("grid_code"), values["head_name"], values["address"] or "")
        if line.once(seen, key, "grid_code、head_name、address"):
            wanted[key] = values
        if key not in stored:
            refuse_closed(line, "grid_code", here.places)
        if done % _STEP == 0:
            progress(done // 2, len(sheet.rows))
    faults.refuse()
    changes = await _write(work, wanted, stored, vault, progress)
    after = ({**_BLANK, **stored.get(key, {}), **values} for key, values in wanted.items())
    alone = sum(1 for row in after if row["courier_id"] is None)
    notices = sheet.notices + ((f"{alone} 户没有民生快递员，不在任何人的走访名单里",) if alone else ())
    unchanged = len(wanted) - len(changes.new) - len(changes.changed)
    return Result(len(changes.new), len(changes.changed), unchanged, notices + left_alone(wanted, stored, "户"))


async def _known(work: Work) -> _Known:
    places = await queries.stored_divisions(work.conn, SOURCE)
    village_of = {row["id"]: row["village_id"] for row in places.values()}
    villages: dict[int, set[int]] = {}
    for staff_id, role, division_id, _ in await queries.stored_seats(work.conn, work.now):
        if role == Role.COURIER and division_id is not None and village_of.get(division_id) is not None:
            villages.setdefault(staff_id, set()).add(village_of[division_id])
    return _Known(
        places,
        {code: row["id"] for code, row in places.items()},
        await queries.stored_staff(work.conn),
        {staff_id: frozenset(found) for staff_id, found in villages.items()},
    )


def _check_key(stored: Stored, vault: Vault) -> None:
    """With another secret key no household would be known again, and all would be written twice."""
    for row in stored.values():
        column = next((name for name in ("phone", "address") if row[name] is not None), None)
        if column is not None:
            _open(row, column, vault)
            return


def _values(line: Line, columns: frozenset[str], here: _Known) -> Values:
    grid = known(line, "grid_code", here.grids, "网格")
    if grid and here.places[line.raw("grid_code")]["level"] != Level.GRID:
        line.wrong(f"grid_code 应为网格，“{line.raw('grid_code')}”是上级区划")
        grid = 0
    values: Values = {
        "grid_id": grid,
        "head_name": line.text("head_name", most=_LONGEST_NAME),
        "address": line.text("address", most=_LONGEST_ADDRESS, optional=True) or None,
        "in_difficulty": line.flag("in_difficulty"),
    }
    if "phone" in columns:
        said = line.raw("phone")
        values["phone"] = line.match("phone", _PHONE, "应为 11 位数字，没有电话的留空", quote=False) if said else None
    if "courier_username" in columns:
        values["courier_id"] = _courier(line, here, grid) if line.raw("courier_username") else None
    return values


def _courier(line: Line, here: _Known, grid: int) -> int:
    username = line.raw("courier_username")
    person = here.staff.get(username)
    if person is None or not person["active"]:
        said = "已停用" if person else "没有这个用户名的工作人员"
        line.wrong(f"courier_username“{username[:32]}”：{said}")
        return 0
    villages = here.villages.get(person["id"], frozenset())
    if not villages:
        line.wrong(f"courier_username“{username[:32]}”：现在不是民生快递员")
    elif grid and here.places[line.raw("grid_code")]["village_id"] not in villages:
        line.wrong(f"courier_username“{username[:32]}”：不是这个网格的民生快递员，也不是同一村社区的")
    return int(person["id"])


async def _write(work: Work, wanted: Mapping[str, Values], stored: Stored, vault: Vault, progress: Progress) -> Changes:
    kept = {key: row for key, row in stored.items() if key in wanted}
    opened = {key: {**row, "phone": _open(row, "phone", vault)} for key, row in kept.items()}
    changes = compare({key: _changeable(values) for key, values in wanted.items()}, opened)
    if changes.new:
        await queries.copy_households(work.conn, _sealed(wanted, changes.new, vault, progress))
    if changes.changed:
        rows = [_update(stored[key]["id"], key, wanted[key], vault) for key in sorted(changes.changed)]
        await queries.update_households(work.conn, rows)
    return changes


def _update(row_id: int, key: str, values: Values, vault: Vault) -> Values:
    sealed = {"phone": _seal(values, "phone", key, vault)} if "phone" in values else {}
    return {"row_id": row_id, **_changeable(values), **sealed}


def _changeable(values: Values) -> Values:
    """Grid, head and address make the key: only the rest can differ from what is stored."""
    return {column: values[column] for column in ("phone", "courier_id", "in_difficulty") if column in values}


def _sealed(wanted: Mapping[str, Values], keys: Iterable[str], vault: Vault, progress: Progress) -> Iterator[Values]:
    for done, key in enumerate(keys):
        if done % _STEP == 0:
            progress((len(wanted) + done) // 2, len(wanted))
        values = _BLANK | wanted[key]
        sealed = {column: _seal(values, column, key, vault) for column in ("phone", "address")}
        yield {**values, "key": key, **sealed}


def _seal(values: Values, column: str, key: str, vault: Vault) -> str | None:
    return None if values[column] is None else vault.seal(values[column], place(column, key))


def _open(row: Mapping[str, Any], column: str, vault: Vault) -> str | None:
    try:
        return None if row[column] is None else vault.open(row[column], place(column, row["key"]))
    except ValueError as error:
        raise Invalid("import.vault", f"已有的户：{error}") from error
