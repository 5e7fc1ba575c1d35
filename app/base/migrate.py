"""Brings the database to the newest schema; safe to run from several nodes at once."""

import asyncio

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.base.running.readiness import SCRIPTS

_LOCK = 430121
"""One advisory lock for all nodes: the second waits, then finds nothing left to do."""
_TRY = text("SELECT pg_try_advisory_lock(:lock)")
_PATIENCE = 0.2
"""Seconds between two looks at the lock."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    # The configuration expands %: a path may hold one.
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(_config(connection), "head")


async def migrate(engine: AsyncEngine) -> None:
    """Runs what is missing under an advisory lock, each migration in its own transaction (an index of a table in use is
    built outside of one). PostgreSQL >= 15; RuntimeError below.
    """
    async with engine.connect() as guard, engine.connect() as conn:
        await guard.execution_options(isolation_level="AUTOCOMMIT")
        version = (await guard.execute(text("SELECT current_setting('server_version_num')::int"))).scalar_one()
        if version < 150000:
            raise RuntimeError(f"需要 PostgreSQL 15 或更新的版本，现在是 {version // 10000}")
        # Asked for again and again: whoever waited inside a statement would hold a snapshot, and an index that is
        # built CONCURRENTLY waits for those.
        while not (await guard.execute(_TRY, {"lock": _LOCK})).scalar_one():  # noqa: ASYNC110 - there is nothing to wait for
            await asyncio.sleep(_PATIENCE)
        try:
            await conn.execute(text("SET lock_timeout = '3s'"))
            await conn.commit()
            await conn.run_sync(_upgrade)
        finally:
            # Their sessions end, and with them the lock and the time-out.
            await conn.invalidate()
            await guard.invalidate()
