"""What went wrong with a command, in Chinese, on stderr."""

from concurrent.futures.process import BrokenProcessPool

import typer
from pydantic import ValidationError

from app.base.embedded import EmbeddedError
from app.base.running.reasons import of_file, why
from app.cli import settings
from app.cli.calling import typable
from app.domain.errors import Refusal

_MORE = "设 O2O_LOG_LEVEL=debug 再运行一次可看到详情"


def meant(error: Exception) -> bool:
    """Whether it is no failure of ours: there is nothing to look for behind it."""
    return isinstance(error, Refusal | EmbeddedError)


def complain(error: Exception) -> None:
    """One sentence; of a file one line more for each faulty row."""
    if isinstance(error, Refusal):
        for fault in error.faults:
            if fault.pointer.startswith("第"):
                typer.echo(f"{fault.pointer}：{fault.detail}", err=True)
    typer.echo(typable(_sentence(error)), err=True)


def _sentence(error: Exception) -> str:
    if isinstance(error, Refusal | EmbeddedError):
        return str(error)
    if isinstance(error, ValidationError) and error.title == "Settings":
        return settings.sentence(error)
    if isinstance(error, OSError) and error.errno is not None:
        return of_file(error) if error.filename else f"没有办成：{why(error)}；{_MORE}"
    if isinstance(error, BrokenProcessPool):
        return "干活的另一个进程突然没了（多半是内存不够，被系统停掉），请腾出内存再运行一次"
    if getattr(getattr(error, "orig", None), "sqlstate", None):
        return f"数据库没有照办（{why(error)}）；{_MORE}"
    # Only the kind: the text of an error may quote a row, and rows are about people.
    return f"程序出错（{type(error).__name__}）；{_MORE}"
