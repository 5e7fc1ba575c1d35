"""Worked cases and properties of the limits; the Civil Code's articles are named in the tests (民法典 200–203)."""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.limits import DEFAULT, Limit, Rules, extended, limits, rating_ends, reopened
from app.domain.vocabulary import SHANGHAI, DayRule
from app.domain.workdays import Calendar, Day, calendar_of
from app.limits.seed import published

LAST_PUBLISHED = 2026
ROWS = [row for row in published().rows if row.day.year <= LAST_PUBLISHED]
YEARS = frozenset(year for year in published().years if year <= LAST_PUBLISHED)
CALENDAR = calendar_of(ROWS, YEARS)
WORKING_10 = Rules(1, 3, 10, DayRule.WORKING)


def at(text: str) -> datetime:
    """A moment in Shanghai, `2026-09-25T16:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def due(received: str, rules: Rules = DEFAULT, calendar: Calendar = CALENDAR, *, urgent: bool = False) -> list[str]:
    """When acceptance, reply and completion are due, as they are written, without the zone."""
    found = limits(at(received), rules, calendar, urgent=urgent)
    return [written(limit) for limit in (found.accept, found.reply, found.complete)]


def written(limit: Limit) -> str:
    text = limit.due_at.isoformat()
    assert text.endswith("+08:00")
    return text.removesuffix("+08:00")


def natural(days: int) -> Rules:
    return Rules(1, 3, days, DayRule.NATURAL)


def test_civil_code_201_and_203_the_worked_example_of_mid_autumn_2026() -> None:
    found = limits(datetime.fromisoformat("2026-09-25T16:30:00+08:00"), DEFAULT, CALENDAR)
    assert found.accept.due_at.isoformat() == "2026-09-29T00:00:00+08:00"
    assert found.reply.due_at.isoformat() == "2026-10-01T00:00:00+08:00"
    assert found.complete == Limit(
        datetime.fromisoformat("2026-10-09T00:00:00+08:00"), DayRule.NATURAL, provisional=False
    )
    assert found.accept.rule is found.reply.rule is DayRule.WORKING


def test_civil_code_203_received_on_the_eve_of_national_day_the_make_up_saturday_is_the_last_day() -> None:
    assert due("2026-09-30T10:00") == ["2026-10-09T00:00:00", "2026-10-11T00:00:00", "2026-10-11T00:00:00"]


def test_civil_code_203_received_on_the_eve_of_spring_festival_the_first_day_after_the_rest_is_the_last() -> None:
    assert due("2026-02-14T17:00") == ["2026-02-25T00:00:00"] * 3


def test_civil_code_203_the_seventh_day_on_national_day_moves_to_8_october() -> None:
    assert due("2026-09-24T09:00", natural(7))[2] == "2026-10-09T00:00:00"


def test_civil_code_203_a_last_day_on_a_make_up_sunday_stays() -> None:
    assert due("2026-09-17T09:00", natural(3))[2] == "2026-09-21T00:00:00"


def test_a_make_up_saturday_is_the_working_day_that_follows_friday() -> None:
    assert due("2026-10-09T09:00")[0] == "2026-10-11T00:00:00"
    assert due("2026-10-16T09:00")[0] == "2026-10-20T00:00:00"


def test_civil_code_201_23_59_59_and_00_00_00_are_received_on_two_days() -> None:
    before = ["2026-06-10T00:00:00", "2026-06-12T00:00:00", "2026-06-19T00:00:00"]
    after = ["2026-06-11T00:00:00", "2026-06-13T00:00:00", "2026-06-23T00:00:00"]
    assert due("2026-06-08T23:59:59") == before
    assert due("2026-06-08T23:59:59.999999") == before
    assert due("2026-06-09T00:00:00") == after


def test_civil_code_200_the_day_is_that_of_shanghai_whatever_zone_the_moment_is_in() -> None:
    received = at("2026-06-09T00:30")
    assert limits(received.astimezone(UTC), DEFAULT, CALENDAR) == limits(received, DEFAULT, CALENDAR)


@pytest.mark.parametrize(
    ("received", "rules", "expected"),
    [
        ("2024-02-28T08:00", DEFAULT, ["2024-03-01T00:00:00", "2024-03-05T00:00:00", "2024-03-12T00:00:00"]),
        ("2024-02-29T08:00", natural(5), ["2024-03-02T00:00:00", "2024-03-06T00:00:00", "2024-03-06T00:00:00"]),
        ("2024-02-26T08:00", natural(3), ["2024-02-28T00:00:00", "2024-03-01T00:00:00", "2024-03-01T00:00:00"]),
        ("2023-02-28T08:00", natural(1), ["2023-03-02T00:00:00"] * 3),
    ],
)
def test_civil_code_200_29_february_is_a_day_like_any_other(received: str, rules: Rules, expected: list[str]) -> None:
    assert due(received, rules) == expected


def test_the_spring_festival_of_2020_prolonged_in_january_moves_the_limits_that_it_meets() -> None:
    prolonged = {date(2020, 1, 31), date(2020, 2, 1)}
    planned = calendar_of(
        [row for row in ROWS if row.day not in prolonged] + [Day(date(2020, 2, 1), rest=False)], YEARS
    )
    assert due("2020-01-23T15:00", calendar=planned) == [
        "2020-02-01T00:00:00",
        "2020-02-04T00:00:00",
        "2020-02-04T00:00:00",
    ]
    assert due("2020-01-23T15:00") == ["2020-02-04T00:00:00"] * 3


def test_a_year_not_yet_published_counts_monday_to_friday_provisionally_until_it_comes() -> None:
    received = at("2026-12-30T09:00")
    before = limits(received, DEFAULT, CALENDAR)
    assert [limit.provisional for limit in (before.accept, before.reply, before.complete)] == [False, True, True]
    assert written(before.reply) == "2027-01-05T00:00:00"
    new_year = calendar_of([*ROWS, Day(date(2027, 1, 1), rest=True)], YEARS | {2027})
    after = limits(received, DEFAULT, new_year)
    assert written(after.reply) == "2027-01-06T00:00:00"
    assert [limit.provisional for limit in (after.accept, after.reply, after.complete)] == [False, False, False]


def test_without_any_calendar_limits_count_monday_to_friday_and_all_are_provisional() -> None:
    found = limits(at("2026-09-30T10:00"), DEFAULT, Calendar())
    assert [written(found.accept), written(found.complete)] == ["2026-10-02T00:00:00", "2026-10-13T00:00:00"]
    assert found.accept.provisional
    assert found.reply.provisional
    assert found.complete.provisional


def test_a_month_of_rest_days_puts_every_limit_on_the_day_after_it() -> None:
    closed = [date(2026, 6, 1) + timedelta(days=i) for i in range(30)]
    calendar = calendar_of(ROWS, YEARS, closed)
    assert due("2026-05-30T10:00", WORKING_10, calendar) == ["2026-07-02T00:00:00"] * 3


def test_a_year_of_rest_days_leaves_natural_limits_provisionally() -> None:
    closed = [date(2026, 1, 1) + timedelta(days=i) for i in range(365)]
    found = limits(at("2026-05-29T10:00"), WORKING_10, calendar_of(ROWS, YEARS, closed))
    assert [written(found.accept), written(found.reply), written(found.complete)] == [
        "2026-05-31T00:00:00",
        "2026-06-02T00:00:00",
        "2026-06-09T00:00:00",
    ]
    assert found.complete.provisional


def test_a_limit_in_working_days_never_ends_later_than_ten_natural_days_would() -> None:
    assert due("2026-06-01T10:00", Rules(1, 3, 10, DayRule.WORKING))[2] == "2026-06-12T00:00:00"
    assert due("2026-06-01T10:00", Rules(1, 3, 7, DayRule.WORKING))[2] == "2026-06-11T00:00:00"
    capped = limits(at("2026-02-14T17:00"), Rules(1, 3, 5, DayRule.WORKING), CALENDAR).complete
    assert written(capped) == "2026-02-25T00:00:00"
    assert capped.rule is DayRule.WORKING


def test_acceptance_and_reply_are_never_due_after_completion_and_then_count_by_its_rule() -> None:
    found = limits(at("2026-10-16T09:00"), Rules(1, 3, 12, DayRule.HOURS), CALENDAR)
    evening = Limit(at("2026-10-16T21:00"), DayRule.HOURS, provisional=False)
    assert found.accept == found.reply == found.complete == evening
    assert due("2026-10-12T09:00", natural(1)) == ["2026-10-14T00:00:00"] * 3


def test_a_limit_cut_short_by_a_sure_one_is_sure_although_its_own_count_reaches_into_an_unpublished_year() -> None:
    assert limits(at("2026-12-18T09:00"), WORKING_10, CALENDAR).complete == Limit(
        at("2026-12-29T00:00"), DayRule.WORKING, provisional=False
    )
    assert limits(at("2026-12-30T09:00"), natural(1), CALENDAR).reply == Limit(
        at("2027-01-01T00:00"), DayRule.NATURAL, provisional=False
    )


def test_a_limit_cut_short_by_hours_stays_provisional_for_it_may_yet_come_out_sooner() -> None:
    reply = limits(at("2026-12-31T09:00"), Rules(1, 3, 12, DayRule.HOURS), CALENDAR).reply
    assert reply == Limit(at("2026-12-31T21:00"), DayRule.HOURS, provisional=True)


def test_civil_code_201_hours_run_from_the_moment_itself_through_nights_and_rest_days() -> None:
    complete = limits(at("2026-10-01T23:59:59"), Rules(1, 3, 72, DayRule.HOURS), CALENDAR).complete
    assert complete == Limit(at("2026-10-04T23:59:59"), DayRule.HOURS, provisional=False)


def test_urgent_is_accepted_within_2_hours_and_answered_within_24_round_the_clock() -> None:
    found = limits(at("2026-10-01T23:30"), DEFAULT, CALENDAR, urgent=True)
    assert found.accept == Limit(at("2026-10-02T01:30"), DayRule.HOURS, provisional=False)
    assert found.reply == Limit(at("2026-10-02T23:30"), DayRule.HOURS, provisional=False)
    assert found.complete == limits(at("2026-10-01T23:30"), DEFAULT, CALENDAR).complete


def test_urgent_limits_given_in_another_zone_are_written_in_shanghais() -> None:
    accept = limits(datetime(2026, 10, 1, 15, 30, tzinfo=UTC), DEFAULT, CALENDAR, urgent=True).accept
    assert written(accept) == "2026-10-02T01:30:00"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (natural(10), "2026-11-10T00:00:00"),
        (natural(7), "2026-11-10T00:00:00"),
        (natural(5), "2026-11-10T00:00:00"),
        (natural(1), "2026-11-07T00:00:00"),
        (Rules(1, 3, 7, DayRule.WORKING), "2026-11-11T00:00:00"),
        (Rules(1, 3, 2, DayRule.WORKING), "2026-11-07T00:00:00"),
        (Rules(1, 3, 24, DayRule.HOURS), "2026-11-06T12:00:00"),
        (Rules(1, 3, 101, DayRule.HOURS), "2026-11-06T15:00:00"),
    ],
)
def test_reopening_gives_half_the_limit_rounded_up_by_the_same_rule_and_at_least_2_days(
    rules: Rules, expected: str
) -> None:
    fresh = reopened(at("2026-11-04T12:00"), rules, CALENDAR)
    assert written(fresh) == expected
    assert fresh.rule is rules.day_rule


@pytest.mark.parametrize(
    ("present", "days", "expected"),
    [
        ("2026-10-09T00:00", 1, "2026-10-10T00:00:00"),
        ("2026-10-09T00:00", 3, "2026-10-13T00:00:00"),
        ("2026-09-24T00:00", 8, "2026-10-09T00:00:00"),
        ("2026-11-04T16:30", 1, "2026-11-06T00:00:00"),
    ],
)
def test_an_extension_adds_natural_days_to_the_last_day_and_moves_off_rest_days(
    present: str, days: int, expected: str
) -> None:
    longer = extended(at(present), days, CALENDAR)
    assert written(longer) == expected
    assert longer.rule is DayRule.NATURAL
    assert extended(at(present).astimezone(UTC), days, CALENDAR) == longer


def test_an_extension_into_an_unpublished_year_is_provisional() -> None:
    assert extended(at("2026-12-31T00:00"), 2, CALENDAR).provisional
    assert not extended(at("2026-12-31T00:00"), 1, CALENDAR).provisional


def test_civil_code_201_rating_ends_with_the_fifteenth_day_even_on_a_rest_day() -> None:
    assert rating_ends(at("2026-09-18T23:59:59")) == at("2026-10-04T00:00")
    assert rating_ends(at("2026-09-19T00:00:00").astimezone(UTC)) == at("2026-10-05T00:00")


@pytest.mark.parametrize(
    ("accept", "reply", "complete", "rule"),
    [
        (0, 3, 10, DayRule.NATURAL),
        (2, 3, 10, DayRule.NATURAL),
        (1, 0, 10, DayRule.NATURAL),
        (1, 4, 10, DayRule.NATURAL),
        (1, 3, 0, DayRule.WORKING),
        (1, 3, 11, DayRule.WORKING),
        (1, 3, 241, DayRule.HOURS),
    ],
)
def test_rules_longer_than_the_countys_word_or_without_time_are_refused(
    accept: int, reply: int, complete: int, rule: DayRule
) -> None:
    with pytest.raises(ValueError, match="limits outside"):
        Rules(accept, reply, complete, rule)


def test_240_hours_are_10_days() -> None:
    assert due("2026-11-04T12:00", Rules(1, 3, 240, DayRule.HOURS))[2] == "2026-11-14T12:00:00"


# The independent count: one list of all days with the package's own verdict on each, and plain picking from it.
ALL_DAYS = [date(2015, 1, 1) + timedelta(days=i) for i in range((date(2027, 12, 31) - date(2015, 1, 1)).days + 1)]
WORK = [
    day
    for day in ALL_DAYS
    if (chinese_calendar.is_workday(day) if day.year <= LAST_PUBLISHED else day.isoweekday() <= 5)
]
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2026, 12, 31, 23, 59, 59), timezones=st.just(SHANGHAI))  # noqa: DTZ001 -- Hypothesis adds the zone
DAY_RULES = st.builds(
    Rules, st.just(1), st.integers(1, 3), st.integers(1, 10), st.sampled_from([DayRule.NATURAL, DayRule.WORKING])
)


def picked(received: date, days: int, rule: DayRule) -> date:
    following = bisect_right(WORK, received)
    later = WORK[following : following + 40]
    if rule is DayRule.NATURAL:
        return min(day for day in later if (day - received).days >= days)
    return min(later[days - 1], picked(received, 10, DayRule.NATURAL))


@given(received=MOMENTS, rules=DAY_RULES)
@settings(deadline=None, max_examples=400)
def test_limits_agree_with_an_independent_day_by_day_count_over_2015_to_2026(received: datetime, rules: Rules) -> None:
    found = limits(received, rules, CALENDAR)
    day = received.date()
    complete = picked(day, rules.complete_days, rules.day_rule)
    accept = min(picked(day, rules.accept_working_days, DayRule.WORKING), complete)
    reply = min(picked(day, rules.reply_working_days, DayRule.WORKING), complete)
    for limit, last in ((found.accept, accept), (found.reply, reply), (found.complete, complete)):
        assert written(limit) == f"{last + timedelta(days=1)}T00:00:00"
    assert found.complete.provisional is (complete.year > LAST_PUBLISHED)


@given(received=MOMENTS, rules=DAY_RULES)
@settings(deadline=None)
def test_reopened_limits_agree_with_the_independent_count(received: datetime, rules: Rules) -> None:
    half = {1: 2, 2: 2, 3: 2, 4: 2, 5: 3, 6: 3, 7: 4, 8: 4, 9: 5, 10: 5}[rules.complete_days]
    last = picked(received.date(), half, rules.day_rule)
    assert written(reopened(received, rules, CALENDAR)) == f"{last + timedelta(days=1)}T00:00:00"


@given(received=MOMENTS, rules=DAY_RULES, days=st.integers(1, 10))
@settings(deadline=None)
def test_extensions_agree_with_the_independent_count(received: datetime, rules: Rules, days: int) -> None:
    present = picked(received.date(), rules.complete_days, rules.day_rule)
    longer = extended(limits(received, rules, CALENDAR).complete.due_at, days, CALENDAR)
    last = picked(present, days, DayRule.NATURAL)
    assert written(longer) == f"{last + timedelta(days=1)}T00:00:00"


ANY_RULES = st.one_of(
    DAY_RULES, st.builds(Rules, st.just(1), st.integers(1, 3), st.integers(1, 240), st.just(DayRule.HOURS))
)


@given(received=MOMENTS, rules=ANY_RULES, urgent=st.booleans(), years=st.sets(st.integers(2015, 2027)))
@settings(deadline=None)
def test_every_limit_lies_ahead_and_acceptance_comes_before_reply_before_completion(
    received: datetime, rules: Rules, urgent: bool, years: set[int]
) -> None:
    found = limits(received, rules, calendar_of(ROWS, years), urgent=urgent)
    assert received < found.accept.due_at <= found.reply.due_at <= found.complete.due_at


@given(received=MOMENTS, rules=ANY_RULES, urgent=st.booleans(), years=st.sets(st.integers(2015, 2026), min_size=6))
@settings(deadline=None, max_examples=300)
def test_a_limit_that_is_not_provisional_stays_when_the_missing_years_are_published(
    received: datetime, rules: Rules, urgent: bool, years: set[int]
) -> None:
    partial = calendar_of([row for row in ROWS if row.day.year in years], years)
    before = limits(received, rules, partial, urgent=urgent)
    after = limits(received, rules, CALENDAR, urgent=urgent)
    pairs = ((before.accept, after.accept), (before.reply, after.reply), (before.complete, after.complete))
    assert [(old, new) for old, new in pairs if not old.provisional and old.due_at != new.due_at] == []
