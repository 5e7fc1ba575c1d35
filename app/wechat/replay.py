"""Takes what waits in the spool into the database, the oldest first, each message as if it had just come.

Every process that serves does it, and the worker: whoever of the host has the spool's lock. Under its key a message has
its effect once, whatever stops in between; its limits run from when it came.
"""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto
from math import inf

from app.base import log
from app.base.db import unreachable
from app.base.running.patience import within
from app.base.running.reach import Reach, answers, full
from app.base.secrets import Vault
from app.base.spool import Spool, group
from app.base.work import Opener
from app.domain.errors import Busy
from app.wechat import inbound
from app.wechat.accounts import Account, Accounts
from app.wechat.intake import Arrival, Intake, Push, handle, keep
from app.wechat.messages import BadPush, read
from app.wechat.spool import Spooled, unseal

EVERY = 1.0
"""Seconds between two looks into the spool."""
HANDLING_SECONDS = 10.0
TRIES = 5
"""A message whose handling breaks the connection or takes too long that often, though the database answers, is kept for
an administrator; a file that can't be read that often is set aside."""
SLOW = 2
"""So many that were not done in time end a round; the next one begins behind them."""
_OF_THE_HOST = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""No file can be read then: it is none's own fault."""

_logger = log.get(__name__)


class _Fate(Enum):
    DONE = auto()
    HELD = auto()
    SLOW = auto()
    AWAY = auto()


class Replayer:
    """Empties one spool. Any number of processes may call `once`; one of a host works, the others do nothing."""

    def __init__(
        self, vault: Vault, spool: Spool, accounts: Accounts | None = None, reach: Reach | None = None
    ) -> None:
        self._vault = vault
        self._spool = spool
        self._accounts = accounts or Accounts(vault)
        self._reach = reach or Reach()
        self._tries: dict[str, int] = {}
        self._behind: str | None = None

    async def once(self, opener: Opener) -> int:
        """Takes in what waits, as far as the database lets it; returns how many."""
        if self._reach.away or not await asyncio.to_thread(self._spool.refresh):
            return 0
        with self._spool.turn() as mine:
            done = await self._round(opener) if mine else 0
        if done and not await asyncio.to_thread(self._spool.refresh):
            _logger.error("spool empty again", replayed=done)
        return done

    async def _round(self, opener: Opener) -> int:
        names = _turned(await asyncio.to_thread(self._spool.oldest_first), self._behind)
        # Of whom one message could not be done, the later ones wait: they keep their order.
        held: set[str] = set()
        done = slow = 0
        for name in names:
            if group(name) in held:
                continue
            fate = await self._one(opener, name)
            if fate is _Fate.DONE:
                done += 1
                continue
            held.add(group(name))
            if fate is _Fate.AWAY:
                self._reach.lost(opener)
                break
            if fate is _Fate.SLOW:
                slow, self._behind = slow + 1, group(name)
                if slow >= SLOW:
                    break
        return done

    async def _one(self, opener: Opener, name: str) -> _Fate:
        try:
            content = await asyncio.to_thread(self._spool.read, name)
        except OSError as error:
            return await self._unread(name, error)
        if content is None:
            return _Fate.DONE
        try:
            message = unseal(self._vault, name, content)
            account = await self._accounts.find(message.appid, opener)
            if account is None:
                raise ValueError("no such account")
            push = _push(account, message)
        except Busy:
            return _Fate.AWAY
        except (ValueError, KeyError, TypeError, BadPush) as error:
            return await self._aside(name, error)
        fate = await self._handled(opener, name, push)
        if fate is _Fate.DONE:
            await asyncio.to_thread(self._spool.drop, name)
            self._tries.pop(name, None)
        return fate

    async def _handled(self, opener: Opener, name: str, push: Push) -> _Fate:
        try:
            await within(HANDLING_SECONDS, handle(opener, push, late=True))
        except Exception as error:
            if full(error) or not await answers(opener):
                return _Fate.AWAY
            fate = await self._failed(opener, name, push, error)
            return _Fate.SLOW if fate is _Fate.HELD and isinstance(error, TimeoutError) else fate
        return _Fate.DONE

    async def _unread(self, name: str, error: OSError) -> _Fate:
        if error.errno in _OF_THE_HOST:
            return _Fate.HELD
        self._tries[name] = tries = self._tries.get(name, 0) + 1
        _logger.error("spooled message not read", file=name, tries=tries, reason=type(error).__name__)
        return _Fate.HELD if tries < TRIES else await self._aside(name, error)

    async def _aside(self, name: str, why: Exception) -> _Fate:
        _logger.error("spooled message set aside", file=name, reason=type(why).__name__)
        try:
            await asyncio.to_thread(self._spool.set_aside, name)
        except OSError as error:
            _logger.error("spooled message not set aside", file=name, reason=type(error).__name__)
            return _Fate.HELD
        self._tries.pop(name, None)
        return _Fate.DONE

    async def _failed(self, opener: Opener, name: str, push: Push, error: Exception) -> _Fate:
        """The database is there, and yet this message can't be put into it."""
        self._tries[name] = tries = self._tries.get(name, 0) + 1
        told = {"reason": type(error).__name__} if unreachable(error) else {"exc_info": error}
        _logger.error("spooled message failed", file=name, tries=tries, **told)
        if tries < TRIES:
            return _Fate.HELD
        entry = push.entry if push.message is None else inbound.failed(push.message, push.entry.raw, late=True)
        try:
            await within(HANDLING_SECONDS, keep(opener, push.account, entry, push.arrival.at))
        except TimeoutError:
            return _Fate.HELD
        except Exception as again:
            return await self._aside(name, again)
        return _Fate.DONE


@asynccontextmanager
async def replaying(intake: Intake, opener: Opener) -> AsyncIterator[None]:
    """While inside, the accounts' keys are known before the first message, and the spool is emptied."""
    await intake.accounts.learn(opener)
    task = asyncio.create_task(_replay(intake, opener))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        await intake.reach.close()


async def _replay(intake: Intake, opener: Opener) -> None:
    if intake.spool is None:
        return
    replayer = Replayer(intake.vault, intake.spool, intake.accounts, intake.reach)
    while True:
        try:
            await replayer.once(opener)
        except Exception as error:
            _logger.error("spool not replayed", exc_info=error)
        await asyncio.sleep(EVERY)


def _turned(names: list[str], behind: str | None) -> list[str]:
    """The groups that come after `behind` first; each group keeps its order."""
    first: dict[str, int] = {}
    for at, name in enumerate(names):
        first.setdefault(group(name), at)
    cut = first.get(behind, -1) if behind else -1
    return sorted(names, key=lambda name: first[group(name)] <= cut)


def _push(account: Account, message: Spooled) -> Push:
    """As it was before it was spooled. Raises BadPush."""
    arrival = Arrival(message.received_at, inf)
    if message.problem is not None:
        return Push(account, inbound.nameless(message.raw, message.problem), None, arrival)
    read_again = read(message.raw)
    return Push(account, inbound.entry_of(read_again, message.raw), read_again, arrival)
