"""A bound on what callers of the API make us read: whoever is not signed in too, since a body comes before the gate."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.files import MOST_BYTES
from app.web.problems import too_large

MEGABYTE = 1024 * 1024
MOST = MEGABYTE
"""Bytes; the longest body that says something is a twentieth of it."""
FORM = 64 * 1024
"""What a form writes around a file."""
_OF_FILES = "/api/v1/files"


class BodyLimit:
    """Pure ASGI. FastAPI's own max_body_size would answer in plain English."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        most, said = _bound(scope["path"])
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > most:
            await too_large(said)(scope, receive, send)
            return
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                # FastAPI lets only this one through as it is, to our handler.
                raise HTTPException(413, said)
            return message

        await self._app(scope, bounded, send)


def _bound(path: str) -> tuple[int, str]:
    """The most bytes of a body for that path, and what is said to more."""
    if path == _OF_FILES:
        return MOST_BYTES + FORM, f"文件太大，最多 {MOST_BYTES // MEGABYTE} MB"
    return MOST, f"请求内容太大，最多 {MOST // MEGABYTE} MB"
