"""/wechat/{appid}: the server address of an official account, for verification and for messages in all three modes.

WeChat shows the citizen an error of ours as a broken service, so nothing that carries a valid signature gets one: what
can't be read or handled is kept for an administrator and answered `success`, or in words where the sender is known.
The one exception is a database that is away: 503, so that WeChat delivers again (three times in all, some 5 seconds
apart; 被动回复用户消息). Until messages are spooled then, an outage of more than 15 seconds loses them.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from app.base import log
from app.base.clock import machine
from app.base.db import unreachable
from app.base.work import Opener
from app.domain.errors import Busy, Forbidden, Missing
from app.domain.policy import SYSTEM, Permission
from app.web.gate import needs
from app.wechat import inbound
from app.wechat.accounts import Account, Accounts
from app.wechat.crypto import BODY_LIMIT, Query, check_query, open_push, seal_reply, verify_url
from app.wechat.messages import BadPush, Message, read, text_reply
from app.wechat.queries import Entry

KEPT_BYTES = 64 * 1024
"""How much is kept of a body that is too long."""

router = APIRouter(tags=["微信公众号"])
_logger = log.get(__name__)
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
    account = await _account(request.app, appid, opener)
    try:
        # Before the body: who can't sign does not make us read it.
        check_query(account.keys, query, machine())
        return await _answered(request, account, query, opener)
    except BadPush as bad:
        raise _forged(bad) from bad


def _forged(bad: BadPush) -> Forbidden:
    return Forbidden(f"push.{bad.code}", bad.detail)


async def _account(app: FastAPI, appid: str, opener: Opener) -> Account:
    if not hasattr(app.state, "accounts"):
        app.state.accounts = Accounts(app.state.vault)
    accounts: Accounts = app.state.accounts
    found = await accounts.find(appid, opener)
    if found is None:
        raise Missing("account.unknown", "没有这个公众号，请核对服务器地址中的 AppID")
    return found


async def _answered(request: Request, account: Account, query: Query, opener: Opener) -> Response:
    """The answer to a push with a valid query. Raises BadPush for a forged one, Busy while the database is away."""
    raw = await _body(request)
    now = machine()
    try:
        if len(raw) > BODY_LIMIT:
            raw = raw[:KEPT_BYTES]
            raise BadPush("size", "消息太长", forged=False)
        opened = open_push(account.keys, query, raw, now)
        raw = opened.xml
        message = read(raw)
        if message.to_user != account.original_id:
            raise BadPush("to_user", "消息的收件人不是这个公众号", forged=True)
    except BadPush as bad:
        if bad.forged:
            raise
        await _keep(opener, account, inbound.unreadable(raw, bad))
        return PlainTextResponse("success")
    reply = await _reply(opener, account, message, raw)
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


async def _reply(opener: Opener, account: Account, message: Message, raw: bytes) -> str | None:
    try:
        async with opener(SYSTEM) as work:
            return await inbound.receive(work, account, message, raw)
    except Exception as error:
        if unreachable(error):
            raise _away(account, error) from error
        _logger.error("push failed", account=account.appid, exc_info=error)
    return await _keep(opener, account, inbound.failed(message, raw))


async def _keep(opener: Opener, account: Account, entry: Entry) -> str | None:
    try:
        async with opener(SYSTEM) as work:
            reply = await inbound.keep(work, account, entry)
    except Exception as error:
        raise _away(account, error) from error
    _logger.warning("push kept", account=account.appid, problem=entry.problem)
    return reply


def _away(account: Account, error: Exception) -> Busy:
    if unreachable(error):
        # Every message of an outage comes here: a traceback each took 13 times the CPU of the refusal, and 3 KB.
        _logger.error("push turned away", account=account.appid, reason=type(error).__name__)
    else:
        _logger.error("push neither handled nor kept", account=account.appid, exc_info=error)
    return Busy("database.busy", "系统繁忙，请稍后再试")
