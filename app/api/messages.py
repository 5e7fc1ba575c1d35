"""Messages of the official accounts that could not be understood, for the administrators of the accounts' places."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from app.api.bodies import Settle, TicketOfMessage
from app.api.tickets import NumberOnly
from app.base.work import Work
from app.divisions.service import atlas
from app.domain.policy import Permission
from app.domain.vocabulary import Channel
from app.tickets import kept
from app.tickets.kept import KeptMessage
from app.tickets.queries.kept import Wanted
from app.tickets.recording import Record
from app.tickets.views import TicketView
from app.web import cursors
from app.web.gate import needs

router = APIRouter(prefix="/messages", tags=["公众号来件"])
_ID = Annotated[str, Path(max_length=200, description="消息列表里的 id")]
_CONFLICT: dict[int | str, dict[str, Any]] = {409: {"description": "已经登记或处理过了；登记过的附编号"}}


@dataclass(frozen=True, slots=True)
class KeptListing:
    items: Sequence[KeptMessage]
    next_cursor: str | None


@router.get("", summary="没能自动办理的公众号消息", operation_id="message_list")
async def listed(
    request: Request,
    work: Annotated[Work, needs(Permission.MESSAGE_SETTLE, read=True)],
    state: Annotated[
        Literal["waiting", "settled"], Query(description="待处理的（最早的在前），或处理过的（最新的在前）")
    ] = "waiting",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> KeptListing:
    """您管理的区划及其下各级的公众号收到、程序没能读懂或办理的消息：图片语音、读不懂的内容、出错的。

    内容特别长时一页不足 limit 条，还有没有以 next_cursor 为准。
    """
    vault = request.app.state.vault
    after = cursors.decode_id(vault, f"messages.{state}", cursor)
    page = await kept.listed(work, await atlas(work), Wanted(state, limit, after))
    return KeptListing(page.items, cursors.encode_id(vault, f"messages.{state}", page.next))


@router.post(
    "/{id}/ticket",
    status_code=201,
    response_model=TicketView | NumberOnly,
    responses=_CONFLICT,
    summary="把消息登记为事项",
    operation_id="message_file",
)
async def file(work: Annotated[Work, needs(Permission.MESSAGE_SETTLE)], id: _ID, body: TicketOfMessage) -> JSONResponse:
    """事项的渠道是公众号，反映人是发消息的人，收到时间是消息到达的时间。编号随其下一条消息告知。保密件只回编号。"""
    fields = body.model_dump(mode="python")
    record = Record(**fields | {"description": body.description or ""}, **_OF_MESSAGE)
    answer = await kept.file(work, await atlas(work), id, record)
    return JSONResponse(answer, status_code=201, headers={"Location": f"/api/v1/tickets/{answer['number']}"})


@router.post("/{id}/settle", responses=_CONFLICT, summary="消息已处理，不用登记", operation_id="message_settle")
async def settle(work: Annotated[Work, needs(Permission.MESSAGE_SETTLE)], id: _ID, body: Settle) -> KeptMessage:
    """不需要立为事项的。text 是告诉群众的话，随其下一条消息送达。"""
    return await kept.settle(work, await atlas(work), id, body.text)


_OF_MESSAGE: dict[str, Any] = {"channel": Channel.ACCOUNT, "citizen": None, "source": None, "received_at": None}
