"""The floors behind HTTP: a bare ASGI application on the product's uvicorn settings, its raw connections, its crypto.

Run by the bench alone: `python -m bench.floor_service FACTS.json PORT`.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import cycle
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import uvicorn

from app.base import secrets
from app.base.clock import machine
from app.cli.serve import UVICORN
from app.domain.rates import span
from app.domain.vocabulary import SHANGHAI, AccountMode
from app.wechat.crypto import Keys, open_push, query_of, seal_reply
from app.wechat.messages import Message, dedup_key, read, text_reply
from bench import acting, counting, writers
from bench.place import SESSION
from bench.reading import LIST, SESSION_OF, TICKET
from bench.writers import Filing, Ids

FACTS = "O2O_BENCH_FACTS"
CONNECTIONS = 10
"""As many as the product's pool has."""

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Answered:
    body: bytes
    kind: bytes


class Floors:
    """The application. `facts`: url, number_key, accounts, templates, page and moment; see bench.place.floors."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._url: str = facts["url"]
        self._number_key = str(facts.get("number_key", "")).encode()
        self._templates = cycle([writers.ready(one) for one in facts.get("templates", ())] or [{}])
        self._accounts = {
            appid: (one["id"], Keys(appid, one["token"], one["encoding_aes_key"], None, AccountMode.SAFE))
            for appid, one in facts.get("accounts", {}).items()
        }
        self._page = str(facts.get("page", "")).encode()
        self._pages = {number: page.encode() for number, page in facts.get("pages", {}).items()}
        self._divisions: list[int] = facts.get("divisions", [])
        self._month = [date.fromisoformat(day) for day in facts.get("month", ())]
        self._idle_at = datetime.fromisoformat(facts.get("idle_at", "2000-01-01T00:00:00+08:00"))
        self._null = str(facts.get("null", "success")).encode()
        # Not asyncpg's pool: that one resets a connection with a round trip of its own.
        self._free: asyncio.LifoQueue[tuple[Any, Ids]] = asyncio.LifoQueue()
        self._routes = {
            "push": self._push,
            "repeat": self._repeat,
            "list": self._list,
            "ticket": self._ticket,
            "act": self._act,
            "rates": self._rates,
            "null": self._nothing,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        _, route, *rest = scope["path"].split("/")
        answer = await self._routes[route](scope, receive, rest)
        head = [(b"content-type", answer.kind), (b"content-length", str(len(answer.body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer.body})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                for _ in range(CONNECTIONS):
                    conn = await asyncpg.connect(self._url, server_settings=SESSION)
                    self._free.put_nowait((conn, Ids(conn, self._number_key)))
                await send({"type": "lifespan.startup.complete"})
                continue
            while not self._free.empty():
                await self._free.get_nowait()[0].close()
            await send({"type": "lifespan.shutdown.complete"})
            return

    async def _push(self, scope: Scope, receive: Receive, rest: list[str]) -> _Answered:
        account_id, opened, message, nonce = await self._opened(scope, receive, rest[0])
        now = machine().astimezone(SHANGHAI)
        text = message.content or ""
        filing = Filing(account_id, message.from_user, dedup_key(message), opened.xml, text, now)
        conn, ids = await self._free.get()
        try:
            reply = await writers.at_once(conn, ids, filing, next(self._templates))
        finally:
            self._free.put_nowait((conn, ids))
        return self._sealed(rest[0], opened, message, reply, nonce)

    async def _repeat(self, scope: Scope, receive: Receive, rest: list[str]) -> _Answered:
        account_id, opened, message, nonce = await self._opened(scope, receive, rest[0])
        conn, ids = await self._free.get()
        try:
            found = "SELECT reply FROM inbound WHERE account_id = $1 AND key = $2"
            reply = await conn.fetchval(found, account_id, dedup_key(message))
        finally:
            self._free.put_nowait((conn, ids))
        return self._sealed(rest[0], opened, message, reply, nonce)

    async def _opened(self, scope: Scope, receive: Receive, appid: str) -> tuple[int, Any, Message, str]:
        account_id, keys = self._accounts[appid]
        query = query_of(dict(parse_qsl(scope["query_string"].decode())))
        opened = open_push(keys, query, await _body(receive), machine())
        return account_id, opened, read(opened.xml), query.nonce

    def _sealed(self, appid: str, opened: Any, message: Message, reply: str, nonce: str) -> _Answered:
        seconds = int(machine().timestamp())
        xml = text_reply(message, reply, seconds)
        sealed = seal_reply(self._accounts[appid][1], opened, xml, timestamp=seconds, nonce=nonce)
        return _Answered(sealed.encode(), b"application/xml")

    async def _list(self, scope: Scope, _receive: Receive, _rest: list[str]) -> _Answered:
        async with self._signed_in(scope) as (conn, person_id):
            await conn.fetch(LIST, person_id)
        return _Answered(self._page, b"application/json")

    async def _ticket(self, scope: Scope, _receive: Receive, rest: list[str]) -> _Answered:
        async with self._signed_in(scope) as (conn, person_id):
            await conn.fetchrow(TICKET, rest[0], person_id)
        return _Answered(self._pages[rest[0]], b"application/json")

    async def _rates(self, scope: Scope, _receive: Receive, _rest: list[str]) -> _Answered:
        days = (self._month[0], self._month[1])
        async with self._signed_in(scope) as (conn, _):
            await counting.node(conn, self._divisions, days, (*span(*days), machine()))
        return _Answered(self._page, b"application/json")

    async def _act(self, scope: Scope, receive: Receive, rest: list[str]) -> _Answered:
        action, number = rest
        body = json.loads(await _body(receive))
        asked = (_digest(scope), number, body.get("text") or body["result"])
        conn, ids = await self._free.get()
        try:
            done = await acting.at_once(conn, action, asked, machine(), self._idle_at)
        finally:
            self._free.put_nowait((conn, ids))
        assert done, f"{number} is not in hand"
        return _Answered(self._pages[action], b"application/json")

    @asynccontextmanager
    async def _signed_in(self, scope: Scope) -> AsyncIterator[tuple[Any, int]]:
        """A connection, and whose session it is."""
        conn, ids = await self._free.get()
        try:
            person = await conn.fetchrow(SESSION_OF, _digest(scope), machine())
            yield conn, person["id"]
        finally:
            self._free.put_nowait((conn, ids))

    async def _nothing(self, _scope: Scope, receive: Receive, _rest: list[str]) -> _Answered:
        await _body(receive)
        return _Answered(self._null, b"text/plain")


def _digest(scope: Scope) -> str:
    """Of the bearer token."""
    return secrets.digest(dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer "))


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def application() -> Floors:
    """For uvicorn, which imports it."""
    with open(os.environ[FACTS], encoding="utf-8") as file:  # noqa: PTH123  (once, at the start)
        return Floors(json.load(file))


if __name__ == "__main__":
    os.environ[FACTS] = sys.argv[1]
    uvicorn.run(
        "bench.floor_service:application", factory=True, host="127.0.0.1", port=int(sys.argv[2]), workers=1, **UVICORN
    )
