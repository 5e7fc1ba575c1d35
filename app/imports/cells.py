"""One row being read: a method per kind of cell gives its value, or notes what is wrong and gives a stand-in."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.base.sheets import Faults, Row
from app.domain.vocabulary import Word
from app.imports.changes import Stored

W = TypeVar("W", bound=Word)

_TRUE = frozenset({"true", "1", "yes", "是", "有"})
_FALSE = frozenset({"false", "0", "no", "否", "无"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_SEPARATOR = re.compile(r"[|｜]")
MOST_NAME = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A stand-in never reaches the database: the faults are raised before anything is written."""

    row: Row
    faults: Faults

    @property
    def number(self) -> int:
        return self.row.number

    def wrong(self, detail: str) -> None:
        self.faults.add(self.row.number, detail)

    def raw(self, column: str) -> str:
        """The cell as it stands; empty where the file has no such column."""
        return self.row.values.get(column, "")

    def text(self, column: str, *, most: int = MOST_NAME, optional: bool = False) -> str:
        """A name: one line of at most `most` characters."""
        value = self.raw(column)
        if not value and not optional:
            self.wrong(f"{column} 不能为空")
        elif len(value) > most:
            self.wrong(f"{column} 最多 {most} 个字，现有 {len(value)} 个")
        elif _CONTROL.search(value):
            self.wrong(f"{column} 含有换行或乱码字符")
        return value

    def match(self, column: str, pattern: re.Pattern[str], rule: str, *, quote: bool = True) -> str:
        """A cell of a fixed form; `rule` says which, in Chinese. `quote` the value, unless it is a secret."""
        value = self.raw(column)
        if not value:
            self.wrong(f"{column} 不能为空")
        elif not pattern.fullmatch(value):
            self.wrong(f"{column} {rule}" + (f"，现为“{value[:32]}”" if quote else ""))
        return value

    def code(self) -> str:
        """The code of a unit or a category."""
        return self.match("code", _CODE, "应为字母、数字、横线，至多 32 个")

    def word(self, column: str, words: type[W], *, also: Iterable[str] = ()) -> W | None:
        """A code word, or its Chinese. `also`: what else the caller takes, to be named with them."""
        value = self.raw(column)
        found = next((word for word in words if value in (word.value, word.label)), None)
        if found is None:
            allowed = "、".join([*(f"{word.value}（{word.label}）" for word in words), *also])
            self.wrong(f"{column} 只能是 {allowed} 之一，现为“{value[:32]}”")
        return found

    def whole(self, column: str) -> int:
        value = self.raw(column)
        if not re.fullmatch(r"[0-9]{1,6}", value):
            self.wrong(f"{column} 应为整数，现为“{value[:32]}”")
            return 0
        return int(value)

    def flag(self, column: str) -> bool:
        value = self.raw(column).lower()
        if value not in _TRUE | _FALSE:
            self.wrong(f"{column} 只能是 true 或 false（也可写 是、否），现为“{value[:32]}”")
        return value in _TRUE

    def degrees(self, column: str, most: int) -> float | None:
        """A coordinate in degrees, at most `most` either way; None where empty."""
        value = self.raw(column)
        if not value:
            return None
        if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,15})?", value) or abs(float(value)) > most:
            self.wrong(f"{column} 应为 -{most} 到 {most} 之间的度数，现为“{value[:32]}”")
            return None
        return float(value)

    def names(self, column: str, *, shortest: int = 1) -> tuple[str, ...]:
        """Names separated by |, each once, in their order."""
        found = tuple(dict.fromkeys(name for part in _SEPARATOR.split(self.raw(column)) if (name := part.strip())))
        for name in found:
            if not shortest <= len(name) <= MOST_NAME or _CONTROL.search(name):
                self.wrong(f"{column} 里的“{name[:32]}”应为 {shortest} 到 {MOST_NAME} 个字，各项用 | 分隔")
        return found

    def once(self, seen: dict[str, int], key: str, what: str) -> bool:
        """Whether this is the first row with that key, remembered in `seen`; a later one is noted as a repetition.
        An empty key has been noted before."""
        if not key:
            return False
        first = seen.setdefault(key, self.number)
        if first != self.number:
            self.wrong(f"{what} 与第 {first} 行重复")
        return first == self.number


def known(line: Line, column: str, ids: Mapping[str, int], what: str) -> int:
    """The id of the row of that code. `what` names it in Chinese, as 区划."""
    code = line.raw(column)
    found = ids.get(code)
    if found is None:
        line.wrong(f"{column} 不能为空" if not code else f"{column}：没有代码为“{code[:32]}”的{what}")
        return 0
    return found


def refuse_closed(line: Line, column: str, places: Stored) -> None:
    """Notes it where the division named is closed: nothing new is put there."""
    place = places.get(line.raw(column))
    if place is not None and place["valid_to"] is not None:
        line.wrong(f"{column}：区划“{line.raw(column)}”已撤销，请改填现在的区划")
