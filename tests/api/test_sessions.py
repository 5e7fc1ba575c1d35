"""Sign-in: right, wrong, too often, over."""

from datetime import timedelta

import httpx
from sqlalchemy import text

from app.base.db import Database
from app.domain.policy import SYSTEM
from tests.api.conftest import SignIn


async def test_who_i_am(sign_in: SignIn) -> None:
    me = (await (await sign_in("admin-430121001")).get("/api/v1/me")).json()
    assert (me["username"], me["roles"], me["divisions"]) == ("admin-430121001", ["administrator"], ["430121001"])


async def test_a_wrong_password_and_an_unknown_name_are_told_the_same(stranger: httpx.AsyncClient) -> None:
    wrong = await stranger.post("/api/v1/sessions", json={"username": "admin-430121", "password": "not this one"})
    unknown = await stranger.post("/api/v1/sessions", json={"username": "nobody", "password": "not this one"})
    # A courier without a password can't sign in with any.
    bare = await stranger.post("/api/v1/sessions", json={"username": "courier-430121001003001-1", "password": "x"})
    assert wrong.status_code == unknown.status_code == bare.status_code == 401
    assert wrong.json() == unknown.json() == bare.json()


async def test_after_five_failures_that_address_waits(stranger: httpx.AsyncClient, sign_in: SignIn) -> None:
    for _ in range(5):
        await stranger.post("/api/v1/sessions", json={"username": "admin-430121", "password": "wrong"})
    blocked = await stranger.post("/api/v1/sessions", json={"username": "admin-430121", "password": "wrong"})
    assert blocked.status_code == 429
    assert 0 < int(blocked.headers["retry-after"]) <= 60


async def test_without_or_with_a_false_token_nothing_opens(stranger: httpx.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}):
        answer = await stranger.get("/api/v1/me", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


async def test_an_idle_session_ends_and_a_used_one_goes_on(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("admin-430121")
    shift = text("UPDATE session SET seen_at = seen_at - CAST(:by AS interval)")
    async with database.open_work(SYSTEM) as work:
        await work.conn.execute(shift, {"by": timedelta(minutes=29)})
    assert (await client.get("/api/v1/me")).status_code == 200  # and is touched by it
    async with database.open_work(SYSTEM) as work:
        await work.conn.execute(shift, {"by": timedelta(minutes=29)})
    assert (await client.get("/api/v1/me")).status_code == 200
    async with database.open_work(SYSTEM) as work:
        await work.conn.execute(shift, {"by": timedelta(minutes=31)})
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_the_sixth_session_ends_the_first(sign_in: SignIn) -> None:
    clients = [await sign_in("admin-430121") for _ in range(6)]
    assert [(await client.get("/api/v1/me")).status_code for client in clients] == [401] + [200] * 5


async def test_a_name_that_cannot_be_stored_is_a_clear_error(stranger: httpx.AsyncClient) -> None:
    for raw in (
        b'{"username":"a\\u0000b","password":"x"}',
        b'{"username":"\\ud800","password":"x"}',
        b"{",
        b"[]",
        b"\xff",
    ):
        answer = await stranger.post("/api/v1/sessions", content=raw, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), raw
