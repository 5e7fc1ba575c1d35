"""Where it is measured: an embedded PostgreSQL of its own, the demo county, `o2o serve`, and the floors' service."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import asyncpg

from app.base.clock import Clock
from app.base.db import Database
from app.base.embedded import lease
from app.base.secrets import Vault
from app.cli.database import bring_up
from app.demo import installation
from app.demo.county import DemoCounty
from app.domain.vocabulary import AccountMode
from app.wechat.crypto import Keys
from bench import load

ROOT = Path(__file__).resolve().parents[1]
KEY = "a-key-of-the-bench-never-of-an-installation"
SESSION = {"jit": "off", "timezone": "UTC"}
"""As the product's own sessions have them (app.base.db)."""
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True, slots=True)
class Account:
    """An official account in safe mode, as the bench plays it."""

    id: int
    division_code: str
    original_id: str
    keys: Keys


@dataclass(frozen=True, slots=True)
class Place:
    """A running database with the county in it. `url` is asyncpg's; `folder` the data directory."""

    url: str
    folder: Path
    county: DemoCounty
    accounts: tuple[Account, ...]
    server: Mapping[str, str]

    @property
    def postmaster(self) -> int:
        """The process whose children are the backends."""
        return int((self.folder / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])

    async def copied(self, name: str) -> Self:
        """The same in a database of that name beside it: a copy, while nobody is connected to the original."""
        there = urlsplit(self.url)
        async with connected(there._replace(path="/postgres").geturl()) as conn:
            await conn.execute(f"CREATE DATABASE {name} TEMPLATE {there.path.strip('/')}")
        return replace(self, url=there._replace(path=f"/{name}").geturl())

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Database]:
        """The product's own door to it."""
        database = Database(self.url.replace("postgresql:", "postgresql+asyncpg:", 1), Clock())
        try:
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def founded(*, keep: bool = False) -> AsyncIterator[Place]:
    """A fresh county in a folder of its own, deleted afterwards unless it is to be kept.

    Raises RuntimeError where commits are not durable.
    """
    folder = Path(tempfile.gettempdir()) / f"o2o-bench-{os.getpid()}"
    try:
        with lease(folder, say=lambda sentence: None) as held:
            url = held.url.replace("+asyncpg", "", 1)
            database = Database(held.url, Clock())
            await bring_up(database)
            await installation.load(database, Vault(KEY), KEY, lambda sentence: None)
            county = installation.county_of(KEY)
            await database.close()
            async with connected(url) as conn:
                place = Place(url, folder, county, await _accounts(conn, county), await _server(conn))
            yield place
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """One raw connection."""
    conn = await asyncpg.connect(url, server_settings=SESSION)
    try:
        yield conn
    finally:
        await conn.close()


async def _server(conn: Any) -> dict[str, str]:
    shown = {name: await conn.fetchval(f"SHOW {name}") for name in (*DURABLE, "server_version", "shared_buffers")}
    if any(shown[name] != "on" for name in DURABLE):
        raise RuntimeError(f"the database does not keep what it commits: {shown}")
    return shown


async def _accounts(conn: Any, county: DemoCounty) -> tuple[Account, ...]:
    ids = {row["appid"]: row["id"] for row in await conn.fetch("SELECT appid, id FROM account")}
    rows = next(sheet for sheet in county.sheets if sheet.name == "accounts").rows
    return tuple(
        Account(
            ids[row["appid"]],
            row["division_code"],
            row["original_id"],
            Keys(row["appid"], row["token"], row["encoding_aes_key"], None, AccountMode.SAFE),
        )
        for row in rows
        if row["mode"] == AccountMode.SAFE
    )


@dataclass(frozen=True, slots=True)
class Service:
    port: int
    pid: int


@asynccontextmanager
async def product(place: Place) -> AsyncIterator[Service]:
    """`o2o serve` with one worker, as it runs by default: embedded database, its guard, logs at level info."""
    environment = {"O2O_DATA_DIR": str(place.folder), "O2O_SECRET_KEY": KEY}
    command = [str(Path(sys.executable).with_name("o2o")), "serve", "--port"]
    with _running(command, environment, place.folder / "product.log") as service:
        await load.answers(service.port, "/readyz")
        yield service


@asynccontextmanager
async def floors(place: Place, facts: Mapping[str, Any]) -> AsyncIterator[Service]:
    """The floors' own service: a bare ASGI application under the same uvicorn, given `facts`."""
    told = place.folder / "floors.json"
    told.write_text(json.dumps({"url": place.url, **facts}, ensure_ascii=False))
    command = [sys.executable, "-m", "bench.floor_service", str(told)]
    with _running(command, {"PYTHONPATH": str(ROOT)}, place.folder / "floors.log") as service:
        await load.answers(service.port, "/null")
        yield service


@contextmanager
def _running(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[Service]:
    """Runs a service on a free port, which is added to the command, in a folder without a .env."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("O2O_")}
    port = _free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, str(port)], cwd=log.parent, env={**kept, **environment}, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield Service(port, process.pid)
        except BaseException:
            sys.stderr.write(log.read_text("utf-8", "replace")[-2_000:])
            raise
        finally:
            process.terminate()
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
