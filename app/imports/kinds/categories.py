"""The tree of categories: what may be asked, who handles it, within which limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.base.sheets import Columns, Faults, Sheet
from app.base.work import Work
from app.domain.limits import Rules
from app.domain.vocabulary import DayRule, Kind, Level
from app.imports import queries
from app.imports.cells import Line
from app.imports.changes import Result, Stored, Values, compare, left_alone
from app.imports.kinds.divisions import SOURCE

_DAYS = ("accept_working_days", "reply_working_days", "complete_days")
_FLAGS = ("auto_accept", "photo_required", "sensitive")
COLUMNS = Columns(
    (
        *("code", "name", "parent_code", "level", "lowest_level"),
        *(*_DAYS, "day_rule", *_FLAGS),
    ),
    ("kind_hint", "unit", "keywords", "confidential"),
)
_BLANK: Values = {"kind_hint": None, "unit_id": None, "keywords": []}
"""What a new one has of the columns that a file may leave out; what is there keeps its own."""
_LEVELS = {"1": 1, "2": 2}
ALWAYS_CONFIDENTIAL = frozenset({"反映干部作风"})
"""Whatever a file says (domain.md, 2): such a complaint must not reach those it is about."""


@dataclass(frozen=True, slots=True)
class _Entry:
    line: Line
    code: str
    level: int
    values: Values


async def bring(work: Work, sheet: Sheet) -> Result:
    """Writes the categories. Raises Invalid."""
    faults = Faults()
    stored = await queries.stored_categories(work.conn)
    units = await _units(work)
    seen: dict[str, int] = {}
    entries = [_entry(Line(row, faults), sheet.columns, units, stored) for row in sheet.rows]
    entries = [entry for entry in entries if entry.line.once(seen, entry.code, "code")]
    _check_tree(entries, stored)
    faults.refuse()
    new = sorted((entry for entry in entries if entry.code not in stored), key=lambda entry: entry.level)
    drawn = await queries.category_ids(work.conn, len(new))
    ids = {code: row["id"] for code, row in stored.items()}
    ids |= {entry.code: id_ for entry, id_ in zip(new, drawn, strict=True)}
    wanted = {entry.code: _with_parent(entry, ids) for entry in entries}
    changes = compare(wanted, stored)
    if new:
        rows = [{**_BLANK, "id": ids[entry.code], "code": entry.code, **wanted[entry.code]} for entry in new]
        await queries.insert_categories(work.conn, rows)
    if changes.changed:
        rows = [{"row_id": ids[code], **wanted[code]} for code in changes.changed]
        await queries.update_categories(work.conn, rows)
    unchanged = len(wanted) - len(new) - len(changes.changed)
    notices = sheet.notices + left_alone(wanted, stored, "个事项分类")
    return Result(len(new), len(changes.changed), unchanged, notices)


async def _units(work: Work) -> Mapping[str, Sequence[int]]:
    """The ids that a name can mean: the county's own unit, where there is one; a town's may have the same name."""
    places = await queries.stored_divisions(work.conn, SOURCE)
    county = {row["id"] for row in places.values() if row["level"] == Level.COUNTY}
    every: dict[str, list[int]] = {}
    own: dict[str, list[int]] = {}
    for row in (await queries.stored_units(work.conn)).values():
        every.setdefault(row["name"], []).append(row["id"])
        if row["division_id"] in county:
            own.setdefault(row["name"], []).append(row["id"])
    return every | own


def _entry(line: Line, columns: frozenset[str], units: Mapping[str, Sequence[int]], stored: Stored) -> _Entry:
    code, name = line.code(), line.text("name")
    level = line.raw("level")
    if level not in _LEVELS:
        line.wrong(f"level 只能是 1 或 2，现为“{level[:32]}”")
    lowest = line.word("lowest_level", Level)
    values = {
        "name": name,
        "level": _LEVELS.get(level, 0),
        "lowest_level": str(lowest),
        **_limits(line),
        **{flag: line.flag(flag) for flag in _FLAGS},
    }
    if "kind_hint" in columns:
        kind = line.word("kind_hint", Kind) if line.raw("kind_hint") else None
        values["kind_hint"] = str(kind) if kind else None
    if "unit" in columns:
        values["unit_id"] = _unit(line, units)
    if "keywords" in columns:
        values["keywords"] = list(line.names("keywords"))
    said = line.flag("confidential") if "confidential" in columns else _is_confidential(stored, code)
    values["confidential"] = said or name in ALWAYS_CONFIDENTIAL
    return _Entry(line, code, values["level"], values)


def _is_confidential(stored: Stored, code: str) -> bool:
    return code in stored and bool(stored[code]["confidential"])


def _unit(line: Line, units: Mapping[str, Sequence[int]]) -> int | None:
    name = line.raw("unit")
    if not name:
        return None
    found = units.get(name, ())
    if len(found) != 1:
        said = f"有 {len(found)} 个承办单位同名，分不清是哪一个，请先给它们不同的名称"
        said = said if found else "没有这个名称的承办单位，请先导入 units"
        line.wrong(f"unit“{name[:32]}”：{said}")
        return None
    return found[0]


def _limits(line: Line) -> Values:
    accept, reply, complete = (line.whole(column) for column in _DAYS)
    rule = line.word("day_rule", DayRule)
    if rule is not None:
        try:
            Rules(accept, reply, complete, rule)
        except ValueError:
            line.wrong(
                f"{'、'.join(_DAYS)} 不合规定：受理 1 个工作日，首次回复 1 至 3 个工作日，"
                f"办结 1 至 10 天（按小时计 1 至 240 小时），现为 {accept}、{reply}、{complete}（{rule.label}）"
            )
    return {**dict(zip(_DAYS, (accept, reply, complete), strict=True)), "day_rule": str(rule)}


def _check_tree(entries: Sequence[_Entry], stored: Stored) -> None:
    levels = {code: row["level"] for code, row in stored.items()} | {entry.code: entry.level for entry in entries}
    for entry in entries:
        parent = entry.line.raw("parent_code")
        if entry.code in stored and stored[entry.code]["level"] != entry.level:
            entry.line.wrong(f"level 不能从 {stored[entry.code]['level']} 改为 {entry.level}，请另立代码")
        if entry.level == 1 and parent:
            entry.line.wrong("parent_code 应为空：一级分类没有上级")
        elif entry.level == 2 and levels.get(parent) != 1:
            entry.line.wrong(f"parent_code：没有代码为“{parent[:32]}”的一级分类（文件和数据库里都没有）")


def _with_parent(entry: _Entry, ids: Mapping[str, int]) -> Values:
    parent = entry.line.raw("parent_code")
    return {**entry.values, "parent_id": ids[parent] if parent else None}
