"""The engine, and the one way to open Work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.base.clock import Clock
from app.base.work import Work
from app.domain.policy import Actor

_SESSION = {
    "timezone": "UTC",
    # Sessions that hang in a transaction hold row locks: the server ends them.
    "idle_in_transaction_session_timeout": "60000",
    # Compiling a statement costs over 100 ms here, more than any of ours takes.
    "jit": "off",
}
_READ = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Database:
    """An engine with the business clock of its process."""

    def __init__(self, url: str, clock: Clock, *, pool_size: int = 10) -> None:
        self.clock = clock
        self.engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=0,
            # WeChat hangs up after 5 s: whoever has waited 2 s for a connection is turned away while it can be heard.
            pool_timeout=2,
            # Parameters hold what people wrote: they have no place in logs.
            hide_parameters=True,
            connect_args={"server_settings": _SESSION},
        )

    @asynccontextmanager
    async def open_work(self, actor: Actor, *, read: bool = False) -> AsyncIterator[Work]:
        """One transaction: READ COMMITTED to write; with `read` REPEATABLE READ, so that a page's figures agree."""
        async with self.engine.connect() as conn:
            if read:
                conn = await conn.execution_options(**_READ)
            async with conn.begin():
                yield Work(conn, self.clock.business(), actor)

    async def close(self) -> None:
        await self.engine.dispose()


def place_of(url: str) -> str:
    """Which database a URL names, whoever asks for it: host (or folder of the socket), port and name.

    Raises ValueError where it is no URL of a database.
    """
    try:
        parts = make_url(url)
    except ArgumentError as error:
        raise ValueError("no URL of a database") from error
    given = parts.query.get("host", "")
    host = parts.host or (given if isinstance(given, str) else ",".join(given)) or "localhost"
    if host in {"127.0.0.1", "::1"}:
        host = "localhost"
    return f"{host}:{parts.port or 5432}/{parts.database or parts.username or ''}"


def unreachable(error: BaseException) -> bool:
    """Whether an error says that the database is away, full, or has no connection left: nothing can be kept there."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | PoolTimeout)
    # PostgreSQL, Appendix A: 08 connection, 53 resources, 57P shutdown and start-up.
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or state.startswith(("08", "53", "57P"))
