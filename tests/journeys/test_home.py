"""The home page on small phones."""

import pytest
from playwright.async_api import Browser

from tests.journeys.looking import overflowing


@pytest.mark.parametrize(("width", "lines"), [(360, 1), (320, 2)])
async def test_the_four_numbers_to_call_are_tiles_of_one_height(
    browser: Browser, address: str, width: int, lines: int
) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 640}, locale="zh-CN")
    page = await context.new_page()
    await page.goto(address)
    assert await overflowing(page) == []
    boxes = [await tile.bounding_box() for tile in await page.locator(".phones a").all()]
    tiles = [(round(box["x"]), round(box["y"]), round(box["height"])) for box in boxes if box is not None]
    assert len(tiles) == 4
    # Two in a row, both as high as the row.
    for left, right in (tiles[:2], tiles[2:]):
        assert (left[1], left[2]) == (right[1], right[2])
        assert left[0] < right[0]
    accident = page.locator(".phones a", has_text="122")
    height = await accident.locator("strong").evaluate("(e) => e.getBoundingClientRect().height")
    assert (tiles[3][2] > 2 * height) is (lines == 2), "beside each other where there is room"
    await context.close()
