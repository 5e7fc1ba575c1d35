"""When each step falls due, and which comes next (domain.md, 4)."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain.limits import DEFAULT, limits
from app.domain.steps import CHAINS, REMINDERS, Chain, Live, StepKind, chain, coming, idle_at
from app.domain.vocabulary import SHANGHAI
from app.domain.workdays import Calendar, Day, calendar_of

REST = [date(2026, 9, 25), *(date(2026, 10, day) for day in range(1, 8))]
WORKED = [date(2026, 9, 20), date(2026, 10, 10)]
CALENDAR = calendar_of([*(Day(d, True) for d in REST), *(Day(d, False) for d in WORKED)], [2026])
RECEIVED = datetime(2026, 9, 25, 16, 30, tzinfo=SHANGHAI)
FIRST, LAST = datetime(2020, 1, 1), datetime(2030, 12, 31)  # noqa: DTZ001 - the zone is drawn beside
LIMITS = limits(RECEIVED, DEFAULT, CALENDAR)
LIVE = Live(LIMITS.accept.due_at, LIMITS.reply.due_at, LIMITS.complete.due_at, RECEIVED)


def _at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, tzinfo=SHANGHAI)


def test_the_worked_example_of_the_eve_of_the_national_day() -> None:
    due = {step.kind: step.due_at for name in Chain for step in chain(name, LIVE, CALENDAR)}
    assert due == {
        StepKind.ACCEPT_MISSED: _at(9, 29),
        StepKind.ACCEPT_MISSED_ABOVE: _at(9, 30),
        StepKind.REPLY_MISSED: _at(10, 1),
        # The working day after 30 September is 8 October.
        StepKind.REPLY_MISSED_ABOVE: _at(10, 9),
        StepKind.REMIND_3: _at(10, 6),
        StepKind.REMIND_1: _at(10, 8),
        StepKind.OVERDUE: _at(10, 9),
        StepKind.OVERDUE_1: _at(10, 10),
        StepKind.FAULT: _at(10, 12),
        # 28, 29, 30 September, 8 and 9 October.
        StepKind.IDLE: _at(10, 10),
    }


def test_the_next_step_of_every_chain_is_to_come() -> None:
    kinds = [step.kind for step in coming(LIVE, RECEIVED, CALENDAR)]
    assert kinds == [StepKind.ACCEPT_MISSED, StepKind.REPLY_MISSED, StepKind.REMIND_3, StepKind.IDLE]


def test_what_is_done_has_nothing_to_come() -> None:
    live = replace(LIVE, accept=None, reply=None)
    assert [step.kind for step in coming(live, RECEIVED, CALENDAR)] == [StepKind.REMIND_3, StepKind.IDLE]
    assert chain(Chain.ACCEPT, live, CALENDAR) == ()


@pytest.mark.parametrize(
    ("now", "first"),
    [
        (_at(10, 5), StepKind.REMIND_3),
        (_at(10, 6), StepKind.REMIND_1),
        (_at(10, 7), StepKind.REMIND_1),
        (_at(10, 8), StepKind.OVERDUE),
        # A limit that is past when it is set is no reason to say nothing of it.
        (_at(10, 20), StepKind.OVERDUE),
    ],
)
def test_a_reminder_of_what_was_never_ahead_is_skipped(now: datetime, first: StepKind) -> None:
    steps = coming(LIVE, now, CALENDAR)
    assert next(step.kind for step in steps if step.kind in CHAINS[Chain.COMPLETE]) is first


def test_every_kind_belongs_to_one_chain() -> None:
    assert sorted(kind for kinds in CHAINS.values() for kind in kinds) == sorted(set(StepKind) - {StepKind.ARCHIVE})
    assert set(CHAINS[Chain.COMPLETE]) >= REMINDERS


@given(some.datetimes(FIRST, LAST, timezones=some.just(SHANGHAI)))
def test_the_steps_of_a_chain_fall_due_in_their_order(moment: datetime) -> None:
    for days in (CALENDAR, Calendar()):
        found = limits(moment, DEFAULT, days)
        live = Live(found.accept.due_at, found.reply.due_at, found.complete.due_at, moment)
        for name in Chain:
            steps = chain(name, live, days)
            assert [step.kind for step in steps] == list(CHAINS[name])
            assert [step.due_at for step in steps] == sorted({step.due_at for step in steps})
        assert idle_at(moment, days) > moment + timedelta(days=4)
