"""`o2o report`: a frozen report, fetched or made."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.base.running.reasons import why
from app.cli import settings as configuration
from app.cli.database import opened
from app.divisions import service as divisions
from app.divisions.service import atlas
from app.domain.errors import Invalid
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI
from app.reports.formats import FORMATS, Format
from app.reports.monthly import MONTHLY
from app.reports.queries import Report
from app.reports.records import as_json
from app.reports.service import monthly, revise
from app.settings import Settings

_LATER_KINDS = ("daily", "weekly", "quarterly", "commendation", "yearly")
_LATER_FORMATS = ("docx",)


def report(  # noqa: PLR0913 - each is an option of the interface
    kind: Annotated[str, typer.Argument(help="种类：monthly 月通报")],
    division: Annotated[str, typer.Option(help="区划代码，如 430121")],
    period: Annotated[str, typer.Option(help="统计期，如 2026-10")],
    format_: Annotated[
        str | None,
        typer.Option("--format", help=f"格式：{'、'.join(FORMATS)}；不填则按 --out 的后缀，都没有就是 csv"),
    ] = None,
    out: Annotated[Path | None, typer.Option(readable=False, help="写到这个文件；不填则输出到屏幕")] = None,
    revision: Annotated[str | None, typer.Option("--revise", help="作一次修订，并写明原因")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="以 JSON 输出整份存档：数据、参数、校验和")] = False,
) -> None:
    """取一份已存档的报表，没有就生成；同一份报表任何时候取出来都一样，只能用修订更正。"""
    _refuse("种类", kind, (MONTHLY,), _LATER_KINDS)
    form = _form(format_, out)
    if form.binary and out is None and not as_json_ and sys.stdout.isatty():
        raise Invalid("report.terminal", "xlsx 不能显示在屏幕上，请加 --out 和文件名，例如 --out 月通报.xlsx")
    if out is not None and not out.parent.is_dir():
        # Said before a revision is made, which would then have to be made again.
        raise Invalid("report.out", f"无法写入 {out}：没有 {out.parent} 这个文件夹")
    found = asyncio.run(_fetched(configuration.read(), division, period, revision))
    if out is not None:
        _write(out, form.render(found))
    if as_json_:
        typer.echo(as_json(found), nl=False)
    elif out is None:
        typer.echo(form.render(found), nl=False)
    _say(found)


def _form(word: str | None, out: Path | None) -> Format:
    """The format asked for: by its word, or else by the suffix of the file; the two never say different things."""
    suffix = out.suffix.removeprefix(".").lower() if out else ""
    chosen = word or suffix or "csv"
    _refuse("格式", chosen, tuple(FORMATS), _LATER_FORMATS)
    if suffix and suffix != chosen:
        detail = f"--format {chosen} 和文件名 {out} 的后缀不一致，请把文件名改成以 .{chosen} 结尾，或不写 --format"
        raise Invalid("report.suffix", detail)
    return FORMATS[chosen]


def _refuse(what: str, given: str, ready: tuple[str, ...], later: tuple[str, ...]) -> None:
    if given in later:
        raise Invalid("report.later", f"{what} {given} 将在后续版本提供，目前有 {'、'.join(ready)}")
    if given not in ready:
        raise Invalid("report.word", f"没有“{given[:32]}”这个{what}，目前有 {'、'.join(ready)}")


async def _fetched(settings: Settings, code: str, period: str, revision: str | None) -> Report:
    async with opened(settings) as database:
        async with database.open_work(SYSTEM, read=True) as work:
            place = divisions.division((await atlas(work)).county, code, "--division")
        if revision is not None:
            return await revise(database.open_work, place.id, period, revision)
        return await monthly(database.open_work, place.id, period)


def _write(out: Path, data: bytes) -> None:
    try:
        out.write_bytes(data)
    except OSError as error:
        raise Invalid("report.out", f"无法写入 {out}：{why(error)}") from error


def _say(found: Report) -> None:
    made = found.as_of.astimezone(SHANGHAI)
    issue = f"{found.period} 月通报第 {found.revision} 版，{made:%Y-%m-%d %H:%M} 制表，校验和 {found.checksum}"
    typer.echo(issue, err=True)
    if changes := found.figures.get("changes"):
        items, before = changes["items"], f"第 {changes['revision']} 版"
        many = f"与{before}相比有 {len(items)} 处不同" if items is not None else f"{before}被改动过，无法逐项比较"
        typer.echo(f"修订原因：{found.reason}；{many}，逐项见 xlsx 的“修订说明”或 JSON 的 changes", err=True)
