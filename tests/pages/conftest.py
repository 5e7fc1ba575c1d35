"""The whole application as a browser meets it, over the demo county."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from app.base.db import Database
from app.base.secrets import Vault
from app.domain.policy import Actor
from app.main import create_app
from tests.pages.county_life import County, county_of

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def over(database: Database, vault: Vault, *, demo: bool = False) -> httpx.AsyncClient:
    """A browser before the application on that database."""
    transport = httpx.ASGITransport(app=create_app(database, vault, demo=demo), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://county.test", headers=BROWSER)


@pytest.fixture
async def site(database: Database, vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    async with over(database, vault) as browser:
        yield browser


@pytest.fixture
async def county(database: Database, actor: Callable[[str], Awaitable[Actor]]) -> County:
    return await county_of(database, await actor("admin-430121"))
