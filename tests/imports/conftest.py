"""What the tests of imports share: the smallest county, and files as a few lines of text."""

import pytest

from app.base.secrets import Vault
from app.base.work import Work
from app.domain.errors import Invalid
from app.imports.service import KINDS, Result, apply, prepare
from tests.imports.county_files import DIVISIONS, UNITS, Load, Refusals
from tests.imports.edition_files import BEFORE


@pytest.fixture
def load(vault: Vault) -> Load:
    """`await load(work, "units", text)` imports the text as a file."""

    async def loaded(work: Work, kind: str, text: str, *, edition: str | None = None) -> Result:
        return await apply(work, prepare(kind, text.encode(), edition=edition), vault)

    return loaded


@pytest.fixture
def refusals(load: Load) -> Refusals:
    """`await refusals(work, "units", text)` is what the import says against it, a line for each fault."""

    async def refused(work: Work, kind: str, text: str) -> list[str]:
        with pytest.raises(Invalid) as error:
            await load(work, kind, text)
        assert error.value.code == "import.rows"
        for fault in error.value.faults:
            assert any(column in fault.detail for column in KINDS[kind].known), f"no column named: {fault.detail}"
        return [f"{fault.pointer}：{fault.detail}" for fault in error.value.faults]

    return refused


@pytest.fixture
async def county(blank: Work, load: Load) -> Work:
    """A transaction in which there is the smallest county: a division of each level, two units."""
    await load(blank, "divisions", DIVISIONS, edition="2017")
    await load(blank, "units", UNITS)
    return blank


@pytest.fixture
async def street(blank: Work, load: Load) -> Work:
    """A transaction in which there is a county of one street, as it was in 2017."""
    await load(blank, "divisions", BEFORE, edition="2017")
    return blank
