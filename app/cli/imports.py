"""o2o import: a file of the county's data, all or nothing."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.base.secrets import Vault
from app.cli import settings as configuration
from app.cli.database import opened
from app.domain.errors import Invalid
from app.imports import service
from app.settings import Settings


def import_(
    kind: Annotated[str, typer.Argument(help="种类：" + "、".join(service.KINDS))],
    file: Annotated[Path, typer.Argument(help="CSV 文件（UTF-8，第一行是列名）")],
    edition: Annotated[str | None, typer.Option(help="区划的版本（年份），如 2017；不填为当年")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出结果")] = False,
) -> None:
    """导入县里的数据：有一行不对就什么都不导入；同一个文件可以反复导入。"""
    prepared = service.prepare(kind, _bytes(file), edition=edition)
    settings = configuration.read()
    vault = configuration.vault(settings) if kind == "accounts" else None
    done = asyncio.run(_run(settings, prepared, vault))
    for notice in done.notices:
        typer.echo(f"提示：{notice}", err=True)
    if as_json:
        counts = {"created": done.created, "updated": done.updated, "unchanged": done.unchanged}
        typer.echo(json.dumps(counts))
    else:
        typer.echo(f"新增 {done.created}，更新 {done.updated}，未变 {done.unchanged}")


async def _run(settings: Settings, prepared: service.Prepared, vault: Vault | None) -> service.Result:
    async with opened(settings) as database:
        with _bar(prepared.kind) as progress:
            return await service.run(database.open_work, prepared, vault=vault, progress=progress)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise Invalid("import.file", f"没有文件 {file}") from None
    except OSError as error:
        raise Invalid("import.file", f"无法读取 {file}：{error.strerror}") from error


@contextmanager
def _bar(title: str) -> Iterator[service.Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Into a file or a pipe a bar would only be rubbish between the errors.
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"导入 {title}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
