"""How this program was called: what is told to type next must be what can be typed here."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

NAME = "o2o"


def program() -> str:
    """`o2o` where the shell finds it under that name, else the way to it, as short as it goes (`.venv/bin/o2o`)."""
    called = Path(sys.argv[0])
    if called.name != NAME or not called.exists():
        return NAME
    on_path = shutil.which(NAME)
    if on_path is not None and Path(on_path).samefile(called):
        return NAME
    return shlex.quote(min(os.path.relpath(called), os.path.abspath(called), key=len))  # noqa: PTH100 - no links followed


def typable(sentence: str) -> str:
    """The sentence with its commands as they can be typed here: whoever wrote it knew only the name."""
    name = program()
    return re.sub(rf"(?<![\w./-]){NAME} (?=[a-z<])", lambda _: f"{name} ", sentence)
