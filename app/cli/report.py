"""`o2o report`: a frozen report, fetched or made."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from app.cli import settings as configuration
from app.cli.database import opened
from app.divisions import service as divisions
from app.divisions.service import atlas
from app.domain.errors import Invalid
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI
from app.reports.queries import Report
from app.reports.service import MONTHLY, as_csv, monthly, record, revise
from app.settings import Settings

_LATER_KINDS = ("daily", "weekly", "quarterly", "commendation", "yearly")
_LATER_FORMATS = ("xlsx", "docx", "json")


def report(  # noqa: PLR0913 - each is an option of the interface
    kind: Annotated[str, typer.Argument(help="种类：monthly 月通报")],
    division: Annotated[str, typer.Option(help="区划代码，如 430121")],
    period: Annotated[str, typer.Option(help="统计期，如 2026-10")],
    format_: Annotated[str, typer.Option("--format", help="格式：csv")] = "csv",
    out: Annotated[Path | None, typer.Option(help="写到这个文件；不填则输出到屏幕")] = None,
    revision: Annotated[str | None, typer.Option("--revise", help="作一次修订，并写明原因")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出整份存档：数据、参数、校验和")] = False,
) -> None:
    """取一份已存档的报表，没有就生成；同一份报表任何时候取出来都一样，只能用修订更正。"""
    _refuse("种类", kind, MONTHLY, _LATER_KINDS)
    _refuse("格式", format_, "csv", _LATER_FORMATS)
    found = asyncio.run(_fetched(configuration.read(), division, period, revision))
    data = as_csv(found)
    if out is not None:
        _write(out, data)
    if as_json:
        typer.echo(json.dumps(record(found), ensure_ascii=False))
    elif out is None:
        typer.echo(data, nl=False)
    made = found.as_of.astimezone(SHANGHAI)
    typer.echo(f"{period} 月通报第 {found.revision} 版，{made:%Y-%m-%d %H:%M} 制表，校验和 {found.checksum}", err=True)


def _refuse(what: str, given: str, ready: str, later: tuple[str, ...]) -> None:
    if given in later:
        raise Invalid("report.later", f"{what} {given} 将在后续版本提供，目前只有 {ready}")
    if given != ready:
        raise Invalid("report.word", f"没有“{given[:32]}”这个{what}，目前只有 {ready}")


async def _fetched(settings: Settings, code: str, period: str, revision: str | None) -> Report:
    async with opened(settings) as database, database.open_work(SYSTEM) as work:
        county = await atlas(work)
        place = divisions.division(county.county, code, "--division")
        if revision is not None:
            return await revise(work, county, place.id, period, revision)
        return await monthly(work, county, place.id, period)


def _write(out: Path, data: bytes) -> None:
    try:
        out.write_bytes(data)
    except OSError as error:
        raise Invalid("report.out", f"无法写入 {out}：{error.strerror}") from error
