"""Templates to fill in: a workbook with the columns of a kind, and what belongs in each of them."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook  # type: ignore[import-untyped]

from app.base.sheets import csv_of
from app.base.sheets.records import MOST_ROWS
from app.imports.service import columns_of
from app.imports.templates import DEPENDS, GUIDES, MAY, MUST, TEXT, Column, Guide

_COLOURS: Mapping[str, str] = {MUST: "#F8CBAD", DEPENDS: "#FFE699", MAY: "#E2EFDA"}
_WIDE = 76
_GUIDE_TITLE = "填写说明"
_GUIDE_HEADER = ("列名", "是否必填", "写法", "例子")
_ADVICE = (
    "第一张表第一行是列名，请不要改动；数据从第二行起，一行一条。不用的“可不填”的列可以整列删去，“看情况”的列请留着。",
    "第一张表里代码、电话、名称等列已设成文本，开头的 0 不会丢；从别处粘贴时请选“只保留文本”或“值”。",
    "有下拉列表的列，也可以填系统的代码词。导入时有一行不对就什么都不导入，并逐行说明哪一列不对。",
)


def header(kind: str) -> tuple[str, ...]:
    """The columns of a kind's template, in order. Raises Invalid `import.kind`."""
    known = columns_of(kind).known
    return tuple(name for name in GUIDES[kind].columns if name in known)


def as_csv(kind: str) -> bytes:
    """The header alone. Raises Invalid `import.kind`."""
    return csv_of(header(kind), [])


def as_xlsx(kind: str) -> bytes:
    """A workbook to fill in, with a second sheet that explains it. Raises Invalid `import.kind`."""
    names, guide = header(kind), GUIDES[kind]
    out = BytesIO()
    never = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(out, {"in_memory": True, **never}) as book:
        _write_form(book, names, guide)
        _write_guide(book, names, guide)
    return out.getvalue()


def _sheet(book: Any, title: str) -> Any:
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    return sheet


def _write_form(book: Any, names: Sequence[str], guide: Guide) -> None:
    sheet = _sheet(book, guide.title)
    heads = {
        need: book.add_format({"bold": True, "border": 1, "bg_color": colour}) for need, colour in _COLOURS.items()
    }
    forms = {column.form: book.add_format({"num_format": column.form}) for column in guide.columns.values()}
    for index, name in enumerate(names):
        column = guide.columns[name]
        sheet.set_column(index, index, _width(name, column), forms[column.form])
        sheet.write_string(0, index, name, heads[column.need])
        sheet.write_comment(0, index, _comment(column), {"x_scale": 2, "y_scale": 1.5})
        if column.words:
            offered = {"validate": "list", "source": list(column.words), "error_type": "warning"}
            said = {"error_title": "不在列表里", "error_message": f"{name}：{column.how}"[:255]}
            sheet.data_validation(1, index, MOST_ROWS - 1, index, offered | said)


def _comment(column: Column) -> str:
    return f"{column.need}。{column.how}" + (f"\n例：{column.example}" if column.example else "")


def _width(name: str, column: Column) -> int:
    return min(max(len(name), *map(_shown, (column.example, *column.words))) + 3, 40)


def _shown(text: str) -> int:
    """How wide a text is, in figures: a Chinese character takes two."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)


def _write_guide(book: Any, names: Sequence[str], guide: Guide) -> None:
    sheet = _sheet(book, _GUIDE_TITLE)
    bold = book.add_format({"bold": True, "border": 1, "bg_color": "#D9D9D9"})
    boxed = book.add_format({"border": 1, "text_wrap": True, "valign": "vcenter", "num_format": TEXT})
    needs = {need: book.add_format({"border": 1, "valign": "vcenter", "bg_color": c}) for need, c in _COLOURS.items()}
    for index, (title, width) in enumerate(zip(_GUIDE_HEADER, (22, 10, _WIDE, 40), strict=True)):
        sheet.set_column(index, index, width)
        sheet.write_string(0, index, title, bold)
    for number, name in enumerate(names, 1):
        column = guide.columns[name]
        # Not every program gives a row the height that its text needs.
        sheet.set_row(number, 18 * (1 + _shown(_in_full(column)) // _WIDE))
        for index, text in enumerate((name, column.need, _in_full(column), column.example)):
            sheet.write_string(number, index, text, needs[column.need] if index == 1 else boxed)
    for number, sentence in enumerate(_ADVICE, len(names) + 2):
        sheet.write_string(number, 0, sentence)


def _in_full(column: Column) -> str:
    unsaid = any(word not in column.how for word in column.words)
    return column.how + (f"（{'、'.join(column.words)}）" if unsaid else "")
