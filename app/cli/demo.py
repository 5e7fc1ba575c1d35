"""`o2o demo`: the demo county, served from the embedded database."""

import asyncio
import re
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from app.base.clock import Clock
from app.base.db import Database
from app.base.embedded import dsn
from app.cli import settings as configuration
from app.cli.database import embedded
from app.cli.serve import refuse_taken
from app.cli.stopping import stoppable
from app.demo import folder, installation
from app.domain.errors import Invalid
from app.settings import Settings

_SPAN = re.compile(r"(\d{1,5})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_console = Console(stderr=True, highlight=False, soft_wrap=True)


def demo(
    port: Annotated[int, typer.Option(help="监听端口（只在本机 127.0.0.1）", min=1, max=65535)] = 8000,
    advance: Annotated[str | None, typer.Option(help="让演示的时钟比上次再快这么多，例如 3d、12h、90m")] = None,
) -> None:
    """演示县：18 个镇街、1,633 名快递员，都在本机，不连外网；数据库用内置的，设了 O2O_DATABASE_URL 就用那个空库。"""
    settings = configuration.read()
    if settings.env == "production":
        raise Invalid("demo.production", "O2O_ENV=production 时不能运行演示")
    ahead = _span(advance) if advance is not None else timedelta()
    if settings.secret_key.get_secret_value():
        configuration.vault(settings)
    refuse_taken("127.0.0.1", port)
    if not folder.is_demo(settings.data_dir):
        _refuse_foreign(settings)
    with installation.alone(settings.data_dir):
        _run(settings, port, ahead)


def _refuse_foreign(settings: Settings) -> None:
    """Before anything is written: a county's folder or database must not become a demo's by mistake."""
    if not settings.database_url and dsn(settings.data_dir) is None:
        return

    async def look(url: str) -> None:
        database = Database(url, Clock())
        try:
            external = folder.database_of(settings) if settings.database_url else None
            await installation.refuse_foreign(database, external)
        finally:
            await database.close()

    with embedded(settings, _say) as url:
        asyncio.run(look(url))


def _run(settings: Settings, port: int, ahead: timedelta) -> None:
    installation.prepare(settings.data_dir, ahead, folder.database_of(settings))
    # Read again: the data directory now says that it holds a demo, and how far its clock is ahead.
    settings = configuration.read()
    from app.cli.demo_server import run  # heavy: not for commands that only ask for --help

    if settings.database_url:
        _say(f"数据库用 O2O_DATABASE_URL 的 {folder.database_of(settings)}，不是内置的。")
    with stoppable(), embedded(settings, _say, guard=True) as url:
        run(settings, url, port, _say)


def _span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise Invalid("demo.advance", f"“{text[:16]}”不是时长，请写成 3d（天）、12h（小时）或 90m（分钟）")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _say(sentence: str) -> None:
    _console.print(sentence)
