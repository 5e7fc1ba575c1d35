"""`/board` and `/board/{code}`: what is counted, listed, linked and cached."""

from datetime import timedelta

import httpx

from app.domain.numbers import sound
from app.domain.rates import FORMULAS
from app.domain.vocabulary import Action, Level, Score
from tests.conftest import MOMENT
from tests.pages.county_life import SAYINGS, County
from tests.pages.reading import Page, follow

VILLAGE, TOWN, COUNTY = "430121001001", "430121001", "430121"
LEAST_IN_A_RANKING = 10


async def test_the_county_shows_its_four_rates_with_their_numbers(site: httpx.AsyncClient, county: County) -> None:
    done = [await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], VILLAGE) for _ in range(2)]
    await county.open(MOMENT - timedelta(hours=1), "村口的路灯坏了，天黑看不见", place=VILLAGE)
    await county.rate(MOMENT, done[0], Score.LIKE)
    for path in ("/board", f"/board/{TOWN}", f"/board/{VILLAGE}"):
        page = Page((await site.get(path)).text)
        assert "9月1日至9月22日，收到3件" in page.joined, path
        assert "受理率66.67%已受理2÷收到3" in page.joined, path
        assert "回复率66.67%已回复2÷收到3" in page.joined, path
        assert "办结率66.67%已办结2÷收到3" in page.joined, path
        assert "满意率100.00%点赞1÷已评价1" in page.joined, path


async def test_the_board_prints_formulas_counting_rule_and_moment(site: httpx.AsyncClient, county: County) -> None:
    page = Page((await site.get("/board")).text)
    assert all(line in page.text for line in FORMULAS)
    assert "制表时刻：9月22日（周二）上午10点" in page.joined


async def test_divisions_below_stand_by_rank_and_lead_on(site: httpx.AsyncClient, county: County) -> None:
    better, worse = "430121105", TOWN
    for _ in range(LEAST_IN_A_RANKING):
        for town in (better, worse):
            number = await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], f"{town}001")
            if town == worse:
                await county.rate(MOMENT - timedelta(hours=20), number, Score.DISLIKE)
                await county.act(MOMENT - timedelta(hours=19), number, Action.REPLY, text="再去看看")
                await county.act(MOMENT - timedelta(hours=18), number, Action.COMPLETE, result="重新修好")
    county.database.clock.set(MOMENT)
    page = Page((await site.get("/board")).text)
    towns = [address for address in follow(page) if address.startswith("/board/") and len(address) == 16]
    assert towns[:2] == [f"/board/{better}", f"/board/{worse}"]
    assert len(towns) == 18


async def test_the_table_says_what_a_rank_is_of_and_leads_to_how_it_is_made(
    site: httpx.AsyncClient, county: County
) -> None:
    await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], VILLAGE)
    await county.open(MOMENT - timedelta(hours=1), "村口的路灯坏了，天黑看不见", place=VILLAGE)
    page = Page((await site.get("/board")).text)
    assert "排名只比已办结和逾期未办结的事项，没到期的不比" in page.joined
    assert ("a", {"href": "#ranking"}) in page.elements
    assert ("li", {"id": "ranking"}) in page.elements
    assert "所以名次和四率可能不一致（怎么排名）" in page.joined
    assert "星沙街道2件1件" in page.joined, "received two; one of them is not yet due"


async def test_links_below_keep_the_chosen_period_and_size(site: httpx.AsyncClient, county: County) -> None:
    page = Page((await site.get("/board?from=2026-08-01&to=2026-08-31&big=2")).text)
    assert f"/board/{TOWN}?from=2026-08-01&to=2026-08-31&big=2" in follow(page)
    assert "8月1日至8月31日，收到0件" in page.joined
    assert "受理率—" in page.joined


async def test_every_level_leads_down_to_the_grid_and_back_up(site: httpx.AsyncClient, county: County) -> None:
    grid = min(
        d.code for d in county.atlas.county.divisions.values() if d.code.startswith(VILLAGE) and len(d.code) > 12
    )
    above = [COUNTY, TOWN, VILLAGE]
    for upper, lower in zip(above, [TOWN, VILLAGE, grid], strict=True):
        assert f"/board/{lower}" in follow(Page((await site.get(f"/board/{upper}")).text))
    assert {f"/board/{code}" for code in above} <= set(follow(Page((await site.get(f"/board/{grid}")).text)))


async def test_lately_completed_are_listed_down_to_the_village_and_never_by_grid(
    site: httpx.AsyncClient, county: County
) -> None:
    divisions = county.atlas.county.divisions.values()
    grid = min(d.code for d in divisions if d.level is Level.GRID and d.code.startswith(VILLAGE))
    number = await county.completed(MOMENT - timedelta(days=4), SAYINGS[0], grid)
    await county.rate(MOMENT, number, Score.LIKE)
    for code in (COUNTY, TOWN, VILLAGE):
        page = Page((await site.get(f"/board/{code}")).text)
        assert f"/t/{number}" in follow(page)
        assert "路灯照明" in page.text
    assert number not in (await site.get(f"/board/{grid}")).text


async def test_a_confidential_complaint_counts_at_the_county_and_is_nowhere_else(
    site: httpx.AsyncClient, county: County
) -> None:
    number = await county.open(MOMENT, "村干部收了我的钱不办事", place=VILLAGE, confidential=True)
    assert "收到1件" in Page((await site.get("/board")).text).joined
    assert "收到0件" in Page((await site.get(f"/board/{TOWN}")).text).joined
    hidden = await site.get(f"/t/{number}")
    unknown = await site.get(f"/t/{other_than(number)}")
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.text.replace(number, "") == unknown.text.replace(other_than(number), "")


def other_than(number: str) -> str:
    """A sound number of no ticket."""
    return next(str(n) for n in range(1_000_000_000, 1_000_000_100) if sound(str(n)) and str(n) != number)


async def test_boards_may_be_kept_for_a_minute_and_styles_for_a_year(site: httpx.AsyncClient, county: County) -> None:
    board = await site.get("/board")
    assert board.headers["cache-control"] == "public, max-age=60"
    style = next(address for address in Page(board.text).addresses if address.endswith(".css"))
    kept = await site.get(style)
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.headers["content-type"] == "text/css; charset=utf-8"


async def test_while_nobody_has_written_this_month_the_county_shows_the_month_before(
    site: httpx.AsyncClient, county: County
) -> None:
    await county.completed(MOMENT - timedelta(days=40), SAYINGS[0], VILLAGE)
    county.database.clock.set(MOMENT)
    page = Page((await site.get("/board")).text)
    assert "8月1日至8月31日，收到1件" in page.joined
    assert "9月1日至9月22日，收到0件" in Page((await site.get("/board?from=2026-09-01")).text).joined
    assert "/board/430121?from=2026-09-01" in follow(page), "the way to the present month"
