"""What a person would notice on a page, measured in the browser."""

from typing import Any

from playwright.async_api import Page

# WCAG 2.2, 1.4.3: contrast of every text against the first background that is not transparent behind it.
_CONTRAST = """() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgb(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.getClientRects().length === 0) continue;
    const [a, b] = [luminance(rgb(getComputedStyle(element).color)), luminance(behind(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), walker.currentNode.data.trim().slice(0, 20)]);
  }
  return found.sort((x, y) => x[0] - y[0]).slice(0, 3);
}"""

# Links inside a sentence are as high as its line (WCAG 2.2, 2.5.8, Inline).
_TARGETS = """(least) => [...document.querySelectorAll('a, button, input:not([type=hidden]), summary')]
  .filter((e) => e.getClientRects().length && getComputedStyle(e).display !== 'inline' && !e.matches('.skip'))
  .map((e) => [e.getBoundingClientRect().height, e.getBoundingClientRect().width, e.textContent.trim().slice(0, 20)])
  .filter(([height, width]) => height < least - 0.5 || width < 44 - 0.5)"""

_OVERFLOW = """() => [...document.querySelectorAll('body *')]
  .filter((e) => !e.closest('.skip, .unseen, thead') && e.getClientRects().length)
  .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .map((e) => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 20)}`)
  .concat(document.documentElement.scrollWidth > innerWidth ? ['the page itself'] : [])"""


class Watch:
    """Listens to a page: whatever its console says, and every request that leaves the house."""

    def __init__(self, page: Page, address: str) -> None:
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        page.on("request", lambda request: self._leaves(request.url, address))

    def _leaves(self, url: str, address: str) -> None:
        if not url.startswith(address):
            self.complaints.append(f"elsewhere: {url}")


async def lowest_contrast(page: Page) -> list[tuple[float, str]]:
    """The three texts that are hardest to read, the worst first."""
    return [(ratio, said) for ratio, said in await page.evaluate(_CONTRAST)]


async def small_targets(page: Page, least: int) -> list[Any]:
    """What a thumb would miss: lower than `least` or narrower than 44 pixels."""
    found: list[Any] = await page.evaluate(_TARGETS, least)
    return found


async def overflowing(page: Page) -> list[str]:
    """What sticks out at the right."""
    found: list[str] = await page.evaluate(_OVERFLOW)
    return found


async def fonts(page: Page, selector: str) -> set[str]:
    """The families that the glyphs of these elements were really drawn in."""
    session = await page.context.new_cdp_session(page)
    await session.send("DOM.enable")
    await session.send("CSS.enable")
    root = (await session.send("DOM.getDocument"))["root"]["nodeId"]
    nodes = (await session.send("DOM.querySelectorAll", {"nodeId": root, "selector": selector}))["nodeIds"]
    used: set[str] = set()
    for node in nodes:
        answer = await session.send("CSS.getPlatformFontsForNode", {"nodeId": node})
        used |= {font["familyName"] for font in answer["fonts"] if font["glyphCount"]}
    await session.detach()
    return used
