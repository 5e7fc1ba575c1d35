"""/wechat/{appid}: the server address of an official account, for verification and for messages in all three modes.

WeChat shows the citizen an error of ours as a broken service, so nothing that carries a valid signature gets one: what
can't be read or handled is kept for an administrator and answered `success`, or in words where the sender is known.
While the database is away it is spooled (app.wechat.intake). A 503 gets only what can be put neither here nor there, or
what comes to a process that started without the database and so knows no keys: WeChat delivers three times in all, some
5 seconds apart (被动回复用户消息).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from app.base.clock import machine
from app.base.work import Opener
from app.domain.errors import Forbidden, Missing
from app.domain.policy import Permission
from app.web.gate import needs
from app.wechat import inbound
from app.wechat.accounts import Account
from app.wechat.crypto import BODY_LIMIT, Query, check_query, open_push, seal_reply, verify_url
from app.wechat.intake import Arrival, Intake, Push
from app.wechat.messages import BadPush, read, text_reply

KEPT_BYTES = 64 * 1024
"""How much is kept of a body that is too long."""

router = APIRouter(tags=["微信公众号"])
_REFUSALS: dict[int | str, dict[str, Any]] = {
    403: {"description": "签名、时间戳或收件人不符"},
    404: {"description": "没有这个公众号"},
}
_XML = {"requestBody": {"required": True, "content": {"text/xml": {"schema": {"type": "string"}}}}}


async def _query(
    signature: str = "",
    timestamp: str = "",
    nonce: str = "",
    msg_signature: str | None = None,
    encrypt_type: str | None = None,
    echostr: str | None = None,
) -> Query:
    return Query(signature, timestamp, nonce, msg_signature, encrypt_type, echostr)


_Opener = Annotated[Opener, needs(Permission.WECHAT, later=True)]
_Signed = Annotated[Query, Depends(_query)]


@router.get(
    "/wechat/{appid}",
    response_class=PlainTextResponse,
    responses=_REFUSALS,
    summary="公众号服务器地址验证",
    operation_id="wechat_verify",
)
async def verify(request: Request, appid: str, query: _Signed, opener: _Opener) -> PlainTextResponse:
    """签名正确时原样返回 echostr。"""
    account = await _account(request.app, appid, opener)
    try:
        return PlainTextResponse(verify_url(account.keys, query, machine()))
    except BadPush as bad:
        raise _forged(bad) from bad


@router.post(
    "/wechat/{appid}",
    response_class=Response,
    responses=_REFUSALS,
    openapi_extra=_XML,
    summary="公众号消息与事件",
    operation_id="wechat_push",
)
async def push(request: Request, appid: str, query: _Signed, opener: _Opener) -> Response:
    """明文、兼容、安全三种模式。五秒内被动回复文字，或答 success；同一消息重复推送得到第一次的回答。"""
    arrival = Arrival.now(request.app.state.database.clock)
    account = await _account(request.app, appid, opener)
    try:
        # Before the body: who can't sign does not make us read it.
        check_query(account.keys, query, machine())
        return await _answered(request, account, query, opener, arrival)
    except BadPush as bad:
        _intake(request.app).counted("forged")
        raise _forged(bad) from bad


def _forged(bad: BadPush) -> Forbidden:
    return Forbidden(f"push.{bad.code}", bad.detail)


def _intake(app: FastAPI) -> Intake:
    found: Intake = app.state.intake
    return found


async def _account(app: FastAPI, appid: str, opener: Opener) -> Account:
    found = await _intake(app).accounts.find(appid, opener)
    if found is None:
        raise Missing("account.unknown", "没有这个公众号，请核对服务器地址中的 AppID")
    return found


async def _answered(request: Request, account: Account, query: Query, opener: Opener, arrival: Arrival) -> Response:
    """The answer to a push with a valid query. Raises BadPush for a forged one, Busy where it can be put nowhere."""
    raw = await _body(request)
    intake = _intake(request.app)
    try:
        if len(raw) > BODY_LIMIT:
            raw = raw[:KEPT_BYTES]
            raise BadPush("size", "消息太长", forged=False)
        opened = open_push(account.keys, query, raw, machine())
        raw = opened.xml
        message = read(raw)
        if message.to_user != account.original_id:
            raise BadPush("to_user", "消息的收件人不是这个公众号", forged=True)
    except BadPush as bad:
        if bad.forged:
            raise
        await intake.answer(opener, Push(account, inbound.unreadable(raw, bad), None, arrival))
        return PlainTextResponse("success")
    if inbound.unneeded(message):
        return PlainTextResponse("success")
    reply = await intake.answer(opener, Push(account, inbound.entry_of(message, raw), message, arrival))
    if reply is None:
        return PlainTextResponse("success")
    seconds = int(machine().timestamp())
    sealed = seal_reply(account.keys, opened, text_reply(message, reply, seconds), timestamp=seconds, nonce=query.nonce)
    return Response(sealed, media_type="application/xml")


async def _body(request: Request) -> bytes:
    """The body, or the beginning of one that is over the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            break
    return bytes(body)
