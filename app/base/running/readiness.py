"""Whether the database can be used: reached, and at the schema that this code expects."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.base.running.reasons import why
from app.domain.errors import Busy

SCRIPTS = Path(__file__).parents[3] / "migrations"


@cache
def newest() -> str:
    """The revision that this code expects: the first word of the last script's name (a test asks Alembic, which would
    cost each process that only serves 7 MB)."""
    return max(path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*.py"))


async def at_newest(engine: AsyncEngine) -> bool:
    """Whether the database's schema is the one that this code expects."""
    async with engine.connect() as conn:
        if (await conn.execute(text("SELECT to_regclass('alembic_version')"))).scalar_one() is None:
            return False
        version = await conn.execute(text("SELECT version_num FROM alembic_version"))
        return version.scalar_one_or_none() == newest()


@contextmanager
def reached() -> Iterator[None]:
    """Raises Busy `database.away` where what is asked of the database inside fails."""
    try:
        yield
    except (OSError, SQLAlchemyError, TimeoutError) as error:
        raise Busy("database.away", f"连不上数据库：{why(error)}") from error


async def require(engine: AsyncEngine) -> None:
    """Raises Busy: `database.away` where it can't be reached, `database.old` where its schema is another."""
    with reached():
        newest = await at_newest(engine)
    if not newest:
        raise Busy("database.old", "数据库结构不是这个版本所要的，请先运行 o2o migrate")
