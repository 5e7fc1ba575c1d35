"""Units: the county's departments and the towns' stations."""

from collections.abc import Mapping

from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.domain.vocabulary import Level
from app.imports import queries
from app.imports.cells import Line, known
from app.imports.changes import Result, Stored, Values, compare, left_alone
from app.imports.kinds.divisions import SOURCE

COLUMNS = Columns(("code", "name", "division_code"), ("short_name", "aliases"))
_SEATS = (Level.COUNTY, Level.TOWN)


async def bring(work: Work, sheet: Sheet) -> Result:
    """Writes the units. Raises Invalid."""
    faults = Faults()
    places = await queries.stored_divisions(work.conn, SOURCE)
    ids = {code: row["id"] for code, row in places.items()}
    stored = await queries.stored_units(work.conn)
    wanted: dict[str, Values] = {}
    lines: dict[str, Line] = {}
    seen: dict[str, int] = {}
    for row in sheet.rows:
        line = Line(row, faults)
        code = line.code()
        if line.once(seen, code, "code"):
            wanted[code], lines[code] = _values(line, sheet.columns, ids), line
            _check_seat(line, places)
    _check_names(wanted, lines, stored)
    faults.refuse()
    changes = compare(wanted, stored)
    if changes.new:
        await queries.insert_units(work.conn, [_blank(code, wanted[code]) | wanted[code] for code in changes.new])
    if changes.changed:
        rows = [{"row_id": stored[code]["id"], **wanted[code]} for code in changes.changed]
        await queries.update_units(work.conn, rows)
    unchanged = len(wanted) - len(changes.new) - len(changes.changed)
    notices = sheet.notices + left_alone(wanted, stored, "个承办单位")
    return Result(len(changes.new), len(changes.changed), unchanged, notices)


def _check_seat(line: Line, places: Stored) -> None:
    place = places.get(line.raw("division_code"))
    if place is not None and place["level"] not in _SEATS:
        line.wrong("division_code 应为县或镇街：承办单位属于县或镇街")


def _check_names(wanted: Mapping[str, Values], lines: Mapping[str, Line], stored: Stored) -> None:
    """Two of one name in one place: nobody could tell which of them a category means. What the file leaves as it is
    comes first, so that its own row is the one named."""
    kept = {code: row for code, row in stored.items() if code not in wanted}
    bearers: dict[tuple[str, int], str] = {}
    for code, row in (*kept.items(), *wanted.items()):
        name = (row["name"], row["division_id"])
        first = bearers.setdefault(name, code)
        if first == code or code not in lines or not all(name):
            continue
        where = f"第 {lines[first].number} 行的 {first}" if first in lines else f"已有的 {first}"
        said = f"同一区划里，{where} 也叫“{row['name'][:32]}”；事项分类按名称认单位，两个要有不同的名称"
        lines[code].wrong(f"name：{said}")


def _values(line: Line, columns: frozenset[str], ids: Mapping[str, int]) -> Values:
    name = line.text("name")
    values: Values = {"name": name, "division_id": known(line, "division_code", ids, "区划")}
    if "short_name" in columns:
        values["short_name"] = line.text("short_name", optional=True) or name
    if "aliases" in columns:
        values["aliases"] = list(line.names("aliases"))
    return values


def _blank(code: str, values: Values) -> Values:
    return {"code": code, "short_name": values["name"], "aliases": []}
