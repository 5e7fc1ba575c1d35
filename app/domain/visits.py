"""When a household is due for a visit, and whom to visit next.

What counts is that somebody was there and what they saw: nothing asks for photos, tracks or time spent, which national
rules forbid to demand of those who visit (domain.md, 5).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.domain.errors import Invalid
from app.domain.workdays import day_of

IN_DIFFICULTY = timedelta(days=30)
"""Natural days. A month: hardship and the allowances against it are looked at by the month."""
OTHERS = timedelta(days=180)
"""Twice a year. A courier has about 40 households, two of them in difficulty: with this, two visits a week."""
OLDEST = timedelta(days=30)
"""How far back a visit may be entered: who comes home from the mountains writes it down days later, but what is older
than the shortest interval would only move a due day that has passed."""

IN_DIFFICULTY_DUE, DUE, COMING = range(3)
"""The order of visiting: households in difficulty that are due, others that are due, all that are not yet due."""


@dataclass(frozen=True, slots=True)
class Known:
    """What of a household decides when it is visited. `last_visited_at`: None for never."""

    id: int
    in_difficulty: bool
    last_visited_at: datetime | None


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A household's place among those to visit: by `rank`, then by how long it is due, then by `id`.

    `since` is the day on which it is due; who has never been visited stands before all others of the rank.
    """

    rank: int
    since: date
    id: int


def due_on(known: Known, today: date) -> date:
    """The day on which the next visit is due; today for who was never visited."""
    if known.last_visited_at is None:
        return today
    return day_of(known.last_visited_at) + (IN_DIFFICULTY if known.in_difficulty else OTHERS)


def turn(known: Known, today: date) -> Turn:
    """Its place in the order of visiting."""
    due = due_on(known, today)
    rank = COMING if due > today else IN_DIFFICULTY_DUE if known.in_difficulty else DUE
    return Turn(rank, due if known.last_visited_at is not None else date.min, known.id)


def next_first(households: Iterable[Known], today: date) -> list[Turn]:
    """Whom to visit, the most urgent first."""
    return sorted(turn(known, today) for known in households)


def check_moment(at: datetime, now: datetime) -> None:
    """Raises Invalid where a visit is said to have been in the future, or longer ago than may be entered."""
    if at > now:
        raise Invalid.field("visit.future", "/at", "走访时间不能晚于现在")
    if now - at > OLDEST:
        raise Invalid.field("visit.old", "/at", f"走访时间最多可填 {OLDEST.days} 天以内")
