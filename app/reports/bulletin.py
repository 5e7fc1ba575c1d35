"""The sheet 通报: what a leader reads first, on one page: own figures, best and worst, the level below, a chart."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.vocabulary import SHANGHAI, Attribution, Level
from app.reports.fields import COUNTS, DECLINES, MATTERS, MILESTONES, NONE, RANK, RATES
from app.reports.queries import Report
from app.reports.sheets import FONT, ROW, Book, Sheet, joined, lines, number, wide
from app.reports.tables import title

_HEADLINE = (
    "acceptance_rate",
    "reply_rate",
    "completion_rate",
    "satisfaction_rate",
    "on_time_rate",
    "rating_coverage",
    "solved_rate",
)
_LISTED = _HEADLINE[:5]
_BESIDE = ("not_yet_due", "open_overdue", "on_time", "explained", "declined", "withdrawn", "spam")
_LEFT, _RIGHT, _GAP = 11, 13, 2.0
"""Columns of the left half, where the right half begins, and the gap's width."""
_RANK, _NAME, _NUMBER, _SIDE = 7.0, 14.0, 11.0, 13.0
_HEIGHT = 20.0
"""Points of a row: what makes a county of 18 towns fill a page."""
_LAST = _RIGHT + 3
_WHOLE = _RANK + _NAME + _NUMBER * (_LEFT - 2) + _GAP + _SIDE * 4
"""Columns of text across the sheet, where no name is longer than usual."""
_WHOLE_PAGE = 25
"""Rows of the level below that still go on one page with the rest."""
_NAMED = 6
"""Names in one line of the best and the worst, where many share a place."""


def draw(book: Book, sheet: Sheet, report: Report) -> None:
    """Writes the sheet. The left half and the table below share their columns."""
    below = _below(report.figures["rows"])
    sheet.set_default_row(_HEIGHT)
    sheet.set_column(0, 0, _RANK)
    sheet.set_column(1, 1, max([_NAME, *(wide(row["name"]) + 3 for row in below)]))
    sheet.set_column(2, _LEFT - 1, _NUMBER)
    sheet.set_column(_LEFT, _RIGHT - 1, _GAP / 2)
    sheet.set_column(_RIGHT, _LAST, _SIDE)
    _top(book, sheet, report)
    row = 4
    _headline(book, sheet, report, row)
    _hours(book, sheet, report, row)
    row += 6
    _others(book, sheet, report, row)
    row += 3
    if below:
        row = _podium(book, sheet, report, row)
        _table(book, sheet, below, row)
        _chart(book, sheet, below, row)
        row += len(below) + 2
    note = (
        f"比率为百分数；升降以百分点计，▲ 为上升，▼ 为下降；“{NONE}”表示没有可统计的事项或不参与排名。"
        "公式、口径和校验和见“口径说明”，到村社区的数据见“各级明细”和“并列指标”。"
    )
    sheet.merge_range(row, 0, row, _LAST, note, book.styles["note"])
    if len(below) <= _WHOLE_PAGE:
        sheet.fit_to_pages(1, 1)


def _below(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The rows of the level just below the division's, the best first, those without a rank last."""
    own = Level(rows[0]["level"]).depth
    below = [row for row in rows[1:] if Level(row["level"]).depth == own + 1]
    return sorted(below, key=lambda row: (row["rank"] is None, row["rank"] or 0, row["code"]))


def _top(book: Book, sheet: Sheet, report: Report) -> None:
    """Title, what issue this is, and the month in two sentences."""
    meta = [
        f"第 {report.revision} 版",
        f"{report.as_of.astimezone(SHANGHAI):%Y年%m月%d日 %H:%M} 制表",
        f"{Attribution(report.parameters['attribution']).label}口径",
    ]
    if report.reason:
        meta.append(f"修订原因：{report.reason}")
    issue, said = "　".join(meta), _in_words(report)
    # Merged cells don't grow with their text by themselves.
    for at, (text, style, height) in enumerate(
        (
            (title(report), "title", 30.0),
            (issue, "meta", ROW * lines(issue, _WHOLE)),
            (said, "lead", 18.0 * lines(said, _WHOLE / 1.12) + 3),
        )
    ):
        sheet.merge_range(at, 0, at, _LAST, text, book.styles[style])
        sheet.set_row(at, height)


def _in_words(report: Report) -> str:
    row = report.figures["rows"][0]
    month = f"{report.period[:4]}年{int(report.period[5:])}月"
    counts, name = row["counts"], report.parameters["division"]["name"]
    if not counts["received"]:
        return f"{month}，{name}没有收到群众事项。"
    told = [f"{month}，{name}收到群众事项 {counts['received']:,} 件，办结 {counts['completed']:,} 件"]
    told += [_rate_in_words(row, rate) for rate in ("completion_rate", "satisfaction_rate", "on_time_rate")]
    left = f"制表时还有 {counts['not_yet_due']:,} 件未到期，{counts['open_overdue']:,} 件逾期未办结。"
    return "；".join(told) + "。" + left


def _rate_in_words(row: Mapping[str, Any], rate: str) -> str:
    value = row["rates"][rate]
    if value is None:
        return f"{RATES[rate]}没有可统计的事项"
    moved = row.get("movement", {}).get("rates", {}).get(rate)
    said = f"{RATES[rate]} {value}%"
    if moved is None:
        return said
    if moved == "0.00":
        return f"{said}，与上月持平"
    return f"{said}，比上月{'下降' if moved.startswith('-') else '上升'} {moved.removeprefix('-')} 个百分点"


def _headline(book: Book, sheet: Sheet, report: Report, row: int) -> None:
    """The division's own figures, this month and last, from `row` on."""
    own = report.figures["rows"][0]
    before = own.get("previous") or {}
    moved = own.get("movement", {}).get("rates", {})
    counts = ("received", "completed")
    _section(book, sheet, row, 0, _LEFT, f"{own['name']}总体")
    heads = ["", "", *(COUNTS[name] for name in counts), *(RATES[name] for name in _HEADLINE)]
    for at, head in enumerate(heads):
        book.put(sheet, row + 1, at, head, "head")
    sheet.merge_range(row + 1, 0, row + 1, 1, "", book.styles["head"])
    rates_before = before.get("rates", {})
    told: list[tuple[str, list[object], list[object], str, str]] = [
        ("本月", [own["counts"][n] for n in counts], [number(own["rates"].get(n)) for n in _HEADLINE], "count", "rate"),
        (
            "上月",
            [before.get("counts", {}).get(n) for n in counts],
            [number(rates_before.get(n)) for n in _HEADLINE],
            "count",
            "rate",
        ),
        ("升降（百分点）", ["", ""], [number(moved.get(n)) for n in _HEADLINE], "text", "move"),
        ("计算（件数）", ["", ""], [_fraction(own["counts"], n) for n in _HEADLINE], "text", "right"),
    ]
    for at, (label, numbers, rates, count_style, rate_style) in enumerate(told, start=row + 2):
        sheet.merge_range(at, 0, at, 1, label, book.styles["label"])
        for column, value in enumerate(numbers, start=2):
            book.put(sheet, at, column, value, count_style)
        for column, value in enumerate(rates, start=4):
            book.put(sheet, at, column, value, rate_style)


def _fraction(counts: Mapping[str, int], rate: str) -> str:
    """Numerator and denominator, as domain.rates.parts has them."""
    rated = counts["likes"] + counts["dislikes"]
    solved = counts["solved_yes"] + counts["solved_no"]
    of = {
        "acceptance_rate": (counts["accepted"], counts["received"]),
        "reply_rate": (counts["replied"], counts["received"]),
        "completion_rate": (counts["completed"], counts["received"]),
        "satisfaction_rate": (counts["likes"], rated),
        "on_time_rate": (counts["on_time"], counts["completed"] + counts["open_overdue"]),
        "rating_coverage": (counts["rated_completed"], counts["completed"]),
        "solved_rate": (counts["solved_yes"], solved),
    }
    return "/".join(str(part) for part in of[rate])


def _hours(book: Book, sheet: Sheet, report: Report, row: int) -> None:
    """The right half: how long it took to each milestone."""
    told = _told(report)
    _section(book, sheet, row, _RIGHT, 4, "办理用时（小时）")
    for at, head in enumerate(("从收到到", "件数", "中位数", "九成件用时")):
        book.put(sheet, row + 1, _RIGHT + at, head, "head")
    for at, (name, label) in enumerate(MILESTONES.items(), start=row + 2):
        hours = told["hours"][name] if told else {"tickets": None, "median": None, "most": None}
        values = (label, hours["tickets"], number(hours["median"]), number(hours["most"]))
        for column, (value, style) in enumerate(zip(values, ("label", "count", "hours", "hours"), strict=True)):
            book.put(sheet, at, _RIGHT + column, value, style)


def _others(book: Book, sheet: Sheet, report: Report, row: int) -> None:
    """What is counted beside, and on the right why tickets were declined."""
    counts, told = report.figures["rows"][0]["counts"], _told(report)
    _section(book, sheet, row, 0, _LEFT, "其他件数")
    sheet.merge_range(row + 1, 0, row + 1, 1, "", book.styles["head"])
    sheet.merge_range(row + 2, 0, row + 2, 1, "本月", book.styles["label"])
    shown: list[tuple[str, int | None]] = [
        (MATTERS, told["matters"] if told else None),
        *((COUNTS[name], counts[name]) for name in _BESIDE),
        ("回访评价", counts["callback_likes"] + counts["callback_dislikes"]),
    ]
    for column, (label, value) in enumerate(shown, start=2):
        book.put(sheet, row + 1, column, label, "head")
        book.put(sheet, row + 2, column, value, "count")
    if told and counts["declined"]:
        _section(book, sheet, row, _RIGHT, 4, "不予受理的原因")
        reasons = "，".join(f"{label} {told['declines'][reason]} 件" for reason, label in DECLINES.items())
        sheet.merge_range(row + 1, _RIGHT, row + 2, _LAST, reasons, book.styles["names"])


def _told(report: Report) -> Mapping[str, Any] | None:
    code = report.figures["rows"][0]["code"]
    return next((one for one in report.figures.get("beside", ()) if one["code"] == code), None)


def _podium(book: Book, sheet: Sheet, report: Report, row: int) -> int:
    """The best and the worst of each level in a line each; where the next row is."""
    best, worst = (report.figures.get(name, {}) for name in ("best", "worst"))
    rows = {one["code"]: one for one in report.figures["rows"]}
    root = report.figures["rows"][0]["code"]
    _section(book, sheet, row, 0, _LAST + 1, "前三名和后三名")
    told = [
        (
            f"{level.label}{said}",
            joined((_placed(rows[code], rows, root) for code in found[level]), _NAMED) or "名次全部并列",
        )
        for level in Level
        if level in best
        for found, said in ((best, "前三名"), (worst, "后三名"))
    ] or [("各级", "参与排名的不足两个，不列")]
    for label, text in told:
        row += 1
        sheet.merge_range(row, 0, row, 1, label, book.styles["label"])
        sheet.merge_range(row, 2, row, _LAST, text, book.styles["names"])
        sheet.set_row(row, _HEIGHT * lines(text, _WHOLE - _RANK - _NAME))
    return row + 2


def _placed(row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]], root: str) -> str:
    """A village with its town, where there are several: names of villages are not unique."""
    parent = row.get("parent_code") or ""
    above = rows[parent]["name"] if row["level"] == Level.VILLAGE and parent in rows and parent != root else ""
    return f"{above}{row['name']}（第{row['rank']}名）"


def _table(book: Book, sheet: Sheet, below: Sequence[Mapping[str, Any]], row: int) -> None:
    """The level below, the best first."""
    level = Level(below[0]["level"]).label
    _section(book, sheet, row, 0, _LEFT, f"各{level}")
    heads = (RANK, "名称", COUNTS["received"], COUNTS["completed"], *(RATES[name] for name in _LISTED))
    for at, head in enumerate((*heads, "办结率升降", f"上月{RANK}")):
        book.put(sheet, row + 1, at, head, "head")
    for at, one in enumerate(below, start=row + 2):
        book.put(sheet, at, 0, one["rank"], "centred")
        book.put(sheet, at, 1, one["name"], "text")
        book.put(sheet, at, 2, one["counts"]["received"], "count")
        book.put(sheet, at, 3, one["counts"]["completed"], "count")
        for column, name in enumerate(_LISTED, start=4):
            book.put(sheet, at, column, number(one["rates"][name]), "rate")
        moved = one.get("movement", {}).get("rates", {}).get("completion_rate")
        book.put(sheet, at, 9, number(moved), "move")
        book.put(sheet, at, 10, (one.get("previous") or {}).get("rank"), "centred")


def _chart(book: Book, sheet: Sheet, below: Sequence[Mapping[str, Any]], row: int) -> None:
    """Beside the table, its rows in the same order; two patterns, so that no colour is needed to tell them apart."""
    chart = book.workbook.add_chart({"type": "bar"})
    first, last = row + 2, row + 1 + len(below)
    face = {"name": FONT, "size": 8, "bold": False}
    solid = {"fill": {"color": "#1F4E79"}}
    hatched = {"pattern": {"pattern": "wide_upward_diagonal", "fg_color": "#C55A11", "bg_color": "#FFFFFF"}}
    for column, name, fill in ((6, "completion_rate", solid), (7, "satisfaction_rate", hatched)):
        # The table beside has the numbers. Only where there is none a label says so: that bar is no 0 %.
        labels = [{"delete": True} if one["rates"][name] is not None else {"value": NONE} for one in below]
        chart.add_series(
            {
                "name": [sheet.get_name(), row + 1, column],
                "categories": [sheet.get_name(), first, 1, last, 1],
                "values": [sheet.get_name(), first, column, last, column],
                "data_labels": {"value": True, "font": face, "custom": labels},
                "gap": 40,
                "overlap": 0,
                "border": {"color": "#7F7F7F", "width": 0.5},
                **fill,
            }
        )
    level = Level(below[0]["level"]).label
    chart.set_title({"name": f"各{level}办结率和满意率（%）", "name_font": {**face, "size": 11, "bold": True}})
    chart.set_x_axis(
        {"min": 0, "max": 100, "num_font": face, "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}}
    )
    chart.set_y_axis({"reverse": True, "num_font": face})
    chart.set_legend({"position": "bottom", "font": face})
    height = max(round(_HEIGHT * 4 / 3) * (len(below) + 2), 240)
    chart.set_size({"width": 4 * round(_SIDE * 7 + 5), "height": height})
    told = f"各{level}办结率和满意率的条形图，数值见左侧的表"
    sheet.insert_chart(row, _RIGHT, chart, {"description": told, "object_position": 1})


def _section(book: Book, sheet: Sheet, row: int, column: int, columns: int, text: str) -> None:
    sheet.merge_range(row, column, row, column + columns - 1, text, book.styles["section"])
