"""What an action changes on the ticket itself, column by column, beside the stamps of its row (lifecycle.TABLE)."""

from collections.abc import Callable, Mapping
from datetime import datetime

from app.domain.policy import Capacity
from app.domain.ticket import Form, Ticket
from app.domain.vocabulary import Action, Asked, Score, Status

Changes = dict[str, object]
Effect = Callable[[Ticket, frozenset[Capacity], Form, datetime], Changes]

NO_WAIT: Changes = {"waiting_reason": None, "waiting_text": None, "look_again_on": None}
_NOTHING_ASKED: Changes = {
    "extension_state": None,
    "extension_text": None,
    "extension_asked": None,
    "extension_asker_id": None,
    "unreasonable_state": None,
    "unreasonable_asker_id": None,
}


def of(action: Action, ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    """The columns that `action` changes; completing, declining, withdrawing and merging end a wait."""
    effect = _EFFECTS.get(action)
    changes = effect(ticket, held, form, now) if effect is not None else {}
    return changes | NO_WAIT if action in _END_A_WAIT and ticket.waiting else changes


def repeats(ticket: Ticket, form: Form) -> bool:
    """The same score of the same completion: of this cycle, or, where a dislike reopened it, of the one before."""
    status, cycle = (ticket.primary or ticket).status, (ticket.primary or ticket).cycle
    last = cycle if status is Status.COMPLETED else cycle - 1
    return ticket.score == form["score"] and ticket.rated_cycle == last


def _accepted(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    return (
        {"category_suggested": False, "for_principal": False} if ticket.for_principal else {"category_suggested": False}
    )


def _declined(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    return {"decline_reason": form["reason"], "decline_sub_reason": form.get("sub_reason"), "for_principal": False}


def _appealed(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    return {"appealed": True, "accepted_at": None, "accepted_automatically": False}


def _counted(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    photos = form.get("photos") or 0
    assert isinstance(photos, int)
    return {"works": ticket.works + 1, **({"photos": ticket.photos + photos} if photos else {})}


def _completed(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    changes: Changes = {"result": form["result"], "explained": bool(form.get("explained"))}
    # Lateness of any cycle stays with the ticket: on time means every cycle was.
    if now >= ticket.due_at:
        changes["kept_limit"] = False
    if now >= ticket.original_due_at:
        changes["kept_original"] = False
    return changes


def _waits(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    given = {"waiting_reason": "reason", "waiting_text": "text", "look_again_on": "look_again_on"}
    return {column: form[name] for column, name in given.items()}


def _resumed(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    return dict(NO_WAIT)


def _asks_extension(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    return {"extension_state": Asked.ASKED, "extension_asked": form["days"], "extension_text": form["text"]}


def _decides_extension(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    if not form["approve"]:
        return {"extension_state": Asked.REFUSED}
    return {"extension_state": Asked.APPROVED, "extensions": ticket.extensions + 1}


def _holds_unreasonable(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    return {"unreasonable_state": Asked.ASKED}


def _decides_unreasonable(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    """Closed as it stood before the dislike, which stays counted."""
    if not form["approve"]:
        return {"unreasonable_state": Asked.REFUSED}
    return {
        "unreasonable_state": Asked.APPROVED,
        "cycle": ticket.cycle - 1,
        "completed_at": ticket.last_completed_at,
        "closed_at": now,
    }


def _withdrawn(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    """By the citizen's own hand before any visit or reply it is left out of the rates (domain.md, 5)."""
    untouched = ticket.works == 0 and ticket.first_replied_at is None
    return {"withdrawn_before_work": untouched and Capacity.CITIZEN in held}


def _merged(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    return {"status_before": ticket.status, "merged_at": now}


def _rated(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    score = Score(str(form["score"]))
    changes: Changes = {"score": score, "rating_comment": form.get("comment"), "solved": form.get("solved")}
    if ticket.score is None:
        changes["first_score"] = score
    return changes


def _reopened(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Changes:
    begun: Changes = {"cycle": ticket.cycle + 1, "works": 0, "photos": 0}
    return begun | _NOTHING_ASKED | {"completed_at": None, "last_completed_at": ticket.completed_at}


_END_A_WAIT = frozenset({Action.COMPLETE, Action.DECLINE, Action.WITHDRAW, Action.MERGE})
_EFFECTS: Mapping[Action, Effect] = {
    Action.ACCEPT: _accepted,
    Action.DECLINE: _declined,
    Action.APPEAL: _appealed,
    Action.VISIT: _counted,
    Action.REPLY: _counted,
    Action.COMPLETE: _completed,
    Action.WAIT: _waits,
    Action.RESUME: _resumed,
    Action.REQUEST_EXTENSION: _asks_extension,
    Action.DECIDE_EXTENSION: _decides_extension,
    Action.PROPOSE_UNREASONABLE: _holds_unreasonable,
    Action.DECIDE_UNREASONABLE: _decides_unreasonable,
    Action.WITHDRAW: _withdrawn,
    Action.MERGE: _merged,
    Action.RATE: _rated,
    Action.REOPEN: _reopened,
}
