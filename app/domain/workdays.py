"""Counting days as the Civil Code does (民法典第二百条至第二百零三条), on a calendar that is handed in.

Days are those of Asia/Shanghai; `start` is always the day that is not counted (第二百零一条).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.domain.errors import Invalid
from app.domain.vocabulary import SHANGHAI

ONE_DAY = timedelta(days=1)
SATURDAY = 5
LONGEST_REST = 62
"""Days. The longest rest the State Council has given is ten days (2020); no county shuts for more than two months."""


@dataclass(frozen=True, slots=True)
class Day:
    """One exception to Monday to Friday: a weekday of rest (`rest`), or a day of a weekend that is worked."""

    day: date
    rest: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days of rest and work. A year outside `years` is not yet published: it counts as Monday to Friday.

    `rests` are weekdays of rest, `worked` the worked days of weekends (调休), `closed` the county's own closed days,
    which count as rest whatever the State Council's plan says. Make one with `calendar_of`.
    """

    years: frozenset[int] = frozenset()
    rests: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    closed: frozenset[date] = frozenset()

    def is_rest(self, day: date) -> bool:
        """Whether nobody works that day."""
        if day in self.closed:
            return True
        if day.weekday() >= SATURDAY:
            return day not in self.worked
        return day in self.rests

    def known(self, day: date) -> bool:
        """Whether the plan of the day's year has been published."""
        return day.year in self.years

    def covers(self, first: date, last: date) -> bool:
        """Whether the plan of every year from `first` to `last` has been published."""
        return self.years.issuperset(range(first.year, last.year + 1))


@dataclass(frozen=True, slots=True)
class LastDay:
    """The last day of a period. `provisional`: it may move once a year is published or a broken calendar mended."""

    day: date
    provisional: bool


def calendar_of(rows: Iterable[Day], years: Iterable[int], closed: Iterable[date] = ()) -> Calendar:
    """A calendar from its stored rows, the published years, and the county's own closed days.

    Rows that only repeat Monday to Friday are dropped. A row of an unpublished year is obeyed, but does not make the
    year known: the plan of 2019 already moved days of December 2018. Raises Invalid where a day is given as both.
    """
    given: dict[date, bool] = {}
    for row in rows:
        if given.setdefault(row.day, row.rest) != row.rest:
            raise Invalid.field("calendar_day_twice", "day", f"日历中 {row.day} 既是休息日又是工作日，请只保留一种")
    return Calendar(
        years=frozenset(years),
        rests=frozenset(day for day, rest in given.items() if rest and day.weekday() < SATURDAY),
        worked=frozenset(day for day, rest in given.items() if not rest and day.weekday() >= SATURDAY),
        closed=frozenset(closed),
    )


def day_of(moment: datetime) -> date:
    """The day in Shanghai of an aware moment; 00:00:00 belongs to the day it begins. Raises ValueError if naive."""
    if moment.tzinfo is None:
        raise ValueError("a moment must carry its zone")
    return moment.astimezone(SHANGHAI).date()


def end_of(day: date) -> datetime:
    """24:00 of the day in Shanghai (第二百零三条第二款), written as 00:00 of the next."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + ONE_DAY


def natural_end(start: date, days: int, calendar: Calendar) -> LastDay:
    """The last of `days` natural days after `start`; if a rest day, the first day after it that is none (第二百零三条).

    Where LONGEST_REST days from there on are all rest days the calendar can't be right: the last day stays where it
    is, provisionally, for a citizen must not wait on a broken calendar. Raises ValueError unless days >= 1.
    """
    nominal = start + timedelta(days=_positive(days))
    last = nominal
    for _ in range(LONGEST_REST):
        if not calendar.is_rest(last):
            return LastDay(last, not calendar.covers(start + ONE_DAY, last))
        last += ONE_DAY
    return LastDay(nominal, provisional=True)


def working_end(start: date, days: int, calendar: Calendar) -> LastDay:
    """The last of `days` working days after `start`, make-up workdays (调休) included.

    Where twice as many days and LONGEST_REST more don't hold so many working days the calendar can't be right: the
    days are counted as natural days, provisionally. Raises ValueError unless days >= 1.
    """
    last, left = start, _positive(days)
    for _ in range(2 * days + LONGEST_REST):
        last += ONE_DAY
        if not calendar.is_rest(last):
            left -= 1
            if not left:
                return LastDay(last, not calendar.covers(start + ONE_DAY, last))
    return LastDay(start + timedelta(days=days), provisional=True)


def _positive(days: int) -> int:
    if days < 1:
        raise ValueError(f"a period has at least one day, not {days}")
    return days
