"""Public pages in a real browser: they fit, they are legible, and a person finds their way."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from app.domain.numbers import sound
from app.domain.vocabulary import Score
from tests.conftest import MOMENT
from tests.journeys.looking import Watch, fonts, lowest_contrast, overflowing, small_targets
from tests.pages.county_life import SAYINGS, County, live

VILLAGE, TOWN = "430121001001", "430121001"
NARROW, PHONE, DESK = (320, 640), (360, 740), (1280, 800)


async def opened(browser: Browser, size: tuple[int, int]) -> Page:
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
    return await context.new_page()


async def some_life(county: County) -> tuple[str, ...]:
    """A county with something to show; the addresses of its pages."""
    numbers = await live(county, MOMENT, 30)
    disliked = await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], VILLAGE)
    await county.rate(MOMENT - timedelta(hours=2), disliked, Score.DISLIKE)
    county.database.clock.set(MOMENT)
    grid = min(
        d.code for d in county.atlas.county.divisions.values() if d.code.startswith(VILLAGE) and len(d.code) > 12
    )
    boards = ("/board", f"/board/{TOWN}", f"/board/{grid}", "/board?from=2026-01-02&to=2026-09-20")
    return ("/", *boards, "/t", f"/t/{disliked}", f"/t/{numbers[0]}")


@pytest.mark.parametrize(("size", "big"), [(PHONE, 0), (DESK, 0), (NARROW, 1), (PHONE, 2), (DESK, 2)])
async def test_pages_fit_and_are_legible(
    browser: Browser, address: str, county: County, tmp_path: Path, size: tuple[int, int], big: int
) -> None:
    page = await opened(browser, size)
    watch = Watch(page, address)
    for path in await some_life(county):
        target = f"{address}{path}" + (f"{'&' if '?' in path else '?'}big={big}" if big else "")
        await page.goto(target)
        await page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        await page.screenshot(path=tmp_path / f"{size[0]}-{big}-{re.sub('[^a-z0-9]+', '-', path)}.png", full_page=True)
        assert await overflowing(page) == [], target
        worst = await lowest_contrast(page)
        assert worst[0][0] >= (7 if big else 4.5), (target, worst)
        assert await small_targets(page, 60 if big else 44) == [], target
        letters = await page.evaluate("getComputedStyle(document.body).fontSize")
        assert letters == {0: "18px", 1: "24px", 2: "30px"}[big], target
        assert watch.complaints == [], target
    await page.context.close()


async def test_layout_holds_where_wechat_enlarges_the_letters(browser: Browser, address: str, county: County) -> None:
    page = await opened(browser, PHONE)
    session = await page.context.new_cdp_session(page)
    # 1.5 times the ordinary 16: as WeChat's largest setting does in its own pages (quality.md, 5).
    await session.send("Page.setFontSizes", {"fontSizes": {"standard": 24}})
    for path in await some_life(county):
        await page.goto(f"{address}{path}")
        assert await page.evaluate("getComputedStyle(document.body).fontSize") == "27px"
        assert await overflowing(page) == [], path
    await page.context.close()


async def test_chinese_is_written_in_a_chinese_font(browser: Browser, address: str, county: County) -> None:
    page = await opened(browser, PHONE)
    await page.goto(f"{address}/board")
    used = await fonts(page, "h1, h2, th, td, summary, li, dt")
    assert any("CJK SC" in family for family in used), used
    assert not any(family.endswith((" JP", " KR", " TC", " HK")) for family in used), used
    await page.context.close()


async def test_a_citizen_finds_the_ticket_after_a_slip(browser: Browser, address: str, county: County) -> None:
    number = await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], VILLAGE)
    county.database.clock.set(MOMENT)
    slipped = next(n for n in (number[:-1] + digit for digit in "0123456789") if not sound(n))
    page = await opened(browser, PHONE)
    await page.goto(address)
    await page.get_by_label("事项编号").fill(slipped)
    await page.get_by_role("button", name="查进度").click()
    await expect(page.get_by_role("alert")).to_contain_text("输错了一位")
    field = page.get_by_label("事项编号")
    await expect(field).to_have_value(slipped)
    await field.fill(number)
    await field.press("Enter")
    await expect(page).to_have_url(f"{address}/t/{number}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("路灯照明")
    await expect(page.get_by_role("list", name="进度：已办结")).to_be_visible()
    await page.context.close()


async def test_a_reader_goes_down_the_levels_in_large_letters(browser: Browser, address: str, county: County) -> None:
    await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], VILLAGE)
    county.database.clock.set(MOMENT)
    names = county.atlas.county.by_code
    page = await opened(browser, PHONE)
    await page.goto(address)
    await page.get_by_role("link", name="长辈版").click()
    await page.get_by_role("navigation", name="主要栏目").get_by_role("link", name="公示板").click()
    await page.get_by_role("link", name="今年").click()
    for code in (TOWN, VILLAGE):
        await page.get_by_role("rowheader").get_by_role("link", name=names[code].name, exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(names[code].name)
        await expect(page).to_have_url(f"{address}/board/{code}?from=2026-01-01&to=2026-09-22&big=1")
    await page.get_by_role("navigation", name="所在位置").get_by_role("link", name=names[TOWN].name).click()
    await page.get_by_role("link", name="标准版").click()
    await expect(page).to_have_url(f"{address}/board/{TOWN}?from=2026-01-01&to=2026-09-22")
    await page.context.close()


async def test_a_span_of_ones_own_is_chosen_without_script(browser: Browser, address: str, county: County) -> None:
    context = await browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{address}/board")
    await page.get_by_text("自选日期").click()
    await page.get_by_label("从", exact=True).fill("2026-08-01")
    await page.get_by_label("到", exact=True).fill("2026-08-31")
    await page.get_by_role("button", name="查看").click()
    await expect(page).to_have_url(f"{address}/board/430121?from=2026-08-01&to=2026-08-31")
    await expect(page.get_by_role("heading", level=2).first).to_contain_text("8月1日至8月31日")
    await context.close()


async def test_the_keyboard_reaches_the_text_first_and_shows_where_it_is(
    browser: Browser, address: str, county: County
) -> None:
    page = await opened(browser, DESK)
    await page.goto(f"{address}/board")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="跳到正文")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    focused = page.locator(":focus")
    await expect(focused).to_have_text("本月")
    assert await focused.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"
    await page.context.close()
