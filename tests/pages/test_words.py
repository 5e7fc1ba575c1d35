"""How pages say times, periods and shares."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.counting import Counts
from app.domain.errors import Invalid
from app.domain.vocabulary import SHANGHAI
from app.pages import figures, periods
from app.pages.rendering import clock_time, day, weekday

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("hour", "minute", "said"),
    [
        (0, 0, "凌晨0点"),
        (5, 59, "凌晨5点59分"),
        (6, 0, "上午6点"),
        (11, 30, "上午11点30分"),
        (12, 0, "中午12点"),
        (13, 0, "下午1点"),
        (15, 5, "下午3点05分"),
        (18, 0, "晚上6点"),
        (23, 59, "晚上11点59分"),
    ],
)
def test_the_clock_is_told_as_people_tell_it(hour: int, minute: int, said: str) -> None:
    assert clock_time(datetime(2026, 11, 24, hour, minute, tzinfo=SHANGHAI)) == said


def test_a_day_has_its_weekday_and_the_year_only_where_it_is_another() -> None:
    assert weekday(NOW, NOW) == "11月24日（周二）"
    assert weekday(datetime.fromisoformat("2026-11-28T16:30:00+00:00"), NOW) == "11月29日（周日）"
    assert day(date(2025, 12, 31), NOW) == "2025年12月31日"


@given(st.dates(min_value=date(1971, 1, 1), max_value=date(2990, 1, 1)))
def test_ready_made_periods_end_today_or_with_last_month(today: date) -> None:
    month, before, year = periods.choices(today)
    assert (month.first.day, month.last) == (1, today)
    assert (before.first.day, (before.last - before.first).days + 1) == (1, before.last.day)
    assert (month.first - before.last).days == 1
    assert (year.first, year.last) == (date(today.year, 1, 1), today)


@given(st.dates(min_value=date(1971, 1, 1), max_value=date(2990, 1, 1)))
def test_the_address_of_a_period_means_that_period_again(today: date) -> None:
    for period in periods.choices(today):
        query = {name: str(value) for name, value in period.query.items()}
        again = periods.chosen(query.get("from", ""), query.get("to", ""), today)
        assert (again.first, again.last) == (period.first, period.last)


def test_an_empty_field_is_filled_in() -> None:
    today = NOW.date()
    assert periods.chosen("2026-11-03", " ", today) == periods.Period("", date(2026, 11, 3), today)
    assert periods.chosen("", "2026-08-20", today) == periods.Period("", date(2026, 8, 1), date(2026, 8, 20))


@pytest.mark.parametrize("typed", ["昨天", "2026-13-01", "20261101", "2026-11-1", "<b>"])
def test_what_is_no_date_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Invalid, match="2026-10-01"):
        periods.chosen(typed, "", NOW.date())


def test_a_share_of_nothing_is_a_dash_without_a_bar() -> None:
    shown = figures.main(Counts(received=3, accepted=2))
    assert [(f.name, f.value, f.width) for f in shown] == [
        ("受理率", "66.67%", "66.67"),
        ("回复率", "0.00%", "0.00"),
        ("办结率", "0.00%", "0.00"),
        ("满意率", "—", None),
    ]
