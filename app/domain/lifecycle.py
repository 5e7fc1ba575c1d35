"""The life of a ticket: THE transition table, and `decide`, the only way anything happens to one (domain.md, 2).

What is not in TABLE is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain import effects
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


_ADMIN = frozenset({Capacity.ADMINISTRATOR})
_WORKERS = frozenset({Capacity.ASSIGNED, Capacity.COLLEAGUE, Capacity.ADMINISTRATOR})
_HOLDER = frozenset({Capacity.ASSIGNED, Capacity.ADMINISTRATOR})
_ABOVE = frozenset({Capacity.PARENT_ADMINISTRATOR, Capacity.COUNTY_PRINCIPAL})
_FILER_OR_RECORDER = frozenset({Capacity.CITIZEN, Capacity.RECORDER})
_CLOCK = frozenset({Capacity.CLOCKWORK})
_AT_WORK = frozenset({Status.ACCEPTED, Status.IN_PROGRESS})
_DONE = frozenset({Status.COMPLETED})
_RECEIVED = frozenset({Status.RECEIVED})
_NODE = ("division_code", "unit_code", "username", "text")

_ROWS = (
    Transition(
        Action.ACCEPT,
        _RECEIVED,
        Status.ACCEPTED,
        _HOLDER | {Capacity.COUNTY_PRINCIPAL},
        takes=("category", "kind", "place_code"),
        guards=(guard.principal_decides, guard.own_acceptance_is_bare),
        stamps=("accepted_at",),
        notices=(Notice.CITIZEN_ACCEPTED,),
    ),
    Transition(
        Action.DECLINE,
        frozenset({Status.RECEIVED, Status.ACCEPTED}),
        Status.DECLINED,
        _ADMIN | {Capacity.COUNTY_PRINCIPAL},
        needs=("reason", "text"),
        takes=("sub_reason",),
        guards=(guard.principal_decides, guard.declinable, guard.finer_reason_fits),
        stamps=("declined_at", "first_replied_at"),
        notices=(Notice.CITIZEN_DECLINED,),
    ),
    Transition(
        Action.APPEAL,
        frozenset({Status.DECLINED}),
        Status.RECEIVED,
        _FILER_OR_RECORDER,
        needs=("text",),
        guards=(guard.appealable,),
        notices=(Notice.STAFF_ASSIGNED,),
    ),
    Transition(
        Action.DISPATCH,
        OPEN,
        None,
        _ADMIN,
        takes=("division_code", "unit_code", "username", "place_code", "category", "text"),
        guards=(guard.principal_first, guard.has_target),
        notices=(Notice.STAFF_ASSIGNED,),
    ),
    Transition(
        Action.TRANSFER,
        OPEN,
        None,
        _ADMIN,
        takes=_NODE,
        guards=(guard.principal_first, guard.ordinary, guard.has_neighbour),
        notices=(Notice.STAFF_ASSIGNED,),
    ),
    Transition(
        Action.ESCALATE,
        OPEN,
        None,
        _HOLDER,
        needs=("text",),
        guards=(guard.has_parent,),
        notices=(Notice.STAFF_ESCALATED,),
    ),
    Transition(
        Action.RETURN,
        OPEN,
        None,
        _HOLDER,
        needs=("text",),
        guards=(guard.returnable,),
        notices=(Notice.STAFF_RETURNED,),
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
        _AT_WORK | {Status.MERGED},
        None,
        _WORKERS,
        needs=("text",),
        takes=("files", "public"),
        guards=(guard.primary_at_work,),
        stamps=("first_replied_at",),
        notices=(Notice.CITIZEN_REPLIED,),
    ),
    Transition(
        Action.COMPLETE,
        frozenset({Status.IN_PROGRESS}),
        Status.COMPLETED,
        _WORKERS,
        needs=("result",),
        takes=("files", "explained"),
        guards=(guard.worked, guard.photographed),
        stamps=("completed_at", "first_replied_at"),
        notices=(Notice.CITIZEN_COMPLETED,),
    ),
    Transition(
        Action.WAIT, _AT_WORK, None, _WORKERS, needs=("reason", "text", "look_again_on"), guards=(guard.looks_ahead,)
    ),
    Transition(Action.RESUME, _AT_WORK, None, _WORKERS, guards=(guard.is_waiting,)),
    Transition(
        Action.REQUEST_EXTENSION,
        _AT_WORK,
        None,
        _WORKERS,
        needs=("days", "text"),
        guards=(guard.ordinary, guard.extendable),
        notices=(Notice.PARENT_ASKED,),
    ),
    Transition(
        Action.DECIDE_EXTENSION,
        _AT_WORK,
        None,
        _ABOVE,
        needs=("approve",),
        takes=("text",),
        guards=(guard.extension_asked,),
        notices=(Notice.STAFF_DECIDED,),
    ),
    Transition(
        Action.PROPOSE_UNREASONABLE,
        frozenset({Status.IN_PROGRESS}),
        None,
        _WORKERS,
        needs=("text",),
        guards=(guard.ordinary, guard.disliked),
        notices=(Notice.PARENT_ASKED,),
    ),
    Transition(
        Action.DECIDE_UNREASONABLE,
        frozenset({Status.IN_PROGRESS}),
        Status.CLOSED,
        _ABOVE,
        needs=("approve",),
        takes=("text",),
        guards=(guard.unreasonable_asked,),
        notices=(Notice.STAFF_DECIDED,),
    ),
    Transition(
        Action.MERGE,
        OPEN,
        Status.MERGED,
        _ADMIN,
        needs=("into",),
        guards=(guard.principal_first, guard.ordinary, guard.without_copies),
        notices=(Notice.CITIZEN_MERGED,),
    ),
    Transition(Action.UNMERGE, frozenset({Status.MERGED}), None, _ADMIN, guards=(guard.primary_open,)),
    Transition(
        Action.WITHDRAW,
        frozenset({Status.RECEIVED, Status.ACCEPTED}),
        Status.WITHDRAWN,
        _FILER_OR_RECORDER,
        takes=("text",),
        guards=(guard.without_copies,),
    ),
    Transition(Action.NOTE, frozenset(Status), None, frozenset({Capacity.READER}), needs=("text",)),
    Transition(
        Action.RATE,
        _DONE | OPEN | {Status.MERGED},
        None,
        frozenset({Capacity.CITIZEN, Capacity.CALLER}),
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
    Transition(Action.ARCHIVE, _DONE, Status.CLOSED, _CLOCK, stamps=("closed_at",)),
)
TABLE: Mapping[Action, Transition] = {row.action: row for row in _ROWS}


def decide(ticket: Ticket, action: Action, held: frozenset[Capacity], form: Form, now: datetime) -> Decision:
    """Says what `action` would change, or why it may not happen. Pure; `now` is aware.

    Raises Forbidden (not in this capacity), Conflict (not in this state; carries it), Invalid (names the field).
    """
    row = TABLE.get(action)
    if row is None or held.isdisjoint(row.who):
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
    return _decision(row, ticket, held, form, now)


def _decision(row: Transition, ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> Decision:
    changes: dict[str, object] = {name: now for name in row.stamps if name != "first_replied_at"}
    if "first_replied_at" in row.stamps and ticket.first_replied_at is None:
        changes["first_replied_at"] = now
    changes |= effects.of(row.action, ticket, held, form, now)
    repeats = row.action is Action.RATE and effects.repeats(ticket, form)
    if repeats:
        changes = {"rating_comment": form["comment"]} if form.get("comment") else {}
    text = form.get("text") or form.get("seen") or form.get("result") or form.get("comment")
    rerouted = row.action in {Action.ACCEPT, Action.DISPATCH} and any(
        form.get(name) is not None for name in ("category", "place_code")
    )
    done = Status.COMPLETED in {ticket.status, ticket.primary and ticket.primary.status}
    return Decision(
        action=row.action,
        status=_target(row, ticket, form),
        changes=changes,
        text=str(text) if text else None,
        public=_public(row.action, form),
        notices=row.notices,
        reroute=rerouted and _limits_may_move(row.action, ticket),
        reopens=row.action is Action.RATE and done and form["score"] == Score.DISLIKE,
        repeats=repeats,
    )


def _target(row: Transition, ticket: Ticket, form: Form) -> Status:
    if row.action is Action.DECIDE_UNREASONABLE and not form["approve"]:
        return ticket.status
    if row.action is Action.UNMERGE and ticket.status_before is not None:
        return ticket.status_before
    return row.target or ticket.status


def _public(action: Action, form: Form) -> bool | None:
    if action not in {Action.REPLY, Action.COMPLETE, Action.DECLINE}:
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


def allowed(ticket: Ticket, held: frozenset[Capacity], now: datetime) -> list[Action]:
    """The actions that some body would now succeed with, in the table's order (the clockwork's own left out)."""
    return [row.action for row in _ROWS if row.who != _CLOCK and _some_body(row, ticket, held, now)]


def _some_body(row: Transition, ticket: Ticket, held: frozenset[Capacity], now: datetime) -> bool:
    # Asked for every row of every ticket of a list: most are answered here, without an exception raised and caught.
    if ticket.status not in row.sources or held.isdisjoint(row.who):
        return False
    if not row.guards:
        return True
    forms: tuple[Form, ...] = (dict.fromkeys((*row.needs, *_TRIAL.get(row.action, ())), "…"),)
    if row.action is Action.RATE:
        forms = ({"score": Score.LIKE}, {"score": Score.DISLIKE})
    return any(_passes(row, ticket, held, form, now) for form in forms)


# Optional fields without which a guard of the body would refuse.
_TRIAL: Mapping[Action, tuple[str, ...]] = {Action.DISPATCH: ("division_code",), Action.TRANSFER: ("division_code",)}


def _passes(row: Transition, ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> bool:
    try:
        for check in row.guards:
            check(ticket, held, form, now)
    except Invalid:
        # The body was only a trial: another would do.
        return True
    except (Forbidden, Conflict):
        return False
    return True
