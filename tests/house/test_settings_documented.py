"""The README's table of settings is the settings that there are; containers use only what there is."""

import json
import re
from pathlib import Path

import pytest
import typer
from pydantic import SecretStr

from app.cli import commands
from app.settings import Settings

ROOT = Path(__file__).parents[2]
FREE = {"O2O_ENV", "O2O_CLOCK_OFFSET", "O2O_PG_BIN"}
"""Their default depends on where they run: the table says how."""
READ = re.compile(r"""environ(?:\.get\(|\[)["'](O2O_[A-Z_]+)["']""")


def _table() -> dict[str, str]:
    """Setting → default, of the rows under ### Settings."""
    section = (ROOT / "README.md").read_text("utf-8").partition("### Settings")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:2] == "| "]
    return {row[0].strip("`"): row[1].strip("`") for row in rows if row[0].startswith("`")}


def _fields() -> dict[str, str]:
    """Setting → default, as the table writes it."""
    found = {}
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        found[f"O2O_{name.upper()}"] = str(default) or "empty"
    return found


def _read_apart() -> set[str]:
    """Settings that are taken from the environment without Settings, in the product and in the tests' fixtures."""
    files = [*(ROOT / "app").rglob("*.py"), ROOT / "tests/conftest.py"]
    return {name for path in files for name in READ.findall(path.read_text("utf-8"))}


def test_the_readme_has_every_setting_and_no_other() -> None:
    assert set(_table()) == set(_fields()) | _read_apart()
    assert {"O2O_PG_BIN", "O2O_TEST_DATABASE_URL"} <= _read_apart()


def test_the_readme_has_every_default() -> None:
    assert {name: default for name, default in _table().items() if name in _fields() and name not in FREE} == {
        name: default for name, default in _fields().items() if name not in FREE
    }


CONTAINERS = ("Dockerfile", "compose.yaml")


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_set_only_settings_that_there_are(name: str) -> None:
    used = set(re.findall(r"\bO2O_[A-Z_]+", (ROOT / name).read_text("utf-8")))
    assert used
    assert used <= set(_fields())


def test_containers_run_only_commands_and_options_that_there_are() -> None:
    ran = [
        json.loads(words)
        for name in CONTAINERS
        for words in re.findall(r"(?:CMD|command:) (\[\"o2o\".*\])", (ROOT / name).read_text("utf-8"))
    ]
    assert {words[1] for words in ran} == {"serve", "worker", "migrate"}
    group = typer.main.get_command(commands())
    for _, command, *rest in ran:
        options = {opt for param in group.commands[command].params for opt in param.opts}  # type: ignore[attr-defined]
        assert {word for word in rest if word.startswith("--")} <= options, command


def test_the_image_gets_what_it_copies_and_nothing_else() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    wanted = {word for words in copied for word in words.split()}
    ignore = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert ignore[0] == "*"
    assert wanted == {line[1:] for line in ignore if line.startswith("!")}
    assert all((ROOT / name).exists() for name in wanted)
