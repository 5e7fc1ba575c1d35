"""Sign-in: right, wrong, too often, over."""

import asyncio
from collections import Counter
from datetime import timedelta

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from app.base.db import Database
from app.demo.county import DemoCounty
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


def right(demo: DemoCounty) -> dict[str, str]:
    return next({"username": u.username, "password": u.password} for u in demo.users if u.username == "admin-430121")


WRONG = {"username": "admin-430121", "password": "wrong"}
SESSIONS = "/api/v1/sessions"


async def later(database: Database, by: timedelta) -> None:
    """As if that much time had passed for whoever waits."""
    async with database.open_work(SYSTEM) as work:
        shift = text("UPDATE sign_in_failure SET blocked_until = blocked_until - CAST(:by AS interval)")
        await work.conn.execute(shift, {"by": by})


async def test_after_five_failures_the_account_waits_1_2_4_up_to_15_minutes(
    stranger: httpx.AsyncClient, database: Database, demo: DemoCounty
) -> None:
    for _ in range(4):
        assert (await stranger.post(SESSIONS, json=WRONG)).status_code == 401
    for minutes in (1, 2, 4, 8, 15, 15):
        assert (await stranger.post(SESSIONS, json=WRONG)).status_code == 401
        blocked = await stranger.post(SESSIONS, json=right(demo))
        assert (blocked.status_code, blocked.json()["type"]) == (429, "/problems/session.blocked")
        assert minutes * 60 - 5 < int(blocked.headers["retry-after"]) <= minutes * 60
        await later(database, timedelta(minutes=minutes))
    assert (await stranger.post(SESSIONS, json=right(demo))).status_code == 200
    assert (await stranger.post(SESSIONS, json=WRONG)).status_code == 401
    assert (await stranger.post(SESSIONS, json=right(demo))).status_code == 200  # it starts anew


async def test_many_wrong_passwords_at_once_get_no_more_tries_than_one_by_one(
    stranger: httpx.AsyncClient,
) -> None:
    answers = await asyncio.gather(*(stranger.post(SESSIONS, json=WRONG) for _ in range(32)))
    assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 27}


async def test_an_address_has_twenty_failures_in_fifteen_minutes_whatever_accounts_it_tries(
    app: FastAPI, stranger: httpx.AsyncClient, database: Database, demo: DemoCounty
) -> None:
    tries = (stranger.post(SESSIONS, json={"username": f"nobody-{n}", "password": "x"}) for n in range(32))
    assert Counter([answer.status_code for answer in await asyncio.gather(*tries)]) == {401: 20, 429: 12}
    blocked = await stranger.post(SESSIONS, json=right(demo))
    assert blocked.status_code == 429
    assert 895 < int(blocked.headers["retry-after"]) <= 900
    elsewhere = httpx.ASGITransport(app=app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://minsheng.test") as other:
        assert (await other.post(SESSIONS, json=right(demo))).status_code == 200
    await later(database, timedelta(minutes=15))
    assert (await stranger.post(SESSIONS, json=right(demo))).status_code == 200


async def test_colleagues_behind_one_address_who_sign_in_at_once_are_all_let_in_and_nothing_is_counted(
    stranger: httpx.AsyncClient, database: Database, demo: DemoCounty
) -> None:
    users = [{"username": user.username, "password": user.password} for user in demo.users[:40]]
    answers = await asyncio.gather(*(stranger.post(SESSIONS, json=user) for user in users))
    assert {answer.status_code for answer in answers} == {200}
    async with database.open_work(SYSTEM) as work:
        left = await work.conn.execute(text("SELECT username, failures FROM sign_in_failure"))
        assert [tuple(row) for row in left] == [("", 0)]


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
