"""What is wrong with a command line, in one Chinese sentence; Typer says it in English and in a box."""

from re import match
from typing import Any

from typer import Context, TyperException

from app.cli.calling import program
from app.cli.helping import bounds

USAGE = 2
"""The exit code of a command that was not understood (the shells' convention, and Typer's)."""


class MissingParameter(TyperException):
    """An option that a command needs where no subcommand of its own is called: Typer can't say that in a signature."""

    def __init__(self, context: Context, option: str) -> None:
        super().__init__(f"Missing option {option}")
        self.ctx = context
        self.option_name = option


def sentence(error: TyperException) -> str:
    """The sentence, with where to find help; the help itself where nothing was asked for."""
    kind = type(error).__name__  # Typer shows the classes of the click that it carries to nobody
    if kind == "NoArgsIsHelpError":
        return str(error.message)
    path = getattr(getattr(error, "ctx", None), "command_path", program())
    return f"{_reason(kind, error)}；用法见 {path} --help"


def _reason(kind: str, error: Any) -> str:
    name = _name(error)
    match_command = match(r"No such command '(.*)'", error.message)
    if match_command:
        return f"没有“{match_command[1][:32]}”这个命令"
    if error.message.startswith("Got unexpected extra argument"):
        return "参数太多了"
    reasons = {
        "MissingParameter": f"缺少参数 {name}",
        "NoSuchOption": f"没有 {name} 这个选项",
        "BadOptionUsage": f"{name} 后面要有值" if "requires" in error.message else f"{name} 后面不要有值",
        "BadParameter": f"{name} 的值不对{_wanted(error)}",
    }
    return reasons.get(kind, "命令写得不对")


def _wanted(error: Any) -> str:
    numbers = bounds(getattr(error, "param", None))
    return f"，应为 {numbers}" if numbers else ""


def _name(error: Any) -> str:
    param = getattr(error, "param", None)
    if param is None:
        return str(getattr(error, "option_name", ""))[:32]
    return str(next((one for one in param.opts if one.startswith("--")), param.name))
