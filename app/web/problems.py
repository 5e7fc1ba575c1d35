"""Errors as RFC 9457 problem details: a stable `type`, Chinese `title` and `detail`, and what is wrong where."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.base import log
from app.domain.errors import Busy, Conflict, Refusal, TooMany

MEDIA_TYPE = "application/problem+json"
_logger = log.get(__name__)
_HTTP = {
    404: ("没有找到", "没有这个地址，请核对后再试"),
    405: ("方法不对", "这个地址不接受这种请求方法"),
}
_SAID = {
    "missing": "必须填写",
    "extra_forbidden": "没有这个字段，请核对名称",
    "string_type": "应为文字",
    "string_too_short": "不能为空",
    "string_too_long": "太长了",
    "string_unicode": "含有无法保存的字符，请删去后再试",
    "nul": "含有无法保存的字符，请删去后再试",
    "too_long": "现在还不能附文件",
    "enum": "不是可选的值",
    "literal_error": "不是可选的值",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "float_parsing": "应为数字",
    "float_type": "应为数字",
    "json_invalid": "不是有效的 JSON",
    "timezone_aware": "时间要带时区，例如 2026-11-24T09:00:00+08:00",
    "greater_than_equal": "太小了",
    "less_than_equal": "太大了",
}


def problem(
    http_status: int, code: str, title: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """One problem document; `more` are its further members."""
    content = {"type": f"/problems/{code}", "title": title, "status": http_status, "detail": detail} | more
    return JSONResponse(content, status_code=http_status, media_type=MEDIA_TYPE, headers=headers)


def of_refusal(refusal: Refusal) -> JSONResponse:
    """A 409 carries the ticket's state as `status` and its `version` (interface.md), beside the HTTP status."""
    more: dict[str, Any] = {}
    if refusal.faults:
        more["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in refusal.faults]
    if isinstance(refusal, Conflict) and refusal.state is not None:
        more |= {"status": refusal.state, "version": refusal.version}
    if isinstance(refusal, Busy | TooMany):
        more["headers"] = {"Retry-After": str(refusal.retry_after)}
    if refusal.status == 401:
        more["headers"] = {"WWW-Authenticate": "Bearer"}
    return problem(refusal.status, refusal.code, refusal.title, refusal.detail, **more)


def _invalid(error: RequestValidationError) -> JSONResponse:
    errors = [{"pointer": _pointer(e["loc"]), "detail": _SAID.get(e["type"], "内容不对")} for e in error.errors()[:20]]
    first = errors[0]
    detail = f"{first['pointer'].removeprefix('/') or '请求内容'}：{first['detail']}"
    return problem(422, "body.invalid", "内容有误", detail, errors=errors)


def _pointer(loc: tuple[int | str, ...]) -> str:
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in loc if part not in {"body", "query", "path"}]
    return "".join(f"/{part}" for part in parts)


def install(app: FastAPI) -> None:
    """Registers the handlers."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return of_refusal(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _invalid(error)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 400:  # FastAPI's word for a body that is no JSON at all
            return problem(422, "body.invalid", "内容有误", "请求内容不是有效的 JSON（UTF-8）")
        title, detail = _HTTP.get(error.status_code, ("请求未被受理", "请求不符合要求"))
        return problem(error.status_code, f"http.{error.status_code}", title, detail)

    # The database is away, or every connection is taken; its other errors are faults of ours.
    @app.exception_handler(PoolTimeout)
    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(OSError)
    async def away(request: Request, error: Exception) -> Response:
        _logger.error("database trouble", exc_info=error)
        return of_refusal(Busy("database.busy", "系统繁忙，请稍后再试"))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        _logger.error("request failed", exc_info=error)
        return problem(500, "server.failed", "系统出错", "系统出错，已记录，请稍后再试")
