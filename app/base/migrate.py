"""Brings the database to the newest schema; safe to run from several nodes at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

_SCRIPTS = Path(__file__).parents[2] / "migrations"
_LOCK = 430121
"""One advisory lock for all nodes: the second waits, then finds nothing left to do."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    # The configuration expands %: a path may hold one.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def newest() -> str | None:
    """The revision that this code expects."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _upgrade(connection: Connection) -> None:
    connection.execute(text("SET LOCAL lock_timeout = '3s'"))
    command.upgrade(_config(connection), "head")


async def migrate(engine: AsyncEngine) -> None:
    """Runs what is missing, in one transaction under an advisory lock. PostgreSQL >= 15; RuntimeError below."""
    async with engine.begin() as conn:
        version = (await conn.execute(text("SELECT current_setting('server_version_num')::int"))).scalar_one()
        if version < 150000:
            raise RuntimeError(f"需要 PostgreSQL 15 或更新的版本，现在是 {version // 10000}")
        await conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await conn.run_sync(_upgrade)


async def at_newest(engine: AsyncEngine) -> bool:
    """Whether the database's schema is the one that this code expects."""
    async with engine.connect() as conn:
        return await conn.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision()) == newest()
