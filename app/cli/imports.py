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

from app.base.running.reasons import why
from app.base.secrets import Vault
from app.cli import settings as configuration
from app.cli.database import opened
from app.domain.errors import Invalid
from app.imports import service, template_files
from app.settings import Settings


def import_(
    kind: Annotated[str, typer.Argument(help="种类：" + "、".join(service.KINDS))],
    file: Annotated[
        Path | None,
        typer.Argument(
            readable=False, help="CSV（UTF-8）或 xlsx 文件，第一行是列名；与 --template 同用时是模板的文件名"
        ),
    ] = None,
    edition: Annotated[
        str | None, typer.Option(help="整套区划的版本（年份），如 2017；只补充、更正几个区划的不用写")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出结果")] = False,
    template: Annotated[
        bool,
        typer.Option(
            "--template",
            help="只写出空白模板和填写说明，不导入；文件名默认为 KIND-模板.xlsx，以 .csv 结尾则只有表头",
        ),
    ] = False,
) -> None:
    """导入县里的数据：有一行不对就什么都不导入；同一个文件可以反复导入。"""
    if template:
        typer.echo(f"模板已写到 {_write_template(kind, file or Path(f'{kind}-模板.xlsx'))}")
        return
    if file is None:
        service.columns_of(kind)
        raise Invalid("import.file", f"请写明要导入的文件；还没有文件的，可用 o2o import {kind} --template 取得模板")
    prepared = service.prepare(kind, _bytes(file), edition=edition, name=file.name)
    settings = configuration.read()
    vault = configuration.vault(settings) if kind in service.SEALED else None
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


def _write_template(kind: str, file: Path) -> Path:
    makers = {".xlsx": template_files.as_xlsx, ".csv": template_files.as_csv}
    make = makers.get(file.suffix.lower())
    if make is None:
        raise Invalid("import.template", f"模板的文件名要以 .xlsx 或 .csv 结尾，现为 {file}")
    data = make(kind)
    try:
        with file.open("xb") as out:
            out.write(data)
    except FileExistsError:
        raise Invalid("import.template", f"{file} 已经有了，没有覆盖；请换一个文件名") from None
    except OSError as error:
        raise Invalid("import.template", f"无法写入 {file}：{why(error)}") from error
    return file


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise Invalid("import.file", f"没有文件 {file}") from None
    except OSError as error:
        raise Invalid("import.file", f"无法读取 {file}：{why(error)}") from error


@contextmanager
def _bar(title: str) -> Iterator[service.Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Into a file or a pipe a bar would only be rubbish between the errors.
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"导入 {title}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
