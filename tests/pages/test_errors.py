"""Errors: a page for people, a problem document for programs, from the same words."""

import httpx
import pytest
from structlog.testing import capture_logs

from app.base.clock import Clock
from app.base.db import Database
from app.base.secrets import Vault
from app.main import create_app
from tests.pages.conftest import BROWSER, over
from tests.pages.reading import Page, follow

PROBLEM = "application/problem+json"


@pytest.mark.parametrize("path", ["/t/1000000000", "/t/abc", "/board/999999", "/t/1/2"])
async def test_the_pages_own_addresses_answer_a_page_whoever_asks(site: httpx.AsyncClient, path: str) -> None:
    answer = await site.get(path, headers={"accept": "*/*"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert {"/t", "/board", "/"} <= set(follow(Page(answer.text)))
    assert answer.headers["cache-control"] == "no-store"


async def test_an_unknown_address_is_a_page_for_a_browser_and_a_problem_for_a_program(site: httpx.AsyncClient) -> None:
    seen = await site.get("/nothing/here")
    told = await site.get("/nothing/here", headers={"accept": "*/*"})
    assert (seen.status_code, told.status_code) == (404, 404)
    assert "没有找到" in Page(seen.text).text
    assert told.headers["content-type"] == PROBLEM


@pytest.mark.parametrize(
    "path", ["//elsewhere.test/x", "/%5Celsewhere.test/x", "///elsewhere.test", "/%2Felsewhere.test"]
)
async def test_no_address_makes_a_page_lead_elsewhere(vault: Vault, database: Database, path: str) -> None:
    app = create_app(database, vault)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), headers=BROWSER) as browser:
        # Given whole: the client would read //elsewhere.test as another host.
        answer = await browser.get(f"http://county.test{path}")
    addresses = Page(answer.text).addresses
    assert answer.status_code == 404
    assert any(address.endswith("big=1") for address in addresses)
    assert not [a for a in addresses if a[1:2] in {"/", "\\"}]


async def test_a_program_keeps_its_problem_document_even_from_a_browser(site: httpx.AsyncClient) -> None:
    answer = await site.get("/api/v1/tickets")
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)


@pytest.mark.parametrize(
    ("query", "said"),
    [("from=gestern", "不是日期"), ("from=2026-09-20&to=2026-09-01", "早于"), ("from=0001-01-01", "超出")],
)
async def test_a_bad_period_is_said_in_words(site: httpx.AsyncClient, query: str, said: str) -> None:
    answer = await site.get(f"/board?{query}")
    assert answer.status_code == 422
    assert said in Page(answer.text).text


async def test_without_database_pages_say_so_and_keep_their_looks(vault: Vault) -> None:
    away = Database("postgresql://127.0.0.1:1/none", Clock())
    async with over(away, vault) as browser:
        with capture_logs() as logged:
            answer = await browser.get("/board")
        styles = [address for address in Page(answer.text).addresses if address.endswith(".css")]
        assert [(await browser.get(address)).status_code for address in styles] == [200]
    await away.close()
    assert [line["event"] for line in logged] == ["database trouble"]
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["retry-after"] == "5"
    assert "请稍后再试" in Page(answer.text).text


async def test_a_method_that_is_none_is_refused_as_a_page(site: httpx.AsyncClient) -> None:
    answer = await site.post("/board")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "text/html; charset=utf-8")
