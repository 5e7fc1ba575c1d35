"""Waiting for something no longer than there is time for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# The loop itself holds tasks only weakly.
_given_up: set[asyncio.Task[Any]] = set()


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives, if it ends in time. Raises TimeoutError; it is cancelled then, and ends by itself.

    asyncio.timeout would wait for that end: closing a connection whose server no longer answers takes the driver 2 s
    more (AsyncAdapt_asyncpg_connection), and whoever asked is gone by then.
    """
    task = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=max(seconds, 0.0))
    except asyncio.CancelledError:
        _give_up(task)
        raise
    if not done:
        _give_up(task)
        raise TimeoutError
    return task.result()


def _give_up(task: asyncio.Task[Any]) -> None:
    _given_up.add(task)
    task.add_done_callback(_ended)
    task.cancel()


def _ended(task: asyncio.Task[Any]) -> None:
    _given_up.discard(task)
    if not task.cancelled():
        task.exception()  # nobody else asks for it, and asyncio would complain
