"""The real application over the test database, and people who are signed in to it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI

from app.base.db import Database
from app.base.secrets import Vault
from app.demo.county import DemoCounty
from app.main import create_app
from tests.balance import in_balance

SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def app(request: pytest.FixtureRequest, database: Database, vault: Vault) -> AsyncIterator[FastAPI]:
    yield create_app(database, vault)
    if request.node.get_closest_marker("by_hand") is None:
        await in_balance(database)


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not signed in. An exception in the application is a 500, as in life."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://minsheng.test") as client:
        yield client


@pytest.fixture
async def sign_in(app: FastAPI, stranger: httpx.AsyncClient, demo: DemoCounty) -> AsyncIterator[SignIn]:
    """`await sign_in("admin-430121")`: a client of that member of staff, signed in with the demo's password."""
    passwords = {user.username: user.password for user in demo.users}
    opened: list[httpx.AsyncClient] = []

    async def one(username: str) -> httpx.AsyncClient:
        body = {"username": username, "password": passwords[username]}
        token = (await stranger.post("/api/v1/sessions", json=body)).json()["access_token"]
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="http://minsheng.test",
            headers={"Authorization": f"Bearer {token}"},
        )
        opened.append(client)
        return client

    yield one
    for client in opened:
        await client.aclose()
