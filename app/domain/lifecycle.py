"""The life of a ticket: THE transition table, and `decide`, the only way anything happens to one (domain.md, 2).

What is not in TABLE is refused. Rows that are not `live` yet are there as data; no route leads to them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain import guards as guard
from app.domain.errors import Conflict, Fault, Forbidden, Invalid
from app.domain.notices import Notice
from app.domain.policy import Capacity
from app.domain.ticket import Form, Ticket
from app.domain.vocabulary import OPEN, Action, Score, Status


@dataclass(frozen=True, slots=True)
class Decision:
    """What an action changes: columns of the ticket, the trail's entry, and who is told.

    `reroute`: place or category were corrected, so routing and all limits are reckoned anew (by the service).
    `public`: whether what was said may be shown to all; None leaves it to the category.
    `repeats`: the same score of the same completion again, which only replaces the comment.
    `reopens`: a dislike, so that a second entry REOPEN follows with a fresh limit.
    """

    action: Action
    status: Status
    changes: Mapping[str, object]
    text: str | None = None
    public: bool | None = False
    notices: tuple[Notice, ...] = ()
    reroute: bool = False
    reopens: bool = False
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. `target` None keeps the state. `needs` must be filled in, `takes` may be."""

    action: Action
    sources: frozenset[Status]
    target: Status | None
    who: frozenset[Capacity]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    guards: tuple[guard.Guard, ...] = ()
    stamps: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    live: bool = True


_ADMIN = frozenset({Capacity.ADMINISTRATOR})
_WORKERS = frozenset({Capacity.ASSIGNED, Capacity.COLLEAGUE, Capacity.ADMINISTRATOR})
_PARENT = frozenset({Capacity.PARENT_ADMINISTRATOR})
_FILER = frozenset({Capacity.CITIZEN})
_FILER_OR_RECORDER = frozenset({Capacity.CITIZEN, Capacity.RECORDER})
_CLOCK = frozenset({Capacity.CLOCKWORK})
_ANYONE = frozenset(Capacity) - _CLOCK - _FILER
_AT_WORK = frozenset({Status.ACCEPTED, Status.IN_PROGRESS})
_DONE = frozenset({Status.COMPLETED})
_RECEIVED = frozenset({Status.RECEIVED})

# Rows with live=False come alive with the work on the whole life of a ticket.
_ROWS = (
    Transition(
        Action.ACCEPT,
        _RECEIVED,
        Status.ACCEPTED,
        _ADMIN | {Capacity.ASSIGNED},
        takes=("category", "kind", "place_code"),
        guards=(guard.own_acceptance_is_bare,),
        stamps=("accepted_at",),
        notices=(Notice.CITIZEN_ACCEPTED,),
    ),
    Transition(
        Action.DISPATCH,
        OPEN,
        None,
        _ADMIN,
        takes=("division_code", "unit_code", "username", "place_code", "category", "text"),
        guards=(guard.has_target,),
        notices=(Notice.STAFF_ASSIGNED,),
    ),
    Transition(Action.START, frozenset({Status.ACCEPTED}), Status.IN_PROGRESS, _WORKERS),
    Transition(
        Action.VISIT,
        _AT_WORK,
        None,
        _WORKERS,
        needs=("seen",),
        takes=("location", "files", "at"),
        guards=(guard.not_in_future,),
    ),
    Transition(
        Action.REPLY,
        _AT_WORK,
        None,
        _WORKERS,
        needs=("text",),
        takes=("files", "public"),
        stamps=("first_replied_at",),
        notices=(Notice.CITIZEN_REPLIED,),
    ),
    # The photo rule (category.photo_required) joins these guards when files can be attached.
    Transition(
        Action.COMPLETE,
        frozenset({Status.IN_PROGRESS}),
        Status.COMPLETED,
        _WORKERS,
        needs=("result",),
        takes=("files", "explained"),
        guards=(guard.worked,),
        stamps=("completed_at", "first_replied_at"),
        notices=(Notice.CITIZEN_COMPLETED,),
    ),
    Transition(
        Action.RATE,
        _DONE | OPEN,
        None,
        _FILER,
        needs=("score",),
        takes=("comment", "solved", "code"),
        guards=(guard.rateable,),
        stamps=("rated_at",),
    ),
    Transition(
        Action.REOPEN,
        _DONE,
        Status.IN_PROGRESS,
        _CLOCK,
        notices=(Notice.CITIZEN_REOPENED, Notice.STAFF_DISLIKED, Notice.PARENT_DISLIKED),
    ),
    Transition(
        Action.DECLINE,
        frozenset({Status.RECEIVED, Status.ACCEPTED}),
        Status.DECLINED,
        _ADMIN,
        needs=("reason", "text"),
        takes=("sub_reason",),
        live=False,
    ),
    Transition(
        Action.APPEAL, frozenset({Status.DECLINED}), Status.RECEIVED, _FILER_OR_RECORDER, needs=("text",), live=False
    ),
    Transition(
        Action.TRANSFER, OPEN, None, _ADMIN, takes=("division_code", "unit_code", "username", "text"), live=False
    ),
    Transition(Action.ESCALATE, OPEN, None, _ADMIN | {Capacity.ASSIGNED}, needs=("text",), live=False),
    Transition(Action.RETURN, OPEN, None, _ADMIN | {Capacity.ASSIGNED}, needs=("text",), live=False),
    Transition(Action.WAIT, _AT_WORK, None, _WORKERS, needs=("reason", "text", "look_again_on"), live=False),
    Transition(Action.RESUME, _AT_WORK, None, _WORKERS, live=False),
    Transition(Action.REQUEST_EXTENSION, _AT_WORK, None, _WORKERS, needs=("days", "text"), live=False),
    Transition(Action.DECIDE_EXTENSION, _AT_WORK, None, _PARENT, needs=("approve",), takes=("text",), live=False),
    Transition(Action.MERGE, OPEN, Status.MERGED, _ADMIN, needs=("into",), live=False),
    Transition(Action.UNMERGE, frozenset({Status.MERGED}), None, _ADMIN, live=False),
    Transition(
        Action.PROPOSE_UNREASONABLE, frozenset({Status.IN_PROGRESS}), None, _WORKERS, needs=("text",), live=False
    ),
    Transition(
        Action.DECIDE_UNREASONABLE,
        frozenset({Status.IN_PROGRESS}),
        Status.CLOSED,
        _PARENT,
        needs=("approve",),
        takes=("text",),
        live=False,
    ),
    Transition(
        Action.WITHDRAW,
        frozenset({Status.RECEIVED, Status.ACCEPTED}),
        Status.WITHDRAWN,
        _FILER_OR_RECORDER,
        takes=("text",),
        live=False,
    ),
    Transition(Action.NOTE, frozenset(Status), None, _ANYONE, needs=("text",), live=False),
    Transition(Action.ARCHIVE, _DONE, Status.CLOSED, _CLOCK, stamps=("closed_at",), live=False),
)
TABLE: Mapping[Action, Transition] = {row.action: row for row in _ROWS}


def decide(ticket: Ticket, action: Action, held: frozenset[Capacity], form: Form, now: datetime) -> Decision:
    """Says what `action` would change, or why it may not happen. Pure; `now` is aware.

    Raises Forbidden (not in this capacity), Conflict (not in this state; carries it), Invalid (names the field).
    """
    row = TABLE.get(action)
    if row is None or not row.live:
        raise Conflict(
            "action.unknown", f"现在还不能对事项做“{action.label}”", state=ticket.status, version=ticket.version
        )
    if held.isdisjoint(row.who):
        raise Forbidden("action.forbidden", f"您不能对此事项做“{action.label}”")
    if ticket.status not in row.sources:
        detail = f"事项现在是“{ticket.status.label}”，不能“{action.label}”"
        raise Conflict("action.state", detail, state=ticket.status, version=ticket.version)
    lacking = [name for name in row.needs if form.get(name) in (None, "")]
    if lacking:
        faults = tuple(Fault(f"/{name}", "必须填写") for name in lacking)
        raise Invalid("action.incomplete", f"“{action.label}”缺少必填内容", faults=faults)
    for check in row.guards:
        check(ticket, held, form, now)
    return _decision(row, ticket, form, now)


def _decision(row: Transition, ticket: Ticket, form: Form, now: datetime) -> Decision:
    changes: dict[str, object] = {name: now for name in row.stamps if name != "first_replied_at"}
    if "first_replied_at" in row.stamps and ticket.first_replied_at is None:
        changes["first_replied_at"] = now
    changes |= _EFFECTS.get(row.action, _nothing)(ticket, form, now)
    repeats = row.action is Action.RATE and _repeats(ticket, form)
    if repeats:
        changes = {"rating_comment": form["comment"]} if form.get("comment") else {}
    text = form.get("text") or form.get("seen") or form.get("result") or form.get("comment")
    rerouted = row.action in {Action.ACCEPT, Action.DISPATCH} and any(
        form.get(name) is not None for name in ("category", "place_code")
    )
    return Decision(
        action=row.action,
        status=row.target or ticket.status,
        changes=changes,
        text=str(text) if text else None,
        public=_public(row.action, form),
        notices=row.notices,
        reroute=rerouted and _limits_may_move(row.action, ticket),
        reopens=row.action is Action.RATE and ticket.status in _DONE and form["score"] == Score.DISLIKE,
        repeats=repeats,
    )


def _public(action: Action, form: Form) -> bool | None:
    if action not in {Action.REPLY, Action.COMPLETE}:
        return False
    said = form.get("public")
    return None if said is None else bool(said)


def _limits_may_move(action: Action, ticket: Ticket) -> bool:
    """An acceptance corrects; an automatic one may be corrected once so by a dispatch, before `start`."""
    if action is Action.ACCEPT:
        return True
    return ticket.status is Status.RECEIVED or (
        ticket.accepted_automatically and not ticket.corrected and ticket.status is Status.ACCEPTED
    )


def _nothing(ticket: Ticket, form: Form, now: datetime) -> dict[str, object]:
    return {}


def _accepted(ticket: Ticket, form: Form, now: datetime) -> dict[str, object]:
    return {"category_suggested": False}


def _counted(ticket: Ticket, form: Form, now: datetime) -> dict[str, object]:
    return {"works": ticket.works + 1}


def _completed(ticket: Ticket, form: Form, now: datetime) -> dict[str, object]:
    changes: dict[str, object] = {"result": form["result"], "explained": bool(form.get("explained"))}
    # Lateness of any cycle stays with the ticket: on time means every cycle was.
    if now >= ticket.due_at:
        changes["kept_limit"] = False
    if now >= ticket.original_due_at:
        changes["kept_original"] = False
    return changes


def _rated(ticket: Ticket, form: Form, now: datetime) -> dict[str, object]:
    score = Score(str(form["score"]))
    changes: dict[str, object] = {"score": score, "rating_comment": form.get("comment"), "solved": form.get("solved")}
    if ticket.score is None:
        changes["first_score"] = score
    return changes


def _repeats(ticket: Ticket, form: Form) -> bool:
    """A completed ticket was rated so in this cycle; one that a dislike reopened, in the cycle before."""
    cycle = ticket.cycle if ticket.status in _DONE else ticket.cycle - 1
    return ticket.score == form["score"] and ticket.rated_cycle == cycle


def _reopened(ticket: Ticket, form: Form, now: datetime) -> dict[str, object]:
    return {"completed_at": None, "cycle": ticket.cycle + 1, "works": 0}


_EFFECTS: Mapping[Action, Callable[[Ticket, Form, datetime], dict[str, object]]] = {
    Action.ACCEPT: _accepted,
    Action.VISIT: _counted,
    Action.REPLY: _counted,
    Action.COMPLETE: _completed,
    Action.RATE: _rated,
    Action.REOPEN: _reopened,
}


def allowed(ticket: Ticket, held: frozenset[Capacity], now: datetime) -> list[Action]:
    """The actions that some body would now succeed with, in the table's order (the clockwork's own left out)."""
    return [
        row.action for row in _ROWS if row.live and row.who.isdisjoint(_CLOCK) and _some_body(row, ticket, held, now)
    ]


def _some_body(row: Transition, ticket: Ticket, held: frozenset[Capacity], now: datetime) -> bool:
    # Asked for every row of every ticket of a list: most are answered here, without an exception raised and caught.
    if ticket.status not in row.sources or held.isdisjoint(row.who):
        return False
    forms: tuple[Form, ...] = (dict.fromkeys((*row.needs, *_TRIAL.get(row.action, ())), "…"),)
    if row.action is Action.RATE:
        forms = ({"score": Score.LIKE}, {"score": Score.DISLIKE})
    return any(_succeeds(ticket, row.action, held, form, now) for form in forms)


# Optional fields without which a guard of the body would refuse.
_TRIAL: Mapping[Action, tuple[str, ...]] = {Action.ACCEPT: (), Action.DISPATCH: ("division_code",)}


def _succeeds(ticket: Ticket, action: Action, held: frozenset[Capacity], form: Form, now: datetime) -> bool:
    try:
        decide(ticket, action, held, form, now)
    except Invalid:
        # The body was only a trial: another would do.
        return True
    except (Forbidden, Conflict):
        return False
    return True
