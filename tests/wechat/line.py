"""WeChat's side of the line: an account's pushes, sealed as WeChat seals them, and its replies opened likewise."""

import itertools
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from app.base.clock import machine
from app.wechat.crypto import Keys, open_reply, seal_push
from app.wechat.messages import cdata, leaves, text_message

_ids = itertools.count(24_000_000_000_000_000)
MATTER = "榔梨街道黄兴大道的路灯不亮了"
Rows = Callable[..., Awaitable[list[Any]]]
Do = Callable[..., Awaitable[None]]
Logged = Callable[[], list[dict[str, Any]]]
_NUMBER = re.compile(r"(?<![0-9])[0-9]{8,14}(?![0-9])")
OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"


def number_in(reply: str) -> str:
    """The first run of 8 to 14 digits (interface.md)."""
    found = _NUMBER.search(reply)
    assert found is not None, reply
    return found[0]


@dataclass(frozen=True, slots=True)
class Line:
    """WeChat with one account: pushes and what is answered."""

    client: httpx.AsyncClient
    keys: Keys
    original_id: str
    division_code: str

    async def push(self, xml: str | bytes, *, keys: Keys | None = None, age: int = 0) -> httpx.Response:
        """Posts a message as WeChat does in the account's mode; `age` in seconds, `keys` where another is to sign."""
        stamp = int(machine().timestamp()) - age
        query, body = seal_push(keys or self.keys, xml, stamp, secrets.token_hex(5), OPENID)
        return await self.post(query, body)

    async def post(self, query: dict[str, str], body: bytes) -> httpx.Response:
        return await self.client.post(f"/wechat/{self.keys.appid}", params=query, content=body)

    def text(self, content: str, openid: str = OPENID, msg_id: int | None = None) -> str:
        """A text message of this moment; its own MsgId unless given."""
        stamp = int(machine().timestamp())
        return text_message(self.original_id, openid, content, stamp, next(_ids) if msg_id is None else msg_id)

    def other(self, kind: str, fields: str, openid: str = OPENID) -> str:
        """A message or event of another type, with its own fields as XML."""
        return (
            f"<xml><ToUserName>{cdata(self.original_id)}</ToUserName><FromUserName>{cdata(openid)}</FromUserName>"
            f"<CreateTime>{int(machine().timestamp())}</CreateTime><MsgType>{cdata(kind)}</MsgType>{fields}</xml>"
        )

    async def say(self, content: str, openid: str = OPENID) -> str:
        """What a citizen who writes this is answered."""
        return self.said(await self.push(self.text(content, openid)))

    def said(self, response: httpx.Response) -> str:
        """The words of a passive reply, or `success`."""
        assert response.status_code == 200, response.text
        clear = open_reply(self.keys, response.content)
        return clear if clear == "success" else leaves(clear.encode())["Content"]
