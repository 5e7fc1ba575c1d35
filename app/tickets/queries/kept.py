"""Messages of the official accounts that wait for an administrator, and those that one has seen to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema.people import citizens, identities, staff
from app.schema.tickets import tickets
from app.schema.wechat import accounts, inbound

a, i, t = accounts.c, inbound.c, tickets.c

State = Literal["waiting", "settled"]

# As the partial index has it: a parameter would not be known to be the same.
_KEPT: ColumnElement[bool] = literal_column("inbound.outcome = 'kept'")


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    appid: str
    name: str
    division_id: int


@dataclass(frozen=True, slots=True)
class Kept:
    """One message, with what is known of its sender and of what became of it. Times are aware (UTC)."""

    id: int
    account_id: int
    key: str
    openid: str | None
    received_at: datetime
    problem: str | None
    raw: bytes
    reply: str | None
    settled_at: datetime | None
    citizen_name: str | None
    citizen_phone: str | None
    number: str | None
    settled_by_username: str | None
    settled_by_name: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page: `after` the id of the last one of the page before, 0 for the first page."""

    state: State
    limit: int
    after: int


_JOINED: Mapping[str, ColumnElement[Any]] = {
    "citizen_name": citizens.c.name,
    "citizen_phone": citizens.c.phone,
    "number": t.number,
    "settled_by_username": staff.c.username,
    "settled_by_name": staff.c.name,
}
_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(
    _JOINED[field.name] if field.name in _JOINED else i[field.name] for field in fields(Kept)
)
_SOURCE = (
    inbound.outerjoin(identities, and_(identities.c.account_id == i.account_id, identities.c.openid == i.openid))
    .outerjoin(citizens, citizens.c.id == identities.c.citizen_id)
    .outerjoin(tickets, t.id == i.ticket_id)
    .outerjoin(staff, staff.c.id == i.settled_by)
)


async def all_accounts(conn: AsyncConnection) -> list[Account]:
    """The official accounts, without their keys."""
    return [Account(*row) for row in await conn.execute(select(a.id, a.appid, a.name, a.division_id).order_by(a.id))]


async def page(conn: AsyncConnection, account_ids: Sequence[int], wanted: Wanted) -> list[Kept]:
    """Those of the accounts, one more than the limit where there are more.

    Those that wait come the oldest first, the others the newest first. What became a confidential ticket is not told
    of: its words are for the inspectors alone.
    """
    query = select(*_COLUMNS).select_from(_SOURCE).where(i.account_id.in_(account_ids)).limit(wanted.limit + 1)
    if wanted.state == "waiting":
        query = query.where(_KEPT, i.settled_at.is_(None), i.id > wanted.after).order_by(i.id)
    else:
        query = query.where(i.settled_at.is_not(None), or_(t.id.is_(None), ~t.confidential)).order_by(i.id.desc())
        if wanted.after:
            query = query.where(i.id < wanted.after)
    return [Kept(*row) for row in await conn.execute(query)]


async def one(conn: AsyncConnection, account_id: int, key: str, *, lock: bool = False) -> Kept | None:
    """The message of that key, if it was ever for an administrator; `lock`: nobody else sees to it meanwhile."""
    query: Any = select(*_COLUMNS).select_from(_SOURCE).where(i.account_id == account_id, i.key == key)
    query = query.where(or_(_KEPT, i.settled_at.is_not(None)))
    if lock:
        query = query.with_for_update(of=inbound)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else Kept(*row)


async def filed(conn: AsyncConnection, row_id: int, ticket_id: int, staff_id: int, now: datetime) -> None:
    """A ticket was made of it; whoever sent it learns the number with the next message."""
    values = {"outcome": "done", "ticket_id": ticket_id, "untold": i.openid.is_not(None)}
    await _settle(conn, row_id, staff_id, now, values)


async def settled(conn: AsyncConnection, row_id: int, staff_id: int, now: datetime, text: str | None) -> None:
    """No ticket is needed; `text`: what whoever sent it reads with the next message."""
    values = {} if text is None else {"reply": text, "untold": i.openid.is_not(None)}
    await _settle(conn, row_id, staff_id, now, values)


async def _settle(conn: AsyncConnection, row_id: int, staff_id: int, now: datetime, values: dict[str, Any]) -> None:
    changed = {"settled_by": staff_id, "settled_at": now} | values
    await conn.execute(update(inbound).where(i.id == row_id).values(**changed))
