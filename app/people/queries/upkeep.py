"""What is cleared away once it is over, and what is counted for whoever runs the house."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, distinct, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.vocabulary import Role
from app.people.queries import in_force
from app.schema.people import appointments, sessions, sign_in_failures, staff

AT_ONCE = 1000
"""Rows a transaction: nobody waits long for what a sweep has locked."""


async def delete_sessions(conn: AsyncConnection, machine_now: datetime) -> int:
    """Clears away up to a thousand sessions that are over; how many there were."""
    over = _taken([sessions.c.token_digest], sessions.c.expires_at <= machine_now)
    return (await conn.execute(delete(sessions).where(sessions.c.token_digest.in_(over)))).rowcount


async def delete_failures(conn: AsyncConnection, before: datetime) -> int:
    """Likewise failures to sign in whose wait was over by then: the account, or the address, starts anew."""
    f = sign_in_failures.c
    over = _taken([f.username, f.address], f.blocked_until <= before)
    return (await conn.execute(delete(sign_in_failures).where(tuple_(f.username, f.address).in_(over)))).rowcount


def _taken(key: Sequence[ColumnElement[Any]], over: ColumnElement[bool]) -> Select[Any]:
    # SKIP LOCKED: a row that somebody is using, or that another worker is sweeping, is not waited for.
    return select(*key).where(over).limit(AT_ONCE).with_for_update(skip_locked=True)


async def seated(conn: AsyncConnection, now: datetime) -> Mapping[Role, int]:
    """How many active people hold each role."""
    a = appointments.c
    query = select(a.role, func.count(distinct(a.staff_id))).select_from(_held()).where(*_active(now)).group_by(a.role)
    return {Role(role): count for role, count in await conn.execute(query)}


async def entangled(conn: AsyncConnection, now: datetime) -> int:
    """How many active people hold the role of operator or auditor together with any other."""
    a = appointments.c
    apart = func.bool_or(a.role.in_([Role.OPERATOR, Role.AUDITOR]))
    both = (
        select(a.staff_id)
        .select_from(_held())
        .where(*_active(now))
        .group_by(a.staff_id)
        .having(apart, func.count(distinct(a.role)) > 1)
    )
    return int((await conn.execute(select(func.count()).select_from(both.subquery()))).scalar_one())


def _held() -> Any:
    return appointments.join(staff, staff.c.id == appointments.c.staff_id)


def _active(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return in_force(now), staff.c.active
