"""What holds of every public page: nothing private, nothing inline, no dead link, light enough for a slow phone."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from app.base.db import Database
from app.base.secrets import Vault
from app.domain.coordinates import Point
from app.domain.policy import SYSTEM
from app.domain.vocabulary import Action, Channel, Score
from app.people import queries as people
from app.web.headers import CSP
from tests.conftest import MOMENT
from tests.pages.conftest import over
from tests.pages.county_life import SAYINGS, County, live
from tests.pages.reading import Page, follow

VILLAGE, TOWN = "430121001001", "430121001"
SECRETS = (
    "欧阳秘密",
    "14212345678",
    "oSECRETopenid0001",
    "私房话路灯",
    "秘密题目",
    "群昵称小秘",
    "112.987654",
    "只给您一个人看的话",
    "现场看见的隐情",
    "评价里的心里话",
    "演示",
)
"""Planted below; the last is in the name of every member of staff of the demo county."""


async def plant(county: County, database: Database) -> str:
    """A completed ticket with something private in every field; its number."""
    async with database.open_work(SYSTEM) as work:
        citizen = await people.insert_citizen(work.conn, "欧阳秘密", "14212345678", work.now)
        account = await people.citizen_of(work.conn, 1, "oSECRETopenid0001", work.now)
        assert account.id != citizen
    at = MOMENT - timedelta(days=4)
    saying = (SAYINGS[0][0], "私房话路灯坏了，我是欧阳秘密，电话14212345678", "请打14212345678找我", "已修好")
    more = {
        "title": "秘密题目",
        "citizen_id": citizen,
        "source": {"group": "某群", "speaker": "群昵称小秘"},
        "point": Point(28.123456, 112.987654, "wgs84"),
    }
    number = await county.completed(at, saying, VILLAGE, **more)
    await county.rate(MOMENT, number, Score.DISLIKE, "评价里的心里话")
    await county.act(MOMENT, number, Action.REPLY, text="只给您一个人看的话", public=False)
    await county.act(MOMENT, number, Action.VISIT, seen="现场看见的隐情")
    await county.act(MOMENT, number, Action.COMPLETE, result="重新修好了")
    filed = await county.open(MOMENT, "私房话路灯又坏了", channel=Channel.ACCOUNT, citizen_id=account.id, account_id=1)
    assert filed != number
    return number


async def crawl(site: httpx.AsyncClient, start: str) -> AsyncIterator[tuple[str, httpx.Response]]:
    """Every page that can be reached, of boards only those of one village and what lies above it, with its grids."""
    seen, waiting = {start}, [start]
    while waiting:
        path = waiting.pop()
        answer = await site.get(path)
        yield path, answer
        for found in follow(Page(answer.text)) if "html" in answer.headers["content-type"] else []:
            code = found.split("?")[0].removeprefix("/board/")
            elsewhere = found.startswith("/board/") and not (VILLAGE.startswith(code) or code.startswith(VILLAGE))
            if found not in seen and not elsewhere and "big=2" not in found:
                seen.add(found)
                waiting.append(found)


async def test_no_page_tells_anything_private_and_no_link_is_dead(
    site: httpx.AsyncClient, county: County, database: Database
) -> None:
    number = await plant(county, database)
    visited = {}
    async for path, answer in crawl(site, "/"):
        assert answer.status_code == 200, path
        visited[path] = answer
        told = [secret for secret in SECRETS if secret in answer.text]
        assert not told, path
    assert {"/", "/board", "/t", "/openapi.json", "/healthz", f"/t/{number}", f"/board/{VILLAGE}"} <= set(visited)
    assert "/t/" + number + "?big=1" in visited
    assert "142****5678" in visited[f"/t/{number}"].text, "the planted reply is there, masked"


async def test_pages_need_no_script_no_inline_style_and_nothing_from_elsewhere(
    site: httpx.AsyncClient, county: County, database: Database
) -> None:
    await plant(county, database)
    async for path, answer in crawl(site, "/"):
        assert answer.headers["content-security-policy"] == CSP, path
        if "html" not in answer.headers["content-type"]:
            continue
        page = Page(answer.text)
        assert {tag for tag, _ in page.elements}.isdisjoint({"script", "style", "iframe", "object", "base"}), path
        attributes = {name for _, given in page.elements for name in given}
        assert not [name for name in attributes if name == "style" or name.startswith("on")], path
        assert [a for a in page.addresses if not a.startswith("/") and not a.startswith("tel:")] == [], path
        assert not [a for a in page.addresses if a.startswith("//")], path


async def test_every_page_is_chinese_scales_and_has_one_heading_and_the_way_to_large_letters(
    site: httpx.AsyncClient, county: County
) -> None:
    number = await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], VILLAGE)
    for path in ("/", "/board", f"/board/{TOWN}", "/t", f"/t/{number}", "/t/1000000000", "/t?number=1"):
        page = Page((await site.get(path)).text)
        tags = [tag for tag, _ in page.elements]
        assert ("html", {"lang": "zh-CN", "class": "big0"}) in page.elements, path
        viewport = next(a["content"] for tag, a in page.elements if a.get("name") == "viewport")
        assert viewport == "width=device-width, initial-scale=1", path
        assert (tags.count("h1"), tags.count("main")) == (1, 1), path
        large = path + ("&" if "?" in path else "?") + "big=1"
        assert large in page.addresses, path
        assert "长辈版" in page.text, path
        larger = Page((await site.get(large)).text)
        assert ("html", {"lang": "zh-CN", "class": "big1"}) in larger.elements, path
        assert {path, path + ("&" if "?" in path else "?") + "big=2"} <= set(larger.addresses), path
        inner = [a for a in follow(larger) if a.startswith(("/board", "/t")) and a != path]
        forms = {a["action"] for tag, a in larger.elements if tag == "form"}
        assert all("big=" in a for a in inner if a not in forms), path
        assert not forms or ("input", {"type": "hidden", "name": "big", "value": "1"}) in larger.elements, path


async def test_a_busy_county_stays_light_enough_for_a_slow_phone(site: httpx.AsyncClient, county: County) -> None:
    await live(county, MOMENT, 40)
    sizes = {}
    for path in ("/", "/board"):
        plain = await site.get(path, headers={"accept-encoding": "identity"})
        own = [a for a in Page(plain.text).addresses if a.startswith("/static/")]
        assets = [len((await site.get(address)).content) for address in set(own)]
        sizes[path] = len(plain.content) + sum(assets)
    assert sizes["/"] <= 100_000
    assert sizes["/board"] <= 100_000, "250 kB are allowed; without script it needs far less"


async def test_pages_come_packed_to_whoever_takes_that(site: httpx.AsyncClient, county: County) -> None:
    packed = await site.get("/board", headers={"accept-encoding": "gzip"})
    plain = await site.get("/board", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) * 4 < len(plain.content)
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("shown", [False, True])
async def test_the_home_page_tells_of_the_demo_only_where_there_is_one(
    database: Database, vault: Vault, shown: bool
) -> None:
    async with over(database, vault, demo=shown) as browser:
        page = Page((await browser.get("/")).text)
    assert ("demo.json" in page.text) is shown
    assert ("make simulate" in page.text) is shown


async def test_before_the_first_import_the_home_page_still_says_where_to_go(
    empty_database: Database, vault: Vault
) -> None:
    async with over(empty_database, vault) as browser:
        answer = await browser.get("/")
        with capture_logs() as logged:
            board = await browser.get("/board")
    assert answer.status_code == 200
    assert "还没有开通" in Page(answer.text).text
    assert board.status_code == 503
    said = Page(board.text).text
    assert "这里的民生快递还在准备，还没有开通" in said
    assert "o2o" not in said
    assert "系统繁忙" not in said
    # Whoever runs the service finds what to do in the log, and in `o2o doctor`.
    assert any("o2o import divisions" in str(line) for line in logged)


@pytest.mark.parametrize("name", ["nothing.css", "pages.css", "..%2frendering.py", "%2e%2e/rendering.py"])
async def test_only_files_that_pages_name_are_served(site: httpx.AsyncClient, name: str) -> None:
    assert (await site.get(f"/static/{name}")).status_code == 404
