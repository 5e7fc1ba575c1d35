"""The API as staff use it: sign in once, ask, and insist on the answer that was expected."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Any

import httpx

from app.demo.cast import Cast, User
from app.demo.photos import photo
from app.domain.errors import Busy, Refusal

CONNECTIONS = 8
PATIENCE = 30.0
"""Seconds without an answer after which the service counts as away."""

Json = dict[str, Any]


class Astray(Refusal):
    """The service answered something else than it should have; the sentence says what, for the report."""

    title = "服务的应答不对"

    def __init__(self, detail: str) -> None:
        super().__init__("simulate.astray", detail)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is empty where it was no JSON object."""

    status: int
    media_type: str
    body: Json
    headers: Mapping[str, str]


class Office:
    """The connections to one service, and who has signed in on them. Counts the requests."""

    def __init__(self, client: httpx.AsyncClient, cast: Cast) -> None:
        self.requests = 0
        self.slowest = 0.0
        self._client = client
        self._cast = cast
        self._tokens: dict[str, asyncio.Task[str]] = {}

    async def ask(
        self, user: User | None, method: str, path: str, body: Json | None = None, headers: Mapping[str, str] = {}
    ) -> Answer:
        """One request as `user` (None: nobody signed in), whatever comes back. Raises Busy where it is away."""
        sent = dict(headers)
        if user is not None:
            sent["Authorization"] = f"Bearer {await self._token(user)}"
        response = await self.send(method, path, json=body, headers=sent)
        return _read(response)

    async def expect(
        self,
        status: int,
        user: User | None,
        method: str,
        path: str,
        body: Json | None = None,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        """One request that has to be answered with `status`. Raises Astray, Busy."""
        answer = await self.ask(user, method, path, body, headers)
        if answer.status != status:
            who = user.username if user else "未登录者"
            said = answer.body.get("detail", "")
            raise Astray(f"{who} {method} {path}：应答 {status}，实际 {answer.status} {said}")
        return answer

    async def get(self, user: User, path: str) -> Any:
        """The JSON of a GET that has to succeed, of whatever shape. Raises Astray, Busy."""
        headers = {"Authorization": f"Bearer {await self._token(user)}"}
        response = await self.send("GET", path, headers=headers)
        if response.status_code != 200:
            raise Astray(f"{user.username} GET {path}：应答 200，实际 {response.status_code}")
        return response.json()

    async def photo(self, user: User, rng: Random) -> str:
        """The id of a photo that the user has sent. Raises Astray, Busy."""
        headers = {"Authorization": f"Bearer {await self._token(user)}"}
        sent = {"file": ("IMG_0001.JPG", photo(rng), "image/jpeg")}
        response = await self.send("POST", "/api/v1/files", files=sent, headers=headers)
        if response.status_code != 201:
            raise Astray(f"{user.username} 上传照片：应答 201，实际 {response.status_code}")
        return str(response.json()["id"])

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One bare request. Raises Busy where the service is away."""
        started = perf_counter()
        try:
            response = await self._client.request(method, path, **more)
        except httpx.TransportError as error:
            kind = type(error).__name__
            detail = f"连不上服务 {self._cast.base_url}（{kind}）：请先在另一个终端运行 make demo（或 o2o demo）"
            raise Busy("simulate.away", detail) from error
        self.requests += 1
        self.slowest = max(self.slowest, perf_counter() - started)
        return response

    async def _token(self, user: User) -> str:
        """The user's session; whoever asks first opens it, and the others wait for the same one."""
        if user.username not in self._tokens:
            self._tokens[user.username] = asyncio.create_task(self._sign_in(user))
        return await asyncio.shield(self._tokens[user.username])

    async def _sign_in(self, user: User) -> str:
        credentials = {"username": user.username, "password": user.password}
        response = await self.send("POST", "/api/v1/sessions", json=credentials)
        if response.status_code != 200:
            why = "demo.json 与服务对不上，请重新启动 o2o demo"
            if response.status_code != 401:
                why = _read(response).body.get("detail", "服务没有说明原因，请看它的日志")
            raise Busy("simulate.sign_in", f"{user.username} 登录不了（{response.status_code}）：{why}")
        return str(response.json()["access_token"])


def client(cast: Cast) -> httpx.AsyncClient:
    """The connections of a simulation: a bounded number, never through a proxy."""
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    # All who act share these few, so waiting for a free one is no fault of the service.
    timeout = httpx.Timeout(PATIENCE, pool=None)
    return httpx.AsyncClient(base_url=cast.base_url, limits=limits, timeout=timeout, trust_env=False)


def _read(response: httpx.Response) -> Answer:
    media_type = response.headers.get("content-type", "").partition(";")[0]
    body = response.json() if media_type.endswith("json") else {}
    return Answer(response.status_code, media_type, body if isinstance(body, dict) else {}, response.headers)
