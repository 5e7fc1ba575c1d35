"""What a new edition does to the divisions that it does not name: what is gone is closed, never deleted.

A file with the county's own row is a whole edition of the levels in it; any other file is a part, which closes nothing
by its silence.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.base.work import Work
from app.domain.errors import Invalid
from app.domain.vocabulary import Level
from app.imports import queries
from app.imports.changes import Stored, Values

MOST_MISSING = 5
"""One in so many of a level may be missing; a file that lacks more is one that was cut off."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Edition:
    """What a file's rows are of: a year, empty where nobody has ever named one; and the first day of what is new."""

    year: str
    since: date


@dataclass(frozen=True, slots=True)
class Turn:
    """By code. `closed`: what is not in the file and closes, with its last day; of it `silently` what neither the file
    nor something above it in the file says. `back`: what comes back with the division above it, closed with it before.
    """

    closed: Mapping[str, date]
    silently: frozenset[str]
    back: frozenset[str]

    @property
    def last_days(self) -> Mapping[str, date | None]:
        return {**self.closed, **dict.fromkeys(self.back)}


def turn(stored: Stored, wanted: Mapping[str, Values], named: Collection[str], whole: bool, today: date) -> Turn:
    """`named`: all codes of the file, those of faulty rows too; `wanted`: its sound rows."""
    levels = levels_of(wanted) if whole else frozenset()
    missing = {
        row["id"]: today for code, row in stored.items() if _open(row) and row["level"] in levels and code not in named
    }
    said = {stored[code]["id"]: row["valid_to"] for code, row in wanted.items() if code in stored and row["valid_to"]}
    unnamed = {code: row for code, row in stored.items() if _open(row) and code not in named}
    explicit = {code: day for code, row in unnamed.items() if (day := _last_day(row, said))}
    silent = {code: day for code, row in unnamed.items() if (day := _last_day(row, missing))}
    silently = frozenset(silent.keys() - explicit.keys())
    return Turn(silent | explicit, silently, _back(stored, wanted, named, levels))


def levels_of(wanted: Mapping[str, Values]) -> frozenset[str]:
    return frozenset(row["level"] for row in wanted.values())


def _last_day(row: Mapping[str, Any], last: Mapping[int, date]) -> date | None:
    """The last day of the nearest division, itself included, that has one."""
    own = (row["grid_id"], row["village_id"], row["town_id"])
    return next((last[at] for at in own if at in last), None)


def _back(
    stored: Stored, wanted: Mapping[str, Values], named: Collection[str], levels: frozenset[str]
) -> frozenset[str]:
    codes = {row["id"]: code for code, row in stored.items()}
    closed = {code: row for code, row in stored.items() if not _open(row)}
    back = {code for code in closed if code in wanted and wanted[code]["valid_to"] is None}
    for code, row in sorted(closed.items(), key=lambda item: len(item[0])):
        above = codes.get(row["parent_id"], "")
        together = above in back and row["valid_to"] == stored[above]["valid_to"]
        if together and code not in named and row["level"] not in levels:
            back.add(code)
    return frozenset(back - set(named))


def newest(stored: Stored, levels: Collection[str] = tuple(Level)) -> str:
    """The newest edition that is there of these levels; empty where there is none, or nobody has named it."""
    return max((row["edition"] for row in stored.values() if row["level"] in levels), default="")


def refuse_unsaid(stored: Stored, year: str) -> None:
    """Raises Invalid where a whole edition does not say which it is, and what is there does: it could be older."""
    if not year and (there := newest(stored)):
        raise Invalid(
            "import.edition",
            f"文件里有县的一行，是整套区划；库里已是 {there} 年版，请用 --edition 写明文件是哪一年版，"
            f"例如 --edition {there}，什么都没有导入。只补充或更正几个区划的，去掉县的一行，就不用写",
        )


def refuse_older(stored: Stored, wanted: Mapping[str, Values], year: str) -> None:
    """Raises Invalid where a whole edition is older than what is there of its levels."""
    there = newest(stored, levels_of(wanted))
    if year < there:
        raise Invalid(
            "import.edition_older",
            f"文件是 {year} 年版，库里的区划已是 {there} 年版，旧版不能覆盖新版，什么都没有导入；"
            "请换用新版的文件，或核对 --edition 的年份",
        )


def refuse_cut_off(stored: Stored, found: Turn, wanted: Mapping[str, Values]) -> None:
    """Raises Invalid where so much of a level is missing that the file was probably cut off."""
    levels = levels_of(wanted)
    for level in Level:
        there = [code for code, row in stored.items() if row["level"] == level and _open(row)]
        gone = sum(1 for code in there if code in found.silently)
        if gone * MOST_MISSING > len(there):
            what = "文件里缺少" if level in levels else "文件里缺少的区划下面有"
            raise Invalid(
                "import.cut_off",
                f"{what} {gone} 个{level.label}（现有 {len(there)} 个），超过两成，像是不完整的文件，什么都没有导入；"
                "请核对文件。确已撤销的，请把它们写进文件，并在 valid_to 列填最后一天（如 2026-09-30）",
            )


async def notices(work: Work, stored: Stored, wanted: Mapping[str, Values], found: Turn) -> tuple[str, ...]:
    """What closes and comes back, and what is still at the closed ones, in Chinese."""
    ending = {code for code, row in wanted.items() if row["valid_to"] and code in stored and _open(stored[code])}
    closing = sorted(ending | found.closed.keys())
    said = [f"随上级一同恢复了 {len(found.back)} 个区划"] if found.back else []
    if closing:
        said.append(
            f"撤销了 {len(closing)} 个区划：{_first_names(closing, stored)}。它们的名称不再用来定位；"
            "并入别处的，请用别名文件把旧名指到并入的区划"
        )
        said += _left(*await queries.left_at(work.conn, [stored[code]["id"] for code in closing], work.now))
    return tuple(said)


def _open(row: Mapping[str, Any]) -> bool:
    return row["valid_to"] is None


def _first_names(codes: Sequence[str], stored: Stored) -> str:
    """The first few, each for what closes below it."""
    closing = set(codes)
    highest = [code for code in codes if code[:-3] not in closing]
    names = "、".join(stored[code]["name"] for code in highest[:_NAMED])
    return names + (" 等" if len(highest) > _NAMED else "") + ("（连同其下各级）" if len(highest) < len(codes) else "")


def _left(tickets: int, seats: int, households: int) -> Iterator[str]:
    counts = {f"{tickets} 件在办事项": tickets, f"{seats} 项任职": seats, f"{households} 户": households}
    there = [words for words, count in counts.items() if count]
    if there:
        yield f"撤销的区划还有 {'、'.join(there)}，请派给别的区划"
