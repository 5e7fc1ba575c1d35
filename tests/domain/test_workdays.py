"""The calendar and the counting of days; the Civil Code's articles are named in the tests (民法典 200–203)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.vocabulary import SHANGHAI
from app.domain.workdays import (
    LONGEST_REST,
    Calendar,
    Day,
    LastDay,
    calendar_of,
    day_of,
    end_of,
    natural_end,
    working_end,
)

EMPTY = Calendar()
FRIDAY, SATURDAY, SUNDAY, MONDAY = (date(2026, 10, day) for day in (9, 10, 11, 12))


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=i) for i in range(count)]


def test_the_empty_calendar_rests_on_weekends_and_knows_no_year() -> None:
    assert [EMPTY.is_rest(day) for day in (FRIDAY, SATURDAY, SUNDAY, MONDAY)] == [False, True, True, False]
    assert not EMPTY.known(FRIDAY)


def test_rows_make_a_weekday_rest_and_a_saturday_worked() -> None:
    calendar = calendar_of([Day(FRIDAY, rest=True), Day(SATURDAY, rest=False)], [2026])
    assert [calendar.is_rest(day) for day in (FRIDAY, SATURDAY, SUNDAY, MONDAY)] == [True, False, True, False]
    assert calendar.known(FRIDAY)
    assert not calendar.known(date(2027, 1, 1))


def test_the_countys_closed_day_is_rest_even_on_a_make_up_saturday() -> None:
    calendar = calendar_of([Day(SATURDAY, rest=False)], [2026], closed=[SATURDAY, MONDAY])
    assert calendar.is_rest(SATURDAY)
    assert calendar.is_rest(MONDAY)


def test_rows_that_say_nothing_new_are_dropped() -> None:
    rows = [Day(SATURDAY, rest=True), Day(MONDAY, rest=False), Day(FRIDAY, rest=True), Day(FRIDAY, rest=True)]
    assert calendar_of(rows, [2026]) == calendar_of([Day(FRIDAY, rest=True)], [2026])


def test_a_day_given_as_rest_and_as_work_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="2026-10-10 既是休息日又是工作日") as refused:
        calendar_of([Day(SATURDAY, rest=False), Day(SATURDAY, rest=True)], [2026])
    assert refused.value.code == "calendar_day_twice"


def test_a_row_of_an_unpublished_year_is_obeyed_but_does_not_make_the_year_known() -> None:
    calendar = calendar_of([Day(date(2018, 12, 31), rest=True)], [2019])
    assert calendar.is_rest(date(2018, 12, 31))
    assert not calendar.known(date(2018, 12, 31))


def test_a_span_is_covered_only_if_every_year_of_it_is_published() -> None:
    calendar = calendar_of([], [2024, 2026])
    assert calendar.covers(date(2024, 1, 1), date(2024, 12, 31))
    assert not calendar.covers(date(2024, 12, 31), date(2026, 1, 1))


def test_days_are_those_of_shanghai() -> None:
    assert day_of(datetime(2026, 9, 25, 15, 59, 59, tzinfo=UTC)) == date(2026, 9, 25)
    assert day_of(datetime(2026, 9, 25, 16, 0, 0, tzinfo=UTC)) == date(2026, 9, 26)


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        day_of(datetime(2026, 9, 25, 16, 0, 0))  # noqa: DTZ001 -- a naive moment is what is tested


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2026, 10, 8), "2026-10-09T00:00:00+08:00"),
        (date(2024, 2, 29), "2024-03-01T00:00:00+08:00"),
        (date(2026, 12, 31), "2027-01-01T00:00:00+08:00"),
    ],
)
def test_civil_code_203_the_last_day_ends_at_24_00(day: date, written: str) -> None:
    assert end_of(day).isoformat() == written
    assert end_of(day).tzinfo is SHANGHAI


def test_civil_code_201_the_first_day_is_not_counted() -> None:
    assert natural_end(MONDAY, 1, EMPTY).day == date(2026, 10, 13)
    assert working_end(MONDAY, 1, EMPTY).day == date(2026, 10, 13)


def test_civil_code_203_a_last_day_of_rest_moves_to_the_first_day_after_the_rest() -> None:
    assert natural_end(FRIDAY, 1, EMPTY).day == MONDAY
    assert natural_end(FRIDAY, 1, calendar_of([Day(MONDAY, rest=True)], [2026])).day == date(2026, 10, 13)


def test_rest_days_before_the_last_day_lengthen_working_days_only() -> None:
    thursday = FRIDAY - timedelta(days=1)
    assert natural_end(thursday, 5, EMPTY).day == date(2026, 10, 13)
    assert working_end(thursday, 5, EMPTY).day == date(2026, 10, 15)


def test_a_make_up_saturday_counts_as_a_working_day_and_can_be_the_last() -> None:
    calendar = calendar_of([Day(SATURDAY, rest=False)], [2026])
    assert working_end(FRIDAY, 1, calendar).day == SATURDAY
    assert natural_end(FRIDAY, 1, calendar).day == SATURDAY


def test_only_a_counted_day_of_an_unpublished_year_makes_the_end_provisional() -> None:
    calendar = calendar_of([], [2026])
    wednesday = date(2026, 12, 30)
    assert working_end(wednesday, 1, calendar) == LastDay(date(2026, 12, 31), provisional=False)
    assert working_end(wednesday, 2, calendar) == LastDay(date(2027, 1, 1), provisional=True)
    assert natural_end(wednesday, 2, calendar) == LastDay(date(2027, 1, 1), provisional=True)
    assert natural_end(date(2025, 12, 31), 1, calendar) == LastDay(date(2026, 1, 1), provisional=False)
    assert working_end(date(2025, 12, 31), 1, calendar) == LastDay(date(2026, 1, 1), provisional=False)


def test_a_missing_year_between_published_ones_is_seen() -> None:
    calendar = calendar_of([], [2024, 2026])
    assert working_end(date(2025, 12, 30), 3, calendar) == LastDay(date(2026, 1, 2), provisional=True)
    assert natural_end(date(2025, 12, 30), 3, calendar) == LastDay(date(2026, 1, 2), provisional=True)


def test_a_month_of_rest_days_is_waited_out() -> None:
    february = calendar_of([], [2026], closed=days(date(2026, 2, 1), 28))
    assert natural_end(date(2026, 1, 30), 5, february) == LastDay(date(2026, 3, 2), provisional=False)
    assert working_end(date(2026, 1, 30), 3, february) == LastDay(date(2026, 3, 4), provisional=False)


def test_a_year_of_rest_days_leaves_the_natural_last_day_in_place_provisionally() -> None:
    calendar = calendar_of([], [2026, 2027], closed=days(date(2026, 1, 1), 400))
    assert natural_end(FRIDAY, 10, calendar) == LastDay(date(2026, 10, 19), provisional=True)
    assert working_end(FRIDAY, 3, calendar) == LastDay(MONDAY, provisional=True)


def test_the_longest_rest_that_is_waited_out_is_one_day_short_of_the_bound() -> None:
    tuesday, wednesday, later_monday = date(2026, 10, 13), date(2026, 10, 14), date(2026, 12, 14)
    waited = calendar_of([], [2026], closed=days(wednesday, LONGEST_REST - 1))
    broken = calendar_of([], [2026], closed=days(wednesday, LONGEST_REST))
    assert natural_end(tuesday, 1, waited) == LastDay(later_monday, provisional=False)
    assert natural_end(tuesday, 1, broken) == LastDay(wednesday, provisional=True)


@pytest.mark.parametrize("count", [0, -1])
def test_a_period_of_no_days_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="at least one day"):
        natural_end(MONDAY, count, EMPTY)
    with pytest.raises(ValueError, match="at least one day"):
        working_end(MONDAY, count, EMPTY)


FIRST = date(2026, 1, 1)
SOME_DAYS = st.sets(st.integers(0, 200).map(lambda offset: FIRST + timedelta(days=offset)))


@given(rest=SOME_DAYS, worked=SOME_DAYS, closed=SOME_DAYS, offset=st.integers(0, 150), count=st.integers(1, 10))
@settings(deadline=None)
def test_whatever_the_calendar_an_end_lies_ahead_within_bounds_and_on_a_day_of_work(
    rest: set[date], worked: set[date], closed: set[date], offset: int, count: int
) -> None:
    rows = [Day(day, rest=True) for day in rest] + [Day(day, rest=False) for day in worked - rest]
    calendar = calendar_of(rows, [2026, 2027], closed)
    start = FIRST + timedelta(days=offset)
    for end in (natural_end(start, count, calendar), working_end(start, count, calendar)):
        assert start < end.day <= start + timedelta(days=2 * count + LONGEST_REST)
        assert end.provisional or not calendar.is_rest(end.day)
