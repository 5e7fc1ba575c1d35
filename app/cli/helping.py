"""`--help` in Chinese, in lines that fit: Typer's own, of words between spaces, cuts what Chinese runs on."""

import re
import shutil
from collections.abc import Iterable, Iterator
from typing import Any

from rich.cells import cell_len
from typer.core import TyperCommand, TyperGroup

WIDEST = 100
NARROWEST = 40
_MARGIN = "  "
_PIECES = re.compile(r"[!-~]+|\S|\s+")
_CLOSING = "，。；：、）”！？】》.,"


class Command(TyperCommand):
    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write("\n".join(_page(ctx, self)))


class Group(TyperGroup):
    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write("\n".join(_page(ctx, self, self.commands)))


def _page(ctx: Any, command: Any, below: Any = None) -> Iterator[str]:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option"]
    words = [f"用法：{ctx.command_path}", "[选项]"]
    words += [f"{{{one.name}}}" if one.required else f"[{one.name}]" for one in arguments]
    if below:
        words.append("[命令 …]" if command.invoke_without_command else "命令 …")
    yield " ".join(words)
    yield ""
    yield from wrapped(command.help or "", _width())
    if below:
        yield from _table("命令", ((name, one.help or "") for name, one in below.items()))
    if arguments:
        yield from _table("参数", ((one.name, _told(one)) for one in arguments))
    told = [("、".join(one.opts) + _taken(one), _told(one)) for one in options]
    yield from _table("选项", [*told, ("--help", "显示这份说明")])


def _table(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    listed = list(rows)
    first = max(cell_len(name) for name, _ in listed) + 2
    yield ""
    yield f"{title}："
    for name, told in listed:
        for number, line in enumerate(wrapped(told, _width() - len(_MARGIN) - first) or [""]):
            left = "" if number else name
            yield f"{_MARGIN}{left}{' ' * (first - cell_len(left))}{line}".rstrip()


def _taken(option: Any) -> str:
    return "" if option.is_flag else " 值"


def _told(param: Any) -> str:
    said = [param.help or "", bounds(param)]
    if param.required:
        said.append("必填")
    elif param.default not in (None, "", False):
        said.append(f"不填为 {param.default}")
    first, *more = [one for one in said if one]
    return f"{first}（{'，'.join(more)}）" if more else first


def bounds(param: Any) -> str:
    """The numbers that a parameter takes, empty where it takes something else."""
    least, most = getattr(param, "min", None), getattr(param, "max", None)
    if least is None and most is None:
        return ""
    if most is None:
        return f"{least} 或更大的整数"
    return f"{least} 到 {most} 的整数"


def _width() -> int:
    return max(NARROWEST, min(shutil.get_terminal_size().columns, WIDEST) - 1)


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, a Chinese character being two: broken between any two of those, and never
    before a closing mark or within a word or command."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and cell_len(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for piece in _PIECES.findall(" ".join(text.split())):
        if pieces and (piece[0] in _CLOSING or pieces[-1][-1] in "（“《"):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces
