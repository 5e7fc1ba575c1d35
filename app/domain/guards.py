"""Guards of the transition table: what a ticket, a caller or a body must meet before an action may happen.

Each takes (ticket, capacities held, form, now) and raises Conflict where the ticket does not meet it, Invalid where the
body doesn't, Forbidden where the caller doesn't.
"""

from collections.abc import Callable
from datetime import datetime

from app.domain.errors import Conflict, Forbidden, Invalid
from app.domain.limits import rating_ends
from app.domain.policy import Capacity
from app.domain.ticket import Form, Ticket
from app.domain.vocabulary import OPEN, Kind, Score

Guard = Callable[[Ticket, frozenset[Capacity], Form, datetime], None]


def own_acceptance_is_bare(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    corrects = any(form.get(name) is not None for name in ("category", "kind", "place_code"))
    if corrects and Capacity.ADMINISTRATOR not in held:
        raise Forbidden("accept.own", "接单时不能更正分类和地点；需要更正请联系平台管理员")
    if form.get("category") is None and ticket.category_id is None:
        if Capacity.ADMINISTRATOR not in held:
            raise Conflict(
                "accept.uncategorised",
                "此事项还没有分类，请平台管理员受理",
                state=ticket.status,
                version=ticket.version,
            )
        raise Invalid.field("accept.category", "/category", "此事项还没有分类，受理时请选择分类")


def has_target(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    names = ("division_code", "unit_code", "username", "place_code", "category")
    if all(form.get(name) is None for name in names):
        raise Invalid.field("dispatch.nowhere", "", "请写明派给谁（单位、村社区或人员），或更正地点、分类")
    if form.get("division_code") is not None and form.get("unit_code") is not None:
        raise Invalid.field("dispatch.two_nodes", "/unit_code", "只能派给一个节点：division_code 与 unit_code 只填一个")


def not_in_future(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    at = form.get("at")
    if isinstance(at, datetime) and at > now:
        raise Invalid.field("visit.future", "/at", "走访时间不能晚于现在")


def worked(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """A result needs a visit or an earlier reply in this cycle; a consultation is answered by its result."""
    if ticket.works == 0 and ticket.kind is not Kind.CONSULTATION:
        raise Conflict(
            "complete.unworked", "办结前请先走访或回复群众至少一次", state=ticket.status, version=ticket.version
        )


def rateable(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Within 15 days of completion; a like may become a dislike, the other way only after a new completion."""
    score = Score(str(form["score"]))
    if ticket.status in OPEN:
        repeated = ticket.score is Score.DISLIKE and score is Score.DISLIKE and ticket.rated_cycle == ticket.cycle - 1
        if not repeated:
            raise Conflict("rate.open", "事项还在办理中，办结后就可以评价", state=ticket.status, version=ticket.version)
        return
    if ticket.completed_at is None or now >= rating_ends(ticket.completed_at):
        raise Conflict("rate.late", "评价期（办结后15天）已过，事项已归档", state=ticket.status, version=ticket.version)
