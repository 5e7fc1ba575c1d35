"""Records what happened, in the transaction in which it happens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.audit import queries
from app.base.batch import Batch
from app.base.work import Work
from app.domain.vocabulary import Action, Status


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a ticket's trail. `detail` holds ids only; what a person wrote goes into `text`.

    `public`: whether the text may be shown to all; None leaves it to the category that the ticket has then.
    """

    seq: int
    action: Action
    before: Status | None
    after: Status
    role: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)
    text: str | None = None
    public: bool | None = False


def record(work: Work, batch: Batch, ticket_id: int, events: Sequence[Event]) -> None:
    """Appends the events at Work's moment, done by Work's actor, when the batch is written."""
    queries.add_events(batch, [_row(work, ticket_id, event) for event in events])
    texts = [
        {"ticket_id": ticket_id, "seq": e.seq, "text": e.text, "public": e.public} for e in events if e.text is not None
    ]
    queries.add_texts(batch, texts)


def _row(work: Work, ticket_id: int, event: Event) -> dict[str, Any]:
    # What the clockwork does follows from somebody's act, but is not theirs.
    own = event.role != "system"
    return {
        "ticket_id": ticket_id,
        "seq": event.seq,
        "at": work.now,
        "action": event.action,
        "from_status": event.before,
        "to_status": event.after,
        "actor_kind": work.actor.kind if own else "system",
        "actor_id": work.actor.id if own else None,
        "actor_role": event.role if own else None,
        "detail": dict(event.detail),
    }
