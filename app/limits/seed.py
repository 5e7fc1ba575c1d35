"""The first edition of the calendar: the State Council's yearly plans as chinesecalendar has them."""

from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

from chinese_calendar.constants import holidays, workdays

from app.domain.workdays import SATURDAY, Day

PACKAGE = "chinesecalendar"


@dataclass(frozen=True, slots=True)
class Published:
    """An edition of the calendar: `rows` by day, exceptions to Monday to Friday only, and the `years` they cover."""

    rows: tuple[Day, ...]
    years: frozenset[int]
    source: str
    version: str


def published() -> Published:
    """What the installed chinesecalendar knows; 1.11 covers 2004 to 2026."""
    rests = [Day(day, rest=True) for day in holidays if day.weekday() < SATURDAY]
    worked = [Day(day, rest=False) for day in workdays]
    rows = tuple(sorted(rests + worked, key=lambda row: row.day))
    return Published(rows=rows, years=_covered(), source=PACKAGE, version=version(PACKAGE))


def _covered() -> frozenset[int]:
    """Years whose National Day is there: New Year's rest may bring days of a year whose own plan is still missing."""
    return frozenset(day.year for day in holidays if day == date(day.year, 10, 1))
