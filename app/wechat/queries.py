"""The accounts, and every message that came in under its unique key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.tickets import tickets
from app.schema.wechat import accounts, inbound

a, i, t = accounts.c, inbound.c, tickets.c


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

    `raw` is the clear XML where there is one, else the body as it came. `untold`: the sender has not read the reply.
    """

    key: str
    raw: bytes
    outcome: Outcome
    openid: str | None = None
    reply: str | None = None
    problem: str | None = None
    untold: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the first delivery got, if anybody has read it."""

    id: int
    reply: str | None
    untold: bool


@dataclass(frozen=True, slots=True)
class Untold:
    """A message whose reply nobody has read; `number` where it opened a ticket."""

    id: int
    received_at: datetime
    reply: str | None
    number: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a message: the passive reply (None: `success`), and the ticket it was about."""

    reply: str | None
    ticket_id: int | None = None
    outcome: Outcome = Outcome.DONE
    problem: str | None = None


async def all_accounts(conn: AsyncConnection) -> list[StoredAccount]:
    return [StoredAccount(*row) for row in await conn.execute(select(*_ACCOUNT).order_by(a.id))]


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account is registered as at WeChat, on which what it may do depends."""

    appid: str
    kind: str
    certified: bool
    mode: str


_STANDING = tuple(a[name] for name in Standing.__slots__)
# As the partial index ix_inbound_kept has it: a parameter would not be known to be the same.
_KEPT: ColumnElement[bool] = literal_column("outcome = 'kept'")


async def standings(conn: AsyncConnection) -> list[Standing]:
    return [Standing(*row) for row in await conn.execute(select(*_STANDING).order_by(a.id))]


async def kept_waiting(conn: AsyncConnection) -> int:
    """How many messages wait for a person."""
    waiting = select(func.count()).select_from(inbound).where(_KEPT, i.settled_at.is_(None))
    return (await conn.execute(waiting)).scalar_one()


# Built once: what is made anew for each message costs more than its run.
_TAKE = insert(inbound).on_conflict_do_nothing(index_elements=[i.account_id, i.key]).returning(i.id)
_OF_KEY = and_(i.account_id == bindparam("account"), i.key == bindparam("message"))
_REMEMBERED = select(i.id, i.reply, i.untold).where(_OF_KEY)
_FINISH = update(inbound).where(i.id == bindparam("row"))
_ANSWER = update(inbound).where(i.id == bindparam("row")).values(reply=bindparam("words"))
_REMIND = update(inbound).where(_OF_KEY, i.reply.is_not(None)).values(untold=true())
# A ticket that a message opened came when the message came; one that it rated is older.
_OPENED = select(t.number).where(t.id == i.ticket_id, t.received_at == i.received_at).scalar_subquery()
_UNTOLD = (
    select(i.id, i.received_at, i.reply, _OPENED)
    .where(i.account_id == bindparam("account"), i.openid == bindparam("person"), i.untold)
    .order_by(i.id)
    .limit(50)
)


async def take(conn: AsyncConnection, account_id: int, entry: Entry, received_at: datetime) -> int | None:
    """Stores a message and gives its row's id; None for a repeat.

    A repeat that comes while the first is being handled waits here for its commit (the unique row), so that what is
    `remembered` is there.
    """
    row = {"account_id": account_id, "received_at": received_at, "key": entry.key, "openid": entry.openid}
    row |= {"raw": entry.raw, "outcome": entry.outcome, "reply": entry.reply, "problem": entry.problem}
    return (await conn.execute(_TAKE, row | {"untold": entry.untold})).scalar_one_or_none()


async def remembered(conn: AsyncConnection, account_id: int, key: str) -> Remembered:
    """What came of the first delivery."""
    return Remembered(*(await conn.execute(_REMEMBERED, {"account": account_id, "message": key})).one())


async def finish(conn: AsyncConnection, row_id: int, answer: Answer) -> None:
    """Writes beside a message what came of it."""
    result = {"outcome": answer.outcome, "reply": answer.reply, "problem": answer.problem}
    await conn.execute(_FINISH, result | {"ticket_id": answer.ticket_id, "row": row_id})


async def answered(conn: AsyncConnection, row_id: int, reply: str) -> None:
    """Writes another reply beside a message, and nothing else."""
    await conn.execute(_ANSWER, {"row": row_id, "words": reply})


async def untold(conn: AsyncConnection, account_id: int, openid: str) -> list[Untold]:
    """The citizen's messages whose reply nobody has read, the oldest first; 50 at most."""
    return [Untold(*row) for row in await conn.execute(_UNTOLD, {"account": account_id, "person": openid})]


async def told(conn: AsyncConnection, row_ids: Sequence[int]) -> None:
    """The citizen reads these now."""
    await conn.execute(update(inbound).where(i.id.in_(row_ids)).values(untold=False))


async def remind(conn: AsyncConnection, account_id: int, key: str) -> None:
    """Nobody has read the reply to that message: the next one tells it."""
    await conn.execute(_REMIND, {"account": account_id, "message": key})
