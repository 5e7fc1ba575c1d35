"""`o2o audit verify`: the trail recomputed; every difference named."""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.audit import verifying
from app.audit.verifying import Finding, Tally
from app.cli import settings as configuration
from app.cli.database import opened
from app.domain.errors import Invalid
from app.settings import Settings

MOST_LISTED = 1_000
"""Differences that the JSON lists; `count` says how many there are."""

commands = typer.Typer(help="历程和管理记录的核对", no_args_is_help=True)
# One command alone would be taken for the whole group.
commands.callback()(lambda: None)


@commands.command("verify")
def verify_(
    ticket: Annotated[str | None, typer.Option(help="只核对这个编号的事项")] = None,
    published: Annotated[
        list[str] | None, typer.Option(help="公布过的封存值，写成 2026-09-21:散列，核对它有没有变；可以写多次")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出每一处不符和核对的范围")] = False,
) -> None:
    """重新计算事项历程和管理记录的哈希链，和各天的封存核对；不符的逐处列出，并以 1 退出。"""
    if ticket is not None and published:
        raise Invalid("audit.published", "--published 核对的是各天的封存，不能和 --ticket 一起用")
    printed = dict(_published(one) for one in published or ())
    found: list[Finding] = []
    with _bar() as progress:
        hear = _Listed(found, progress.console)
        tally = asyncio.run(_verified(configuration.read(), hear, progress, ticket, printed))
    if as_json:
        typer.echo(json.dumps(_record(found, tally), ensure_ascii=False))
    else:
        for line in _told(tally, whole=ticket is None):
            typer.echo(line)
    if tally.differences:
        raise Invalid("audit.differ", f"共 {tally.differences} 处不符；请保护现场，先备份数据库，再查清是谁动过")


class _Listed:
    """Hears of each difference: said at once, and kept, up to MOST_LISTED."""

    def __init__(self, found: list[Finding], console: Console) -> None:
        self._found, self._console = found, console

    def __call__(self, finding: Finding) -> None:
        if len(self._found) < MOST_LISTED:
            self._found.append(finding)
        self._console.print(f"不符：{_sentence(finding)}", highlight=False, soft_wrap=True, markup=False)


async def _verified(
    settings: Settings, hear: _Listed, bar: Progress, number: str | None, published: dict[date, bytes]
) -> Tally:
    task = bar.add_task("核对历程", total=None)
    async with opened(settings) as database:
        if number is not None:
            return await verifying.verify_one(database.open_work, hear, number)
        return await verifying.verify(
            database.open_work, hear, lambda done, total: bar.update(task, completed=done, total=total), published
        )


def _published(given: str) -> tuple[date, bytes]:
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2}):([0-9a-f]{64})", given.strip().lower())
    if found is None:
        raise Invalid("audit.published", f"--published 要写成 2026-09-21:64 位散列，现为“{given[:80]}”")
    try:
        return date.fromisoformat(found[1]), bytes.fromhex(found[2])
    except ValueError as error:
        raise Invalid("audit.published", f"没有 {found[1]} 这一天") from error


def _sentence(finding: Finding) -> str:
    difference = finding.difference
    if finding.day is not None:
        place = f"{finding.day} 的封存"
    elif finding.ticket_id is not None:
        place = f"事项 {finding.number}" if finding.number else f"事项（编号已不在，内部号 {finding.ticket_id}）"
    else:
        place = "管理记录"
    span = "" if difference.seq is None else f" 第 {difference.seq} 条"
    if difference.upto is not None:
        span = f" 第 {difference.seq} 至 {difference.upto} 条"
    detail = f"（{difference.detail}）" if difference.detail else ""
    return f"{place}{span}：{difference.what.label}{detail}"


def _told(tally: Tally, *, whole: bool) -> Iterator[str]:
    """What was looked at, and what no verification can see."""
    yield f"核对了 {tally.tickets:,} 件事项的 {tally.events:,} 条历程、{tally.texts:,} 段文字" + (
        f"，{tally.office:,} 条管理记录，{tally.anchors:,} 天的封存" if whole else ""
    )
    if tally.erased:
        yield f"有 {tally.erased:,} 段文字已连同盐一起删除（如应群众要求），历程不受影响"
    if tally.joined:
        yield f"有 {tally.joined:,} 条是后来补入链的：补入之前有没有被改过，无法证明"
    if tally.loose_texts:
        yield f"有 {tally.loose_texts:,} 段文字写在有链之前，没有登记摘要，无法核对"
    if tally.behind:
        yield f"有 {tally.behind:,} 条还没有入链，由 worker 在下一次封存时补入"
    if tally.anchor is None:
        yield "还没有封存过（worker 每天封存前一天）：超级用户若把某件事项末尾的历程连同事项行一起改掉，查不出来"
    else:
        day, own = tally.anchor
        yield f"封存到 {day}，散列 {own.hex()}：请与公布的或抄在别处的核对（--published）"
        yield f"此后的 {tally.unsealed:,} 条还没有封存：超级用户若把它们连同事项行一起改掉，查不出来"
    if not tally.differences:
        yield "没有发现不符"


def _record(found: Sequence[Finding], tally: Tally) -> dict[str, Any]:
    anchor = None if tally.anchor is None else {"day": tally.anchor[0].isoformat(), "hash": tally.anchor[1].hex()}
    counts = (
        "tickets",
        "events",
        "office",
        "anchors",
        "texts",
        "erased",
        "loose_texts",
        "joined",
        "behind",
        "unsealed",
    )
    return {
        "differences": [
            {
                "what": str(one.difference.what),
                "number": one.number,
                "ticket_id": one.ticket_id,
                "day": one.day.isoformat() if one.day else None,
                "seq": one.difference.seq,
                "upto": one.difference.upto,
                "detail": _sentence(one),
            }
            for one in found
        ],
        "count": tally.differences,
        **{name: getattr(tally, name) for name in counts},
        "anchor": anchor,
    }


@contextmanager
def _bar() -> Iterator[Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Into a file or a pipe a bar would only be rubbish between the differences.
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield bar
