"""The courier's day: tickets in hand, households to visit, visits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse

from app.api.bodies import NewVisit, Storable
from app.api.tickets import Listing
from app.base.secrets import Vault
from app.base.work import Work
from app.divisions.service import atlas
from app.domain.policy import Permission
from app.domain.visits import Turn
from app.domain.vocabulary import OPEN
from app.people import households
from app.people.households import HouseholdView, Wanted
from app.tickets import views, visiting
from app.tickets.queries.reading import Filters, Page
from app.tickets.visiting import VisitView
from app.web import cursors
from app.web.gate import needs

router = APIRouter(prefix="/courier", tags=["快递员"])


@dataclass(frozen=True, slots=True)
class HouseholdListing:
    items: Sequence[HouseholdView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class VisitListing:
    items: Sequence[VisitView]
    next_cursor: str | None


@router.get("/tickets", summary="我手头的事项", operation_id="courier_tickets")
async def tickets(
    request: Request,
    work: Annotated[Work, needs(Permission.COURIER_DAY, read=True)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Listing:
    """派给我、还没有办结的事项，最急的在前。"""
    filters = Filters(status=sorted(OPEN), person_id=work.actor.id)
    vault = request.app.state.vault
    page = await views.listed(work, await atlas(work), filters, Page("due_at", limit, cursors.decode(vault, cursor)))
    return Listing(page.items, cursors.encode(vault, page.next))


@router.get("/households", summary="我联系的户", operation_id="courier_households")
async def mine(  # noqa: PLR0913 - each is a query parameter of the interface
    request: Request,
    work: Annotated[Work, needs(Permission.COURIER_DAY, read=True)],
    in_difficulty: Annotated[bool | None, Query(description="只看困难户，或只看其他户")] = None,
    q: Annotated[str | None, Query(max_length=40, description="户主姓名，或其中几个字"), Storable] = None,
    order: Annotated[Literal["next"], Query(description="最该走访的在前")] = "next",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> HouseholdListing:
    """我联系的户，最该走访的在前：先是到期的困难户，再是到期的其他户，然后按到期日。

    困难户上次走访 30 天后到期，其他户 180 天后；从未走访的随时该去。
    """
    vault = request.app.state.vault
    wanted = Wanted(limit, in_difficulty, q)
    page = await households.mine(work, (await atlas(work)).county, vault, wanted, _turn(vault, cursor))
    return HouseholdListing(page.items, cursors.seal(vault, "turn", _mark(page.next)))


def _mark(turn: Turn | None) -> str | None:
    return None if turn is None else f"{turn.rank} {turn.since.isoformat()} {turn.id:019d}"


def _turn(vault: Vault, cursor: str | None) -> Turn | None:
    mark = cursors.unseal(vault, "turn", cursor)
    if mark is None:
        return None
    rank, since, row_id = mark.split(" ")
    return Turn(int(rank), date.fromisoformat(since), int(row_id))


@router.post(
    "/visits",
    status_code=201,
    response_model=VisitView,
    responses={
        404: {"description": "没有这一户或这件事项，或不在您走访的范围"},
        409: {"description": "这件事项现在不能走访，附现在的状态和版本"},
    },
    summary="登记走访",
    operation_id="courier_visit",
)
async def visit(
    work: Annotated[Work, needs(Permission.COURIER_DAY)],
    body: NewVisit,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> JSONResponse:
    """走访一户（自己联系的，或同一村社区的）、为一件事项走访，或两者一起；至少写明一个。

    写明事项时就是这件事项的“走访”，须符合它的规定。带 Idempotency-Key 重复提交得到第一次的回答。
    """
    digest = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    given = visiting.NewVisit(**body.model_dump(mode="python"))
    return JSONResponse(await visiting.record(work, await atlas(work), given, idempotency_key, digest), status_code=201)


@router.get("/visits", summary="我的走访", operation_id="courier_visits")
async def visits(
    request: Request,
    work: Annotated[Work, needs(Permission.COURIER_DAY, read=True)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> VisitListing:
    """我登记的走访，最近的在前。"""
    vault = request.app.state.vault
    page = await visiting.latest(work, cursors.decode(vault, cursor), limit)
    return VisitListing(page.items, cursors.encode(vault, page.next))
