"""`o2o demo`: the demo county, served from the embedded database."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.cli import settings as configuration
from app.cli.database import embedded
from app.cli.serve import refuse_taken
from app.cli.stopping import stoppable
from app.demo import installation
from app.domain.errors import Invalid

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
    refuse_taken("127.0.0.1", port)
    with installation.alone(settings.data_dir):
        _run(settings.data_dir, port, ahead)


def _run(data_dir: Path, port: int, ahead: timedelta) -> None:
    installation.prepare(data_dir, ahead)
    # Read again: the data directory now says that it holds a demo, and how far its clock is ahead.
    settings = configuration.read()
    from app.cli.demo_server import run  # heavy: not for commands that only ask for --help

    with stoppable(), embedded(settings, _say, guard=True) as url:
        run(settings, url, port, _say)


def _span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise Invalid("demo.advance", f"“{text[:16]}”不是时长，请写成 3d（天）、12h（小时）或 90m（分钟）")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _say(sentence: str) -> None:
    _console.print(sentence)
