"""Guards of the transition table: what a ticket, a caller or a body must meet before an action may happen.

Each takes (ticket, capacities held, form, now) and raises Conflict where the ticket does not meet it, Invalid where the
body doesn't, Forbidden where the caller doesn't. In a row those of the body come last: lifecycle.allowed tries a body
that is none, and takes Invalid for "another body would do".
"""

from collections.abc import Callable
from datetime import date, datetime

from app.domain.errors import Conflict, Forbidden, Invalid
from app.domain.limits import MOST_DAYS, rating_ends
from app.domain.policy import Capacity
from app.domain.ticket import Form, Ticket
from app.domain.vocabulary import FINER, OPEN, SHANGHAI, Asked, DeclineReason, Kind, Score, Status

Guard = Callable[[Ticket, frozenset[Capacity], Form, datetime], None]

MOST_EXTENSIONS = 2
"""Approved ones over all cycles; together at most MOST_DAYS more (domain.md, 2, extension)."""


def _conflict(ticket: Ticket, code: str, detail: str) -> Conflict:
    return Conflict(code, detail, state=ticket.status, version=ticket.version)


def own_acceptance_is_bare(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """The person assigned accepts as it stands; an administrator may correct, and must where there is no category."""
    corrects = any(form.get(name) is not None for name in ("category", "kind", "place_code"))
    decides = not held.isdisjoint({Capacity.ADMINISTRATOR, Capacity.COUNTY_PRINCIPAL})
    if corrects and not decides:
        raise Forbidden("accept.own", "接单时不能更正分类和地点；需要更正请联系平台管理员")
    if form.get("category") is None and ticket.category_id is None:
        if not decides:
            raise _conflict(ticket, "accept.uncategorised", "此事项还没有分类，请平台管理员受理")
        raise Invalid.field("accept.category", "/category", "此事项还没有分类，受理时请选择分类")


def principal_decides(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """On an appeal against the county its principal alone accepts or declines; on nothing else."""
    if ticket.for_principal and Capacity.COUNTY_PRINCIPAL not in held:
        raise Forbidden("appeal.principal", "这是对县级不予受理的申诉，由县第一责任人决定")
    if not ticket.for_principal and held.isdisjoint({Capacity.ADMINISTRATOR, Capacity.ASSIGNED}):
        raise Forbidden("action.forbidden", "此事项由平台管理员受理")


def principal_first(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """What the principal is to decide on goes nowhere before."""
    if ticket.for_principal:
        raise _conflict(ticket, "appeal.undecided", "这是对县级不予受理的申诉，要先由县第一责任人决定")


def declinable(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """An accepted one only where nobody has accepted it: an automatic acceptance binds nobody until `start`."""
    if ticket.status is Status.ACCEPTED and not ticket.accepted_automatically:
        raise _conflict(ticket, "decline.accepted", "事项已经人工受理，不能再不予受理；请办理、转办或上报")


def finer_reason_fits(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """A reason of the list, and a finer one that belongs to it."""
    finer = form.get("sub_reason")
    try:
        reason = DeclineReason(str(form["reason"]))
    except ValueError:
        raise Invalid.field("decline.reason", "/reason", "请选择一项不予受理的原因") from None
    if finer is not None and finer not in FINER.get(reason, frozenset()):
        raise Invalid.field("decline.sub_reason", "/sub_reason", f"“{reason.label}”没有这项细分原因，请改选或留空")


def appealable(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Once, within 15 days, counted as those of a rating."""
    if ticket.appealed:
        raise _conflict(ticket, "appeal.again", "已经申诉过一次，再次不予受理后不能再申诉")
    if ticket.declined_at is None or now >= rating_ends(ticket.declined_at):
        raise _conflict(ticket, "appeal.late", "申诉期（不予受理后15天）已过；可以重新提交，写明新的情况")


def has_target(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Somebody, a place or a category must be named, and one node at most."""
    names = ("division_code", "unit_code", "username", "place_code", "category")
    if all(form.get(name) is None for name in names):
        raise Invalid.field("dispatch.nowhere", "", "请写明派给谁（单位、村社区或人员），或更正地点、分类")
    if form.get("division_code") is not None and form.get("unit_code") is not None:
        raise Invalid.field("dispatch.two_nodes", "/unit_code", "只能派给一个节点：division_code 与 unit_code 只填一个")


def has_neighbour(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Beside the county there is nobody but its units."""
    if all(form.get(name) is None for name in ("division_code", "unit_code", "username")):
        raise Invalid.field("transfer.nowhere", "", "请写明转给谁（单位、村社区或人员）")
    if form.get("division_code") is not None and form.get("unit_code") is not None:
        raise Invalid.field("dispatch.two_nodes", "/unit_code", "只能转给一个节点：division_code 与 unit_code 只填一个")


def has_parent(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Above the county there is nobody."""
    if ticket.at_county:
        raise _conflict(ticket, "escalate.top", "事项已在县级，没有上级可以上报")


def returnable(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Within one working day of getting it; not what came back or up, nor what the parent designated."""
    if ticket.return_until is None:
        detail = "退回、上报来的或指定承办的事项不能退单；确实办不了请上报"
        raise _conflict(ticket, "return.never", detail)
    if now >= ticket.return_until:
        raise _conflict(ticket, "return.late", "退单期限（收到后1个工作日）已过，请办理或上报")


def not_in_future(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """A visit is entered after it was made."""
    at = form.get("at")
    if isinstance(at, datetime) and at > now:
        raise Invalid.field("visit.future", "/at", "走访时间不能晚于现在")


def primary_at_work(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """What is said to a merged ticket goes to its primary."""
    if ticket.status is not Status.MERGED:
        return
    if ticket.primary is None or ticket.primary.status not in {Status.ACCEPTED, Status.IN_PROGRESS}:
        raise _conflict(ticket, "reply.primary", "此事项已并入另一事项，那一事项现在不能回复")


def worked(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """A result needs a visit or an earlier reply in this cycle; a consultation is answered by its result."""
    if ticket.works == 0 and ticket.kind is not Kind.CONSULTATION:
        raise _conflict(ticket, "complete.unworked", "办结前请先走访或回复群众至少一次")


def photographed(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """One photo in the cycle's visits, replies or result, where the category asks for it; not if explained."""
    if ticket.photo_required and not ticket.photos and not form.get("photos") and not form.get("explained"):
        raise Invalid.field("complete.photo", "/files", "这类事项办结要有照片：请附上至少一张现场照片")


def is_waiting(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """There must be a wait to end."""
    if not ticket.waiting:
        raise _conflict(ticket, "resume.not_waiting", "事项现在没有待件")


def looks_ahead(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """The date to look again is tomorrow or later."""
    day = form.get("look_again_on")
    if not isinstance(day, date) or day <= now.astimezone(SHANGHAI).date():
        raise Invalid.field("wait.past", "/look_again_on", "请填明天或以后的日期，到时再看")


def ordinary(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Of a confidential one nobody above is told, so nobody above can decide; nor may it be one with another."""
    if ticket.standing.confidential:
        raise _conflict(ticket, "confidential.alone", "保密件由督查员单独办理，不能并单、延期或提请上级审批")


def extendable(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Before the limit ends, one at a time; at most two approved and 10 days in all."""
    if now >= ticket.due_at:
        raise _conflict(ticket, "extension.late", "办结期限已过，不能再申请延期")
    if ticket.extension is Asked.ASKED:
        raise _conflict(ticket, "extension.asked", "已申请延期，正等上级审批")
    left = MOST_DAYS - ticket.extension_days
    if ticket.extensions >= MOST_EXTENSIONS or left < 1:
        raise _conflict(ticket, "extension.spent", "延期最多两次、合计不超过10天，已经用完")
    days = form.get("days")
    if not isinstance(days, int) or not 1 <= days <= left:
        raise Invalid.field("extension.days", "/days", f"延期天数请填 1 至 {left}")


def extension_asked(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """By somebody else than whoever asked, while it is undecided."""
    _decides_for_another(held, Capacity.ASKED_EXTENSION)
    if ticket.extension is not Asked.ASKED:
        raise _conflict(ticket, "extension.none", "没有待审批的延期申请")


def disliked(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """In a cycle begun by a dislike (all but the first), once per cycle."""
    if ticket.cycle == 1:
        raise _conflict(ticket, "unreasonable.no_dislike", "只有因“踩”重办的事项才能提请认定不合理诉求")
    if ticket.unreasonable is not None:
        raise _conflict(ticket, "unreasonable.again", "本次重办已提请过认定，不能重复提请")


def unreasonable_asked(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """By somebody else than whoever proposed it, while it is undecided."""
    _decides_for_another(held, Capacity.ASKED_UNREASONABLE)
    if ticket.unreasonable is not Asked.ASKED:
        raise _conflict(ticket, "unreasonable.none", "没有待审批的不合理诉求认定")


def _decides_for_another(held: frozenset[Capacity], asked: Capacity) -> None:
    if asked in held:
        raise Forbidden("decide.own", "不能审批自己提出的申请，请由其他管理员审批")


def without_copies(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Others follow it: it can neither be taken back nor follow another."""
    if ticket.copies:
        raise _conflict(ticket, "merge.has_copies", f"已有 {ticket.copies} 件并入此事项，不能撤回或并入别的事项")


def primary_open(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Only while the primary is still open."""
    if ticket.primary is None or ticket.primary.status not in OPEN:
        raise _conflict(ticket, "unmerge.closed", "并入的事项已经办结，不能再拆开")


def rateable(ticket: Ticket, held: frozenset[Capacity], form: Form, now: datetime) -> None:
    """Within 15 days of completion; a like may become a dislike, the other way only after a new completion.

    A copy rates the last completion of its primary, even where another's dislike has reopened that since.
    """
    score = Score(str(form["score"]))
    status, cycle = (ticket.primary or ticket).status, (ticket.primary or ticket).cycle
    done = ticket.completed_at if status is Status.COMPLETED else None
    if status in OPEN:
        disliked = ticket.score is Score.DISLIKE and ticket.rated_cycle == cycle - 1
        if disliked and score is Score.DISLIKE:
            # Whoever has just disliked may say it again, to say more.
            return
        if disliked or ticket.primary is None or ticket.last_completed_at is None:
            raise _conflict(ticket, "rate.open", "事项还在办理中，办结后就可以评价")
        done = ticket.last_completed_at
    if done is None or now >= rating_ends(done):
        raise _conflict(ticket, "rate.late", "评价期（办结后15天）已过，事项已归档")
