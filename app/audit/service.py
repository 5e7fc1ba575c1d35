"""Records what happened, in the transaction in which it happens, as the next links of the ticket's chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.audit.chain import BEGIN, Entry, Head, salt, text_digest, told
from app.audit.queries import writing
from app.base.batch import Batch
from app.base.work import Work
from app.domain.vocabulary import Action, Status

__all__ = ["BEGIN", "Event", "record"]


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


def record(work: Work, batch: Batch, ticket_id: int, events: Sequence[Event], head: bytes | None) -> bytes | None:
    """Appends the events at Work's moment, done by Work's actor, when the batch is written.

    `head`: the `chain_head` of the ticket's row, which is locked; BEGIN for a new ticket. Returns what it must be from
    now on. An event that the head does not lead up to (its chain has not begun: None; a process of an older version has
    been here) is written without a hash, and linked by the next sealing.
    """
    for event in events:
        grain = None if event.text is None else salt()
        entry = _entry(work, ticket_id, event, grain)
        end = None if head is None else Head.unpacked(head)
        before = end.hash if end is not None and end.length == event.seq - 1 else None
        after = None if before is None else entry.hash_after(before)
        writing.add_event(batch, entry, before, after)
        if event.text is not None:
            text = {"ticket_id": ticket_id, "seq": event.seq, "text": event.text, "public": event.public, "salt": grain}
            writing.add_text(batch, text)
        if after is not None:
            head = Head(event.seq, after).packed()
    return head


def _entry(work: Work, ticket_id: int, event: Event, grain: bytes | None) -> Entry:
    # What the clockwork does follows from somebody's act, but is not theirs.
    own = event.role != "system"
    return Entry(
        ticket_id=ticket_id,
        seq=event.seq,
        at=work.now,
        action=event.action,
        from_status=event.before,
        to_status=event.after,
        actor_kind=work.actor.kind if own else "system",
        actor_id=work.actor.id if own else None,
        actor_role=event.role if own else None,
        detail=told(event.detail),
        text_digest=None if grain is None or event.text is None else text_digest(grain, event.text),
    )
