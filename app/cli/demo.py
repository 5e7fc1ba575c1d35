"""`o2o demo`: the demo county, served from the embedded database."""

import asyncio
import re
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from app.base.db import Database
from app.base.secrets import Vault, secret_key
from app.cli import settings as configuration
from app.cli.database import bring_up, embedded
from app.cli.serve import UVICORN
from app.demo import installation
from app.demo.county import DemoCounty
from app.domain.errors import Busy, Invalid
from app.main import create_app
from app.settings import Settings

_SPAN = re.compile(r"(\d{1,5})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_console = Console(stderr=True, highlight=False, soft_wrap=True)


def demo(
    port: Annotated[int, typer.Option(help="监听端口（只在本机 127.0.0.1）", min=1, max=65535)] = 8000,
    advance: Annotated[str | None, typer.Option(help="让演示的时钟比上次再快这么多，例如 3d、12h、90m")] = None,
) -> None:
    """演示县：内置数据库、18 个镇街、1,633 名快递员，都在本机，不连外网。"""
    settings = configuration.read()
    if settings.env == "production":
        raise Invalid("demo.production", "O2O_ENV=production 时不能运行演示")
    ahead = _span(advance) if advance is not None else timedelta()
    _refuse_taken(port)
    installation.prepare(settings.data_dir, ahead)
    # Read again: the data directory now says that it holds a demo, and how far its clock is ahead.
    settings = configuration.read()
    with embedded(settings, _say, guard=True) as url:
        asyncio.run(_serve(settings, url, port))


def _span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise Invalid("demo.advance", f"“{text[:16]}”不是时长，请写成 3d（天）、12h（小时）或 90m（分钟）")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Busy("demo.port", f"端口 {port} 已被占用，可以换一个：make demo PORT={port + 10}") from error


def _say(sentence: str) -> None:
    _console.print(sentence)


async def _serve(settings: Settings, url: str, port: int) -> None:
    key = secret_key(settings)
    vault = Vault(key)
    clock = configuration.clock(settings)
    database = Database(url, clock, pool_size=settings.pool_size)
    await bring_up(database)
    county = await installation.load(database, vault, key, _say)
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
