"""Errors as RFC 9457 problem details: a stable `type`, Chinese `title` and `detail`, and what is wrong where."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.base import log
from app.base.db import unreachable
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
    "invalid_key": "没有这个字段，请核对名称",
    "string_type": "应为文字",
    "string_too_short": "不能为空",
    "blank": "不能为空",
    "string_too_long": "太长了，最多 {max_length} 个字",
    "string_pattern_mismatch": "格式不对",
    "string_unicode": "含有无法保存的字符，请删去后再试",
    "nul": "含有无法保存的字符，请删去后再试",
    "list_type": "应为列表",
    "too_long": "最多 {max_length} 个",
    "enum": "不是可选的值",
    "literal_error": "不是可选的值",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "int_parsing": "应为整数",
    "int_parsing_size": "应为整数，位数太多了",
    "int_type": "应为整数，不加引号",
    "float_type": "应为数字，不加引号",
    "finite_number": "应为有限的数字",
    "model_attributes_type": "应为 JSON 对象",
    "json_invalid": "不是有效的 JSON",
    "moment": "应为时间，例如 2026-11-24T09:00:00+08:00；写在网址里时 + 要写成 %2B",
    "moment_zone": "时间要带时区，例如 2026-11-24T09:00:00+08:00",
    "moment_range": "时间超出范围，应在 2000 年至 2999 年之间",
    "greater_than_equal": "太小了，最小为 {ge}",
    "less_than_equal": "太大了，最大为 {le}",
}
"""What our bodies and queries can be told by pydantic: error type → sentence; a test asks for each."""
_UNREADABLE: tuple[tuple[type[Exception], str], ...] = (
    (UnicodeDecodeError, "请求内容不是 UTF-8 编码"),
    (RecursionError, "请求内容嵌套的层数太多"),
    (ValueError, "请求内容中有位数太多的整数"),  # sys.set_int_max_str_digits
)


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


def too_large(detail: str) -> JSONResponse:
    """The answer to a body over the limit (web.limit)."""
    return problem(413, "body.too_large", "内容太大", detail)


def _invalid(error: RequestValidationError) -> JSONResponse:
    errors = [_fault(one) for one in error.errors()[:20]]
    first = errors[0]
    name = first["pointer"].removeprefix("/")
    detail = f"{name}：{first['detail']}" if name else first["detail"]
    return problem(422, "body.invalid", "内容有误", detail, errors=errors)


def _fault(error: dict[str, Any]) -> dict[str, str]:
    kind, loc = error["type"], error["loc"]
    if kind == "json_invalid":  # its place counts characters, and names no field
        return {"pointer": "", "detail": f"请求内容不是有效的 JSON，错在第 {loc[-1] + 1} 个字符附近"}
    if loc == ("body",):
        return {"pointer": "", "detail": _whole_body(error)}
    return {"pointer": _pointer(loc), "detail": _SAID.get(kind, "内容不对").format(**error.get("ctx", {}))}


def _whole_body(error: dict[str, Any]) -> str:
    if error["type"] == "missing":
        return "请求内容不能为空，应为 JSON 对象"
    if isinstance(error["input"], bytes):  # FastAPI parses only what says that it is JSON
        return "请求内容应为 JSON，请求头 Content-Type 应为 application/json"
    return "请求内容应为 JSON 对象"


def _unreadable(cause: BaseException | None) -> JSONResponse:
    reasons = (said for kind, said in _UNREADABLE if isinstance(cause, kind))
    detail = next(reasons, "请求内容无法读取，请重新发送")
    return problem(422, "body.invalid", "内容有误", detail, errors=[{"pointer": "", "detail": detail}])


def _pointer(loc: tuple[int | str, ...]) -> str:
    # The first says only where to look: body, query, path or header.
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in loc[1:])


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
        if error.status_code == 400:  # FastAPI's word for a body that it could not even read
            return _unreadable(error.__cause__)
        if error.status_code == 413:
            return too_large(error.detail)
        title, detail = _HTTP.get(error.status_code, ("请求未被受理", "请求不符合要求"))
        return problem(error.status_code, f"http.{error.status_code}", title, detail)

    @app.exception_handler(PoolTimeout)
    @app.exception_handler(DBAPIError)
    @app.exception_handler(OSError)
    async def away(request: Request, error: Exception) -> Response:
        if not unreachable(error):
            raise error  # a fault of ours: for `failed`
        _logger.error("database trouble", exc_info=error)
        return of_refusal(Busy("database.busy", "系统繁忙，请稍后再试"))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        _logger.error("request failed", exc_info=error)
        return problem(500, "server.failed", "系统出错", "系统出错，已记录，请稍后再试")
