"""WeChat's server for the drills: one message of one citizen, its deliveries, and what was answered to each.

It keeps WeChat's rule (被动回复用户消息): no answer within 5 seconds, or none at all, and the same message is delivered
again, three times in all, some 5 seconds apart. Whether it repeats after an HTTP error is not published; here it does.
"""

import asyncio
import itertools
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import httpx

from app.base.clock import machine
from app.demo.cast import Account
from app.demo.wechat_push import number_in
from app.wechat import crypto, messages
from app.wechat.crypto import BadPush

TRIES = 3
APART = 5.0
"""Seconds from one delivery to the next, and the time that an answer has."""
AT_ONCE = 20
"""Citizens who ask for their number at the same time."""

_ids: Iterator[int] = itertools.count(int(machine().timestamp() * 1_000_000) << 8)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery: `answer` in clear, or None with the `trouble`. `began` (monotonic clock), `seconds`."""

    began: float
    seconds: float
    answer: str | None
    trouble: str = ""


@dataclass(slots=True)
class Sent:
    """One line of the client's log: a message, and all of its deliveries so far."""

    account: Account
    openid: str
    text: str
    xml: str = field(repr=False)
    deliveries: list[Delivery] = field(default_factory=list)
    later: str | None = None
    """The number that the answer to the citizen's next message told."""

    @property
    def key(self) -> str:
        """By what the service knows the message again."""
        return messages.dedup_key(messages.read(self.xml.encode()))

    @property
    def answers(self) -> list[str]:
        return [delivery.answer for delivery in self.deliveries if delivery.answer is not None]

    @property
    def number(self) -> str | None:
        """The number that the citizen was told, by the answer or with the next message."""
        return (number_in(self.answers[0]) if self.answers else None) or self.later

    def quarrels(self) -> bool:
        """Whether two deliveries were answered differently."""
        return len(set(self.answers)) > 1


def write(account: Account, openid: str, text: str) -> Sent:
    """A message of this moment, not yet delivered."""
    sent = int(machine().timestamp())
    return Sent(account, openid, text, messages.text_message(account.original_id, openid, text, sent, next(_ids)))


async def deliver(client: httpx.AsyncClient, sent: Sent, patience: float) -> Delivery:
    """One delivery, put down in the message's log. `patience` in seconds, connecting included."""
    # Sealed anew each time: a repeat has another nonce and signature, and the same MsgId.
    stamp, keys = int(machine().timestamp()), sent.account.keys
    query, body = crypto.seal_push(keys, sent.xml, stamp, secrets.token_hex(5), sent.openid)
    began = perf_counter()
    answer, trouble = None, ""
    try:
        async with asyncio.timeout(patience):
            headers = {"Content-Type": "text/xml"}
            response = await client.post(f"/wechat/{keys.appid}", params=query, content=body, headers=headers)
        answer = _words(sent, response)
    except TimeoutError:
        trouble = f"no answer within {patience:.0f} s"
    except httpx.TransportError as error:
        trouble = type(error).__name__
    except BadPush as error:
        trouble = f"unreadable answer: {error.detail}"
    except _RefusedError as refused:
        trouble = str(refused)
    done = Delivery(began, perf_counter() - began, answer, trouble)
    sent.deliveries.append(done)
    return done


async def deliver_as_wechat_does(client: httpx.AsyncClient, sent: Sent) -> None:
    """Up to three deliveries, until one is answered."""
    for attempt in range(TRIES):
        done = await deliver(client, sent, APART)
        if done.answer is not None or attempt == TRIES - 1:
            return
        await asyncio.sleep(max(0.0, APART - done.seconds))


async def ask_for_numbers(client: httpx.AsyncClient, log: Sequence[Sent]) -> list[Sent]:
    """Whoever was answered without a number writes again, which files nothing; that answer tells what is owed.

    Gives those messages, which are not in the log.
    """
    turns = asyncio.Semaphore(AT_ONCE)

    async def thanks(sent: Sent) -> Sent:
        async with turns:
            again = write(sent.account, sent.openid, "谢谢")
            await deliver_as_wechat_does(client, again)
        sent.later = number_in(again.answers[0]) if again.answers else None
        return again

    return await asyncio.gather(*(thanks(sent) for sent in log if sent.answers and sent.number is None))


def openids(salt: str) -> Iterator[str]:
    """Openids of 28 characters, as WeChat's, of one run alone."""
    return (f"oDrill{salt[:8]:0<8}{number:014d}" for number in itertools.count(1))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of all lie, by nearest rank; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class _RefusedError(Exception):
    """Answered, but not as WeChat would take it."""


def _words(sent: Sent, response: httpx.Response) -> str:
    """What the citizen reads; "success" where nothing. Raises _RefusedError, BadPush."""
    if response.status_code != 200:
        raise _RefusedError(f"HTTP {response.status_code}")
    clear = crypto.open_reply(sent.account.keys, response.content)
    if clear in ("", "success"):
        return clear
    reply = messages.read(clear.encode())
    if (reply.to_user, reply.from_user) != (sent.openid, sent.account.original_id) or not reply.content:
        raise _RefusedError("the answer is not for this citizen")
    return reply.content
