"""The accounts, and every message that came in under its unique key."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.wechat import accounts, inbound

a, i = accounts.c, inbound.c


class Outcome(StrEnum):
    """`kept`: the raw message waits for an administrator."""

    DONE = auto()
    KEPT = auto()


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account's row as far as messages need it; `token` and the AES keys are sealed."""

    id: int
    appid: str
    original_id: str
    division_id: int
    mode: str
    token: str
    encoding_aes_key: str
    previous_aes_key: str | None


_ACCOUNT = tuple(a[name] for name in StoredAccount.__slots__)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is stored of one message. `key` is what its repeats share; `problem` says, without persons, why it is kept.

    `raw` is the clear XML where there is one, else the body as it came.
    """

    key: str
    raw: bytes
    outcome: Outcome
    openid: str | None = None
    reply: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a message: the passive reply (None: `success`), and the ticket it was about."""

    reply: str | None
    ticket_id: int | None = None
    outcome: Outcome = Outcome.DONE
    problem: str | None = None


async def all_accounts(conn: AsyncConnection) -> list[StoredAccount]:
    return [StoredAccount(*row) for row in await conn.execute(select(*_ACCOUNT).order_by(a.id))]


# Built once: what is made anew for each message costs more than its run.
_TAKE = insert(inbound).on_conflict_do_nothing(index_elements=[i.account_id, i.key]).returning(i.id)
_REMEMBERED = select(i.reply).where(i.account_id == bindparam("account"), i.key == bindparam("message"))
_FINISH = update(inbound).where(i.id == bindparam("row"))


async def take(conn: AsyncConnection, account_id: int, entry: Entry, now: datetime) -> int | None:
    """Stores a message and gives its row's id; None for a repeat.

    A repeat that comes while the first is being handled waits here for its commit (the unique row), so that what is
    `remembered` is there.
    """
    row = {"account_id": account_id, "received_at": now, "key": entry.key, "openid": entry.openid, "raw": entry.raw}
    row |= {"outcome": entry.outcome, "reply": entry.reply, "problem": entry.problem}
    return (await conn.execute(_TAKE, row)).scalar_one_or_none()


async def remembered(conn: AsyncConnection, account_id: int, key: str) -> str | None:
    """The reply that the first delivery got."""
    return (await conn.execute(_REMEMBERED, {"account": account_id, "message": key})).scalar_one()


async def finish(conn: AsyncConnection, row_id: int, answer: Answer) -> None:
    """Writes beside a message what came of it."""
    result = {"outcome": answer.outcome, "reply": answer.reply, "problem": answer.problem}
    await conn.execute(_FINISH, result | {"ticket_id": answer.ticket_id, "row": row_id})
