"""Sign-in of staff. Sessions are opaque, server-side and revocable: no JWT (quality.md, 4)."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.base import secrets
from app.base.clock import machine
from app.base.work import Opener, Work
from app.domain.errors import TooMany, Unknown
from app.domain.policy import PUBLIC, Actor
from app.people import queries

# 19 MiB, t=2, p=1 (OWASP Password Storage Cheat Sheet); the library's default of 64 MiB breaks the memory bar.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
IDLE = timedelta(minutes=30)
LIFE = timedelta(hours=12)
MOST_SESSIONS = 5
# Against an unknown name we hash all the same: the answer takes the same time.
_NOBODY = HASHER.hash("nobody's password")
# One hash at a time: each takes 19 MiB and a core.
_hashing = asyncio.Semaphore(1)


@dataclass(frozen=True, slots=True)
class Token:
    access_token: str
    expires_in: int


async def sign_in(opener: Opener, username: str, password: str, address: str) -> Token:
    """A new session for the right password. The hash runs outside any transaction, in a thread.

    Raises Unknown (one sentence for every reason); TooMany after five failures of that account from the address, or
    twenty of any in 15 minutes.
    """
    async with opener(PUBLIC) as work:
        _refuse_blocked(await queries.blocked_until(work.conn, username, address, machine()))
        login = await queries.login(work.conn, username)
    known = login is not None and login.active and login.password_hash is not None
    async with _hashing:
        await _reserve(opener, username, address)
        right = await asyncio.to_thread(_matches, (login.password_hash if login else None) or _NOBODY, password)
    if login is None or not known or not right:
        raise Unknown("session.refused", "用户名或密码不对")
    async with opener(PUBLIC) as work:
        await queries.clear_failures(work.conn, username, address)
        return await _open_session(work, login.staff_id, machine())


async def _reserve(opener: Opener, username: str, address: str) -> None:
    # Inside the turn for the hash: colleagues behind one address who sign in at once don't use up its attempts.
    async with opener(PUBLIC) as work:
        if await queries.reserve_attempt(work.conn, username, address, machine()):
            return
        until = await queries.blocked_until(work.conn, username, address, machine())
        _refuse_blocked(until or machine())


def _refuse_blocked(until: datetime | None) -> None:
    if until is not None:
        wait = max(0, int((until - machine()).total_seconds())) + 1
        raise TooMany("session.blocked", f"尝试次数太多，请 {wait} 秒后再试", retry_after=wait)


def _matches(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


async def _open_session(work: Work, staff_id: int, now: datetime) -> Token:
    token = secrets.token()
    row = {
        "token_digest": secrets.digest(token),
        "staff_id": staff_id,
        "created_at": now,
        "seen_at": now,
        "expires_at": now + LIFE,
    }
    await queries.insert_session(work.conn, row, MOST_SESSIONS)
    return Token(token, int(LIFE.total_seconds()))


async def actor_of(work: Work, token: str) -> tuple[Actor, bool]:
    """Who holds this token, and whether the session should be touched (last seen over a minute ago).

    Raises Unknown where it is none of ours, over, or idle too long.
    """
    now = machine()
    found = await queries.session(work.conn, secrets.digest(token), now, work.now)
    if found is None or now - found.seen_at > IDLE:
        raise Unknown("session.over", "登录已过期，请重新登录")
    return found.actor, now - found.seen_at > timedelta(minutes=1)


async def touch(work: Work, token: str) -> None:
    await queries.touch_session(work.conn, secrets.digest(token), machine())
