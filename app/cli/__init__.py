"""The console script `o2o`. A command is a typed function in a module of its subject, and a line here.

Nothing heavy is loaded before `main` runs: it takes a second, in which somebody may press Ctrl-C.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

TYPE_CHECKING = False  # as mypy knows it; typing itself takes a while
if TYPE_CHECKING:
    import typer

COMMANDS: Mapping[str, str] = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "worker": "worker:worker",
    "migrate": "database:migrate_",
    "import": "imports:import_",
    "report": "report:report",
    "rates": "rates:commands",
    "audit": "audit:commands",
    "suggestion": "suggestion:commands",
    "simulate": "simulate:simulate",
    "doctor": "doctor:doctor",
    "db": "database:commands",
}
"""Command → its module here and what it is there: a function, or a group of commands."""


STOPPED = 130
"""The exit code after Ctrl-C (the shells' convention)."""


def commands(named: str | None = None) -> "typer.Typer":
    """The command of that name alone, or all. A worker need not carry, for years, what only reports and imports use."""
    import typer

    from app.cli.helping import Command, Group

    app = typer.Typer(
        cls=Group,
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
            for one in found.registered_commands:
                one.cls = Command
            app.add_typer(found, name=name, cls=Group)
        else:
            app.command(name, cls=Command)(found)
    return app


def main(args: list[str] | None = None) -> None:
    """Runs a command and exits: 0, or 1 and what is wrong on stderr in Chinese, one line per faulty row.

    2 for a command line that is not understood, 130 after Ctrl-C.
    """
    try:
        code = _ended(sys.argv[1:] if args is None else args)
    except KeyboardInterrupt:
        code = STOPPED
    finally:
        _flush()
    if code == STOPPED:
        sys.stderr.write("已中止\n")
    sys.exit(code)


def _flush() -> None:
    """Whoever read our output (`| head`) may have gone: what is left of it is for nobody, and no error."""
    for stream in (sys.stdout, sys.__stdout__):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _ended(given: Sequence[str]) -> int:
    import typer

    from app.cli import usage
    from app.cli.calling import program

    try:
        ended = commands(next(iter(given), None))(given, prog_name=program(), standalone_mode=False)
        return ended if isinstance(ended, int) else 0
    except typer.TyperException as error:
        typer.echo(usage.sentence(error), err=True)
        return usage.USAGE
    except typer.Abort:
        typer.echo("已中止", err=True)
        return 1
    except Exception as error:
        from app.cli import saying

        if os.environ.get("O2O_LOG_LEVEL") == "debug" and not saying.meant(error):
            raise
        saying.complain(error)
        return 1
