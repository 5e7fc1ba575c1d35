"""Outlines of divisions on the map, so that a location finds its division (domain.md, 3.1): a GeoJSON file, or a table
with a GeoJSON geometry in a column."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from app.base.sheets import MOST_BYTES, Columns, Faults, Row, Sheet
from app.base.work import Work
from app.domain.areas import OutlineError, box_of, rings_of
from app.domain.errors import Invalid
from app.domain.vocabulary import Datum
from app.imports import queries
from app.imports.cells import Line, known, refuse_closed
from app.imports.changes import Result, Values, compare, left_alone
from app.imports.kinds.divisions import SOURCE

COLUMNS = Columns(("division_code", "datum", "geometry"))
_NAMED = ("division_code", "code", "adcode")
"""Properties of a feature that may hold the division's code."""


async def bring(work: Work, sheet: Sheet) -> Result:
    """Writes the outlines, one a division. Raises Invalid."""
    faults = Faults()
    places = await queries.stored_divisions(work.conn, SOURCE)
    ids = {code: row["id"] for code, row in places.items()}
    stored = await queries.stored_areas(work.conn)
    seen: dict[str, int] = {}
    wanted: dict[str, Values] = {}
    for row in sheet.rows:
        line = Line(row, faults)
        values = _values(line, ids)
        key = str(values["division_id"])
        if line.once(seen, line.raw("division_code"), "division_code"):
            wanted[key] = values
        if key not in stored:
            refuse_closed(line, "division_code", places)
    faults.refuse()
    changes = compare(wanted, stored)
    if changes.new:
        await queries.insert_areas(work.conn, [wanted[key] for key in changes.new])
    if changes.changed:
        await queries.update_areas(work.conn, [wanted[key] for key in sorted(changes.changed)])
    unchanged = len(wanted) - len(changes.new) - len(changes.changed)
    notices = sheet.notices + left_alone(wanted, stored, "个区划的边界")
    return Result(len(changes.new), len(changes.changed), unchanged, notices)


def _values(line: Line, ids: Mapping[str, int]) -> Values:
    datum = line.word("datum", Datum)
    values: Values = {"division_id": known(line, "division_code", ids, "区划"), "datum": str(datum)}
    try:
        rings = rings_of(_read(line.raw("geometry")))
    except OutlineError as error:
        line.wrong(f"geometry {error}")
        return values
    return values | {"rings": rings} | asdict(box_of(rings))


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OutlineError("不是完整的 GeoJSON") from error


def is_geojson(data: bytes) -> bool:
    """Whether a file is a JSON object, not a table."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def sheet_of(data: bytes) -> Sheet:
    """A GeoJSON file as a table: a row for each feature, counted from 1. Raises Invalid `import.file`."""
    if len(data) > MOST_BYTES:
        raise Invalid("import.file", f"文件超过 {MOST_BYTES // 1024 // 1024} MB，请分成几个文件导入")
    try:
        whole = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Invalid("import.file", "文件不是完整的 GeoJSON（UTF-8）") from error
    rows = tuple(Row(number, values) for number, values in enumerate(_features(whole), 1))
    if not rows:
        raise Invalid("import.file", "GeoJSON 里没有要素（Feature），应为 FeatureCollection 或 Feature")
    return Sheet(COLUMNS.known, rows)


def _features(whole: object) -> Iterator[dict[str, str]]:
    match whole:
        case {"type": "FeatureCollection", "features": [*features], **others}:
            shared = others.get("datum", "")
        case {"type": "Feature"}:
            features, shared = [whole], ""
        case _:
            return
    for feature in features:
        held = feature if isinstance(feature, dict) else {}
        properties = held.get("properties")
        known_by = properties if isinstance(properties, dict) else {}
        code = next((str(known_by[name]) for name in _NAMED if known_by.get(name)), "")
        datum = known_by.get("datum") or shared
        yield {"division_code": code, "datum": str(datum), "geometry": json.dumps(held.get("geometry"))}
