"""A monthly bulletin as a workbook: the bulletin, every row, what stands beside, how it was counted, what changed.

An issue made by an earlier version of the service has less in it: what it has not is a dash, or is left out.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from app.domain.vocabulary import SHANGHAI, Attribution, Level
from app.reports import bulletin
from app.reports.fields import COUNTS, RANK, RATES, SHOWN_COUNTS, SHOWN_RATES
from app.reports.queries import Report
from app.reports.sheets import ROW, Book, Column, Sheet, lines, number
from app.reports.tables import HEADER, title

_RANKING_ONLY = "ranked_"
_OTHER_COUNTS = tuple(n for n in COUNTS if n not in SHOWN_COUNTS and not n.startswith(_RANKING_ONLY))
_OTHER_RATES = tuple(n for n in RATES if n not in SHOWN_RATES)
_BEGINNING = ("rated_completed", "withdrawn")
"""Of all other counts: what is about ratings prints on a page of its own, and what is left out with the rates."""
_KEY, _TEXT = 18, 118
_WEIGHTS = {"acceptance": "受理率", "reply": "回复率", "completion": "办结率", "satisfaction": "满意率"}
_SCORES = {"mean": "加权平均", "wilson": "威尔逊区间下限的加权平均"}


def rendered(report: Report) -> bytes:
    """The file, of the frozen record alone."""
    moment = report.as_of.astimezone(UTC)
    book = Book({"title": title(report), "subject": "民生快递月通报", "comments": report.checksum, "created": moment})
    printed = title(report), f"第 {report.revision} 版　校验和 {report.checksum[:16]}"
    bulletin.draw(book, book.sheet("通报", *printed), report)
    rows = report.figures["rows"]
    _details(book, book.sheet("各级明细", *printed), rows)
    _others(book, book.sheet("并列指标", *printed), rows)
    _method(book, book.sheet("口径说明", *printed), report)
    if "changes" in report.figures:
        _changes(book, book.sheet("修订说明", *printed), report)
    return book.done()


def _details(book: Book, sheet: Sheet, rows: Sequence[Mapping[str, Any]]) -> None:
    """The CSV's columns, then the movement against last month and where each row belongs."""
    styles = ["text"] * 3 + ["count"] * len(SHOWN_COUNTS) + ["rate"] * len(SHOWN_RATES) + ["centred"]
    columns = [Column(header, style) for header, style in zip(HEADER, styles, strict=True)]
    columns.append(Column(f"上月{RANK}", "centred", begins=True))
    columns += [Column(f"{RATES[name]}升降", "move") for name in SHOWN_RATES]
    columns.append(Column("所属", "text"))
    names = {row["code"]: row["name"] for row in rows}
    book.table(sheet, columns, [_detail(row, names) for row in rows], "各级明细")


def _detail(row: Mapping[str, Any], names: Mapping[str, str]) -> Sequence[object]:
    rates, moved = row["rates"], row.get("movement", {}).get("rates", {})
    return [
        row["code"],
        row["name"],
        Level(row["level"]).label,
        *(row["counts"][name] for name in SHOWN_COUNTS),
        *(number(rates[name]) for name in SHOWN_RATES),
        row["rank"],
        (row.get("previous") or {}).get("rank"),
        *(number(moved.get(name)) for name in SHOWN_RATES),
        names.get(row.get("parent_code") or "", ""),
    ]


def _others(book: Book, sheet: Sheet, rows: Sequence[Mapping[str, Any]]) -> None:
    """All that is counted besides (domain.md, 5, Beside each)."""
    columns = [Column("编码", "text"), Column("名称", "text"), Column("层级", "text")]
    columns += [Column(COUNTS[name], "count", begins=name in _BEGINNING) for name in _OTHER_COUNTS]
    columns += [Column(RATES[name], "rate") for name in _OTHER_RATES]
    every = [
        [
            *(row["code"], row["name"], Level(row["level"]).label),
            *(row["counts"].get(name) for name in _OTHER_COUNTS),
            *(number(row["rates"].get(name)) for name in _OTHER_RATES),
        ]
        for row in rows
    ]
    book.table(sheet, columns, every, "并列指标")


def _method(book: Book, sheet: Sheet, report: Report) -> None:
    """How it was counted, and how to check that it is unchanged."""
    parameters = report.parameters
    said = [
        ("统计对象", f"{parameters['division']['name']}（{parameters['division']['code']}）及其下各级，到村社区"),
        ("统计期", f"{parameters['from']} 至 {parameters['to']} 收到的事项，首尾两日均计入"),
        ("制表时刻", f"{report.as_of.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}（北京时间），按当时的状态统计"),
        ("统计口径", f"{Attribution(parameters['attribution']).label}口径：事项计入发生地，上级为下级与本级之和"),
        ("升降的比较", compared(parameters)),
        ("排名", _ranking(parameters["ranking"])),
        *(("" if at else "公式和口径", sentence) for at, sentence in enumerate(parameters["formulas"])),
        ("口径版本", parameters["formulas_version"]),
        ("版次", f"第 {report.revision} 版" + (f"，修订原因：{report.reason}" if report.reason else "")),
        ("历程封存", _anchor(parameters.get("anchor"))),
        ("校验和", f"{report.checksum}（JSON 存档中除 checksum 外全部内容按键名排序、不留空格后的 SHA-256）"),
    ]
    sheet.fit_to_pages(1, 1)
    sheet.set_column(0, 0, _KEY)
    sheet.set_column(1, 1, _TEXT)
    for at, (key, text) in enumerate(said):
        book.put(sheet, at, 0, key, "key")
        book.put(sheet, at, 1, text, "wrap")
        sheet.set_row(at, ROW * lines(text, _TEXT) + 4)


def compared(parameters: Mapping[str, Any]) -> str:
    """What the month is compared with, and a warning where that was counted by other rules."""
    basis = parameters.get("compared_with")
    if basis is None:
        return "没有与上月比较"
    if basis["revision"] is None:
        return f"与 {basis['period']} 比较；该月还没有通报，按本期制表时刻统计"
    said = f"与 {basis['period']} 月通报第 {basis['revision']} 版比较"
    same = basis["formulas_version"] == parameters["formulas_version"]
    return said if same else f"{said}；那一版的公式和口径与本期不同，升降仅供参考"


def _anchor(anchor: Mapping[str, str] | None) -> str:
    """What proves, printed, that nobody has changed the trail up to that day (app.audit.sealing)."""
    if anchor is None:
        return "制表时还没有封存"
    return f"{anchor['day']}：{anchor['hash']}（核对：o2o audit verify --published {anchor['day']}:{anchor['hash']}）"


def _ranking(ranking: Mapping[str, Any]) -> str:
    weights = "、".join(f"{label} {ranking['weights'].get(name, '—')}" for name, label in _WEIGHTS.items())
    score = _SCORES.get(ranking["score"], ranking["score"])
    return f"权重：{weights}；计分：{score}；已办结和逾期未办结合计不足 {ranking['least']} 件的只列示、不排名"


def _changes(book: Book, sheet: Sheet, report: Report) -> None:
    """Each difference to the revision before; the reason stands on the sheets 通报 and 口径说明 too."""
    found = report.figures["changes"]
    before, after = f"第 {found['revision']} 版", f"第 {report.revision} 版"
    columns = [Column("编码", "text"), Column("名称", "text"), Column("项目", "text")]
    columns += [Column(before, "right"), Column(after, "right")]
    items = found["items"]
    if items:
        rows = [[item["code"], item["name"], item["field"], *map(_text, (item["old"], item["new"]))] for item in items]
        book.table(sheet, columns, rows, "修订说明")
        return
    tampered = f"{before}与校验和不符，可能被改动过，无法逐项比较；本版按制表时的状态重新统计。"
    sheet.set_column(0, 0, _TEXT)
    book.put(sheet, 0, 0, f"修订原因：{report.reason}", "wrap")
    book.put(sheet, 1, 0, tampered if items is None else f"与{before}相比，各项数据没有变化。", "wrap")


def _text(value: object) -> str | None:
    """Figures of all kinds stand in one column: as they were published, not as one kind of number."""
    return None if value is None else str(value)
