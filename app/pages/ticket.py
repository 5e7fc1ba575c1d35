"""`/t/{number}`: what everybody may see of a ticket; `/t`: the form that leads there."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.base.work import Opener, Work
from app.divisions.service import atlas
from app.domain import numbers
from app.domain.errors import Missing
from app.domain.policy import Permission
from app.domain.text import plain
from app.domain.vocabulary import OPEN, Action, Status
from app.pages.rendering import NO_CACHE, TICKET_CACHE, page, view_of
from app.tickets import public
from app.tickets.public import PublicEvent, PublicTicket
from app.web.gate import needs

router = APIRouter(include_in_schema=False)

_STEPS = ("收到", "受理", "办理", "办结", "评价")
_REACHED = {Status.RECEIVED: 1, Status.ACCEPTED: 2, Status.IN_PROGRESS: 3, Status.COMPLETED: 4, Status.CLOSED: 4}
_ENDED = {Status.DECLINED: "不予受理", Status.WITHDRAWN: "撤回", Status.MERGED: "并单"}


@dataclass(frozen=True, slots=True)
class Step:
    """One station of the progress line; `state` is done, now or later."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `kept_private`: something was said, but to the citizen only."""

    event: PublicEvent
    said: str
    kept_private: bool


@router.get("/t")
async def look_up(
    request: Request, _: Annotated[Opener, needs(Permission.PUBLIC, later=True)], number: str = ""
) -> Response:
    """Leads a typed number to its ticket; a slip is told at once, without asking the database."""
    typed = number.strip()[:64]
    if not typed:
        return page(request, "lookup.html", {"section": "t", "typed": "", "slip": None})
    cleaned = clean(typed)
    slip = slip_in(cleaned)
    if slip is None:
        return RedirectResponse(view_of(request).to(f"/t/{cleaned}"), status_code=303)
    context = {"section": "t", "typed": typed, "slip": slip}
    return page(request, "lookup.html", context, status=422, headers={"Cache-Control": NO_CACHE})


@router.get("/t/{number}")
async def show(request: Request, work: Annotated[Work, needs(Permission.PUBLIC, read=True)], number: str) -> Response:
    """The ticket with its progress, answers, limit and rating; the same 404 for confidential and unknown ones."""
    slip = slip_in(number)
    if slip is not None:
        raise Missing("ticket.slip", slip)
    ticket = await public.one(work, await atlas(work), number)
    last = next((e for e in reversed(ticket.timeline) if e.action == Action.COMPLETE), None)
    context = {
        "section": "t",
        "now": work.now,
        "ticket": ticket,
        "steps": steps(ticket),
        "timing": timing(work, ticket),
        "result": last.text if last is not None and ticket.completed_at is not None else None,
        "entries": entries(ticket),
    }
    return page(request, "ticket.html", context, headers={"Cache-Control": TICKET_CACHE})


def clean(typed: str) -> str:
    """What a person means who types a number: full-width digits, blanks, dashes and 编号： don't count."""
    return "".join(c for c in plain(typed) if c.isalnum()).removeprefix("编号").removeprefix("No")


def slip_in(number: str) -> str | None:
    """What is wrong with a number, in words; None where it can be one."""
    if numbers.sound(number):
        return None
    if number.isascii() and number.isdigit() and len(number) == numbers.LENGTH:
        return "这个编号好像输错了一位，请对照收到的消息再核对一下。"
    if numbers.is_rating_code(number):
        return "这是评价码，不是编号。编号是10位数字；评价请在微信公众号里发送“赞 评价码”或“踩 评价码”。"
    return "事项编号是10位数字，请对照收到的消息再核对一下。"


def steps(ticket: PublicTicket) -> list[Step]:
    """收到 → 受理 → 办理 → 办结 → 评价, or how it ended otherwise."""
    status = Status(ticket.status)
    if status in _ENDED:
        return [Step("收到", "done"), Step(_ENDED[status], "now")]
    if ticket.score is not None and status not in OPEN:
        return [Step(name, "done") for name in _STEPS]
    if status is Status.CLOSED:
        return [*(Step(name, "done") for name in _STEPS[:4]), Step("未评价", "later")]
    reached = _REACHED[status]
    return [
        Step(name, "done" if at < reached else "now" if at == reached else "later")
        for at, name in enumerate(_STEPS, start=1)
    ]


def timing(work: Work, ticket: PublicTicket) -> str:
    """Whether the completion limit is kept, in words; empty where that is no question."""
    if ticket.completed_at is not None:
        return "在期限内办结" if ticket.completed_at < ticket.due_at else "超过期限办结"
    if Status(ticket.status) not in OPEN:
        return ""
    left = ticket.due_at - work.now
    if left <= timedelta(0):
        return "已逾期"
    return f"还有{left.days}天" if left.days else "不到1天"


def entries(ticket: PublicTicket) -> list[Entry]:
    """The timeline, newest first, as parcels are tracked."""
    return [
        Entry(event, event.label, event.text is None and event.action in {Action.REPLY, Action.COMPLETE})
        for event in reversed(ticket.timeline)
    ]
