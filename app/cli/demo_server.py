"""Serves the demo county: brings it up, loads it, answers, and says so."""

import asyncio
import socket
from collections.abc import Callable
from datetime import timedelta

import typer
import uvicorn

from app.base import log
from app.base.db import Database
from app.base.secrets import Vault, secret_key
from app.cli import settings as configuration
from app.cli.database import bring_up
from app.cli.serve import UVICORN
from app.demo import installation
from app.demo.county import DemoCounty
from app.main import create_app
from app.settings import Settings


def run(settings: Settings, url: str, port: int, say: Callable[[str], None]) -> None:
    """Returns when it was told to stop."""
    asyncio.run(_serve(settings, url, port, say))


async def _serve(settings: Settings, url: str, port: int, say: Callable[[str], None]) -> None:
    key = secret_key(settings)
    log.configure(json=False, level="warning", key=key.encode())
    vault = Vault(key)
    clock = configuration.clock(settings)
    database = Database(url, clock, pool_size=settings.pool_size)
    await bring_up(database)
    county = await installation.load(database, vault, key, say)
    base_url = f"http://127.0.0.1:{port}"
    app = create_app(database, vault, base_url=base_url, demo=True)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, **UVICORN)
    await _Server(config, lambda: _welcome(settings, county, base_url)).serve()


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
        "在另一个终端运行 make simulate，看群众、快递员和管理员把县里的日子过一遍；按 Ctrl-C 停止。",
    ]
    typer.echo("\n".join(lines))
