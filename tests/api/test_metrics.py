"""/metrics: true figures, for those who may read them, and nothing in them that is about a person."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from re import sub
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from app.base.clock import Clock
from app.base.db import Database
from app.base.secrets import Vault
from app.main import create_app
from app.web.gate import permissions
from tests.api.conftest import SignIn

TOKEN = "a scraper's own token"
ADMIN = "admin-430121001001"
Call = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


def samples(page: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """(name, sorted labels) → value."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def asked(page: str, **labels: str) -> float:
    """How many requests there were with these labels."""
    wanted = set(labels.items())
    return sum(
        v for (name, held), v in samples(page).items() if name == "o2o_http_requests_total" and wanted <= {*held}
    )


def figure(page: str, name: str) -> float:
    return samples(page)[(name, ())]


@pytest.fixture
def call(database: Database, vault: Vault) -> Call:
    """`call(client=("192.0.2.7", 1), metrics_token=…)`: a caller from there, of an application set like that."""

    @asynccontextmanager
    async def called(client: tuple[str, int] = ("127.0.0.1", 1), **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=create_app(database, vault, **settings), client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://minsheng.test") as found:
            yield found

    return called


async def test_requests_are_counted_by_route_method_and_status(stranger: httpx.AsyncClient) -> None:
    for path in ("/board", "/board/430121", "/board/430121001", "/api/v1/me", "/nowhere/1", "/nowhere/2"):
        await stranger.get(path)
    await stranger.post("/board")
    await stranger.request("BREW", "/nowhere")
    page = (await stranger.get("/metrics")).text
    assert asked(page, route="/board", method="GET", status="200") == 1
    assert asked(page, route="/board", method="POST", status="405") == 1
    assert asked(page, route="/board/{code}", status="200") == 2
    assert asked(page, route="/api/v1/me", status="401") == 1
    assert asked(page, route="other", method="GET", status="404") == 2
    assert asked(page, route="other", method="other") == 1
    took = samples(page)[("o2o_http_request_seconds_count", (("method", "GET"), ("route", "/board/{code}")))]
    assert took == 2


async def test_a_route_is_named_as_the_matrix_names_it(app: FastAPI, stranger: httpx.AsyncClient) -> None:
    for method, path, _ in permissions(app):
        await stranger.request(method, sub("{[^}]*}", "1", path))
    page = (await stranger.get("/metrics")).text
    routes = {dict(held)["route"] for name, held in samples(page) if name == "o2o_http_requests_total"}
    assert routes <= {path for _, path, _ in permissions(app)}
    assert {"/api/v1/tickets/{number}/complete", "/t/{number}", "/wechat/{appid}"} <= routes


async def test_nothing_of_a_ticket_an_account_or_a_person_is_in_it(
    sign_in: SignIn, stranger: httpx.AsyncClient
) -> None:
    admin = await sign_in(ADMIN)
    body = {"description": "垃圾没人清", "channel": "group", "category": "C0103"}
    number = (await admin.post("/api/v1/tickets", json=body)).json()["number"]
    for path in (f"/t/{number}", "/wechat/wx0123456789abcdef?openid=oABCDEFGHIJKLMNOPQRSTUVWXYZ1", f"/{number}"):
        await stranger.get(path)
    page = (await stranger.get("/metrics")).text
    for secret in (number, "wx0123456789abcdef", "oABCDEFG", ADMIN, "垃圾", "430121001001"):
        assert secret not in page


async def test_what_waits_is_counted_and_what_is_overdue(sign_in: SignIn, call: Call, clock: Clock) -> None:
    admin = await sign_in(ADMIN)
    body = {"description": "垃圾没人清", "channel": "group", "category": "C0103"}
    for _ in range(2):
        assert (await admin.post("/api/v1/tickets", json=body)).status_code == 201
    async with call() as first:
        page = (await first.get("/metrics")).text
        assert (figure(page, "o2o_tickets_open"), figure(page, "o2o_tickets_overdue")) == (2, 0)
        assert figure(page, "o2o_rate_deltas") > 0
        assert (figure(page, "o2o_messages_kept"), figure(page, "o2o_spool"), figure(page, "o2o_database_up")) == (
            0,
            0,
            1,
        )
    clock.advance(timedelta(days=60))
    async with call() as later:
        assert figure((await later.get("/metrics")).text, "o2o_tickets_overdue") == 2


async def test_the_database_is_not_asked_again_at_once(sign_in: SignIn, stranger: httpx.AsyncClient) -> None:
    assert figure((await stranger.get("/metrics")).text, "o2o_tickets_open") == 0
    admin = await sign_in(ADMIN)
    await admin.post("/api/v1/tickets", json={"description": "垃圾没人清", "channel": "group", "category": "C0103"})
    assert figure((await stranger.get("/metrics")).text, "o2o_tickets_open") == 0


async def test_while_the_database_is_away_the_rest_can_be_read(vault: Vault) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none", Clock())
    transport = httpx.ASGITransport(app=create_app(away, vault), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://minsheng.test") as client:
        assert (await client.get("/board")).status_code == 503
        answer = await client.get("/metrics")
    assert (answer.status_code, figure(answer.text, "o2o_database_up")) == (200, 0)
    assert asked(answer.text, route="/board", status="503") == 1
    assert ("o2o_tickets_open", ()) not in samples(answer.text)
    await away.close()


async def test_a_forged_push_is_counted(stranger: httpx.AsyncClient, demo: Any) -> None:
    appid = next(sheet for sheet in demo.sheets if sheet.name == "accounts").rows[0]["appid"]
    assert (await stranger.post(f"/wechat/{appid}", content=b"<xml/>")).status_code == 403
    page = (await stranger.get("/metrics")).text
    assert samples(page)[("o2o_wechat_pushes_total", (("outcome", "forged"),))] == 1


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_without_a_token_nobody_comes_in_through_a_proxy_on_this_machine(call: Call, name: str) -> None:
    async with call() as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.get("/metrics", headers={name: "127.0.0.1"})).status_code == 403


@pytest.mark.parametrize("host", ["192.0.2.7", "10.0.0.7", "2001:db8::7", "testclient"])
async def test_without_a_token_nobody_comes_in_from_elsewhere(call: Call, host: str) -> None:
    async with call((host, 1)) as client:
        answer = await client.get("/metrics")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/metrics.closed")


async def test_where_a_proxy_must_be_this_machine_needs_the_token_too(call: Call) -> None:
    async with call(base_url="https://minsheng.test") as client:
        assert (await client.get("/metrics")).status_code == 403
    async with call(base_url="https://minsheng.test", metrics_token=TOKEN) as client:
        assert (await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200


async def test_a_token_opens_it_to_whoever_has_it_and_to_nobody_else(call: Call) -> None:
    async with call(("192.0.2.7", 1), metrics_token=TOKEN) as client:
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
            answer = await client.get("/metrics", headers=given)
            assert (answer.status_code, answer.json()["type"]) == (401, "/problems/metrics.token")
        answer = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    async with call(metrics_token=TOKEN) as here:
        assert (await here.get("/metrics")).status_code == 401
