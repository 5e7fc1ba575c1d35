"""`o2o suggestion`: teaches the suggestion of categories what this county's people write."""

import asyncio
import json
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.base.running.reasons import why
from app.base.sheets import Columns, Faults, read
from app.cli import settings as configuration
from app.cli.database import opened
from app.divisions.service import Atlas, atlas
from app.domain.county import County
from app.domain.errors import Busy, Invalid
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI
from app.settings import Settings
from app.suggestion import kept
from app.suggestion.service import leaves, own_tickets

COLUMNS = Columns(("text", "category"))
_EXTRA = "训练需要 scikit-learn：请在安装目录运行 pip install '.[suggestion]' 后再试"
_PERCENT = {"macro_f1": "宏平均 F1", "right": "首选正确", "right_in_three": "前三含正确"}

commands = typer.Typer(help="事项分类的推荐", no_args_is_help=True)


@commands.callback()
def suggestion_() -> None:
    """用本县的材料训练分类推荐；没有训练时按关键词表推荐。"""


@dataclass(frozen=True, slots=True)
class _Material:
    atlas: Atlas
    rows: Sequence[tuple[str, str]]
    trained_at: str


@commands.command("train")
def train_(
    file: Annotated[
        Path | None,
        typer.Argument(
            readable=False,
            help="CSV 或 xlsx，两列 text,category（分类的代码或名称）；不写则用本县已归档、由人定了分类的事项",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出训练结果")] = False,
) -> None:
    """训练分类推荐的模型：留出五分之一比较，胜过关键词表才启用。"""
    settings = configuration.read()
    training = _training()
    data = None if file is None else _bytes(file)
    material = asyncio.run(_material(settings, data, file.name if file else ""))
    examples = [training.Example(text, code) for text, code in material.rows]
    try:
        with _bar() as progress:
            trained = training.train(examples, _table(material.atlas), progress)
    except training.TooFewError as error:
        raise Invalid("suggestion.few", str(error)) from error
    worth = {
        "trained_at": material.trained_at,
        "source": "tickets" if file is None else "file",
        "used": trained.figures.better,
        **asdict(trained.figures),
        "versions": {name: version(name) for name in ("scikit-learn", "numpy")} | {"python": platform.python_version()},
    }
    folder = _keep(settings, material.atlas.county, trained.model, worth)
    if as_json:
        typer.echo(json.dumps(worth, ensure_ascii=False))
        return
    _show(worth)
    typer.echo(f"已写到 {folder}；{_VERDICT[trained.figures.better]}")


_VERDICT = {
    True: "胜过关键词表，正在运行的服务从下一件事项起用它推荐",
    False: "没有胜过关键词表，继续按关键词表推荐；有了更多由人定了分类的事项后可再训练",
}


def _training() -> Any:
    """The module that needs scikit-learn. Raises Busy where that is not installed."""
    try:
        from app.suggestion import training
    except ImportError as error:
        raise Busy("suggestion.extra", _EXTRA) from error
    return training


async def _material(settings: Settings, data: bytes | None, name: str) -> _Material:
    async with opened(settings) as database, database.open_work(SYSTEM, read=True) as work:
        county = await atlas(work)
        rows = await own_tickets(work, county) if data is None else labelled(county.county, data, name)
        return _Material(county, rows, work.now.astimezone(SHANGHAI).isoformat(timespec="seconds"))


def labelled(county: County, data: bytes, name: str = "") -> list[tuple[str, str]]:
    """(text, category code) of a labelled file. Raises Invalid with a fault per row."""
    known = {code: code for code, _ in leaves(county)}
    names = [leaf for _, leaf in leaves(county)]
    known |= {leaf: code for code, leaf in leaves(county) if names.count(leaf) == 1}
    faults = Faults()
    rows = []
    for row in read(data, COLUMNS, name=name).rows:
        text, category = row.values["text"], row.values["category"]
        if not text:
            faults.add(row.number, "text 不能为空")
        if category not in known:
            faults.add(row.number, f"category：没有代码或名称为“{category[:32]}”的二级分类")
            continue
        rows.append((text, known[category]))
    faults.refuse()
    return rows


def _table(county: Atlas) -> Any:
    codes = {category.id: category.code for category in county.county.categories.values()}

    def suggested(text: str) -> list[tuple[str, float]]:
        return [(codes[one.category_id], one.confidence) for one in county.keywords.suggest("", text)]

    return suggested


def _keep(settings: Settings, county: County, model: Any, worth: Mapping[str, Any]) -> Path:
    from app.suggestion.model import dumped

    whole = replace(model, categories=leaves(county), figures=dict(worth))
    try:
        return kept.keep(settings.data_dir, dumped(whole), worth)
    except OSError as error:
        raise Invalid("suggestion.write", f"无法写入 {settings.data_dir / kept.FOLDER}：{why(error)}") from error


def _show(worth: Mapping[str, Any]) -> None:
    typer.echo(f"文字 {worth['rows']} 条，分类 {worth['labels']} 个；留出比较 {worth['held_out']} 条")
    for key, label in _PERCENT.items():
        typer.echo(f"{label}：模型 {100 * worth['model'][key]:.1f}%，关键词表 {100 * worth['table'][key]:.1f}%")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Invalid("suggestion.file", f"无法读取 {file}：{why(error)}") from error


@contextmanager
def _bar() -> Iterator[Any]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("训练", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
