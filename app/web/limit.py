"""A bound on what callers of the API make us read: whoever is not signed in too, since a body comes before the gate."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.problems import too_large

MOST = 1024 * 1024
"""Bytes; the longest body that says something is a twentieth of it."""


class BodyLimit:
    """Pure ASGI. FastAPI's own max_body_size would answer in plain English."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > MOST:
            await too_large()(scope, receive, send)
            return
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST:
                # FastAPI lets only this one through as it is, to our handler.
                raise HTTPException(413)
            return message

        await self._app(scope, bounded, send)
