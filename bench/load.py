"""The load generator: keep-alive HTTP/1.1 over asyncio in this process, requests prepared before the window.

Not httpx, which costs more than the service that it would measure; what this one costs is measured and shown.
"""

import asyncio
import json
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from typing import cast
from urllib.parse import quote, urlencode

NAME = "bench.load (asyncio protocol, uvloop, keep-alive)"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WAIT = 30.0


class Broken(Exception):  # noqa: N818 - what was seen, not an error of ours
    """The service answered with something else than 200, or hung up: such a run measures nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time. Answers must carry a Content-Length."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[Answer] | None = None
        self._got = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one in all but its class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0 or self._waiting is None:
            return
        length = _LENGTH.search(self._got, 0, end)
        size = end + 4 + (int(length[1]) if length else 0)
        if len(self._got) >= size:
            answer = Answer(int(self._got[9:12]), bytes(self._got[end + 4 : size]))
            del self._got[:size]
            self._waiting.set_result(answer)
            self._waiting = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Broken("the service hung up"))

    async def ask(self, request: bytes) -> Answer:
        """The answer to a whole request, head and body."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    async def ok(self, request: bytes) -> bytes:
        """The body of an answer of 200. Raises Broken for any other."""
        answer = await self.ask(request)
        if answer.status != 200:
            raise Broken(f"{answer.status}: {answer.body[:200].decode(errors='replace')}")
        return answer.body

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connect(port: int, count: int) -> list[Connection]:
    """Open connections to the service on this machine."""
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(count)]


def push(path: str, query: dict[str, str], body: bytes) -> bytes:
    """A POST as WeChat sends it."""
    head = (
        f"POST {quote(path)}?{urlencode(query)} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/4.0\r\n"
        f"Accept: */*\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str, token: str | None = None) -> bytes:
    """A GET, with a bearer token where one is given."""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n{bearer}\r\n".encode()


def post(path: str, token: str, body: Mapping[str, object]) -> bytes:
    """A POST of JSON with a bearer token."""
    sent = json.dumps(body, ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


async def in_turn(connections: Sequence[Connection], requests: Sequence[bytes], seconds: float) -> tuple[int, float]:
    """A closed loop: every connection asks again as soon as it is answered. (answers, seconds); each request once.

    Ends early where the requests run out.
    """
    supply = iter(requests)
    begun = time.perf_counter()
    done = 0

    async def one(connection: Connection) -> None:
        nonlocal done
        while time.perf_counter() - begun < seconds:
            request = next(supply, None)
            if request is None:
                return
            await connection.ok(request)
            done += 1

    async with asyncio.timeout(seconds + _WAIT):
        await asyncio.gather(*map(one, connections))
    return done, time.perf_counter() - begun


async def at_rate(connections: Sequence[Connection], requests: Sequence[bytes], rate: float) -> list[float]:
    """An open loop: a request every 1/`rate` seconds, whatever is answered. Seconds from when each was due.

    Waiting for a free connection counts: that is what a closed loop hides.
    """
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    for connection in connections:
        free.put_nowait(connection)
    begun = time.perf_counter()
    waited: list[float] = []

    async def one(number: int, request: bytes) -> None:
        connection = await free.get()
        await connection.ok(request)
        waited.append(time.perf_counter() - begun - number / rate)
        free.put_nowait(connection)

    async with asyncio.timeout(len(requests) / rate + _WAIT), asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            ahead = begun + number / rate - time.perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
            group.create_task(one(number, request))
    return waited


def repeated(requests: Sequence[bytes], count: int) -> list[bytes]:
    """`count` requests, the same ones over and over."""
    return list(islice(cycle(requests), count))


async def answers(port: int, path: str, patience: float = 60.0) -> None:
    """Waits until the service answers 200 there. Raises TimeoutError."""
    async with asyncio.timeout(patience):
        while True:
            with suppress(OSError, Broken):
                [connection] = await connect(port, 1)
                try:
                    await connection.ok(get(path))
                    return
                finally:
                    connection.close()
            await asyncio.sleep(0.1)
