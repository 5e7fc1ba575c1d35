"""Who is who: staff, appointments, sessions, citizens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.county import Node
from app.domain.policy import Actor, ActorKind, Appointment
from app.domain.vocabulary import Role
from app.schema.base import Id, Moment
from app.schema.people import appointments, citizens, identities, sessions, sign_in_failures, staff
from app.schema.wechat import inbound

FREE_FAILURES = 5
FAILURES_OF_ADDRESS = 20
ADDRESS_WINDOW = timedelta(minutes=15)
_ANYBODY = ""
"""Nobody's username: the row of an address, whatever accounts it tries."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a sign-in is checked against."""

    staff_id: int
    password_hash: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class Session:
    actor: Actor
    seen_at: datetime


def in_force(now: datetime) -> ColumnElement[bool]:
    """Appointments that hold at `now`."""
    a = appointments.c
    return and_(a.starts_at <= now, or_(a.ends_at.is_(None), a.ends_at > now))


async def login(conn: AsyncConnection, username: str) -> Login | None:
    s = staff.c
    row = (await conn.execute(select(s.id, s.password_hash, s.active).where(s.username == username))).one_or_none()
    return None if row is None else Login(row.id, row.password_hash, row.active)


async def blocked_until(conn: AsyncConnection, username: str, address: str, now: datetime) -> datetime | None:
    """Until when sign-in to that account, or to any, is closed to the address; None where it is open."""
    f = sign_in_failures.c
    account = and_(f.username == username, f.failures >= FREE_FAILURES)
    whole = and_(f.username == _ANYBODY, f.failures >= FAILURES_OF_ADDRESS)
    held = and_(f.address == address, f.blocked_until > now, or_(account, whole))
    return (await conn.execute(select(func.max(f.blocked_until)).where(held))).scalar_one()


async def reserve_attempt(conn: AsyncConnection, username: str, address: str, now: datetime) -> bool:
    """Counts an attempt as a failure before it is one, so that many at once get no more tries than one by one.

    False where the account or the address is blocked: to be rolled back then.
    """
    return await _reserved_account(conn, username, address, now) and await _reserved_address(conn, address, now)


async def _reserved_account(conn: AsyncConnection, username: str, address: str, now: datetime) -> bool:
    """From the fifth failure on, the account waits 1, 2, 4 … 15 minutes for this address only (ASVS 6.1.1)."""
    f = sign_in_failures.c
    failures = f.failures + 1
    beyond = func.least(func.greatest(failures - FREE_FAILURES, 0), 4)
    minutes = func.least(15, func.power(2, beyond))
    wait = case((failures < FREE_FAILURES, timedelta()), else_=minutes * literal(timedelta(minutes=1)))
    row = upsert(sign_in_failures).values(username=username, address=address, failures=1, blocked_until=now)
    counted = row.on_conflict_do_update(
        index_elements=[f.username, f.address],
        set_={"failures": failures, "blocked_until": literal(now) + wait},
        where=f.blocked_until <= now,
    )
    return (await conn.execute(counted.returning(f.failures))).one_or_none() is not None


async def _reserved_address(conn: AsyncConnection, address: str, now: datetime) -> bool:
    """20 failures in 15 minutes, of whatever accounts. `blocked_until` is where the 15 minutes end, full or not."""
    f = sign_in_failures.c
    over = f.blocked_until <= now
    row = upsert(sign_in_failures).values(
        username=_ANYBODY, address=address, failures=1, blocked_until=now + ADDRESS_WINDOW
    )
    counted = row.on_conflict_do_update(
        index_elements=[f.username, f.address],
        set_={
            "failures": case((over, 1), else_=f.failures + 1),
            "blocked_until": case((over, now + ADDRESS_WINDOW), else_=f.blocked_until),
        },
        where=or_(over, f.failures < FAILURES_OF_ADDRESS),
    )
    return (await conn.execute(counted.returning(f.failures))).one_or_none() is not None


async def clear_failures(conn: AsyncConnection, username: str, address: str) -> None:
    """The attempt was right: the account starts anew, and the address gets back the one that was counted for it."""
    f = sign_in_failures.c
    await conn.execute(delete(sign_in_failures).where(f.username == username, f.address == address))
    counted = and_(f.username == _ANYBODY, f.address == address, f.failures > 0)
    await conn.execute(update(sign_in_failures).where(counted).values(failures=f.failures - 1))


async def insert_session(conn: AsyncConnection, row: Mapping[str, Any], most: int) -> None:
    """Adds a session; beyond `most` a person the oldest end."""
    await conn.execute(insert(sessions).values(**row))
    s = sessions.c
    kept = (
        select(s.token_digest).where(s.staff_id == row["staff_id"]).order_by(s.created_at.desc()).limit(most)
    ).scalar_subquery()
    await conn.execute(delete(sessions).where(s.staff_id == row["staff_id"], s.token_digest.not_in(kept)))


def _session_statement() -> Select[Any]:
    a = appointments.c
    now, machine_now = bindparam("now", type_=Moment), bindparam("machine_now", type_=Moment)
    seat = func.json_build_array(a.role, a.division_id, a.unit_id)
    held = (
        select(func.coalesce(func.json_agg(seat), func.json_build_array()))
        .where(a.staff_id == sessions.c.staff_id, a.starts_at <= now, or_(a.ends_at.is_(None), a.ends_at > now))
        .scalar_subquery()
    )
    return (
        select(sessions.c.seen_at, staff.c.id, staff.c.name, staff.c.username, held.label("held"))
        .select_from(sessions.join(staff, staff.c.id == sessions.c.staff_id))
        .where(sessions.c.token_digest == bindparam("digest"), sessions.c.expires_at > machine_now, staff.c.active)
    )


_SESSION = _session_statement()
"""Built once: it runs before every request of staff."""


async def session(conn: AsyncConnection, digest: str, machine_now: datetime, now: datetime) -> Session | None:
    """Whose session that is, with the appointments in force at `now`; None where it is over. One statement."""
    values = {"digest": digest, "machine_now": machine_now, "now": now}
    row = (await conn.execute(_SESSION, values)).one_or_none()
    if row is None:
        return None
    seats = tuple(Appointment(Role(role), Node(division_id, unit_id)) for role, division_id, unit_id in row.held)
    return Session(Actor(ActorKind.STAFF, row.id, row.name, row.username, seats), row.seen_at)


async def touch_session(conn: AsyncConnection, digest: str, now: datetime) -> None:
    await conn.execute(update(sessions).where(sessions.c.token_digest == digest).values(seen_at=now))


async def staff_by_username(conn: AsyncConnection, username: str) -> tuple[int, str] | None:
    """(id, name) of an active member of staff."""
    s = staff.c
    row = (await conn.execute(select(s.id, s.name).where(s.username == username, s.active))).one_or_none()
    return None if row is None else (row.id, row.name)


async def seats_of(conn: AsyncConnection, staff_id: int, now: datetime) -> tuple[Appointment, ...]:
    """What that person holds now, the oldest first; nothing where they are no longer active."""
    a = appointments.c
    rows = await conn.execute(
        select(a.role, a.division_id, a.unit_id)
        .select_from(appointments.join(staff, staff.c.id == a.staff_id))
        .where(a.staff_id == staff_id, in_force(now), staff.c.active)
        .order_by(a.id)
    )
    return tuple(Appointment(Role(row.role), Node(row.division_id, row.unit_id)) for row in rows)


async def holders(conn: AsyncConnection, role: Role, divisions: Sequence[int], now: datetime) -> list[tuple[int, int]]:
    """(division id, staff id) of everybody in that role at one of the divisions."""
    a = appointments.c
    rows = await conn.execute(
        select(a.division_id, a.staff_id)
        .select_from(appointments.join(staff, staff.c.id == a.staff_id))
        .where(a.role == role, a.division_id.in_(divisions), in_force(now), staff.c.active)
        .order_by(a.staff_id)
    )
    return [(row.division_id, row.staff_id) for row in rows]


@dataclass(frozen=True, slots=True)
class Citizen:
    """A citizen whose row is locked. `grid_id`: the grid they are bound to; `is_new`: not known before this moment.

    `untold`: an earlier message of theirs waited in the spool, and nobody has read the answer to it.
    """

    id: int
    grid_id: int | None
    is_new: bool = False
    untold: bool = False


def _untold(account: Any, openid: Any) -> ColumnElement[bool]:
    return exists().where(inbound.c.account_id == account, inbound.c.openid == openid, inbound.c.untold)


def _known_statement() -> Select[int, int | None, bool]:
    """FOR NO KEY UPDATE: staff who hold a ticket of theirs write rows that name them (a foreign key takes KEY SHARE on
    the citizen), while a rating holds the citizen and waits for the ticket; FOR UPDATE would deadlock there.
    """
    i = identities.c
    return (
        select(citizens.c.id, citizens.c.grid_id, _untold(i.account_id, i.openid).label("untold"))
        .select_from(citizens.join(identities, i.citizen_id == citizens.c.id))
        .where(i.account_id == bindparam("account"), i.openid == bindparam("person"))
        .with_for_update(of=citizens, key_share=True)
    )


def _made_statement() -> Select[int, int | None, bool]:
    """A citizen and an identity in one statement; the second column is NULL where somebody was quicker."""
    made = insert(citizens).values(created_at=bindparam("now", type_=Moment)).returning(citizens.c.id).cte("made")
    identity = select(bindparam("account", type_=Id), bindparam("person", type_=Text()), made.c.id)
    added = (
        upsert(identities)
        .from_select(["account_id", "openid", "citizen_id"], identity)
        .on_conflict_do_nothing()
        .returning(identities.c.citizen_id)
        .cte("added")
    )
    untold = _untold(bindparam("account", type_=Id), bindparam("person", type_=Text()))
    return select(made.c.id, added.c.citizen_id, untold).select_from(made.outerjoin(added, true()))


_KNOWN = _known_statement()
_MADE = _made_statement()


async def citizen_of(conn: AsyncConnection, account_id: int, openid: str, now: datetime) -> Citizen:
    """The citizen known there by that openid, made where new, locked until the transaction ends.

    The lock takes one person's messages in turn.
    """
    who = {"account": account_id, "person": openid}
    row = (await conn.execute(_KNOWN, who)).one_or_none()
    if row is not None:
        return Citizen(row.id, row.grid_id, untold=row.untold)
    fresh, kept, untold = (await conn.execute(_MADE, who | {"now": now})).one()
    if kept is not None:
        return Citizen(fresh, None, is_new=True, untold=untold)
    # Somebody was quicker: take theirs, and leave no citizen without an identity behind.
    await conn.execute(delete(citizens).where(citizens.c.id == fresh))
    theirs = (await conn.execute(_KNOWN, who)).one()
    return Citizen(theirs.id, theirs.grid_id, untold=theirs.untold)


async def insert_citizen(conn: AsyncConnection, name: str | None, phone: str | None, now: datetime) -> int:
    added = insert(citizens).values(name=name, phone=phone, created_at=now).returning(citizens.c.id)
    return int((await conn.execute(added)).scalar_one())
