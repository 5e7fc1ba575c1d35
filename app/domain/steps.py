"""What happens as time passes, and when (自流程; domain.md, 4): each step once per ticket and cycle. Pure.

Of each chain only the next step is stored; doing it makes the one after it. ARCHIVE is in no chain: it is the one step
of a completed ticket, when nobody can rate it any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto

from app.domain.workdays import ONE_DAY, Calendar, day_of, end_of, working_end

IDLE_WORKING_DAYS = 5
"""Working days without any act by staff on an open ticket."""


class Chain(StrEnum):
    """What a step follows from: one of the three limits, or that nobody does anything."""

    ACCEPT = auto()
    REPLY = auto()
    COMPLETE = auto()
    IDLE = auto()


class StepKind(StrEnum):
    """`*_ABOVE`: a working day after the missed limit, to the level above; numbers are days before or after."""

    ACCEPT_MISSED = auto()
    ACCEPT_MISSED_ABOVE = auto()
    REPLY_MISSED = auto()
    REPLY_MISSED_ABOVE = auto()
    REMIND_3 = auto()
    REMIND_1 = auto()
    OVERDUE = auto()
    OVERDUE_1 = auto()
    FAULT = auto()
    IDLE = auto()
    ARCHIVE = auto()


CHAINS: Mapping[Chain, tuple[StepKind, ...]] = {
    Chain.ACCEPT: (StepKind.ACCEPT_MISSED, StepKind.ACCEPT_MISSED_ABOVE),
    Chain.REPLY: (StepKind.REPLY_MISSED, StepKind.REPLY_MISSED_ABOVE),
    Chain.COMPLETE: (StepKind.REMIND_3, StepKind.REMIND_1, StepKind.OVERDUE, StepKind.OVERDUE_1, StepKind.FAULT),
    Chain.IDLE: (StepKind.IDLE,),
}
"""Each chain in the order in which its steps fall due."""
LIFTED = frozenset({StepKind.OVERDUE, StepKind.OVERDUE_1, StepKind.FAULT})
"""What an approved extension takes back where it has happened: it happens again at the new limit."""
REMINDERS = frozenset({StepKind.REMIND_3, StepKind.REMIND_1})
"""Skipped where they are past when the limit is set: nobody is reminded of what was never ahead."""


@dataclass(frozen=True, slots=True)
class Step:
    """`due_at` is aware: the moment from which the step is to be done."""

    kind: StepKind
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Live:
    """The limits of a ticket that still run: None where what they wait for is done. Moments are aware.

    `idle_since`: the last act of staff, or the receipt where there was none.
    """

    accept: datetime | None
    reply: datetime | None
    complete: datetime
    idle_since: datetime

    @property
    def chains(self) -> frozenset[Chain]:
        waits = {Chain.ACCEPT: self.accept, Chain.REPLY: self.reply}
        return frozenset(Chain) - {chain for chain, due in waits.items() if due is None}


def coming(live: Live, now: datetime, calendar: Calendar, done: frozenset[str] = frozenset()) -> tuple[Step, ...]:
    """The next step of each chain that runs, for limits that are set at `now`: what is stored of a ticket.

    `done`: kinds that this cycle has had; each comes but once, so a chain that has had all of its own gives none.
    """
    found = (_next(chain(name, live, calendar), now, done) for name in Chain if name in live.chains)
    return tuple(step for step in found if step is not None)


def chain(name: Chain, live: Live, calendar: Calendar) -> tuple[Step, ...]:
    """All steps of a chain, in the order in which they fall due."""
    match name:
        case Chain.IDLE:
            return (Step(StepKind.IDLE, idle_at(live.idle_since, calendar)),)
        case Chain.COMPLETE:
            return tuple(Step(kind, live.complete + _AROUND[kind] * ONE_DAY) for kind in CHAINS[name])
    due = live.accept if name is Chain.ACCEPT else live.reply
    if due is None:
        return ()
    missed, above = CHAINS[name]
    return Step(missed, due), Step(above, _working_day_after(due, calendar))


_AROUND: Mapping[StepKind, int] = {
    StepKind.REMIND_3: -3,
    StepKind.REMIND_1: -1,
    StepKind.OVERDUE: 0,
    StepKind.OVERDUE_1: 1,
    StepKind.FAULT: 3,
}
"""Times 24 hours."""


def _next(steps: tuple[Step, ...], now: datetime, done: frozenset[str]) -> Step | None:
    behind = max((n for n, step in enumerate(steps, 1) if step.kind in done), default=0)
    ahead = (step for step in steps[behind:] if step.kind not in REMINDERS or step.due_at > now)
    return next(ahead, None)


def _working_day_after(due_at: datetime, calendar: Calendar) -> datetime:
    """One working day after the limit's last day, to 24:00."""
    return end_of(working_end(day_of(due_at - timedelta.resolution), 1, calendar).day)


def idle_at(since: datetime, calendar: Calendar) -> datetime:
    """When five working days have gone by without an act."""
    return end_of(working_end(day_of(since), IDLE_WORKING_DAYS, calendar).day)
