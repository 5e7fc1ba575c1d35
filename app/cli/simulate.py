"""`o2o simulate`: county life played against a running demo, and the service's rates held against its own books."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli import settings as configuration
from app.cli.calling import typable
from app.demo import simulate as simulation
from app.demo.books import COMPARED, FOUR_RATES, UNIT, Key
from app.demo.cast import Cast
from app.demo.filing import MOST_HOURS
from app.demo.simulate import Orders, Played
from app.domain.counting import Counts
from app.domain.rates import percent, rates
from app.domain.vocabulary import Attribution, Level

_SHOWN = 40
"""Differences printed; more say nothing more."""
_PLAYED = (
    ("by_group", "微信群件（管理员登记）"),
    ("by_wechat", "公众号件"),
    ("confidential", "其中保密件"),
    ("messages", "微信消息"),
    ("deliveries", "送达次数（含重复）"),
    ("courtesies", "寒暄致谢"),
    ("queries", "查进度"),
    ("repeated_records", "重复登记得到原编号"),
    ("corrections", "受理时更正"),
    ("dispatches", "派单"),
    ("worked_by_node", "快递员、承办人、督查员办理"),
    ("worked_in_place", "管理员办理（代办）"),
    ("visits", "走访"),
    ("replies", "回复"),
    ("completions", "办结（含重办）"),
    ("likes", "点赞"),
    ("dislikes", "踩"),
    ("page_ratings", "其中在网页评价"),
    ("codes_out_of_reach", "评价码在无演示账号的人手里"),
)


def simulate(
    tickets: Annotated[int, typer.Option(help="演多少件事", min=1, max=20_000)] = 300,
    hours: Annotated[
        int | None, typer.Option(help="收到时间分布在最近多少小时里（不填：都是现在）", min=1, max=MOST_HOURS)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="随机种子；同一种子演同样的事", min=0)] = None,
    url: Annotated[str | None, typer.Option(help="服务的地址；不填用 demo.json 里的")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出账目")] = False,
) -> None:
    """演一遍县里的日子：群众下单、快递员送单、点赞或踩，再把四率和自己的账对一遍。"""
    settings = configuration.read()
    cast = simulation.read_cast(settings.data_dir, url)
    chosen = secrets.randbelow(2**31) if seed is None else seed
    orders = Orders(tickets, chosen, hours)
    typer.echo(f"种子 {chosen}；服务 {cast.base_url}", err=True)
    with _bar(tickets) as progress:
        played = asyncio.run(simulation.play(cast, orders, progress))
    faults = played.faults()
    books = json.dumps(_books(played, faults), ensure_ascii=False, indent=1) if as_json else ""
    typer.echo(books or typable(_summary(played, cast)))
    if faults:
        _complain(faults)
        raise typer.Exit(1)


@contextmanager
def _bar(total: int) -> Iterator[simulation.Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("模拟", total=total)
        yield lambda done: bar.advance(task)


def _complain(faults: list[str]) -> None:
    for fault in faults[:_SHOWN]:
        typer.echo(fault, err=True)
    more = f"（只列出前 {_SHOWN} 处）" if len(faults) > _SHOWN else ""
    typer.echo(f"服务与账目有 {len(faults)} 处不符{more}。模拟期间若有别人在操作同一个演示，也会这样。", err=True)


def _books(played: Played, faults: list[str]) -> dict[str, Any]:
    """The books for programs: what each row of the rates gained, and its rates over the gain alone."""
    return {
        "seed": played.orders.seed,
        "from": str(played.first),
        "to": str(played.last),
        "as_of": played.as_of.isoformat(),
        "tickets": len(played.books.entries),
        "rows": [_row(key, counts, played) for key, counts in sorted(played.expected().items())],
        "played": played.tally,
        "refused": played.refused,
        "requests": played.requests,
        "slowest": round(played.slowest, 3),
        "seconds": round(played.seconds, 1),
        "differences": faults,
    }


def _row(key: Key, counts: Counts, played: Played) -> dict[str, Any]:
    name = (played.after.get(key) or {}).get("name")
    row: dict[str, Any] = {"attribution": key.attribution, "level": key.level, "code": key.code, "name": name}
    row |= {field: getattr(counts, field) for field in COMPARED}
    shares = rates(counts)
    for field in FOUR_RATES:
        value = percent(getattr(shares, field))
        row[field] = None if value is None else float(value)
    return row


def _summary(played: Played, cast: Cast) -> str:
    expected = played.expected()
    county = expected.get(Key(Attribution.TERRITORIAL, Level.COUNTY, cast.root), Counts.zero())
    shares = rates(county)
    rows = {(key.attribution, key.level) for key in expected}
    touched = {kind: sum((key.attribution, key.level) == kind for key in expected) for kind in rows}
    span = f"--from {played.first} --to {played.last}"
    lines = [
        "本次账目：" + "，".join(f"{label} {getattr(county, field)}" for field, label in COMPARED.items()),
        "本次四率：" + "，".join(f"{label} {_percent(getattr(shares, field))}" for field, label in FOUR_RATES.items()),
        "演了：" + "，".join(f"{label} {played.tally[name]}" for name, label in _PLAYED if played.tally.get(name)),
        f"故意做错 {sum(played.refused.values())} 次（{len(played.refused)} 种），都照规矩被拒绝，没有改动",
        f"对账：县，{touched.get((Attribution.TERRITORIAL, Level.TOWN), 0)} 个镇街，"
        f"{touched.get((Attribution.TERRITORIAL, Level.VILLAGE), 0)} 个村社区，"
        f"{touched.get((Attribution.HANDLING, UNIT), 0)} 个承办单位，收到、受理、回复、办结、赞、踩"
        + ("不符，见下" if played.faults() else "都相符"),
        f"用时 {played.seconds:.1f} 秒，{played.requests} 次请求，最慢 {played.slowest * 1000:.0f} 毫秒",
        f"看结果：{cast.base_url}/board，或 o2o rates --division {cast.root} {span}",
    ]
    return "\n".join(lines)


def _percent(share: Any) -> str:
    value = percent(share)
    return "—" if value is None else f"{value}%"
