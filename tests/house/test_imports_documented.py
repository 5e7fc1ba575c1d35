"""The README's table of imports has the columns that there are: in brackets what a file may leave out."""

import re
from pathlib import Path

import pytest

from app.imports.service import KINDS

ROOT = Path(__file__).parents[2]
_NAMES = re.compile(r"`([^`]*)`")


def _row(kind: str) -> str:
    section = (ROOT / "README.md").read_text("utf-8").partition("| kind, in this order | columns |")[2]
    return next(line for line in section.splitlines() if line.startswith(f"| `{kind}` |")).split("|", 2)[2]


def _columns(text: str) -> set[str]:
    """Names in backquotes, without what stands in parentheses behind them."""
    bare = re.sub(r"\([^()]*\)", "", text)
    return {name.strip() for group in _NAMES.findall(bare) for name in group.split(",") if name.strip()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_readme_says_which_columns_must_be_there_and_which_may_be_missing(kind: str) -> None:
    row, columns = _row(kind), KINDS[kind]
    must, _, rest = row.partition("[")
    may = rest.rpartition("]")[0]
    assert set(columns.required) <= _columns(must)
    assert set(columns.optional) == _columns(may) & columns.known == _columns(may)
    assert not _columns(must) & set(columns.optional)


def test_the_kinds_stand_in_the_order_in_which_one_needs_another() -> None:
    section = (ROOT / "README.md").read_text("utf-8").partition("| kind, in this order | columns |")[2]
    rows = re.findall(r"^\| `([a-z-]+)` \|", section.partition("\n\n")[0], re.MULTILINE)
    assert rows == list(KINDS)
