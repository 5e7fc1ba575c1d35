"""The style sheet keeps to what Chrome 86 knows: WeChat of 2021 still carries it on old phones (quality.md, 5)."""

import re
from pathlib import Path

import pytest

import app.pages

CSS = (Path(app.pages.__file__).parent / "static" / "pages.css").read_text("utf-8")
RULES = re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL)


@pytest.mark.parametrize(
    "newer",
    [
        r":(has|is|where)\(",
        r"@(container|layer|property|scope)\b",
        r"\d(dvh|svh|lvh|dvw|cqw|cqh|lh)\b",
        r"\b(inset|aspect-ratio|accent-color|text-wrap|translate|scale|rotate)\s*:",
        r"\b(color-mix|oklch|lab|lch|light-dark)\(",
        r"&",
        r"overflow[-xy]*\s*:\s*clip",
        r"\b(margin|padding)-(inline|block)\s*:",
    ],
)
def test_nothing_newer_than_chrome_86(newer: str) -> None:
    assert re.search(newer, RULES) is None


def test_rules_are_never_nested() -> None:
    depth = deepest = 0
    for character in re.sub(r"@media[^{]*\{", "@media{", RULES):
        depth += {"{": 1, "}": -1}.get(character, 0)
        deepest = max(deepest, depth)
    outside = re.sub(r"@media\s*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", re.sub(r"@media[^{]*\{", "@media{", RULES))
    assert depth == 0
    assert deepest == 2
    assert not re.search(r"\{[^{}]*\{", outside)


def test_nothing_is_fetched_by_the_style_sheet() -> None:
    assert "url(" not in RULES
    assert "@import" not in RULES
