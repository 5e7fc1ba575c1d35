"""Passwords that come in a file: what is too weak, and hashing, which must not happen inside Work."""

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from argon2.exceptions import InvalidHashError, VerificationError

from app.people.service import HASHER

LEAST, MOST = 12, 128
_LEAST_OWN = 6
"""Characters that must be left of a password without the username in it."""
_MOST_THREADS = 4
"""Each hash takes 19 MiB."""
_COMMON = frozenset(
    {
        *("123456789012", "1234567890123", "12345678901234", "012345678910", "098765432109", "987654321098"),
        *("123456123456", "123456654321", "123123123123", "123456789123", "112233445566", "147258369147"),
        *("password1234", "password12345", "password123456", "passwordpassword", "password@123", "p@ssw0rd1234"),
        *("administrator", "administrator1", "admin1234567", "admin12345678", "admin123456789", "adminadmin123"),
        *("qwertyuiop12", "qwertyuiop123", "qwertyuiopasdf", "qwerty123456", "1qaz2wsx3edc", "1q2w3e4r5t6y"),
        *("qazwsxedcrfv", "asdfghjkl123", "abcdefghijkl", "abc123456789", "abcd12345678", "a123456789012"),
        *("iloveyou1314", "woaini1314520", "woaini123456", "woaini5201314", "5201314520131", "wang123456789"),
        *("welcome12345", "changeme1234", "letmein12345", "test12345678", "zhongguo1949", "changsha0731"),
    }
)
"""Of the long ones that guessers try first; whatever is shorter than LEAST is out already."""


def weakness(password: str, username: str) -> str | None:
    """Why the password won't do, in Chinese, without quoting it (ASVS 6.2.1, 6.2.4, 6.2.11)."""
    if not LEAST <= len(password) <= MOST:
        return f"密码应为 {LEAST} 到 {MOST} 个字符，现有 {len(password)} 个"
    plain = password.casefold()
    if len(plain.replace(username.casefold(), "")) < _LEAST_OWN:
        return "密码不能由用户名组成"
    if plain in _COMMON or len(set(plain)) < 4:
        return "密码太常见，容易被猜中，请换一个"
    return None


async def hashed(
    wanted: Mapping[str, str], stored: Mapping[str, str | None], done: Callable[[int], None]
) -> dict[str, str]:
    """A hash for each username: the stored one where the password has not changed, so that a repeated import changes
    nothing; else a new one. In threads; `done` is told how many are ready."""
    loop = asyncio.get_running_loop()
    found: dict[str, str] = {}
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as pool:
        jobs = {name: loop.run_in_executor(pool, _hash, word, stored.get(name)) for name, word in wanted.items()}
        for count, (name, job) in enumerate(jobs.items(), start=1):
            found[name] = await job
            done(count)
    return found


def _hash(password: str, stored: str | None) -> str:
    if stored is not None:
        try:
            HASHER.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return HASHER.hash(password)
        if not HASHER.check_needs_rehash(stored):
            return stored
    return HASHER.hash(password)
