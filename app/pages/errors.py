"""What app.web.problems says to programs, said to people: the same status and words, as a page."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from app.base import log
from app.pages.rendering import NO_CACHE, page

_PAGES = ("/board", "/t")
_PROGRAMS = ("/api", "/wechat", "/open311", "/healthz", "/readyz", "/metrics", "/openapi.json")
_ADVICE = {
    404: "可能是地址抄错了，或者内容没有公开。",
    422: "请返回上一页，改正后再试。",
    429: "请稍等片刻再试。",
    503: "请过一会儿再打开这个页面。",
}
_OTHERWISE = "问题已记录。请过一会儿再试。"
_KEPT = ("retry-after", "allow")

_TO_CITIZENS = {
    "/problems/county.empty": ("还没有开通", "这里的民生快递还在准备，还没有开通。急事请拨打 12345。"),
}
"""Title and words where those of the problem are for whoever runs the service; they get them in the log."""
_logger = log.get(__name__)

Handler = Callable[[Request, Any], Awaitable[Response]]


def dress(app: FastAPI) -> None:
    """Wraps every error handler of `app`, so to be called when all are installed.

    One place decides what an error means (app.web.problems); this only gives it a face.
    """
    for key, handler in list(app.exception_handlers.items()):
        app.exception_handlers[key] = _dressed(handler)


def _dressed(handler: Any) -> Any:
    async def dressed(request: Any, error: Any) -> Any:
        said = await handler(request, error)
        return of_problem(request, said) if isinstance(request, Request) and for_people(request) else said

    return dressed


def for_people(request: Request) -> bool:
    """Whether a page is the right answer: always at the pages' own addresses, elsewhere where a browser asks."""
    path = request.url.path
    if path == "/" or _under(path, _PAGES):
        return True
    return "text/html" in request.headers.get("accept", "") and not _under(path, _PROGRAMS)


def _under(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in roots)


def of_problem(request: Request, said: Response) -> Response:
    """The page for a problem document."""
    problem = json.loads(bytes(said.body))
    title, detail = _TO_CITIZENS.get(problem["type"], (problem["title"], problem["detail"]))
    if detail != problem["detail"]:
        _logger.warning("not ready for citizens", problem=problem["type"], detail=problem["detail"])
    headers = {"Cache-Control": NO_CACHE} | {k: v for k, v in said.headers.items() if k in _KEPT}
    context = {
        "section": "",
        "title": title,
        "detail": detail,
        "advice": _ADVICE.get(said.status_code, _OTHERWISE),
    }
    return page(request, "error.html", context, status=said.status_code, headers=headers)
