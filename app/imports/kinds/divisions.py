"""Divisions: the four levels of one source, parents before children, each with the ids of all above it.

A newer edition is a migration: a row keeps its id and with it all that hangs on it, an old name stays as an alias, and
what is gone is closed (editions).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.domain.errors import Invalid
from app.domain.places import COMMITTEE, MISNAMED, SUFFIXES
from app.domain.vocabulary import Level
from app.domain.workdays import day_of
from app.imports import queries
from app.imports.cells import Line
from app.imports.changes import Changes, Result, Stored, Values, compare, left_alone
from app.imports.kinds import editions
from app.imports.kinds.editions import Edition, Turn
from app.imports.kinds.renames import old_names, renamed

COLUMNS = Columns(("code", "name", "level", "parent_code"), ("short_name", "aliases", "lat", "lon", "valid_to"))
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
    """Writes the divisions. `edition` is a year as `2017`; a row keeps the edition in which it last changed. One that
    nobody has named is never guessed: a guess would shut out the next official one. Raises Invalid."""
    today = day_of(work.now)
    said = _edition(edition, today)
    faults = Faults()
    stored = await queries.stored_divisions(work.conn, SOURCE)
    places = [_settled(place, stored.get(place.code)) for place in _places(sheet, faults)]
    wanted = {place.code: place.values for place in places}
    codes = {row.values["code"] for row in sheet.rows}
    whole = any(place.level is Level.COUNTY for place in places)
    turn = editions.turn(stored, wanted, codes, whole, today)
    _check_parents(places, codes, stored, turn)
    _check_one_county(places, stored)
    since = date(int(said), 1, 1) if said else date(today.year, 1, 1)
    _check_days(places, stored, since, today)
    faults.refuse()
    if whole:
        editions.refuse_unsaid(stored, said)
        editions.refuse_older(stored, wanted, said)
        editions.refuse_cut_off(stored, turn, wanted)
    taken = Edition(said or editions.newest(stored), since)
    return await _bring(work, places, stored, turn, taken, sheet.notices)


async def _bring(
    work: Work, places: Sequence[_Place], stored: Stored, turn: Turn, edition: Edition, notices: tuple[str, ...]
) -> Result:
    wanted = {place.code: place.values for place in places}
    changes = compare(wanted, stored)
    ids = await _write(work, places, changes, stored, edition)
    await _turn(work, turn, ids, edition)
    named = await _name(work, places, ids, stored, turn)
    updated = (changes.changed | named) - set(changes.new)
    kept = {code: row for code, row in stored.items() if row["valid_to"] is None and code not in turn.closed}
    notices += left_alone(wanted, kept, "个区划") + await editions.notices(work, stored, wanted, turn)
    return Result(len(changes.new), len(updated), len(places) - len(changes.new) - len(updated), notices)


def _edition(edition: str | None, today: date) -> str:
    """The year; empty where none is said."""
    year = edition or ""
    if not year:
        return year
    if not re.fullmatch(r"(19|20)[0-9]{2}", year):
        raise Invalid("import.edition", f"版本应为四位年份，如 2017，现为“{year[:32]}”")
    if int(year) > today.year:
        # A slip such as 2071 would shut out every later edition.
        raise Invalid("import.edition", f"版本不能晚于今年（{today.year}），现为“{year}”")
    return year


def _places(sheet: Sheet, faults: Faults) -> list[_Place]:
    seen: dict[str, int] = {}
    places = [_place(Line(row, faults), sheet.columns) for row in sheet.rows]
    return [place for place in places if place is not None and place.line.once(seen, place.code, "code")]


def _place(line: Line, columns: frozenset[str]) -> _Place | None:
    name, level, code = line.text("name"), line.word("level", Level), line.raw("code")
    values: Values = {"name": name, "level": str(level), "valid_to": _day(line)}
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


def _day(line: Line) -> date | None:
    written = line.raw("valid_to")
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        line.wrong(f"valid_to 应为日期，如 2026-09-30，现为“{written[:32]}”")
        return None


def short_of(name: str, level: Level) -> str:
    """The name without what says its kind: 星沙街道 is 星沙, 开元路社区居委会 is 开元路; a grid's stays whole."""
    if level is Level.GRID:
        return name
    if level is Level.COUNTY:
        return _COUNTY_SUFFIX.sub("", name) or name
    place = COMMITTEE.sub(r"\1", MISNAMED.sub("社区居委会", name))
    suffix = next((s for s in SUFFIXES[level] if place.endswith(s)), "")
    return place.removesuffix(suffix) or name


def _settled(place: _Place, row: Mapping[str, Any] | None) -> _Place:
    """With a short name where the file has none: one that was made from the name follows it, one that was set stays."""
    if "short_name" in place.values:
        return place
    short = short_of(place.values["name"], place.level)
    if row is not None:
        made = row["short_name"] in (row["name"], short_of(row["name"], place.level))
        short = short if made and row["name"] != place.values["name"] else row["short_name"]
    return replace(place, values=place.values | {"short_name": short})


def _check_parents(places: Sequence[_Place], codes: Collection[str], stored: Stored, turn: Turn) -> None:
    """`codes`: also of rows with a fault of their own, for one slip must not become a fault of every row below it."""
    shut = {code for code, row in stored.items() if row["valid_to"] is not None and code not in codes}
    shut |= turn.closed.keys() | {place.code for place in places if place.values["valid_to"]}
    for place in places:
        given, due = place.line.raw("parent_code"), place.parent_code
        if given != due:
            rule = f"应为“{due}”（上一级的代码，即 code 的前 {len(due)} 位）" if due else "应为空（县没有上级）"
            place.line.wrong(f"parent_code {rule}，现为“{given[:32]}”")
        elif due and due not in codes and due not in stored:
            place.line.wrong(f"parent_code：没有代码为“{due}”的上级区划（文件和数据库里都没有）")
        elif due in shut and place.values["valid_to"] is None:
            place.line.wrong(f"parent_code：上级区划“{due}”已撤销，或按这个文件将撤销；它仍在的，请把它也写进文件")


def _check_one_county(places: Sequence[_Place], stored: Stored) -> None:
    """A database is one county's (architecture.md, 4, A county is a schema)."""
    present = next((code for code, row in stored.items() if row["level"] == Level.COUNTY), None)
    for place in places:
        if place.level is Level.COUNTY:
            present = present or place.code
            if place.code != present:
                place.line.wrong(f"code：一个数据库只能有一个县，已有“{present}”")


def _check_days(places: Sequence[_Place], stored: Stored, begin: date, today: date) -> None:
    """The last day of what the file closes; `begin` is the first one of what is new."""
    for place in places:
        last = place.values["valid_to"]
        if last is None:
            continue
        first = stored[place.code]["valid_from"] if place.code in stored else begin
        if place.level is Level.COUNTY:
            place.line.wrong("县本身不能撤销，valid_to 应为空")
        elif not first <= last <= today:
            place.line.wrong(f"valid_to 应在启用日 {first} 和今天 {today} 之间，现为“{last}”")


async def _write(
    work: Work, places: Sequence[_Place], changes: Changes, stored: Stored, edition: Edition
) -> dict[str, int]:
    """Inserts and updates; returns the id of every division by code."""
    new = sorted((place for place in places if place.code not in stored), key=lambda place: len(place.code))
    drawn = await queries.division_ids(work.conn, len(new))
    ids = {code: row["id"] for code, row in stored.items()}
    ids |= {place.code: id_ for place, id_ in zip(new, drawn, strict=True)}
    if new:
        await queries.insert_divisions(work.conn, [_row(place, ids, edition) for place in new])
    changed = [
        {"row_id": ids[place.code], **place.values, "edition": edition.year}
        for place in places
        if place.code in changes.changed
    ]
    if changed:
        await queries.update_divisions(work.conn, changed)
    return ids


def _row(place: _Place, ids: Mapping[str, int], edition: Edition) -> dict[str, Any]:
    at = {f"{level}_id": ids[place.code[:n]] if n <= len(place.code) else None for level, n in DIGITS.items()}
    blank = {"lat": None, "lon": None}
    return {
        "id": ids[place.code],
        "source": SOURCE,
        "code": place.code,
        "parent_id": ids[place.parent_code] if place.parent_code else None,
        "edition": edition.year,
        "valid_from": edition.since,
        **at,
        **blank,
        **place.values,
    }


async def _turn(work: Work, turn: Turn, ids: Mapping[str, int], edition: Edition) -> None:
    """Closes and brings back what the file does not name."""
    rows = [{"row_id": ids[code], "valid_to": last, "edition": edition.year} for code, last in turn.last_days.items()]
    if rows:
        await queries.update_divisions(work.conn, rows)


async def _name(
    work: Work, places: Sequence[_Place], ids: Mapping[str, int], stored: Stored, turn: Turn
) -> frozenset[str]:
    """Adds the names that are not there yet; returns the codes they belong to. None is taken away (another file may
    have brought it) but the one that a division now has as its own."""
    known = await queries.stored_aliases(work.conn)
    after = {code: {**row, "valid_to": turn.last_days.get(code, row["valid_to"])} for code, row in stored.items()}
    after |= {place.code: place.values for place in places}
    given = [(place.code, alias) for place in places for alias in place.aliases]
    given += [(code, alias) for code, names in old_names(stored, after).items() for alias in names]
    fresh = {(alias, ids[code]): code for code, alias in given if (alias, ids[code]) not in known}
    if fresh:
        await queries.insert_aliases(work.conn, list(fresh))
    own = [(after[code]["name"], ids[code]) for code in renamed(stored, after)]
    if own := [pair for pair in own if pair in known]:
        await queries.delete_aliases(work.conn, own)
    return frozenset(fresh.values())
