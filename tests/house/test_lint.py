"""`make lint` fails when one of its steps does, with tools that only pretend."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = "echo 'CREATE TABLE a (id bigint);'"


@pytest.mark.parametrize(
    ("alembic", "squawk", "ends_well"),
    [
        (TABLE, "grep -q 'CREATE TABLE a' \"$1\"", True),
        (f"{TABLE}; exit 1", "exit 0", False),
        ("exit 1", "exit 0", False),
        ("exit 0", "exit 0", False),
        (TABLE, "exit 1", False),
    ],
    ids=["all is well", "alembic stops half-way", "alembic fails", "nothing to look at", "squawk finds something"],
)
def test_a_step_of_the_migrations_lint_that_fails_fails_the_lint(
    tmp_path: Path, alembic: str, squawk: str, ends_well: bool
) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    steps = dict.fromkeys(("ruff", "lint-imports", "mypy"), "exit 0") | {"alembic": alembic, "squawk": squawk}
    for name, script in steps.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n", "ascii")
        (tmp_path / name).chmod(0o755)
    command = ["make", "-o", ".venv/.dev", "lint", f"BIN={tmp_path}", f"SQL={tmp_path / 'migrations.sql'}"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode == 0) is ends_well, ran.stderr
