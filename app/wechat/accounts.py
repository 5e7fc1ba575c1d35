"""The accounts with their keys, in memory: the webhook asks the database for none of them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from app.base import log
from app.base.db import unreachable
from app.base.running.patience import within
from app.base.secrets import Vault
from app.base.work import Opener, Work
from app.domain.errors import Busy, Invalid
from app.domain.policy import SYSTEM
from app.domain.vocabulary import AccountMode
from app.wechat import queries
from app.wechat.crypto import Keys
from app.wechat.queries import StoredAccount

FRESH_SECONDS = 5.0
UNKNOWN_SECONDS = 1.0
"""Whoever asks for accounts that do not exist makes us look at most once a second."""
LOOK_SECONDS = 1.0
"""What one look may take: a message waits for it, and WeChat hangs up after 5."""

_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """One official account. `original_id` (gh_…) is whom its messages are addressed to."""

    id: int
    original_id: str
    division_id: int
    keys: Keys

    @property
    def appid(self) -> str:
        return self.keys.appid


class Accounts:
    """The accounts of one application. `tick` counts seconds and never goes back, whatever is done to the clock.

    While the database is away the accounts known before go on being known: their messages can still be authenticated.
    """

    def __init__(self, vault: Vault, tick: Callable[[], float] = monotonic) -> None:
        self._vault = vault
        self._tick = tick
        self._known: dict[str, Account] = {}
        self._tried: float | None = None
        self._away = False
        self._turn = asyncio.Lock()

    async def learn(self, opener: Opener) -> None:
        """Reads the accounts before anybody asks: whose keys are not known can't even be spooled."""
        async with self._turn:
            await self._reload(opener)

    async def find(self, appid: str, opener: Opener) -> Account | None:
        """The account, at most 5 seconds old; None for an unknown one. Raises Busy where that can't be told."""
        found = self._known.get(appid)
        patience = UNKNOWN_SECONDS if found is None else FRESH_SECONDS
        if self._due(patience) and (found is None or not self._turn.locked()):
            async with self._turn:
                if self._due(patience):
                    await self._reload(opener)
            found = self._known.get(appid)
        if found is None and self._away:
            raise Busy("database.busy", "系统繁忙，请稍后再试")
        return found

    def _due(self, seconds: float) -> bool:
        return self._tried is None or self._tick() - self._tried >= seconds

    async def _reload(self, opener: Opener) -> None:
        try:
            rows = await within(LOOK_SECONDS, _rows(opener))
        except Exception as error:
            self._away = True
            told = {"reason": type(error).__name__} if unreachable(error) else {"exc_info": error}
            _logger.error("accounts not read", **told)
        else:
            self._away = False
            self._known = self._opened(rows)
        # Not before: whoever asks for an account while the first look is under way must wait for it.
        self._tried = self._tick()

    def _opened(self, rows: Sequence[StoredAccount]) -> dict[str, Account]:
        found: dict[str, Account] = {}
        broken = []
        for row in rows:
            try:
                found[row.appid] = _account(self._vault, row)
            except ValueError:
                broken.append(row.appid)
        if broken:
            # O2O_SECRET_KEY was changed, or rows were copied: the others must go on working.
            _logger.error("accounts can't be unsealed", appids=broken)
        return found


async def _rows(opener: Opener) -> list[StoredAccount]:
    async with opener(SYSTEM) as work:
        return await queries.all_accounts(work.conn)


async def require_key(work: Work, vault: Vault) -> None:
    """Raises Invalid where an account's secrets do not open: with a wrong key every message would be turned away."""
    if await unopened(work, vault):
        raise Invalid("secret_key.other", "公众号的密钥打不开：O2O_SECRET_KEY 和导入公众号时的不是同一个")


async def unopened(work: Work, vault: Vault) -> list[str]:
    """The appids of the accounts whose secrets do not open."""
    broken = []
    for row in await queries.all_accounts(work.conn):
        try:
            _account(vault, row)
        except ValueError:
            broken.append(row.appid)
    return broken


def place(column: str, appid: str) -> str:
    """Where a sealed value of an account lives (see Vault)."""
    return f"account.{column}.{appid}"


def _account(vault: Vault, row: StoredAccount) -> Account:
    sealed = {name: getattr(row, name) for name in ("token", "encoding_aes_key", "previous_aes_key")}
    clear = {
        name: None if value is None else vault.open(value, place(name, row.appid)) for name, value in sealed.items()
    }
    keys = Keys(
        appid=row.appid,
        token=clear["token"] or "",
        encoding_aes_key=clear["encoding_aes_key"] or "",
        previous_aes_key=clear["previous_aes_key"],
        mode=AccountMode(row.mode),
    )
    return Account(row.id, row.original_id, row.division_id, keys)
