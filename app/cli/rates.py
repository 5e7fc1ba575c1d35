"""`o2o rates`: the four rates, of one division or of every one of a level in it; and the counters behind them."""

import asyncio
import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, TypeVar

import typer
from pydantic import TypeAdapter
from rich.console import Console

from app.cli import settings as configuration
from app.cli import usage
from app.cli.database import opened
from app.cli.rates_table import lines
from app.divisions import service as divisions
from app.divisions.service import atlas
from app.domain.errors import Invalid
from app.domain.policy import SYSTEM
from app.domain.vocabulary import Attribution
from app.imports import service as imports
from app.rates import counters
from app.rates.counters import Difference
from app.rates.service import LEVELS, RowLevel, Table, rates
from app.rates.views import TableView, day, table_view
from app.settings import Settings

W = TypeVar("W")
_ATTRIBUTIONS: Mapping[str, Attribution] = {one.value: one for one in Attribution}


commands = typer.Typer(help="四率", invoke_without_command=True)


@commands.callback()
def rates_(  # noqa: PLR0913 - each is an option of the interface
    context: typer.Context,
    division: Annotated[str, typer.Option(help="区划代码，如 430121")] = "",
    first: Annotated[str, typer.Option("--from", help="从哪一天收到的起，含当天，如 2026-10-01")] = "",
    last: Annotated[str, typer.Option("--to", help="到哪一天收到的为止，含当天")] = "",
    level: Annotated[str | None, typer.Option(help=f"列出其中这一级的每一个：{'、'.join(LEVELS)}")] = None,
    attribution: Annotated[
        str, typer.Option(help="territorial 按属地，handling 按承办")
    ] = Attribution.TERRITORIAL.value,
    as_json: Annotated[bool, typer.Option("--json", help="输出与 GET /api/v1/rates 相同的 JSON")] = False,
) -> None:
    """一段日期内收到的事项，到现在的四率：一个区划，或其中某一级的每一个。

    verify 重新清点并核对计数，rebuild 重建计数。
    """
    if context.invoked_subcommand is not None:
        return
    for option, given in (("--division", division), ("--from", first), ("--to", last)):
        if not given:
            raise usage.MissingParameter(context, option)
    days = day(first, "--from"), day(last, "--to")
    among = None if level is None else _chosen(LEVELS, level, "--level")
    by = _chosen(_ATTRIBUTIONS, attribution, "--attribution")
    table = asyncio.run(_counted(configuration.read(), division, days, among, by))
    if as_json:
        typer.echo(TypeAdapter(TableView).dump_json(table_view(table)))
    else:
        _show(table, by)


async def _counted(
    settings: Settings, code: str, days: tuple[date, date], level: RowLevel | None, by: Attribution
) -> Table:
    async with opened(settings) as database, database.open_work(SYSTEM, read=True) as work:
        county = await atlas(work)
        place = divisions.division(county.county, code, "--division")
        return await rates(work, county, place.id, first=days[0], last=days[1], level=level, attribution=by)


def _chosen(words: Mapping[str, W], text: str, option: str) -> W:
    if text not in words:
        raise Invalid.field("rates.word", option, f"{option} 没有“{text[:32]}”这个值，可选：{'、'.join(words)}")
    return words[text]


def _show(table: Table, by: Attribution) -> None:
    if not table.rows:
        typer.echo("这个区划里没有这一级", err=True)
        return
    console = Console()
    for line in lines(table, by, console.width if console.is_terminal else None):
        typer.echo(line)


@commands.command("verify")
def verify_(as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出每一处不符")] = False) -> None:
    """按事项逐件重新清点，和计数核对；有不符的逐一列出，并以 1 退出。"""
    found = asyncio.run(_verified(configuration.read()))
    if as_json:
        typer.echo(json.dumps({"differences": [_difference(one) for one in found]}, ensure_ascii=False))
    for one in found:
        typer.echo("不符：" + "，".join(f"{name} {value}" for name, value in _difference(one).items()), err=True)
    if found:
        raise Invalid("rates.differ", f"共 {len(found)} 处不符；可用 o2o rates rebuild 按事项重建计数")
    if not as_json:
        typer.echo("计数与事项相符")


@commands.command("rebuild")
def rebuild_() -> None:
    """丢弃现有计数，按事项重新清点；其间收到和办理的事项稍等片刻，不会丢失。"""
    days = asyncio.run(_rebuilt(configuration.read()))
    typer.echo(f"已按事项重建计数，共 {days} 行")


async def _verified(settings: Settings) -> list[Difference]:
    async with opened(settings) as database, database.open_work(SYSTEM, read=True) as work:
        return await counters.verify(work)


async def _rebuilt(settings: Settings) -> int:
    async with opened(settings) as database, database.open_work(SYSTEM) as work:
        # Behind an import everybody who counts would have to wait with us.
        await imports.alone(work)
        return await counters.rebuild(work)


def _difference(one: Difference) -> dict[str, str | int]:
    """Which counter, what it says, and what the tickets say."""
    return {
        "day": one.spot.day.isoformat(),
        "division_id": one.spot.division_id,
        "handler_division_id": one.spot.handler_division_id,
        "handler_unit_id": one.spot.handler_unit_id,
        "field": one.field,
        "kept": one.kept,
        "counted": one.counted,
    }
