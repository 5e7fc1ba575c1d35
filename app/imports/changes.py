"""What an import would change: the file's rows beside those of the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Values = dict[str, Any]
Stored = Mapping[str, Mapping[str, Any]]
"""Rows of a table by the code that people know them by."""
Progress = Callable[[int, int], None]
"""Called with (done, total) as an import goes on; the total stays the same."""


@dataclass(frozen=True, slots=True)
class Result:
    """Counts of the file's rows; together they are all of them. `notices` are Chinese sentences for a person."""

    created: int
    updated: int
    unchanged: int
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """Codes by what becomes of their rows."""

    new: tuple[str, ...]
    changed: frozenset[str]


def compare(wanted: Mapping[str, Values], stored: Stored) -> Changes:
    """Which rows are new, and which differ in one of the wanted columns."""
    new = tuple(code for code in wanted if code not in stored)
    changed = {code for code, values in wanted.items() if code in stored and not _same(values, stored[code])}
    return Changes(new, frozenset(changed))


def _same(values: Values, row: Mapping[str, Any]) -> bool:
    return all(row[column] == value for column, value in values.items())


def left_alone(wanted: Mapping[str, object], stored: Stored, what: str) -> tuple[str, ...]:
    """The notice on what the database has and the file has not. `what` as 个区划."""
    absent = sum(1 for code in stored if code not in wanted)
    return (f"文件中没有的 {absent} {what}保持不变",) if absent else ()
