"""The tree of divisions over the interface, with what a newer edition does to it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.base.db import Database
from app.base.secrets import Vault
from app.imports.service import prepare, run
from app.main import create_app
from tests.imports.edition_files import AFTER, BEFORE, LEFT, STREET

PASSWORD = "for tests alone never of an installation"
STAFF = (
    "username,name,phone,role,division_code,unit_code,password\n"
    f"admin-1,王演示一,14200000001,administrator,430121,,{PASSWORD}\n"
)


@pytest.fixture
async def admin(empty_database: Database, vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    """The administrator of a county of one street, of which the next edition has closed a village and renamed it."""
    renamed = AFTER.replace("星沙街道", "星沙新街道")
    for kind, text, edition in (
        ("divisions", BEFORE, "2017"),
        ("staff", STAFF, None),
        ("divisions", renamed, "2023"),
    ):
        await run(empty_database.open_work, prepare(kind, text.encode(), edition=edition))
    transport = httpx.ASGITransport(app=create_app(empty_database, vault), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://minsheng.test") as client:
        token = (await client.post("/api/v1/sessions", json={"username": "admin-1", "password": PASSWORD})).json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        yield client


async def got(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(f"/api/v1/divisions/{path}")
    assert answer.status_code == 200
    return answer.json()


async def test_a_division_says_what_it_was_called_and_since_when_it_is_there(admin: httpx.AsyncClient) -> None:
    assert await got(admin, STREET) == {
        "code": STREET,
        "name": "星沙新街道",
        "short_name": "星沙新",
        "level": "town",
        "parent_code": "430121",
        "path": ["长沙县", "星沙新街道"],
        "aliases": ["星沙街道"],
        "edition": "2023",
        "valid_from": "2017-01-01",
        "valid_to": None,
    }


async def test_a_closed_division_is_shown_and_not_listed_unless_asked_for(admin: httpx.AsyncClient) -> None:
    closed = await got(admin, LEFT)
    assert (closed["name"], closed["valid_to"], closed["edition"]) == ("后街社区居委会", "2026-09-22", "2023")
    in_force = [one["code"] for one in await got(admin, f"{STREET}/children")]
    assert in_force == [f"{STREET}{n:03}" for n in range(1, 6)]
    every = await got(admin, f"{STREET}/children?closed=true")
    assert [one["code"] for one in every] == [*in_force, LEFT]
    assert [one["valid_to"] for one in every] == [None] * 5 + ["2026-09-22"]


async def test_no_ticket_is_recorded_at_or_sent_to_a_closed_division(admin: httpx.AsyncClient) -> None:
    body = {"channel": "group", "description": "路灯不亮"}
    refused = await admin.post("/api/v1/tickets", json=body | {"division_code": LEFT})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/division.closed")
    opened = (await admin.post("/api/v1/tickets", json=body | {"division_code": STREET})).json()
    for form in ({"division_code": LEFT}, {"division_code": STREET, "place_code": LEFT}):
        sent = await admin.post(f"/api/v1/tickets/{opened['number']}/dispatch", json=form)
        assert (sent.status_code, sent.json()["type"]) == (422, "/problems/division.closed"), form
