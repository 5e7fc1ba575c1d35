"""The rates as a table of text: as many columns as the window has room for, every name and every figure whole."""

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len

from app.domain.rates import parts, percent, share
from app.domain.vocabulary import Attribution
from app.rates.service import LEAST, RateRow, Table

NONE = "—"
_NAME = "名称"
_RANK, _RANKED = "排名", "计入排名"
_COUNTS = {
    "received": "收到",
    "accepted": "受理",
    "replied": "回复",
    "completed": "办结",
    "likes": "赞",
    "dislikes": "踩",
}
_RATES = {
    "acceptance_rate": "受理率",
    "reply_rate": "回复率",
    "completion_rate": "办结率",
    "satisfaction_rate": "满意率",
    "on_time_rate": "按时办结率",
    "rating_coverage": "评价率",
}
_ALWAYS = frozenset({_RANK, _NAME, "收到", "受理率", "回复率", "办结率", "满意率"})
_NEXT = ("编码", _RANKED, "按时办结率", "办结", "评价率", "受理", "回复", "赞", "踩")
"""What else there is, the most wanted first."""
_TEXTS = frozenset({"编码", _NAME})
_GAP = "  "

Cells = Mapping[str, str]
"""A row's cells by their heading."""


def lines(table: Table, by: Attribution, width: int | None) -> Iterator[str]:
    """The table for a window of so many columns (a Chinese sign takes two); None: all there is.

    Where not even the names go beside the four rates, each stands on a line of its own.
    """
    rows = [_cells(row, several=len(table.rows) > 1) for row in table.rows]
    widths = {name: max(cell_len(name), *(cell_len(row[name]) for row in rows)) for name in rows[0]}
    shown = _chosen(widths, width)
    above = width is not None and _wide(shown, widths) > width
    beside = [name for name in shown if name != _NAME] if above else shown
    yield _line(dict.fromkeys(beside, "") | {name: name for name in beside}, beside, widths)
    for row in rows:
        if above:
            yield row[_NAME]
        yield _line(row, beside, widths)
    yield ""
    yield from _notes(table, by, [name for name in widths if name not in shown])


def _cells(row: RateRow, *, several: bool) -> Cells:
    """In the order in which they are shown. A row alone has nobody to be ranked among."""
    reached = {name: percent(share(*pair)) for name, pair in parts(row.counts).items() if name in _RATES}
    rank = {_RANK: NONE if row.rank is None else str(row.rank)} if several else {}
    return {
        **rank,
        "编码": row.code,
        _NAME: row.name,
        **{label: str(getattr(row.counts, name)) for name, label in _COUNTS.items()},
        **{label: NONE if reached[name] is None else str(reached[name]) for name, label in _RATES.items()},
        **({_RANKED: str(row.counts.ranked)} if several else {}),
    }


def _chosen(widths: Mapping[str, int], width: int | None) -> list[str]:
    if width is None:
        return list(widths)
    chosen = {name for name in widths if name in _ALWAYS}
    for name in _NEXT:
        if name in widths and _wide(chosen | {name}, widths) <= width:
            chosen.add(name)
    return [name for name in widths if name in chosen]


def _wide(names: Sequence[str] | set[str], widths: Mapping[str, int]) -> int:
    return sum(widths[name] for name in names) + len(_GAP) * (len(names) - 1)


def _line(cells: Cells, names: Sequence[str], widths: Mapping[str, int]) -> str:
    padded = []
    for name in names:
        room = " " * (widths[name] - cell_len(cells[name]))
        padded.append(cells[name] + room if name in _TEXTS else room + cells[name])
    return _GAP.join(padded).rstrip()


def _notes(table: Table, by: Attribution, left_out: Sequence[str]) -> Iterator[str]:
    moment = f"截至 {table.as_of:%Y-%m-%d %H:%M}（北京时间）"
    yield f"{by.label}口径；{moment}；比率为百分数，“{NONE}”表示没有可统计的事项。"
    if len(table.rows) > 1:
        many = "" if _RANKED in left_out else f"（件数见“{_RANKED}”）"
        yield (
            f"排名只比已办结和逾期未办结的事项{many}，没到期的不比，所以名次和表中按全部事项算的比率可能不一致；"
            f"这样的事项不足 {LEAST} 件的只列示、不排名，{_RANK}为“{NONE}”。"
        )
    if left_out:
        yield f"窗口再宽些还有：{'、'.join(left_out)}；用 --json 或输出到文件则是全部。"
