"""Whether the database can be used: reached, and at the schema that this code expects."""

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.base.migrate import at_newest
from app.domain.errors import Busy


async def require(engine: AsyncEngine) -> None:
    """Raises Busy: `database.away` where it can't be reached, `database.old` where its schema is another."""
    try:
        newest = await at_newest(engine)
    except (OSError, SQLAlchemyError, TimeoutError) as error:
        raise Busy("database.away", f"连不上数据库：{_reason(error)}") from error
    if not newest:
        raise Busy("database.old", "数据库结构不是这个版本所要的，请先运行 o2o migrate")


def _reason(error: Exception) -> str:
    # Of SQLAlchemy's text only what the driver said: the rest quotes the statement.
    origin = getattr(error, "orig", None) or error
    return str(origin).splitlines()[0] if str(origin) else type(origin).__name__
