"""WeChat's server, played: pushes what citizens send, signed and encrypted in the account's mode, and again."""

import asyncio
import re
from collections.abc import Iterator
from itertools import count
from random import Random

from app.base.clock import machine
from app.demo.cast import Account
from app.demo.office import Astray, Office
from app.wechat import crypto, messages
from app.wechat.crypto import BadPush

_NUMBER = re.compile(r"(?<!\d)\d{8,14}(?!\d)")


class WeChat:
    """Pushes to one service. Counts the messages, the deliveries and the repeats."""

    def __init__(self, office: Office, rng: Random) -> None:
        self.messages = 0
        self.deliveries = 0
        self._office = office
        self._rng = rng
        # 64 bits, as WeChat's; from the moment on, so that no run repeats another's.
        self._ids: Iterator[int] = count(int(machine().timestamp() * 1_000_000) << 8)

    async def say(self, account: Account, openid: str, text: str, *, copies: int = 1, together: bool = False) -> str:
        """What the citizen is answered to `text`, delivered `copies` times (WeChat repeats up to three times).

        `together`: all at once, as after a slow answer. Raises Astray where the answer is none, or differs.
        """
        sent = int(machine().timestamp())
        xml = messages.text_message(account.original_id, openid, text, sent, next(self._ids))
        self.messages += 1
        if together:
            answers = await asyncio.gather(*(self._deliver(account, openid, xml) for _ in range(copies)))
        else:
            answers = [await self._deliver(account, openid, xml) for _ in range(copies)]
        if len(set(answers)) > 1:
            raise Astray(f"{account.name}：同一条消息重复送达，回答不一样：{_short(answers)}")
        return answers[0]

    async def refused(self, account: Account, openid: str, text: str) -> int:
        """The status that a message with a wrong signature is answered with."""
        xml = messages.text_message(account.original_id, openid, text, int(machine().timestamp()), next(self._ids))
        query, body = self._sealed(account, openid, xml)
        query["signature"] = crypto.sign("not the token", query["timestamp"], query["nonce"])
        response = await self._office.send("POST", f"/wechat/{account.keys.appid}", params=query, content=body)
        return response.status_code

    async def _deliver(self, account: Account, openid: str, xml: str) -> str:
        # Sealed anew each time: a repeat has another nonce and signature, but the same MsgId.
        query, body = self._sealed(account, openid, xml)
        path, headers = f"/wechat/{account.keys.appid}", {"Content-Type": "text/xml"}
        response = await self._office.send("POST", path, params=query, content=body, headers=headers)
        self.deliveries += 1
        if response.status_code != 200:
            raise Astray(f"{account.name}：消息应答 200，实际 {response.status_code}")
        try:
            answer = messages.read(crypto.open_reply(account.keys, response.content).encode())
        except BadPush as error:
            raise Astray(f"{account.name}：回答读不懂（{error}）：{response.text[:60]}") from error
        if (answer.to_user, answer.from_user) != (openid, account.original_id) or not answer.content:
            raise Astray(f"{account.name}：回答不是给这位群众的文字")
        return answer.content

    def _sealed(self, account: Account, openid: str, xml: str) -> tuple[dict[str, str], bytes]:
        nonce = str(self._rng.randrange(10**9, 10**10))
        return crypto.seal_push(account.keys, xml, int(machine().timestamp()), nonce, openid)


def number_in(answer: str) -> str | None:
    """The number that the answer to a filed text tells: its first run of 8 to 14 digits (interface.md)."""
    found = _NUMBER.search(answer)
    return found[0] if found else None


def _short(answers: list[str]) -> str:
    return "；".join(answer.replace("\n", " ")[:40] for answer in answers)
