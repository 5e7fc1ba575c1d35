"""A ticket that comes from another system: what is wrong with its row, and the life it has had (domain.md, 7). Pure.

History keeps its own facts: nothing of it is reopened, reminded of or recorded as a fault; what fell due before the
import is stored as done, silently; only what is still to come will come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from app.domain.limits import Limits, Rules, limits, rating_ends
from app.domain.steps import Chain, Live, Step, StepKind, chain
from app.domain.vocabulary import OPEN, Action, Score, Status
from app.domain.workdays import Calendar

ORDER = ("received_at", "accepted_at", "first_replied_at", "completed_at", "rated_at")
"""The milestones in the order in which they come."""


@dataclass(frozen=True, slots=True)
class Record:
    """The milestones of one row and what was said at them. Times are aware; None or an empty text: did not happen."""

    received_at: datetime
    accepted_at: datetime | None = None
    first_replied_at: datetime | None = None
    reply: str = ""
    completed_at: datetime | None = None
    result: str = ""
    score: Score | None = None
    comment: str = ""
    rated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of the trail that such a ticket gets."""

    action: Action
    at: datetime
    before: Status | None
    after: Status
    text: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """What the ticket is at the moment of the import. `happenings` begin with its opening; the last ends in `status`.

    `passed`: steps that fell due before; `coming`: the next of each chain that runs, or that it is archived.
    """

    status: Status
    record: Record
    closed_at: datetime | None
    limits: Limits
    kept_limit: bool
    happenings: tuple[Happening, ...]
    passed: tuple[Step, ...]
    coming: tuple[Step, ...]


def faults(record: Record, now: datetime) -> Iterator[tuple[str, str]]:
    """What can't have been: (column, what is wrong with it, in Chinese)."""
    times = [(name, at) for name in ORDER if (at := getattr(record, name)) is not None]
    yield from ((name, f"是将来的时间（{at:%Y-%m-%d %H:%M}）") for name, at in times if at > now)
    for (earlier, first), (later, second) in pairwise(times):
        if second < first:
            yield later, f"是 {second:%Y-%m-%d %H:%M}，早于 {earlier}（{first:%Y-%m-%d %H:%M}）"
    yield from _missing(record)


def _missing(record: Record) -> Iterator[tuple[str, str]]:
    accepted, completed = record.accepted_at is not None, record.completed_at is not None
    replied = record.first_replied_at is not None
    if completed and not accepted:
        yield "accepted_at", "为空，但已有 completed_at（办结之前须已受理）"
    elif replied and not accepted:
        yield "accepted_at", "为空，但已有 first_replied_at（回复之前须已受理）"
    if record.score is not None and not completed:
        yield "completed_at", "为空，但已有 rating（评价须在办结之后）"
    if record.rated_at is not None and record.score is None:
        yield "rating", "为空，但已有 rated_at"
    if record.reply and not (replied or completed):
        yield "first_replied_at", "为空，但已有 reply"
    if record.result and not completed:
        yield "completed_at", "为空，但已有 result"
    if record.comment and record.score is None:
        yield "rating", "为空，但已有 rating_comment"


def lived(record: Record, rules: Rules, calendar: Calendar, now: datetime) -> Life:
    """The life of a record that has no faults, under the limits of its category, as it stands at `now`."""
    full = _completed_fields(record)
    found = limits(full.received_at, rules, calendar)
    status, closed_at = _standing(full, now)
    kept = full.completed_at is None or full.completed_at < found.complete.due_at
    passed, coming = _steps(full, found, calendar, now) if status in OPEN else ((), _archive(full, status))
    return Life(status, full, closed_at, found, kept, tuple(_happenings(full, closed_at)), passed, coming)


def _archive(record: Record, status: Status) -> tuple[Step, ...]:
    """What was completed lately may still be rated, until it is archived."""
    if status is not Status.COMPLETED or record.completed_at is None:
        return ()
    return (Step(StepKind.ARCHIVE, rating_ends(record.completed_at)),)


def _completed_fields(record: Record) -> Record:
    """An empty first reply or rating time of a completed or rated row is the time of its completion."""
    replied = record.first_replied_at or record.completed_at
    rated = (record.rated_at or record.completed_at) if record.score is not None else None
    return Record(
        record.received_at,
        record.accepted_at,
        replied,
        record.reply,
        record.completed_at,
        record.result,
        record.score,
        record.comment,
        rated,
    )


def _standing(record: Record, now: datetime) -> tuple[Status, datetime | None]:
    if record.completed_at is not None:
        over = rating_ends(record.completed_at)
        return (Status.CLOSED, over) if over <= now else (Status.COMPLETED, None)
    if record.first_replied_at is not None:
        return Status.IN_PROGRESS, None
    return (Status.ACCEPTED if record.accepted_at is not None else Status.RECEIVED), None


def _happenings(record: Record, closed_at: datetime | None) -> Iterator[Happening]:
    yield Happening(Action.OPEN, record.received_at, None, Status.RECEIVED)
    if record.accepted_at is None:
        return
    yield Happening(Action.ACCEPT, record.accepted_at, Status.RECEIVED, Status.ACCEPTED)
    state = Status.ACCEPTED
    # The result is itself a reply: one that came with it alone is no entry of its own.
    if record.first_replied_at is not None and (record.first_replied_at != record.completed_at or record.reply):
        yield Happening(Action.START, record.first_replied_at, state, Status.IN_PROGRESS)
        state = Status.IN_PROGRESS
        yield Happening(Action.REPLY, record.first_replied_at, state, state, record.reply)
    if record.completed_at is None:
        return
    yield Happening(Action.COMPLETE, record.completed_at, state, Status.COMPLETED, record.result)
    yield from _afterwards(record, closed_at)


def _afterwards(record: Record, closed_at: datetime | None) -> Iterator[Happening]:
    rated, state = record.rated_at, Status.COMPLETED
    late = rated is not None and closed_at is not None and rated > closed_at
    if rated is not None and not late:
        yield Happening(Action.RATE, rated, state, state, record.comment)
    if closed_at is not None:
        yield Happening(Action.ARCHIVE, closed_at, state, Status.CLOSED)
        state = Status.CLOSED
    if rated is not None and late:
        yield Happening(Action.RATE, rated, state, state, record.comment)


def _steps(
    record: Record, found: Limits, calendar: Calendar, now: datetime
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """(what fell due before and is stored as done, the next of each chain that runs)."""
    last_act = record.first_replied_at or record.accepted_at or record.received_at
    live = Live(
        accept=None if record.accepted_at else found.accept.due_at,
        reply=None if record.first_replied_at else found.reply.due_at,
        complete=found.complete.due_at,
        idle_since=last_act,
    )
    passed: list[Step] = []
    coming: list[Step] = []
    for name in Chain:
        steps: Sequence[Step] = chain(name, live, calendar) if name in live.chains else ()
        passed += (step for step in steps if step.due_at <= now)
        coming += [step for step in steps if step.due_at > now][:1]
    return tuple(passed), tuple(coming)
