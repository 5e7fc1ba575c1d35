"""A demo whose divisions somebody has brought up to date starts again."""

from app.base.db import Database
from app.base.secrets import Vault
from app.demo import installation
from app.divisions.service import atlas
from app.domain.policy import SYSTEM
from app.imports.service import prepare, run
from tests.imports.edition_files import packaged


async def test_a_demo_goes_on_with_the_newer_edition_that_was_imported(empty_database: Database, vault: Vault) -> None:
    said: list[str] = []
    await installation.load(empty_database, vault, "key", said.append)
    await run(empty_database.open_work, prepare("divisions", packaged(2023).encode(), edition="2023"))
    await installation.load(empty_database, vault, "key", said.append)
    async with empty_database.open_work(SYSTEM, read=True) as work:
        assert (await atlas(work)).county.by_code["430121004"].name == "㮾梨街道"
    assert len(said) == 2, "the county and its past, the first time; the second time nothing was new"
