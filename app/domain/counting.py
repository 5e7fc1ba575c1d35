"""What a ticket contributes to the figures (domain.md, 5): the one definition; SQL elsewhere is tested equal to it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from operator import add, attrgetter, itemgetter, sub
from typing import Self

from app.domain.vocabulary import OPEN, Channel, Score, Status, Via

SPAM = "spam"
"""The reason of a decline that takes a ticket out of every rate."""

UNFINISHED = OPEN | {Status.MERGED}
"""A copy is open, overdue or completed as its primary is, so without a completion it is open (domain.md, 2, Merge)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one ticket contributes, as it stands at the counting. Times are aware.

    `kept_limit`, `kept_original`: every finished cycle ended within its limit, extensions included or not.
    `due_at`, `original_due_at`: the completion limits of the present (or last) cycle; that very moment is too late.
    `score`, `via`, `solved` are of the latest rating, `first_score` of the first, even of a ticket reopened since.
    `declined_reason` may outlive an appeal and `explained` a reopening: they count only together with the state.
    """

    status: Status
    channel: Channel
    received_at: datetime
    accepted_at: datetime | None
    accepted_automatically: bool
    first_replied_at: datetime | None
    completed_at: datetime | None
    due_at: datetime
    original_due_at: datetime
    kept_limit: bool
    kept_original: bool
    explained: bool
    score: Score | None
    first_score: Score | None
    via: Via | None
    solved: bool | None
    declined_reason: str | None
    withdrawn_by_citizen_before_work: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """The part of what is counted that no clock changes: it is kept in rollups (app.rates), and is added up.

    `withdrawn` (by the citizen, before any work) and `spam` are left out of the cohort and of every other field.
    `completed_*`: of the completed ones, how many are also that; the ranking is made of them and of the overdue.
    """

    received: int = 0
    accepted: int = 0
    accepted_automatically: int = 0
    replied: int = 0
    completed: int = 0
    explained: int = 0
    declined: int = 0
    likes: int = 0
    dislikes: int = 0
    first_likes: int = 0
    first_dislikes: int = 0
    callback_likes: int = 0
    callback_dislikes: int = 0
    rated_completed: int = 0
    solved_yes: int = 0
    solved_no: int = 0
    on_time: int = 0
    on_time_original: int = 0
    completed_accepted: int = 0
    completed_replied: int = 0
    completed_likes: int = 0
    completed_dislikes: int = 0
    withdrawn: int = 0
    spam: int = 0

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(*map(sub, _tallied(self), _tallied(other)))


_tallied = attrgetter(*(field.name for field in fields(Tally)))


@dataclass(frozen=True, slots=True)
class Running:
    """The part that a clock changes: the tickets not completed, by their limits, at one moment."""

    open_overdue: int = 0
    open_overdue_original: int = 0
    not_yet_due: int = 0
    overdue_accepted: int = 0
    overdue_replied: int = 0
    overdue_likes: int = 0
    overdue_dislikes: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of tickets; those of parts add up to those of the whole.

    `withdrawn` (by the citizen, before any work) and `spam` are left out of the cohort and of every other field.
    `open_overdue`, `open_overdue_original`, `not_yet_due` depend on the clock, and with the first the four `ranked_*`:
    those are of the cohort's tickets that are completed or open past due, which the ranking is made over.
    """

    received: int = 0
    accepted: int = 0
    accepted_automatically: int = 0
    replied: int = 0
    completed: int = 0
    explained: int = 0
    declined: int = 0
    likes: int = 0
    dislikes: int = 0
    first_likes: int = 0
    first_dislikes: int = 0
    callback_likes: int = 0
    callback_dislikes: int = 0
    rated_completed: int = 0
    solved_yes: int = 0
    solved_no: int = 0
    on_time: int = 0
    on_time_original: int = 0
    open_overdue: int = 0
    open_overdue_original: int = 0
    not_yet_due: int = 0
    ranked_accepted: int = 0
    ranked_replied: int = 0
    ranked_likes: int = 0
    ranked_dislikes: int = 0
    withdrawn: int = 0
    spam: int = 0

    @classmethod
    def zero(cls) -> Self:
        """Nothing counted: where a sum begins."""
        return cls()

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*map(add, _values(self), _values(other)))

    @property
    def ranked(self) -> int:
        """The tickets that the ranking and the on-time rate are made over: completed, or open past due."""
        return self.completed + self.open_overdue


_names = tuple(field.name for field in fields(Counts))
_values = attrgetter(*_names)
_run = attrgetter(*(field.name for field in fields(Running)))
_PARTS = (*(field.name for field in fields(Tally)), *(field.name for field in fields(Running)), "nothing")
# What each field takes of the values of both parts: one of them, or, where it is of the ranking, the sum of two.
_one = itemgetter(*(_PARTS.index(name.replace("ranked_", "completed_")) for name in _names))
_other = itemgetter(
    *(_PARTS.index(name.replace("ranked_", "overdue_") if "ranked_" in name else "nothing") for name in _names)
)


def counts_of(tally: Tally, running: Running) -> Counts:
    """Both parts as one."""
    parts = (*_tallied(tally), *_run(running), 0)
    return Counts(*map(add, _one(parts), _other(parts)))


def count(facts: Iterable[Facts], as_of: datetime) -> Counts:
    """Counts a cohort as it stands at `as_of` (aware)."""
    return sum((counts_of(tally(one), running(one, as_of)) for one in facts), Counts.zero())


def tally(one: Facts) -> Tally:
    """What one ticket adds to the counters, whatever the clock says."""
    left_out = _left_out(one)
    if left_out is not None:
        return left_out
    accepted = one.accepted_at is not None
    replied = _replied(one)
    completed = one.completed_at is not None
    like, dislike = one.score is Score.LIKE, one.score is Score.DISLIKE
    callback = one.via is Via.CALLBACK
    return Tally(
        received=1,
        accepted=accepted,
        accepted_automatically=accepted and one.accepted_automatically,
        replied=replied,
        completed=completed,
        explained=completed and one.explained,
        declined=one.status is Status.DECLINED,
        likes=like,
        dislikes=dislike,
        first_likes=one.first_score is Score.LIKE,
        first_dislikes=one.first_score is Score.DISLIKE,
        callback_likes=like and callback,
        callback_dislikes=dislike and callback,
        rated_completed=completed and one.score is not None,
        solved_yes=one.solved is True,
        solved_no=one.solved is False,
        on_time=completed and one.kept_limit,
        on_time_original=completed and one.kept_original,
        completed_accepted=completed and accepted,
        completed_replied=completed and replied,
        completed_likes=completed and like,
        completed_dislikes=completed and dislike,
    )


def running(one: Facts, as_of: datetime) -> Running:
    """What one ticket adds at `as_of` (aware); nothing once it is finished."""
    if _left_out(one) is not None or one.completed_at is not None or one.status not in UNFINISHED:
        return Running()
    overdue = one.due_at <= as_of
    return Running(
        open_overdue=overdue,
        open_overdue_original=one.original_due_at <= as_of,
        not_yet_due=not overdue,
        overdue_accepted=overdue and one.accepted_at is not None,
        overdue_replied=overdue and _replied(one),
        overdue_likes=overdue and one.score is Score.LIKE,
        overdue_dislikes=overdue and one.score is Score.DISLIKE,
    )


def _left_out(one: Facts) -> Tally | None:
    """The two kinds that no rate counts."""
    if one.status is Status.WITHDRAWN and one.withdrawn_by_citizen_before_work:
        return Tally(withdrawn=1)
    if one.status is Status.DECLINED and one.declined_reason == SPAM:
        return Tally(spam=1)
    return None


def _replied(one: Facts) -> bool:
    # The text of a decline is an answer.
    return one.first_replied_at is not None or one.status is Status.DECLINED
