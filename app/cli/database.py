"""The database of a command: the one that is set, or the embedded one, held while the command runs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext

import typer

from app.base.clock import Clock
from app.base.db import Database
from app.base.embedded import dsn, lease
from app.base.embedded.guard import guarded
from app.base.running import readiness
from app.cli import settings as configuration
from app.domain.errors import Busy
from app.domain.policy import SYSTEM
from app.limits.service import seed_calendar
from app.settings import Settings
from app.wechat.accounts import require_key

commands = typer.Typer(help="数据库", no_args_is_help=True)

NONE_YET = "还没有数据库，请先运行 o2o migrate"


def _on_stderr(sentence: str) -> None:
    typer.echo(sentence, err=True)


@contextmanager
def embedded(settings: Settings, say: Callable[[str], None] = _on_stderr, *, guard: bool = False) -> Iterator[str]:
    """The address of a running database: the embedded one, started if need be and left running while anybody uses it;
    or O2O_DATABASE_URL's, where that is set. `guard`: started again should it be killed. Raises EmbeddedError."""
    if settings.database_url:
        yield settings.database_url
        return
    with lease(settings.data_dir, say=say) as held, guarded(held, settings.data_dir, say) if guard else nullcontext():
        yield held.url


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database, ready to use: reachable and at the newest schema. Raises Busy, EmbeddedError, Invalid."""
    clock = configuration.clock(settings)
    if not settings.database_url and dsn(settings.data_dir) is None:
        raise Busy("database.old", NONE_YET)
    with embedded(settings) as url:
        async with _connected(url, settings, clock) as database:
            await readiness.require(database.engine)
            yield database


def ready(url: str, settings: Settings) -> None:
    """Checks a database, and that our key is its key, before processes are started on it. Raises Busy, Invalid."""
    clock, vault = configuration.clock(settings), configuration.vault(settings)

    async def check() -> None:
        async with _connected(url, settings, clock) as database:
            await readiness.require(database.engine)
            async with database.open_work(SYSTEM, read=True) as work:
                await require_key(work, vault)

    asyncio.run(check())


@asynccontextmanager
async def _connected(url: str, settings: Settings, clock: Clock) -> AsyncIterator[Database]:
    database = Database(url, clock, pool_size=settings.pool_size)
    try:
        yield database
    finally:
        await database.close()


async def bring_up(database: Database) -> None:
    """Brings the database to the newest schema; puts in the published calendar and the first words of what is urgent.
    Raises Busy."""
    from app.base.migrate import migrate  # Alembic: not for those who only serve

    with readiness.reached():
        async with database.engine.connect():
            pass
    try:
        await migrate(database.engine)
    except RuntimeError as error:  # too old a PostgreSQL
        raise Busy("database.old", str(error)) from error
    from app.imports import service as imports  # the readers of workbooks: likewise

    async with database.open_work(SYSTEM) as work:
        await seed_calendar(work)
        await imports.seed(work)


def migrate_() -> None:
    """把数据库升级到最新结构；可以在多台机器上同时运行。"""
    asyncio.run(_migrate(configuration.read()))
    typer.echo("数据库结构已是最新")


async def _migrate(settings: Settings) -> None:
    clock = configuration.clock(settings)
    with embedded(settings) as url:
        async with _connected(url, settings, clock) as database:
            await bring_up(database)


@commands.command()
def url() -> None:
    """打印所用数据库的地址，供 psql 和备份使用（内含密码）。"""
    settings = configuration.read()
    address = settings.database_url or dsn(settings.data_dir)
    if address is None:
        raise Busy("database.old", NONE_YET)
    scheme, _, rest = address.partition("://")
    typer.echo(f"{scheme.partition('+')[0]}://{rest}")
