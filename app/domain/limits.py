"""Until when a ticket must be accepted, answered and done (限时办结; domain.md, 4). Pure: the calendar is handed in."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.domain.vocabulary import SHANGHAI, DayRule
from app.domain.workdays import Calendar, LastDay, day_of, end_of, natural_end, working_end

MOST_DAYS = 10
"""No completion limit is longer, and no limit in working days ends later than so many natural days would."""
URGENT_ACCEPT_HOURS = 2
URGENT_REPLY_HOURS = 24
LEAST_REOPENED_DAYS = 2
RATING_DAYS = 15


@dataclass(frozen=True, slots=True)
class Rules:
    """A category's limits. `complete_days` counts what `day_rule` says: natural days, working days, or hours.

    Raises ValueError beyond 1 working day for acceptance, 3 for the first reply, 10 days (240 hours) for completion.
    """

    accept_working_days: int
    reply_working_days: int
    complete_days: int
    day_rule: DayRule

    def __post_init__(self) -> None:
        most = MOST_DAYS * 24 if self.day_rule is DayRule.HOURS else MOST_DAYS
        if not (
            self.accept_working_days == 1 and 1 <= self.reply_working_days <= 3 and 1 <= self.complete_days <= most
        ):
            raise ValueError(f"limits outside what domain.md allows: {self}")


DEFAULT = Rules(accept_working_days=1, reply_working_days=3, complete_days=10, day_rule=DayRule.NATURAL)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. `due_at` is aware, in Asia/Shanghai, and exclusive: at that instant the ticket is overdue.

    `provisional`: a year it was counted in is not yet published, or the calendar is broken; compute it anew later.
    """

    due_at: datetime
    rule: DayRule
    provisional: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """A ticket's three limits; none of the first two is later than `complete`."""

    accept: Limit
    reply: Limit
    complete: Limit


def limits(
    received_at: datetime, rules: Rules, calendar: Calendar, *, urgent: bool = False, cut_off: bool = False
) -> Limits:
    """The limits of a ticket received at an aware moment; `urgent` shortens acceptance and reply, round the clock,
    `cut_off` (water, power or gas) the reply alone.

    Raises ValueError for a naive moment.
    """
    start = day_of(received_at)
    complete = _counted(received_at, rules.complete_days, rules.day_rule, calendar)
    accept = _working(start, rules.accept_working_days, calendar)
    reply = _working(start, rules.reply_working_days, calendar)
    if urgent:
        accept = _hours(received_at, URGENT_ACCEPT_HOURS)
    if urgent or cut_off:
        reply = _hours(received_at, URGENT_REPLY_HOURS)
    return Limits(accept=_not_after(accept, complete), reply=_not_after(reply, complete), complete=complete)


def reopened(disliked_at: datetime, rules: Rules, calendar: Calendar) -> Limit:
    """The fresh completion limit after a dislike: half the category's, rounded up, same rule, at least 2 days.

    Raises ValueError for a naive moment.
    """
    least = LEAST_REOPENED_DAYS * 24 if rules.day_rule is DayRule.HOURS else LEAST_REOPENED_DAYS
    return _counted(disliked_at, max(least, (rules.complete_days + 1) // 2), rules.day_rule, calendar)


def appealed(appealed_at: datetime, rules: Rules, calendar: Calendar, *, urgent: bool = False) -> Limit:
    """The fresh acceptance limit after an appeal; the other limits run on. Raises ValueError for a naive moment."""
    if urgent:
        return _hours(appealed_at, URGENT_ACCEPT_HOURS)
    return _working(day_of(appealed_at), rules.accept_working_days, calendar)


def extended(due_at: datetime, days: int, calendar: Calendar) -> Limit:
    """An approved extension: so many natural days after the present last day, then moved off rest days.

    The last day of a limit in hours is the day it ends in, so such a limit too ends at 24:00 once extended.
    Raises ValueError for a naive moment or days < 1.
    """
    return _natural(day_of(due_at - timedelta.resolution), days, calendar)


def return_ends(got_at: datetime, calendar: Calendar) -> datetime:
    """Until when a node may send back what it got at that moment, exclusive: within one working day (domain.md, 2).

    Raises ValueError for a naive moment.
    """
    return end_of(working_end(day_of(got_at), 1, calendar).day)


def rating_ends(completed_at: datetime) -> datetime:
    """Until when the citizen may rate, exclusive: 24:00 of the fifteenth natural day, rest day or not.

    Raises ValueError for a naive moment.
    """
    return end_of(day_of(completed_at) + timedelta(days=RATING_DAYS))


def _counted(moment: datetime, amount: int, rule: DayRule, calendar: Calendar) -> Limit:
    if rule is DayRule.HOURS:
        return _hours(moment, amount)
    count = _working if rule is DayRule.WORKING else _natural
    return count(day_of(moment), amount, calendar)


def _hours(moment: datetime, hours: int) -> Limit:
    """Hours run from the moment itself, day and night, and are not moved off rest days (第二百零一条第二款)."""
    return Limit((moment + timedelta(hours=hours)).astimezone(SHANGHAI), DayRule.HOURS, provisional=False)


def _natural(start: date, days: int, calendar: Calendar) -> Limit:
    last = natural_end(start, days, calendar)
    return Limit(end_of(last.day), DayRule.NATURAL, last.provisional)


def _working(start: date, days: int, calendar: Calendar) -> Limit:
    last = working_end(start, days, calendar)
    if last.day > start + timedelta(days=MOST_DAYS):
        last = min(last, natural_end(start, MOST_DAYS, calendar), key=_by_day)
    return Limit(end_of(last.day), DayRule.WORKING, last.provisional)


def _by_day(last: LastDay) -> date:
    return last.day


def _not_after(own: Limit, complete: Limit) -> Limit:
    """The limit itself, or the completion limit where that is sooner (then counted by its rule)."""
    if own.due_at <= complete.due_at:
        return own
    # Completion in days is sure only if all days up to it are; in hours it always is, and days may yet end sooner.
    return replace(complete, provisional=own.provisional) if complete.rule is DayRule.HOURS else complete
