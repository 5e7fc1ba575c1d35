"""Makes /openapi.json true where FastAPI can't know: who must sign in, and that every error is a problem document."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from app.domain import policy
from app.domain.policy import PUBLIC, Permission
from app.web.gate import permissions
from app.web.problems import MEDIA_TYPE

_REF = "#/components/schemas/"
_SCHEME = "bearer"
_FASTAPIS = ("HTTPValidationError", "ValidationError")
_SAID = {
    401: "没有登录，或登录已过期",
    403: "没有这项权限",
    404: "没有找到，或无权知道",
    409: "现在不能这样做：状态或版本已变，附现在的状态和版本",
    413: "请求内容超过 1 MB",
    422: "内容有误，errors 逐项说明",
    429: "操作太频繁，请在 Retry-After 秒后再试",
    503: "系统繁忙，请在 Retry-After 秒后再试",
}
_WAITS = {429, 503}


class ProblemFault(BaseModel):
    """`pointer`：JSON 指针（RFC 6901）或参数名，整个请求内容为空；`detail`：错在哪里。"""

    pointer: str
    detail: str


class Problem(BaseModel):
    """RFC 9457 问题详情。`type` 不变，可供程序判断；`title`、`detail` 是给人看的中文。"""

    type: str = Field(examples=["/problems/body.invalid"])
    title: str = Field(examples=["内容有误"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["description：必须填写"])
    errors: list[ProblemFault] = Field(default=[])


class ConflictProblem(BaseModel):
    """409：`status` 是事项现在的状态（与事项无关时是 409），`version` 是现在的版本。"""

    type: str = Field(examples=["/problems/ticket.stale"])
    title: str = Field(examples=["现在不能这样做"])
    status: str | int = Field(examples=["in_progress"])
    detail: str = Field(examples=["事项已被他人更新，请刷新后再试"])
    version: int | None = Field(default=None, examples=[3])


def install(app: FastAPI) -> None:
    """To be called when all routes are there."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(app, plain())
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _completed(app: FastAPI, document: dict[str, Any]) -> dict[str, Any]:
    components = document["components"]
    shapes = [(one, "validation") for one in (Problem, ConflictProblem, ProblemFault)]
    _, made = models_json_schema(shapes, ref_template=_REF + "{model}")  # type: ignore[arg-type]
    kept = {name: shape for name, shape in components["schemas"].items() if name not in _FASTAPIS}
    components["schemas"] = dict(sorted((kept | made["$defs"]).items()))
    components["securitySchemes"] = {
        _SCHEME: {"type": "http", "scheme": "bearer", "description": "POST /api/v1/sessions 给的 access_token"}
    }
    for method, path, permission in permissions(app):
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation is None or permission is None:
            continue
        if not policy.holds(PUBLIC, permission):
            operation["security"] = [{_SCHEME: []}]
        if path.startswith(("/api/", "/wechat/")):
            _add_problems(operation, _refusals(method, path, permission, operation))
    return document


def _refusals(method: str, path: str, permission: Permission, operation: dict[str, Any]) -> Iterator[int]:
    """What follows from a route's shape; a route declares for itself what doesn't."""
    yield 503
    if not policy.holds(PUBLIC, permission):
        yield from (401, 403)
    if "{" in path:
        yield 404
    if permission in {Permission.TICKET_ACT, Permission.TICKET_RATE}:
        yield 409
    if method == "POST" and path.startswith("/api/"):
        yield 413
    yield from (int(status) for status in operation["responses"] if status >= "400")


def _add_problems(operation: dict[str, Any], statuses: Iterator[int]) -> None:
    for status in sorted(set(statuses)):
        declared = {} if status == 422 else operation["responses"].get(str(status), {})
        shape = "ConflictProblem" if status == 409 else "Problem"
        found: dict[str, Any] = {
            "description": declared.get("description") or _SAID[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REF + shape}}},
        }
        if status in _WAITS:
            found["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "秒"}}
        operation["responses"][str(status)] = found
    operation["responses"] = dict(sorted(operation["responses"].items()))
