"""The seed against the package's own verdict on every single day."""

from datetime import date, timedelta
from importlib.metadata import version

import chinese_calendar

from app.domain.workdays import Day, calendar_of
from app.limits.seed import published

EDITION = published()


def test_the_seed_says_where_it_comes_from() -> None:
    assert (EDITION.source, EDITION.version) == ("chinesecalendar", version("chinesecalendar"))


def test_the_seed_covers_2004_to_2026_without_a_gap() -> None:
    assert set(range(2004, 2027)) <= EDITION.years
    assert EDITION.years == set(range(min(EDITION.years), max(EDITION.years) + 1))


def test_a_calendar_of_the_seed_agrees_with_the_package_on_every_day_it_covers() -> None:
    calendar = calendar_of(EDITION.rows, EDITION.years)
    first, last = date(min(EDITION.years), 1, 1), date(max(EDITION.years), 12, 31)
    every = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    assert len(every) > 8000
    assert [day for day in every if calendar.is_rest(day) == chinese_calendar.is_workday(day)] == []


def test_rows_are_exceptions_only_each_day_once_and_in_order() -> None:
    assert [row for row in EDITION.rows if row.rest == (row.day.weekday() >= 5)] == []
    days = [row.day for row in EDITION.rows]
    assert days == sorted(set(days))


def test_the_plan_of_2026_has_national_day_as_rest_and_its_saturday_as_work() -> None:
    october = [row for row in EDITION.rows if (row.day.year, row.day.month) == (2026, 10)]
    rest = [Day(date(2026, 10, day), rest=True) for day in (1, 2, 5, 6, 7)]
    assert october == [*rest, Day(date(2026, 10, 10), rest=False)]


def test_days_that_the_next_years_plan_moved_belong_to_the_old_year() -> None:
    assert Day(date(2018, 12, 29), rest=False) in EDITION.rows
    assert Day(date(2018, 12, 31), rest=True) in EDITION.rows
