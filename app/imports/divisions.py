"""Divisions: the four levels of one source, parents before children, each with the ids of all above it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.domain.errors import Invalid
from app.domain.places import COMMITTEE, SUFFIXES
from app.domain.vocabulary import Level
from app.imports import queries
from app.imports.cells import Line
from app.imports.changes import Changes, Result, Stored, Values, compare, left_alone

COLUMNS = Columns(("code", "name", "level", "parent_code"), ("short_name", "aliases", "lat", "lon"))
SOURCE = "nbs"
"""The statistics bureau's codes; another source of codes would be another import."""
DIGITS: Mapping[Level, int] = {Level.COUNTY: 6, Level.TOWN: 9, Level.VILLAGE: 12, Level.GRID: 15}
"""GB/T 2260 for the county, the bureau's for town and village, and three digits more for a grid (domain.md, 1)."""
_COUNTY_SUFFIX = re.compile(r"(县|区|市)$")
_SHORTEST_ALIAS = 2


@dataclass(frozen=True, slots=True)
class _Place:
    line: Line
    code: str
    level: Level
    aliases: tuple[str, ...]
    values: Values

    @property
    def parent_code(self) -> str:
        return self.code[: DIGITS[self.level] - 3] if self.level is not Level.COUNTY else ""


async def bring(work: Work, sheet: Sheet, edition: str | None) -> Result:
    """Writes the divisions. `edition` is a year as `2017`, by default the business year; a row keeps the edition in
    which it last changed. Raises Invalid."""
    year = _edition(edition or str(work.now.year))
    faults = Faults()
    stored = await queries.stored_divisions(work.conn, SOURCE)
    places = _places(sheet, faults)
    _check_parents(sheet, places, stored)
    _check_one_county(places, stored)
    faults.refuse()
    wanted = {place.code: place.values for place in places}
    changes = compare(wanted, stored)
    ids = await _write(work, places, changes, stored, year)
    named = await _name(work, places, ids)
    updated = (changes.changed | named) - set(changes.new)
    notices = sheet.notices + left_alone(wanted, stored, "个区划")
    return Result(len(changes.new), len(updated), len(places) - len(changes.new) - len(updated), notices)


def _edition(edition: str) -> str:
    if not re.fullmatch(r"(19|20)[0-9]{2}", edition):
        raise Invalid("import.edition", f"版本应为四位年份，如 2017，现为“{edition[:32]}”")
    return edition


def _places(sheet: Sheet, faults: Faults) -> list[_Place]:
    seen: dict[str, int] = {}
    places = [_place(Line(row, faults), sheet.columns) for row in sheet.rows]
    return [place for place in places if place is not None and place.line.once(seen, place.code, "code")]


def _place(line: Line, columns: frozenset[str]) -> _Place | None:
    name, level, code = line.text("name"), line.word("level", Level), line.raw("code")
    values: Values = {"name": name}
    if "short_name" in columns:
        values["short_name"] = line.text("short_name", optional=True) or (short_of(name, level) if level else "")
    if {"lat", "lon"} <= columns:
        values["lat"], values["lon"] = line.degrees("lat", 90), line.degrees("lon", 180)
        if (values["lat"] is None) != (values["lon"] is None):
            line.wrong("lat 和 lon 要么都填，要么都不填")
    aliases = tuple(alias for alias in line.names("aliases", shortest=_SHORTEST_ALIAS) if alias != name)
    if level is None:
        return None
    if not re.fullmatch(rf"[0-9]{{{DIGITS[level]}}}", code):
        line.wrong(f"code 应为 {DIGITS[level]} 位数字（{level.label}），现为“{code[:32]}”")
        return None
    return _Place(line, code, level, aliases, values)


def short_of(name: str, level: Level) -> str:
    """The name without what says its kind: 星沙街道 is 星沙, 开元路社区居委会 is 开元路; a grid's stays whole."""
    if level is Level.GRID:
        return name
    if level is Level.COUNTY:
        return _COUNTY_SUFFIX.sub("", name) or name
    place = COMMITTEE.sub(r"\1", name)
    suffix = next((s for s in SUFFIXES[level] if place.endswith(s)), "")
    return place.removesuffix(suffix) or name


def _check_parents(sheet: Sheet, places: Sequence[_Place], stored: Stored) -> None:
    # Also the codes of rows with a fault of their own: one slip must not become a fault of every row below it.
    codes = {row.values["code"] for row in sheet.rows} | stored.keys()
    for place in places:
        given, due = place.line.raw("parent_code"), place.parent_code
        if given != due:
            rule = f"应为“{due}”（上一级的代码，即 code 的前 {len(due)} 位）" if due else "应为空（县没有上级）"
            place.line.wrong(f"parent_code {rule}，现为“{given[:32]}”")
        elif due and due not in codes:
            place.line.wrong(f"没有代码为“{due}”的上级区划（文件和数据库里都没有）")


def _check_one_county(places: Sequence[_Place], stored: Stored) -> None:
    """A database is one county's (architecture.md, 4, A county is a schema)."""
    present = next((code for code, row in stored.items() if row["level"] == Level.COUNTY), None)
    for place in places:
        if place.level is Level.COUNTY:
            present = present or place.code
            if place.code != present:
                place.line.wrong(f"一个数据库只能有一个县，已有“{present}”")


async def _write(work: Work, places: Sequence[_Place], changes: Changes, stored: Stored, year: str) -> dict[str, int]:
    """Inserts and updates; returns the id of every division by code."""
    new = sorted((place for place in places if place.code not in stored), key=lambda place: len(place.code))
    drawn = await queries.division_ids(work.conn, len(new))
    ids = {code: row["id"] for code, row in stored.items()}
    ids |= {place.code: id_ for place, id_ in zip(new, drawn, strict=True)}
    if new:
        await queries.insert_divisions(work.conn, [_row(place, ids, year) for place in new])
    changed = [
        {"row_id": ids[place.code], **place.values, "edition": year}
        for place in places
        if place.code in changes.changed
    ]
    if changed:
        await queries.update_divisions(work.conn, changed)
    return ids


def _row(place: _Place, ids: Mapping[str, int], year: str) -> dict[str, Any]:
    at = {f"{level}_id": ids[place.code[:n]] if n <= len(place.code) else None for level, n in DIGITS.items()}
    blank = {"short_name": short_of(place.values["name"], place.level), "lat": None, "lon": None}
    return {
        "id": ids[place.code],
        "source": SOURCE,
        "code": place.code,
        "level": str(place.level),
        "parent_id": ids[place.parent_code] if place.parent_code else None,
        "edition": year,
        "valid_from": date(int(year), 1, 1),
        "valid_to": None,
        **at,
        **blank,
        **place.values,
    }


async def _name(work: Work, places: Sequence[_Place], ids: Mapping[str, int]) -> frozenset[str]:
    """Adds the names that are not there yet; returns the codes they belong to. None is taken away: another file
    (aliases) may have brought it."""
    known = await queries.stored_aliases(work.conn)
    pairs = {(alias, ids[place.code]): place.code for place in places for alias in place.aliases}
    fresh = {pair: code for pair, code in pairs.items() if pair not in known}
    if fresh:
        await queries.insert_aliases(work.conn, list(fresh))
    return frozenset(fresh.values())
