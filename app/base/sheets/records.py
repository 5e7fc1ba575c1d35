"""What the readers of sheets share: numbered records of text cells, and how a file is refused."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.errors import Fault, Invalid

MOST_SHOWN = 100
"""Faults listed at most: a person mends a hundred and tries again."""

MOST_ROWS = 1_048_576
"""What a worksheet of Excel holds."""

_NO_FAULTS: Mapping[int, str] = {}
_ERRORS = frozenset(
    {
        *("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"),
        *("#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#BUSY!", "#CONNECT!", "#UNKNOWN!", "#GETTING_DATA"),
    }
)
_SCIENTIFIC = re.compile(r"[+-]?[0-9](\.[0-9]+)?E\+[0-9]{2,3}")
"""As Excel and WPS write a number too long for them, into a CSV file too: 4.30121E+11."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row that is not blank, its cells stripped of surrounding blanks; `number` is the one a spreadsheet shows.

    `spoilt`: what the reader knows to be wrong with a cell, in Chinese, by its index.
    """

    number: int
    cells: Sequence[str]
    spoilt: Mapping[int, str] = field(default_factory=lambda: _NO_FAULTS)


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows as they come. `name` is the worksheet's, where there are several to take for it."""

    records: Iterator[Record]
    notices: tuple[str, ...] = ()
    name: str = ""


def spoilt(cell: str) -> str | None:
    """What a spreadsheet has done to a cell so that its text is no longer what a person put in, in Chinese."""
    if cell in _ERRORS:
        return f"这一格是 Excel 的错误值 {cell}，请改正后再导入"
    if "E+" in cell and _SCIENTIFIC.fullmatch(cell):
        return f"Excel 把数字改成了科学计数法（{cell}），后面的位可能已丢失；请把该列设成文本格式，重新填写后再保存"
    if "\0" in cell:
        return "含有空字符（NUL），文件可能已损坏"
    return None


def refused(faults: Sequence[tuple[int, str]]) -> Invalid:
    """The refusal of a file for what is wrong in its rows: (row number, what), the first of them listed."""
    total = f"共 {len(faults)} 处错误，什么都没有导入"
    if len(faults) > MOST_SHOWN:
        total += f"；这里只列出前 {MOST_SHOWN} 处"
    shown = tuple(Fault(f"第 {number} 行", detail) for number, detail in faults[:MOST_SHOWN])
    return Invalid("import.rows", total, faults=shown)
