"""The console script `o2o`. A command is a typed function in a module of its subject, and a line here."""

import os
import sys
from collections.abc import Mapping
from importlib import import_module

import typer
from pydantic import ValidationError

from app.base.embedded import EmbeddedError
from app.cli import settings, usage
from app.domain.errors import Refusal

COMMANDS: Mapping[str, str] = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "worker": "worker:worker",
    "migrate": "database:migrate_",
    "import": "imports:import_",
    "report": "report:report",
    "rates": "rates:commands",
    "simulate": "simulate:simulate",
    "doctor": "doctor:doctor",
    "db": "database:commands",
}
"""Command → its module here and what it is there: a function, or a group of commands."""


def commands(named: str | None = None) -> typer.Typer:
    """The command of that name alone, or all. A worker need not carry, for years, what only reports and imports use."""
    app = typer.Typer(
        help="民生快递：县、镇街、村社区、网格四级为民服务",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    # One command alone would be taken for the whole program.
    app.callback()(lambda: None)
    wanted = COMMANDS if named not in COMMANDS else {str(named): COMMANDS[str(named)]}
    for name, place in wanted.items():
        module, _, what = place.partition(":")
        found = getattr(import_module(f"app.cli.{module}"), what)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def main(args: list[str] | None = None) -> None:
    """Runs a command and exits: 0, or 1 and what is wrong on stderr in Chinese, one line per faulty row.

    2 for a command line that is not understood.
    """
    try:
        given = sys.argv[1:] if args is None else args
        ended = commands(next(iter(given), None))(given, standalone_mode=False)
        sys.exit(ended if isinstance(ended, int) else 0)
    except typer.TyperException as error:
        if said := usage.sentence(error):
            typer.echo(said, err=True)
        sys.exit(usage.USAGE)
    except typer.Abort:
        typer.echo("已中止", err=True)
    except Refusal as refusal:
        for fault in refusal.faults:
            if fault.pointer.startswith("第"):
                typer.echo(f"{fault.pointer}：{fault.detail}", err=True)
        typer.echo(refusal.detail, err=True)
    except EmbeddedError as error:
        typer.echo(str(error), err=True)
    except Exception as error:
        if os.environ.get("O2O_LOG_LEVEL") == "debug":
            raise
        typer.echo(_sentence(error), err=True)
    sys.exit(1)


def _sentence(error: Exception) -> str:
    if isinstance(error, ValidationError) and error.title == "Settings":
        return settings.sentence(error)
    # Only the kind: the text of an error may quote a row, and rows are about people.
    return f"程序出错（{type(error).__name__}）；设 O2O_LOG_LEVEL=debug 再运行一次可看到详情"
