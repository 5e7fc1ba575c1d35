"""An authentic push gets its answer in time: from the database, or, while that is away, from the spool.

What is spooled is handled by `app.wechat.replay` as soon as the database is back, under the same key. So it does no
harm to spool a message whose transaction may have been committed after all: the replay finds it done.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Self

from app.base import log
from app.base.clock import Clock
from app.base.db import unreachable
from app.base.running.patience import within
from app.base.running.reach import Reach, dropped
from app.base.secrets import Vault
from app.base.spool import Spool, SpoolFull, group
from app.base.work import Opener
from app.domain.errors import Busy
from app.domain.policy import SYSTEM
from app.wechat import inbound
from app.wechat.accounts import Account, Accounts
from app.wechat.messages import Message
from app.wechat.queries import Entry
from app.wechat.spool import Spooled, name_of, seal

ANSWER_SECONDS = 3.5
"""From when a push arrived; the rest of WeChat's 5 (被动回复用户消息) is for the spool's disk and the way back."""

_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a push came, in business time, aware; and until when the database has time (monotonic clock, seconds)."""

    at: datetime
    until: float

    @classmethod
    def now(cls, clock: Clock) -> Self:
        return cls(clock.business(), monotonic() + ANSWER_SECONDS)


@dataclass(frozen=True, slots=True)
class Push:
    """An authentic push. `entry` is how it is stored before it is handled; `message` None: it could not be read."""

    account: Account
    entry: Entry
    message: Message | None
    arrival: Arrival


class Intake:
    """What the webhook of one process has in memory: the accounts' keys, the spool, whether the database answers."""

    def __init__(self, vault: Vault, spool: Spool | None) -> None:
        """Without a spool what can't be stored at once is refused: WeChat then delivers twice more, and gives up."""
        self.accounts = Accounts(vault)
        self.reach = Reach()
        self.spool = spool
        self.vault = vault
        self.counted: Callable[[str], None] = _uncounted
        """Told of each push what became of it: stored, spooled, refused, forged."""

    async def answer(self, opener: Opener, push: Push) -> str | None:
        """The words that answer it, None for `success`. Raises Busy where it could be put neither here nor there."""
        name = name_of(push.account.appid, push.entry)
        if self.reach.away:
            return await self._spooled(push, name, "away")
        if self.spool is not None and self.spool.holds(group(name)):
            # An earlier message of this citizen waits: this one must not overtake it, if that can be had.
            with suppress(Busy):
                return await self._spooled(push, name, "queued")
        try:
            reply = await self._stored(opener, push)
        except Exception as error:
            if unreachable(error):
                self.reach.lost(opener)
            else:
                _logger.error("push neither handled nor kept", account=push.account.appid, exc_info=error)
            return await self._spooled(push, name, type(error).__name__)
        self.counted("stored")
        return reply

    async def _stored(self, opener: Opener, push: Push) -> str | None:
        try:
            return await within(push.arrival.until - monotonic(), handle(opener, push))
        except Exception as error:
            if not dropped(error):
                raise
        return await within(push.arrival.until - monotonic(), handle(opener, push))

    async def _spooled(self, push: Push, name: str, reason: str) -> str | None:
        account = push.account.appid
        try:
            if self.spool is None:
                raise SpoolFull
            problem = None if push.message is not None else push.entry.problem
            message = Spooled(account, push.entry.raw, push.arrival.at, problem)
            fresh = await asyncio.to_thread(_put, self.spool, self.vault, name, message)
        except (OSError, SpoolFull) as error:
            # Every message comes here then: a traceback each took 13 times the CPU of the refusal, and 3 KB.
            _logger.error("push turned away", account=account, reason=reason, spool=type(error).__name__)
            self.counted("refused")
            raise Busy("database.busy", "系统繁忙，请稍后再试") from error
        if fresh and self.spool.count == 1:
            _logger.error("spool in use", reason=reason)
        _logger.info("push spooled", account=account, reason=reason)
        self.counted("spooled")
        return None if push.message is None else inbound.meanwhile(push.message, push.entry)


async def handle(opener: Opener, push: Push, *, late: bool = False) -> str | None:
    """Does what an authentic push asks for, or keeps it for an administrator where we fail at that.

    `late`: it comes out of the spool. What is raised has left nothing behind.
    """
    account, message, entry = push.account, push.message, push.entry
    received_at = push.arrival.at if late else None
    if message is not None:
        try:
            async with opener(SYSTEM) as work:
                return await inbound.receive(work, account, message, entry, received_at)
        except Exception as error:
            if unreachable(error):
                raise
            _logger.error("push failed", account=account.appid, exc_info=error)
        entry = inbound.failed(message, entry.raw, late=late)
    return await keep(opener, account, entry, received_at)


async def keep(opener: Opener, account: Account, entry: Entry, received_at: datetime | None) -> str | None:
    """Stores a push for an administrator; gives what it is answered."""
    async with opener(SYSTEM) as work:
        reply = await inbound.keep(work, account, entry, received_at)
    _logger.warning("push kept", account=account.appid, problem=entry.problem)
    return reply


def _uncounted(_: str) -> None:
    """For whoever keeps no metrics."""


def _put(spool: Spool, vault: Vault, name: str, message: Spooled) -> bool:
    return spool.put(name, seal(vault, name, message))
