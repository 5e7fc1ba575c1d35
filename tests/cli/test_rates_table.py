"""The table of `o2o rates` in a window: what goes beside what, and that nothing is cut off."""

from datetime import datetime

import pytest
from rich.cells import cell_len

from app.cli.rates_table import lines
from app.domain.counting import Counts
from app.domain.county import Node
from app.domain.vocabulary import SHANGHAI, Attribution
from app.rates.service import RateRow, Table

MOMENT = datetime(2026, 9, 22, 10, tzinfo=SHANGHAI)
SOME = Counts(received=12, accepted=12, replied=11, completed=10, likes=8, dislikes=1, on_time=10, open_overdue=1)
NAMES = {
    "town": ("430121001", "星沙街道", "430121004", "榔梨街道"),
    "village": ("430121001001", "开元路社区居委会", "430121105203", "黄兴镇某某村村民委员会"),
    "grid": ("430121001001001", "第1网格", "430121001001002", "第2网格"),
}
LONG = "长沙县自然资源和规划局（经济技术开发区分局驻地办公室）某某科室"


def table(code: str, name: str, *more: str) -> Table:
    rows = [RateRow(Node(division_id=1), code, name, "town", SOME, 1)]
    if more:
        other, called = more
        rows.append(RateRow(Node(division_id=2), other, called, "town", Counts.zero(), None))
    return Table(MOMENT, tuple(rows))


def drawn(found: Table, width: int | None) -> tuple[list[str], str]:
    """The lines of the table, and what is said under it."""
    every = list(lines(found, Attribution.TERRITORIAL, width))
    at = every.index("")
    return every[:at], "".join(every[at:])


@pytest.mark.parametrize("level", NAMES)
@pytest.mark.parametrize("width", [80, 100, 160, None])
def test_names_and_figures_are_whole_and_the_lines_fit(level: str, width: int | None) -> None:
    found = table(*NAMES[level])
    shown, _ = drawn(found, width)
    assert len(shown) == 3
    for row, line in zip(found.rows, shown[1:], strict=True):
        assert row.name in line
        assert "…" not in line
    assert max(map(cell_len, shown)) <= (width or 200)
    assert shown[1].split()[0] == "1"
    for rate in ("100.00", "91.67", "83.33", "88.89"):
        assert rate in shown[1].split()
    assert shown[2].split()[0] == "—"


def test_figures_stand_under_their_headings_though_a_chinese_sign_takes_two_columns() -> None:
    shown, _ = drawn(table(*NAMES["village"]), 80)
    ends = [
        [cell_len(line[: line.index(word) + len(word)]) for word in words]
        for line, words in zip(shown[:2], (("收到", "受理率", "办结率"), ("    12", "100.00", "83.33")), strict=True)
    ]
    assert ends[0] == ends[1]


def test_a_wider_window_shows_more_and_a_file_shows_all() -> None:
    found = table(*NAMES["town"])
    said = {width: drawn(found, width) for width in (80, 100, None)}
    columns = {width: shown[0].split() for width, (shown, _) in said.items()}
    assert {"编码", "计入排名"} <= set(columns[80])
    assert set(columns[80]) < set(columns[100]) < set(columns[None])
    assert "窗口再宽些还有：" in said[80][1]
    assert "赞、踩" in said[80][1]
    assert "窗口再宽些" not in said[None][1]


def test_where_a_name_takes_the_whole_window_the_figures_stand_under_it() -> None:
    shown, _ = drawn(table("U01", LONG), 60)
    assert shown[1] == LONG
    assert shown[2].split() == ["12", "100.00", "91.67", "83.33", "88.89"]


def test_it_says_what_is_ranked_and_what_is_not() -> None:
    shown, said = drawn(table(*NAMES["town"]), 80)
    assert shown[1].split()[-1] == "11", "ten completed and one open past due; one is not yet due"
    assert "排名只比已办结和逾期未办结的事项（件数见“计入排名”）" in said
    assert "件数见" not in drawn(table(*NAMES["village"]), 80)[1], "that column has no room"
    assert "不足 10 件的只列示、不排名，排名为“—”" in said
    shown, said = drawn(table("430121", "长沙县"), 80)
    assert "排名" not in shown[0] + said, "who is alone has nobody to be ranked among"
