"""The documents that are made of the code's tables say what the code does."""

from pathlib import Path

import pytest

from docs.tables import documents

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", documents())
def test_a_document_is_as_the_tables_are(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == documents()[name], "make docs"
