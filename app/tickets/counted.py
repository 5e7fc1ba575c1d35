"""A ticket's row as the counters see it."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any

from app.base.batch import Batch
from app.divisions.service import Atlas
from app.domain.counting import Facts
from app.domain.county import Node
from app.domain.vocabulary import Channel, Score, Status, Via
from app.rates import counters
from app.rates.counters import Counted
from app.tickets.queries.changing import Stored

_COLUMNS = frozenset(field.name for field in fields(Stored))


def count_new(batch: Batch, atlas: Atlas, row: Mapping[str, Any]) -> None:
    """A new ticket's columns; those that are not set yet are left out."""
    counters.count(batch, None, _counted(atlas, row.get))


def count_change(batch: Batch, atlas: Atlas, before: Stored, changes: Mapping[str, Any]) -> Stored:
    """What changes of a ticket, by column; the row as it is then."""
    after = replace(before, **{name: value for name, value in changes.items() if name in _COLUMNS})
    was, now = (_counted(atlas, partial(getattr, row)) for row in (before, after))
    counters.count(batch, was, now)
    return after


def _counted(atlas: Atlas, get: Callable[[str], Any]) -> Counted:
    return Counted(
        facts=_facts(get),
        place_id=get("division_id"),
        node=Node(get("responsible_division_id"), get("responsible_unit_id")),
        county_id=atlas.county.root.id,
        confidential=get("confidential"),
    )


def _facts(get: Callable[[str], Any]) -> Facts:
    return Facts(
        status=Status(get("status")),
        channel=Channel(get("channel")),
        received_at=get("received_at"),
        accepted_at=get("accepted_at"),
        accepted_automatically=get("accepted_automatically"),
        first_replied_at=get("first_replied_at"),
        completed_at=get("completed_at"),
        due_at=get("due_at"),
        original_due_at=get("original_due_at"),
        kept_limit=get("kept_limit"),
        kept_original=get("kept_original"),
        explained=get("explained"),
        score=_word(Score, get("score")),
        first_score=_word(Score, get("first_score")),
        via=_word(Via, get("rating_via")),
        solved=get("solved"),
        declined_reason=get("decline_reason"),
        withdrawn_by_citizen_before_work=get("withdrawn_before_work"),
    )


def _word(words: Callable[[str], Any], code: str | None) -> Any:
    return None if code is None else words(code)
