"""When a household is due for a visit, and whom to visit next."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.visits import IN_DIFFICULTY, OLDEST, OTHERS, Known, check_moment, due_on, next_first
from app.domain.vocabulary import SHANGHAI

TODAY = date(2026, 9, 22)
NOW = datetime(2026, 9, 22, 10, 0, tzinfo=SHANGHAI)


def known(id_: int, *, hard: bool, days_ago: int | None) -> Known:
    return Known(id_, hard, None if days_ago is None else NOW - timedelta(days=days_ago))


@pytest.mark.parametrize(
    ("hard", "last", "due"),
    [
        (True, datetime(2026, 9, 1, 9, 0, tzinfo=SHANGHAI), date(2026, 10, 1)),
        (False, datetime(2026, 9, 1, 9, 0, tzinfo=SHANGHAI), date(2027, 2, 28)),
        # Half past midnight in the county is still the day before in Greenwich.
        (True, datetime(2026, 8, 31, 16, 30, tzinfo=UTC), date(2026, 10, 1)),
        (True, None, TODAY),
        (False, None, TODAY),
    ],
)
def test_a_visit_is_due_so_many_days_of_the_county_after_the_last(hard: bool, last: datetime | None, due: date) -> None:
    assert due_on(Known(1, hard, last), TODAY) == due


def test_hardship_first_then_who_waits_longest_then_by_the_day() -> None:
    households = [
        known(1, hard=False, days_ago=10),
        known(2, hard=True, days_ago=29),
        known(3, hard=False, days_ago=400),
        known(4, hard=False, days_ago=None),
        known(5, hard=True, days_ago=30),
        known(6, hard=True, days_ago=90),
        known(7, hard=True, days_ago=None),
        known(8, hard=False, days_ago=180),
        known(9, hard=True, days_ago=2),
    ]
    assert [turn.id for turn in next_first(households, TODAY)] == [7, 6, 5, 4, 3, 8, 2, 9, 1]


@given(
    st.lists(st.tuples(st.booleans(), st.none() | st.integers(0, 1000)), max_size=30),
    st.booleans(),
)
def test_nobody_is_left_out_and_whoever_was_just_visited_waits_a_whole_interval(
    drawn: list[tuple[bool, int | None]], hard: bool
) -> None:
    households = [known(id_, hard=h, days_ago=days) for id_, (h, days) in enumerate(drawn, 1)]
    visited = known(0, hard=hard, days_ago=0)
    turns = next_first([*households, visited], TODAY)
    assert sorted(turn.id for turn in turns) == list(range(len(households) + 1))
    assert due_on(visited, TODAY) - TODAY == (IN_DIFFICULTY if hard else OTHERS)
    due = [one.id for one in households if due_on(one, TODAY) <= TODAY]
    assert {turn.id for turn in turns[: len(due)]} == set(due)


def test_a_visit_is_entered_for_now_or_the_last_thirty_days() -> None:
    check_moment(NOW, NOW)
    check_moment(NOW - OLDEST, NOW)
    for at, code in ((NOW + timedelta(seconds=1), "visit.future"), (NOW - OLDEST - timedelta(seconds=1), "visit.old")):
        with pytest.raises(Invalid) as refused:
            check_moment(at, NOW)
        assert (refused.value.code, refused.value.faults[0].pointer) == (code, "/at")
