"""Serves the demo county, with the clockwork beside it: brings it up, loads it, answers, and says so."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import active_children, get_context

import typer
import uvicorn

from app.base import log
from app.base.clock import Clock
from app.base.db import Database
from app.base.running.memory import frugal
from app.base.secrets import Vault, secret_key
from app.cli import settings as configuration
from app.cli.calling import typable
from app.cli.database import bring_up
from app.cli.serve import UVICORN
from app.demo import installation
from app.demo.county import DemoCounty
from app.main import create_app
from app.settings import Settings
from app.worker import POOL, beating, jobs_with


def run(settings: Settings, url: str, port: int, say: Callable[[str], None]) -> None:
    """Returns when it was told to stop."""
    frugal()
    asyncio.run(_serve(settings, url, port, say))


async def _serve(settings: Settings, url: str, port: int, say: Callable[[str], None]) -> None:
    key = secret_key(settings)
    log.configure(json=False, level="warning", key=key.encode())
    vault = Vault(key)
    clock = configuration.clock(settings)
    database = Database(url, clock, pool_size=settings.pool_size)
    await bring_up(database)
    await _loaded(url, settings.offset, key)
    county = installation.county_of(key)
    base_url = f"http://127.0.0.1:{port}"
    store = configuration.store(settings)
    app = create_app(database, vault, base_url=base_url, demo=True, data_dir=settings.data_dir, store=store)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, **UVICORN)
    # Connections of its own, as `o2o worker` has: the service closes its own when it stops.
    own = Database(url, clock, pool_size=POOL)
    try:
        async with beating(own, jobs_with(store)):
            await _Server(config, lambda: _welcome(settings, county, base_url)).serve()
    finally:
        await own.close()


async def _loaded(url: str, offset: float, key: str) -> None:
    """In a process of its own: what loading takes (the rows of 65,031 households, say) goes with it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as one:
        with _deaf():
            loading = asyncio.get_running_loop().run_in_executor(one, _load, url, offset, key)
        try:
            await loading
        except BaseException:  # told to stop: it goes too
            for child in active_children():
                child.terminate()
            raise


@contextmanager
def _deaf() -> Iterator[None]:
    """Whoever is started inside does not hear Ctrl-C, which the terminal sends to all: it would die noisily."""
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


def _load(url: str, offset: float, key: str) -> None:
    async def load() -> None:
        database = Database(url, Clock(offset))
        try:
            await installation.load(database, Vault(key), key, typer.echo)
        finally:
            await database.close()

    log.configure(json=False, level="warning", key=key.encode())
    asyncio.run(load())


class _Server(uvicorn.Server):
    """Says when it answers: demo.json must not be there before."""

    def __init__(self, config: uvicorn.Config, on_answer: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_answer = on_answer

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_answer()


def _welcome(settings: Settings, county: DemoCounty, base_url: str) -> None:
    path = installation.announce(settings.data_dir, county, base_url)
    ahead = timedelta(seconds=settings.offset)
    shown = f"（时钟快 {ahead.days} 天 {ahead.seconds // 3600} 小时）" if ahead else ""
    who = {user.username: user.password for user in county.users}
    couriers = [name for name in who if name.startswith("courier-")]
    lines = [
        f"演示县已就绪{shown}：",
        f"  首页      {base_url}/",
        f"  公示板    {base_url}/board",
        f"  接口说明  {base_url}/openapi.json",
        f"  县管理员  admin-430121 / {who['admin-430121']}",
        f"  快递员    {couriers[0]} / {who[couriers[0]]}",
        f"  其余账号  {path}",
        "在另一个终端运行 make simulate（或 o2o simulate），看群众、快递员和管理员把县里的日子过一遍；按 Ctrl-C 停止。",
    ]
    typer.echo(typable("\n".join(lines)))
