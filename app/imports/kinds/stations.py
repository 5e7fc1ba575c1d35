"""Stations: the offline service places of the divisions (县办、镇街中心、村社区站、网格点)."""

import re
from collections.abc import Mapping

from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.domain.vocabulary import Datum
from app.imports import queries
from app.imports.cells import Line, known, refuse_closed
from app.imports.changes import Result, Values, compare, left_alone
from app.imports.kinds.divisions import SOURCE

COLUMNS = Columns(("division_code", "name"), ("address", "hours", "phone", "lat", "lon", "datum"))
_TEXTS = {"address": 100, "hours": 60}
_LOCATION = ("lat", "lon", "datum")
_PHONE = re.compile(r"[0-9][0-9-]{2,19}")


async def bring(work: Work, sheet: Sheet) -> Result:
    """Writes the stations; one is known again by its division and name. Raises Invalid."""
    faults = Faults()
    places = await queries.stored_divisions(work.conn, SOURCE)
    ids = {code: row["id"] for code, row in places.items()}
    stored = await queries.stored_stations(work.conn)
    seen: dict[str, int] = {}
    wanted: dict[str, Values] = {}
    for row in sheet.rows:
        line = Line(row, faults)
        values = _values(line, sheet.columns, ids)
        key = f"{values['division_id']}\n{values['name']}"
        if line.once(seen, key, "division_code 和 name"):
            wanted[key] = values
        if key not in stored:
            refuse_closed(line, "division_code", places)
    faults.refuse()
    changes = compare(wanted, stored)
    if changes.new:
        blank = {"address": "", "hours": "", "phone": "", **dict.fromkeys(_LOCATION)}
        await queries.insert_stations(work.conn, [blank | wanted[key] for key in changes.new])
    if changes.changed:
        rows = [{"row_id": stored[key]["id"], **wanted[key]} for key in sorted(changes.changed)]
        await queries.update_stations(work.conn, rows)
    unchanged = len(wanted) - len(changes.new) - len(changes.changed)
    notices = sheet.notices + left_alone(wanted, stored, "个服务站点")
    return Result(len(changes.new), len(changes.changed), unchanged, notices)


def _values(line: Line, columns: frozenset[str], ids: Mapping[str, int]) -> Values:
    values: Values = {"division_id": known(line, "division_code", ids, "区划"), "name": line.text("name")}
    for column, most in _TEXTS.items():
        if column in columns:
            values[column] = line.text(column, most=most, optional=True)
    if "phone" in columns:
        phone = line.raw("phone")
        values["phone"] = line.match("phone", _PHONE, "应为 3 到 20 位数字，可以有横线") if phone else ""
    return values | _location(line, columns)


def _location(line: Line, columns: frozenset[str]) -> Values:
    if columns.isdisjoint(_LOCATION):
        return {}
    lat, lon = line.degrees("lat", 90), line.degrees("lon", 180)
    datum = line.word("datum", Datum) if line.raw("datum") else None
    filled = [column for column in _LOCATION if line.raw(column)]
    if filled and len(filled) < len(_LOCATION):
        line.wrong("lat、lon、datum 要么都填，要么都不填：坐标系不同，位置相差数百米")
    return {"lat": lat, "lon": lon, "datum": str(datum) if datum else None}
