"""The rows of a ticket that comes from another system: what is written of its life here, table by table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.audit.chain import Entry as Event
from app.audit.chain import canonical
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import numbers
from app.domain.county import Category, Node
from app.domain.history import Life
from app.domain.vocabulary import OPEN, Action, Channel, Kind, Score, Status, Via
from app.tickets import codes, opening

_BY_HANDLER = frozenset({Action.START, Action.REPLY, Action.COMPLETE})
_MARK = {"imported": True}
_MARKED = canonical(_MARK)
Citizen = tuple[str | None, str | None]
"""Name and phone."""
Entry = tuple[str, datetime, str | None, str, str]
"""Of the trail: action, moment, state before and after, text."""


@dataclass(frozen=True, slots=True)
class Past:
    """One ticket as it was elsewhere. `digest` is of its row, to know an unchanged one again; ids are checked."""

    external_id: str
    digest: str
    channel: Channel
    kind: Kind
    category: Category | None
    place_id: int
    node: Node
    person_id: int | None
    person_role: str | None
    reason: str
    title: str
    description: str
    citizen: Citizen | None
    life: Life
    grade: str | None


@dataclass(frozen=True, slots=True)
class Bound:
    """A ticket with the id that it has here, and from which event on its trail is to be written. `code`: its rating
    code, which may have been handed over already."""

    past: Past
    id: int
    first_seq: int = 1
    code: str | None = None


def entries(past: Past) -> list[Entry]:
    return [(h.action, h.at, h.before, h.after, h.text) for h in past.life.happenings]


_NEVER = {
    "appealed": False,
    "for_principal": False,
    "returns": 0,
    "copies": 0,
    "extensions": 0,
    "extension_days": 0,
    "photos": 0,
}
"""What has never happened to it here."""


def version(one: Bound) -> int:
    return len(one.past.life.happenings)


def told(one: Bound, events: Sequence[Entry], texts: Mapping[str, str] | None = None) -> Iterator[tuple[Event, str]]:
    """The entries as events of the trail, each with its text. `texts`: what Trails.retell says of those before."""
    for seq, entry in enumerate(events, one.first_seq):
        first = texts and seq == one.first_seq
        yield _event(one, seq, entry, canonical(_MARK | {"texts": texts}) if first else _MARKED), entry[4]


def _event(one: Bound, seq: int, entry: Entry, detail: str) -> Event:
    action, at, before, after, _ = entry
    past = one.past
    rated = action == Action.RATE
    theirs = action in _BY_HANDLER and past.person_id is not None
    return Event(
        ticket_id=one.id,
        seq=seq,
        at=at,
        action=action,
        from_status=before,
        to_status=after,
        actor_kind="staff" if theirs else "citizen" if rated else "system",
        actor_id=past.person_id if theirs else None,
        actor_role=past.person_role if theirs else "citizen" if rated else None,
        detail=detail,
    )


def columns(one: Bound) -> dict[str, Any]:
    """The columns that the file decides."""
    past, life = one.past, one.past.life
    record, done = life.record, life.record.completed_at is not None
    confidential = past.category is not None and past.category.confidential
    score = record.score
    return {
        "kind": past.kind,
        "channel": past.channel,
        "status": life.status,
        "version": version(one),
        "title": past.title or opening.title_of(past.description),
        "description": past.description or past.title,
        "category_id": past.category.id if past.category else None,
        "division_id": past.place_id,
        "responsible_division_id": past.node.division_id,
        "responsible_unit_id": past.node.unit_id,
        "person_id": past.person_id,
        "routing_reason": past.reason,
        "confidential": confidential,
        "received_at": record.received_at,
        "accepted_at": record.accepted_at,
        "first_replied_at": record.first_replied_at,
        "completed_at": record.completed_at,
        "rated_at": record.rated_at,
        "closed_at": life.closed_at,
        "due_at": life.limits.complete.due_at,
        "original_due_at": life.limits.complete.due_at,
        "kept_limit": life.kept_limit,
        "kept_original": life.kept_limit,
        "works": 1 if record.first_replied_at is not None else 0,
        "result": record.result if done else None,
        "score": score,
        "first_score": score,
        "rating_via": Via.IMPORTED if score else None,
        "rating_comment": record.comment or None,
        # Whoever asked may still rate what was completed lately, by the code.
        "rating_code": (one.code or codes.new()) if life.status is Status.COMPLETED else None,
    }


def begun(work: Work, atlas: Atlas, one: Bound, citizens: Mapping[Citizen, int]) -> dict[str, Any]:
    """The columns that stay as they are from the first import on."""
    return {
        "id": one.id,
        "number": numbers.number(one.id, atlas.county.number_key),
        "cycle": 1,
        "category_suggested": False,
        "citizen_id": citizens[one.past.citizen] if one.past.citizen is not None else None,
        "urgent": False,
        "marked_confidential": False,
        "entered_at": work.now,
        "accepted_automatically": False,
        "corrected": True,
        "explained": False,
        "withdrawn_before_work": False,
        **_NEVER,
    }


def assignment(one: Bound) -> dict[str, Any]:
    past, life = one.past, one.past.life
    return {
        "ticket_id": one.id,
        "division_id": past.node.division_id,
        "unit_id": past.node.unit_id,
        "person_id": past.person_id,
        "came_by": "imported",
        "since": life.record.received_at,
        "until": None if life.status in OPEN else life.record.completed_at,
    }


def limits(one: Bound) -> Iterator[dict[str, Any]]:
    found = one.past.life.limits
    for kind, limit in (("accept", found.accept), ("reply", found.reply), ("complete", found.complete)):
        yield {
            "ticket_id": one.id,
            "cycle": 1,
            "kind": kind,
            "due_at": limit.due_at,
            "original_due_at": limit.due_at,
            "rule": limit.rule,
            "provisional": limit.provisional,
        }


def steps(work: Work, one: Bound) -> Iterator[dict[str, Any]]:
    life = one.past.life
    for step, done in (*((s, True) for s in life.passed), *((s, False) for s in life.coming)):
        yield {
            "ticket_id": one.id,
            "cycle": 1,
            "kind": step.kind,
            "due_at": step.due_at,
            "done_at": work.now if done else None,
            "silent": done,
        }


def ratings(bound: Sequence[Bound]) -> Iterator[dict[str, Any]]:
    for one in bound:
        record = one.past.life.record
        if record.score is not None and record.rated_at is not None:
            yield {
                "ticket_id": one.id,
                "cycle": 1,
                "score": Score(record.score),
                "via": Via.IMPORTED,
                "comment": record.comment or None,
                "solved": None,
                "grade": one.past.grade,
                "at": record.rated_at,
            }
