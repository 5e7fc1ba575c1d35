"""Recording, listing and showing tickets."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from app.api.bodies import Moment, NewTicket
from app.base.work import Work
from app.divisions import service as divisions
from app.divisions.service import Atlas, atlas
from app.domain.errors import Invalid
from app.domain.numbers import sound
from app.domain.policy import Permission
from app.domain.vocabulary import Channel, Kind, Status
from app.tickets import duplicates, recording, views
from app.tickets.duplicates import DuplicateView
from app.tickets.queries.reading import Filters, Page
from app.tickets.recording import Record
from app.tickets.views import ListedTicket, TicketView
from app.web import cursors
from app.web.gate import needs

router = APIRouter(tags=["事项"])
NUMBER = Annotated[str, Path(pattern=r"^[0-9]{8,14}$", description="事项编号")]


@dataclass(frozen=True, slots=True)
class Listing:
    items: Sequence[ListedTicket]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Duplicates:
    items: Sequence[DuplicateView]


@dataclass(frozen=True, slots=True)
class NumberOnly:
    """All that is told of a confidential ticket (views.number_only)."""

    number: str
    confidential: Literal[True]


def etag(response: Response, ticket: TicketView) -> None:
    """The version is the entity tag: it changes with every event (RFC 9110 §8.8.3)."""
    response.headers["ETag"] = f'"{ticket.version}"'


@router.post(
    "/tickets",
    status_code=201,
    response_model=TicketView | NumberOnly,
    summary="登记事项",
    operation_id="ticket_open",
)
async def record(
    work: Annotated[Work, needs(Permission.TICKET_OPEN)],
    body: NewTicket,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> JSONResponse:
    """工作人员登记微信群、走访、窗口、电话来件。带 Idempotency-Key 重复提交得到第一次的回答。

    保密件（反映工作人员作风）只回编号。
    """
    answer = await recording.record(work, await atlas(work), _record(body), idempotency_key, _digest(body))
    return JSONResponse(answer, status_code=201, headers={"Location": f"/api/v1/tickets/{answer['number']}"})


def _digest(body: NewTicket) -> str:
    return hashlib.sha256(body.model_dump_json().encode()).hexdigest()


def _record(body: NewTicket) -> Record:
    return Record(**body.model_dump(mode="python"))


@router.get("/tickets", summary="事项列表", operation_id="ticket_list")
async def listed(  # noqa: PLR0913 - each is a query parameter of the interface
    request: Request,
    work: Annotated[Work, needs(Permission.TICKET_READ, read=True)],
    status: Annotated[list[Status] | None, Query()] = None,
    kind: Kind | None = None,
    category: str | None = None,
    division: str | None = None,
    assignee: Literal["me"] | None = None,
    overdue: bool | None = None,
    due_before: Moment | None = None,
    q: str | None = None,
    channel: Channel | None = None,
    received_from: Moment | None = None,
    received_to: Moment | None = None,
    order: Literal["due_at", "received_at"] = "due_at",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Listing:
    """我可见的事项，每页最多 100 件；翻页用 next_cursor。"""
    county = await atlas(work)
    filters = Filters(
        status=status or (),
        kind=kind,
        category_ids=_categories(county, category),
        area=divisions.division(county.county, division, "/division").id if division else None,
        person_id=work.actor.id if assignee else None,
        overdue=overdue,
        due_before=due_before,
        number=_number(q),
        channel=channel,
        received_from=received_from,
        received_to=received_to,
    )
    vault = request.app.state.vault
    page = await views.listed(work, county, filters, Page(order, limit, cursors.decode(vault, cursor)))
    return Listing(page.items, cursors.encode(vault, page.next))


def _number(q: str | None) -> str | None:
    if q is None or sound(q.strip()):
        return q.strip() if q else None
    raise Invalid.field("q.words", "/q", "目前只能按完整的事项编号查找，按文字查找将在后续版本提供")


def _categories(county: Atlas, code: str | None) -> tuple[int, ...]:
    """A leaf, or a first-level category with all its leaves."""
    if code is None:
        return ()
    found = county.county.category_by_code.get(code)
    if found is None:
        raise Invalid.field("category.unknown", "/category", f"没有代码为“{code[:32]}”的事项分类")
    return (found.id, *(c.id for c in county.county.categories.values() if c.parent_id == found.id))


@router.get("/tickets/{number}/duplicates", summary="疑似重复", operation_id="ticket_duplicates")
async def alike(work: Annotated[Work, needs(Permission.TICKET_READ, read=True)], number: NUMBER) -> Duplicates:
    """三十天内可能是同一件事的其他事项，最像的在前，最多五件；只有我看得到的。核实后可以并单。"""
    return Duplicates(await duplicates.likely(work, await atlas(work), number))


@router.get("/tickets/{number}", summary="事项详情", operation_id="ticket_show")
async def show(
    work: Annotated[Work, needs(Permission.TICKET_READ, read=True)], number: NUMBER, response: Response
) -> TicketView:
    """一件事项的全部。无权知道的事项与不存在的一样答 404。"""
    ticket = await views.one(work, await atlas(work), number)
    etag(response, ticket)
    return ticket
