"""The database of the tests: real PostgreSQL, migrated, with the demo county in it, a copy for each worker.

What a test gets: `work` for one transaction that is rolled back, `database` where it must commit (what it wrote to
tickets, sessions and the like is deleted after it; the county stays), `blank` and `empty_database` for the
same without a county, `demo` for who is who, `clock` to move time.
"""

import hashlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from app.base import log
from app.base.clock import Clock
from app.base.db import Database
from app.base.embedded import lease
from app.base.migrate import migrate
from app.base.secrets import Vault
from app.base.work import Work
from app.demo.county import DemoCounty, as_csv, generate
from app.domain.policy import SYSTEM, Actor, ActorKind
from app.domain.vocabulary import SHANGHAI
from app.imports import service as imports
from app.limits.service import seed_calendar
from app.people import queries as people
from app.schema import metadata
from app.wechat import accounts, intake

MOMENT = datetime(2026, 9, 22, 10, 0, tzinfo=SHANGHAI)
"""A Tuesday; the Mid-Autumn and National Day holidays follow."""
FOUNDED = datetime(2025, 1, 1, tzinfo=SHANGHAI)
"""When the county was imported: nobody's appointment is younger."""
SECRET_KEY = "test-only-secret-key-never-of-an-installation"
CALENDAR = frozenset({"setting", "calendar_day", "calendar_year", "urgent_word"})
_OF_PEOPLE = {"staff", "appointment", "household", "account"}
COUNTY = (
    CALENDAR | _OF_PEOPLE | {"division", "division_alias", "division_area", "unit", "category", "station", "chat_group"}
)
"""Tables that stay as they are; all others are emptied after a test that commits."""
HOUSEHOLDS = 3_120
"""About one in twenty of the demo's, and at least one in every grid: the rest would only take time."""

_GIVEN = os.environ.get("O2O_TEST_DATABASE_URL") or os.environ.get("O2O_DATABASE_URL", "")
for _name in [name for name in os.environ if name.startswith("O2O_")]:
    # What the commands under test are told, each test says itself.
    del os.environ[_name]
_ROOT = Path(__file__).parents[1]
_MAKERS = (
    *("migrations", "app/audit", "app/imports", "app/limits", "app/base/secrets.py", "app/demo/data"),
    "app/base/sheets",
    *(f"app/demo/{name}.py" for name in ("county", "homes", "invented", "meeting", "sheets")),
    "app/people/households.py",
)
_TEMPLATES = 4
_TURN = 430123


def pytest_configure() -> None:
    """structlog as it comes draws every local variable of a traceback: seconds for each failure of ours."""
    log.configure(json=True, level="error")
    # Kept loggers could not be listened to (structlog.testing.capture_logs).
    structlog.configure(cache_logger_on_first_use=False)
    # A machine that runs many tests may take longer than WeChat waits; what happens then is tested on a frozen server.
    intake.ANSWER_SECONDS = accounts.LOOK_SECONDS = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever commits is cleaned up after: nobody has to remember it."""
    for item in items:
        if isinstance(item, pytest.Function) and "database" in item.fixturenames:
            # First to be set up is last to end: nothing else of the test holds a lock by then.
            item.fixturenames.insert(0, "clean")


@pytest.fixture(scope="session")
def demo() -> DemoCounty:
    """The demo county, the same in every run, passwords and keys included."""
    return generate(secret=lambda name: f"test-{name}-never of an installation", households=HOUSEHOLDS)


@pytest.fixture(scope="session")
def vault() -> Vault:
    """Opens the secrets of the accounts."""
    return Vault(SECRET_KEY)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a server on which databases can be made: O2O_TEST_DATABASE_URL's, or O2O_DATABASE_URL's (nothing
    in the database that it names is touched), or an embedded one.

    The embedded one stays between runs, stopped, so that the second has its templates; workers and runs share it.
    """
    if _GIVEN:
        yield _GIVEN
        return
    with lease(Path(tempfile.gettempdir()) / f"o2o-tests-{os.geteuid()}", say=lambda sentence: None) as held:
        yield held.url


@pytest.fixture(scope="session")
async def _county_database(server: str, demo: DemoCounty, vault: Vault) -> AsyncIterator[Database]:
    async with _copy(server, await _county_template(server, demo, vault)) as database:
        yield database


@pytest.fixture(scope="session")
def database(_county_database: Database) -> Database:
    """The demo county, with the business clock stopped at MOMENT; for tests that commit."""
    return _county_database


@pytest.fixture(scope="session")
async def _bare_database(server: str) -> AsyncIterator[Database]:
    async with _copy(server, await _template(server, "empty", _migrated)) as database:
        yield database


@pytest.fixture
async def empty_database(_bare_database: Database, server: str) -> AsyncIterator[Database]:
    """As `database`, without a county: for tests that commit one."""
    yield _bare_database
    kept = CALENDAR - {"urgent_word"}
    await _restore(server, _bare_database, kept, lambda: _template(server, "empty", _migrated))
    async with _bare_database.open_work(SYSTEM) as work:
        # A county that was brought in may have had words of its own.
        await imports.seed(work)


@pytest.fixture
async def blank(_bare_database: Database) -> AsyncIterator[Work]:
    """As `work`, in a database without a county."""
    async with _bare_database.engine.connect() as conn:
        yield Work(conn, MOMENT, SYSTEM)
        await conn.rollback()


@pytest.fixture
def clock(_county_database: Database) -> Iterator[Clock]:
    """The business clock of `work` and `database`, back at MOMENT after the test. Move it before asking for `work`."""
    yield _county_database.clock
    _county_database.clock.set(MOMENT)


@pytest.fixture
async def work(_county_database: Database) -> AsyncIterator[Work]:
    """One transaction of the system's own, rolled back at the end."""
    async with _county_database.engine.connect() as conn:
        yield Work(conn, _county_database.clock.business(), SYSTEM)
        await conn.rollback()


@pytest.fixture
def actor(_county_database: Database) -> Callable[[str], Awaitable[Actor]]:
    """`await actor("admin-430121")`: that member of staff, with the appointments they hold."""

    async def found_by(username: str) -> Actor:
        async with _county_database.open_work(SYSTEM, read=True) as work:
            found = await people.staff_by_username(work.conn, username)
            assert found is not None, f"the demo county has nobody called {username}"
            seats = await people.seats_of(work.conn, found[0], work.now)
        return Actor(ActorKind.STAFF, found[0], found[1], username, seats)

    return found_by


@pytest.fixture
async def clean(_county_database: Database, server: str, demo: DemoCounty, vault: Vault) -> AsyncIterator[None]:
    """After the test: clock at MOMENT, nothing but the county in the database. Comes by itself with `database`."""
    yield
    await _restore(server, _county_database, COUNTY, lambda: _county_template(server, demo, vault))


async def _restore(
    server: str, database: Database, kept: frozenset[str], template: Callable[[], Awaitable[str]]
) -> None:
    database.clock.set(MOMENT)
    async with database.engine.begin() as conn:
        superuser = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if (await conn.execute(superuser)).scalar_one():
            # Gets past the foreign keys and the trail's guard; TRUNCATE would take 30 times as long.
            await conn.execute(text("SET LOCAL session_replication_role = replica"))
            await conn.execute(text("SET LOCAL lock_timeout = '5s'"))
            for table in metadata.tables.values():
                if table.name not in kept:
                    await conn.execute(table.delete())
            await conn.execute(text("UPDATE household SET last_visited_at = NULL WHERE last_visited_at IS NOT NULL"))
            return
    await database.engine.dispose()
    name = await template()
    async with _maintenance(server) as conn:
        await _make_copy(conn, str(database.engine.url.database), name)


@asynccontextmanager
async def _maintenance(server: str) -> AsyncIterator[AsyncConnection]:
    """A connection outside any transaction, and the turn of whoever has it: CREATE DATABASE needs both."""
    url = make_url(server).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as conn:
        await conn.execute(text(f"SELECT pg_advisory_lock({_TURN})"))
        yield conn
    await engine.dispose()


async def _county_template(server: str, demo: DemoCounty, vault: Vault) -> str:
    return await _template(server, "county", lambda database: _found(database, demo, vault))


async def _template(server: str, kind: str, make: Callable[[Database], Awaitable[None]]) -> str:
    """The name of the template, made where there is none yet of just this code; the oldest ones go."""
    name = f"o2o_{kind}_{_digest()}"
    async with _maintenance(server) as conn:
        like = text(f"SELECT datname FROM pg_database WHERE datname LIKE 'o2o\\_{kind}\\_%' ORDER BY oid")
        found = await conn.execute(like)
        names = list(found.scalars())
        if name in names:
            return name
        building = f"o2o_building_{secrets.token_hex(4)}"
        await conn.execute(text(f"CREATE DATABASE {building}"))
        async with _opened(server, building, FOUNDED) as database:
            await make(database)
        await conn.execute(text(f"ALTER DATABASE {building} RENAME TO {name}"))
        for old in names[: -_TEMPLATES + 1]:
            await conn.execute(text(f"DROP DATABASE {old}"))
    return name


def _digest() -> str:
    """Changes with whatever decides what is in a template."""
    found = hashlib.sha256()
    for maker in (*_MAKERS, "tests/conftest.py"):
        path = _ROOT / maker
        for file in sorted(path.rglob("*.*") if path.is_dir() else [path]):
            if file.suffix in {".py", ".csv"}:
                found.update(file.read_bytes())
    return found.hexdigest()[:12]


async def _migrated(database: Database) -> None:
    await migrate(database.engine)
    async with database.open_work(SYSTEM) as work:
        await seed_calendar(work)
        await imports.seed(work)


async def _found(database: Database, demo: DemoCounty, vault: Vault) -> None:
    await _migrated(database)
    for sheet in demo.sheets:
        prepared = imports.prepare(sheet.name, as_csv(sheet).encode(), edition="2017")
        await imports.run(database.open_work, prepared, vault=vault)


@asynccontextmanager
async def _copy(server: str, template: str) -> AsyncIterator[Database]:
    name = f"o2o_copy_{os.getpid()}_{secrets.token_hex(4)}"
    async with _maintenance(server) as conn:
        await _drop_left_behind(conn)
        await _make_copy(conn, name, template)
    try:
        async with _opened(server, name, MOMENT) as database:
            yield database
    finally:
        async with _maintenance(server) as conn:
            await conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


async def _make_copy(conn: AsyncConnection, name: str, template: str) -> None:
    await conn.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    await conn.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    # Tests don't survive a power cut anyway.
    await conn.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))


async def _drop_left_behind(conn: AsyncConnection) -> None:
    """Copies of runs that were killed: their process is gone."""
    if _GIVEN:
        return
    found = await conn.execute(text("SELECT datname FROM pg_database WHERE datname LIKE 'o2o\\_copy\\_%'"))
    for name in found.scalars():
        if not _runs(int(name.split("_")[2])):
            await conn.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def _opened(server: str, name: str, moment: datetime) -> AsyncIterator[Database]:
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    clock = Clock()
    clock.set(moment)
    database = Database(url, clock, pool_size=8)
    try:
        yield database
    finally:
        await database.close()
