"""Old names of renamed divisions: they stay as aliases, so that a text that has one is still understood."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.county import Division
from app.domain.places import SHORTEST, grid_names, names_of
from app.domain.vocabulary import Level
from app.imports.changes import Stored


def renamed(before: Stored, after: Stored) -> list[str]:
    """The codes whose name is another one."""
    return [code for code, row in after.items() if code in before and before[code]["name"] != row["name"]]


def old_names(before: Stored, after: Stored) -> dict[str, tuple[str, ...]]:
    """Of every renamed division the names by which it counted in a text and no longer does, by code.

    Never a bare short name (小塘, 潇湘: words of the language, domain.places), nor one that a division beside it bears
    now: where names move, the present bearer is meant.
    """
    changed = renamed(before, after)
    bearers = _bearers(before, after, {code[:-3] for code in changed})
    found = {}
    for code in changed:
        beside = bearers[code[:-3]]
        names = _counting(code, before[code], before, after)
        found[code] = tuple(name for name in names if len(name) >= SHORTEST and name not in beside)
    return {code: names for code, names in found.items() if names}


def _bearers(before: Stored, after: Stored, parents: set[str]) -> dict[str, set[str]]:
    """The present names of all that is in force directly below these."""
    found: dict[str, set[str]] = {parent: set() for parent in parents}
    for code, row in after.items():
        if row["valid_to"] is None and code[:-3] in found:
            found[code[:-3]].update(_counting(code, row, before, after))
    return found


def _counting(code: str, row: Mapping[str, Any], before: Stored, after: Stored) -> tuple[str, ...]:
    """The names by which the division of that row counts, a grid's behind the old and new names of its village."""
    if row["level"] != Level.GRID:
        return names_of(_division(row))
    return grid_names(_village_names(code[:-3], before, after), row["name"])


def _village_names(code: str, before: Stored, after: Stored) -> Iterator[str]:
    for rows in (before, after):
        if code in rows:
            yield from names_of(_division(rows[code]))


def _division(row: Mapping[str, Any]) -> Division:
    return Division(0, "", row["name"], row["short_name"], Level(row["level"]), None, ())
