"""What the sheets of a workbook share: styles, cells that are never formulas, widths that cut nothing off, printing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from itertools import pairwise
from typing import Any
from unicodedata import east_asian_width

from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.utility import xl_range  # type: ignore[import-untyped]

from app.reports.fields import NONE

FONT = "微软雅黑"
"""On every Windows and every Office; elsewhere the charset leads to another Chinese face."""
_CHARSET = 134  # GB2312
_DARK, _PALE, _LINE = "#1F4E79", "#DDEBF7", "#BFBFBF"
ROW = 16.5
"""Points; a line of text of 10 points with some air."""
A4 = 9
_MARGIN = 0.4
_PRINTED = (11.69 - 2 * _MARGIN) * 72
"""Points across a page of A4 between its margins (inches)."""
_DIGIT, _PADDING = 7.1, 0.75
"""Points of a column's unit where Calibri is missing and a wider face stands in (Excel takes 5.25), and its padding in
those units."""
_LARGEST = 85
"""Per cent: 8.5 points, and a county of 200 villages on seven pages, not nine."""
_KEYS = 2
"""Columns that say what a row is of: code and name."""
Sheet = Any
"""A worksheet of XlsxWriter, which tells mypy no types."""
_BASE = {"font_name": FONT, "font_charset": _CHARSET, "font_size": 10, "valign": "vcenter"}
_BOXED = {"border": 1, "border_color": _LINE}
_MOVE = '"▲ "0.00;"▼ "0.00;"持平"'
_STYLES: Mapping[str, Mapping[str, Any]] = {
    "title": {"font_size": 18, "bold": True, "align": "center", "font_color": _DARK},
    "meta": {"align": "center", "font_color": "#595959"},
    "lead": {"text_wrap": True, "font_size": 11, "valign": "top"},
    "section": {"bold": True, "font_size": 12, "font_color": _DARK, "bottom": 2, "bottom_color": _DARK},
    "head": {"bold": True, "align": "center", "bg_color": _DARK, "font_color": "#FFFFFF", "text_wrap": True, **_BOXED},
    "label": {"bold": True, "indent": 1, "bg_color": _PALE, **_BOXED},
    "text": {"num_format": "@", "indent": 1, **_BOXED},
    "names": {"num_format": "@", "indent": 1, "text_wrap": True, **_BOXED},
    "centred": {"num_format": "0", "align": "center", **_BOXED},
    "count": {"num_format": "#,##0", "align": "right", **_BOXED},
    "rate": {"num_format": "0.00", "align": "right", **_BOXED},
    "hours": {"num_format": "0.0", "align": "right", **_BOXED},
    "move": {"num_format": _MOVE, "align": "right", **_BOXED},
    # The sign is the message, the colour only repeats it.
    "fallen": {"num_format": _MOVE, "align": "right", "font_color": "#9C0006", **_BOXED},
    "right": {"num_format": "@", "align": "right", **_BOXED},
    "wrap": {"num_format": "@", "text_wrap": True, "valign": "top"},
    "key": {"bold": True, "valign": "top"},
    "note": {"font_color": "#595959", "font_size": 9, "text_wrap": True, "valign": "top"},
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: `style` names one of the styles of a book. `begins`: a printed page begins with it."""

    header: str
    style: str
    begins: bool = False


class Book:
    """A workbook in memory, with every style once. No text becomes a formula, a link or a number."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._out = BytesIO()
        never = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self.workbook = Workbook(self._out, {"in_memory": True, **never})
        # Without `created` it would be the moment of rendering, and no two files the same.
        self.workbook.set_properties(dict(properties))
        self.styles = {name: self.workbook.add_format({**_BASE, **style}) for name, style in _STYLES.items()}

    def sheet(self, name: str, header: str, footer: str) -> Sheet:
        """An empty sheet that prints on A4 across, one page wide: `header` and its name above, `footer` below."""
        made = self.workbook.add_worksheet(name)
        made.set_landscape()
        made.set_paper(A4)
        made.set_margins(left=_MARGIN, right=_MARGIN, top=0.65, bottom=0.6)
        made.fit_to_pages(1, 0)
        made.center_horizontally()
        made.set_header(f"&L&9 {_plain(header)}&R&9 {_plain(name)}")
        made.set_footer(f"&L&8{_plain(footer)}&C&8第 &P 页，共 &N 页")
        made.set_default_row(ROW)
        made.hide_gridlines(2)
        return made

    def put(self, sheet: Sheet, row: int, column: int, value: object, style: str) -> None:
        """A number as a number, a text as a text, nothing as a dash."""
        if isinstance(value, int | Decimal):
            fallen = style == "move" and value < 0
            sheet.write_number(row, column, value, self.styles["fallen" if fallen else style])
        elif value is None:
            sheet.write_string(row, column, NONE, self.styles["centred" if style == "centred" else "right"])
        else:
            sheet.write_string(row, column, str(value), self.styles[style])

    def table(self, sheet: Sheet, columns: Sequence[Column], rows: Sequence[Sequence[object]], name: str) -> None:
        """The whole sheet as one table to filter and sort, its header in sight and on every page."""
        widths = []
        for at, column in enumerate(columns):
            values = [row[at] for row in rows]
            for number, value in enumerate(values, start=1):
                self.put(sheet, number, at, value, column.style)
            # The header in two lines, above the filter's button.
            needed = max(-(-wide(column.header) // 2) + 2, widest(values, column.style))
            widths.append(needed + (3 if column.style == "text" else 1.5))
            sheet.set_column(at, at, widths[-1])
        head = self.styles["head"]
        named = [{"header": column.header, "header_format": head} for column in columns]
        style = {"style": "Table Style Light 1", "banded_rows": True, "name": name}
        sheet.add_table(0, 0, len(rows), len(columns) - 1, {"columns": named, **style})
        sheet.set_row(0, 3 * ROW)
        sheet.freeze_panes(1, _KEYS)
        sheet.repeat_rows(0)
        _lay_out(sheet, widths, [at for at, column in enumerate(columns) if column.begins])
        # Codes are texts that look like numbers, and are meant to.
        sheet.ignore_errors({"number_stored_as_text": xl_range(0, 0, len(rows), len(columns) - 1)})

    def done(self) -> bytes:
        """The file. Nothing can be added after."""
        self.workbook.close()
        return self._out.getvalue()


def _lay_out(sheet: Sheet, widths: Sequence[float], begins: Sequence[int]) -> None:
    """Prints the columns on as many pages side by side as begin there, the keys on each, as large as they let it be."""
    points = [(width + _PADDING) * _DIGIT for width in widths]
    pages = pairwise([_KEYS, *begins, len(points)])
    widest = max(sum(points[:_KEYS]) + sum(points[first:last]) for first, last in pages)
    # Not "fit to width": that takes no notice of where a page is to begin.
    sheet.set_print_scale(min(_LARGEST, int(100 * _PRINTED / widest)))
    sheet.repeat_columns(0, _KEYS - 1)
    sheet.set_v_pagebreaks(list(begins))


def _plain(text: str) -> str:
    """A text of a header or footer, where & is a command; a sign that can't be printed would spoil the file."""
    return "".join(sign for sign in text if sign.isprintable()).replace("&", "&&")


def wide(text: str) -> int:
    """Columns of text: a Chinese sign is as wide as two digits. Ambiguous ones (“”, —, ▲) are Chinese here."""
    return sum(2 if east_asian_width(sign) in "WFA" else 1 for sign in text)


def widest(values: Sequence[object], style: str) -> int:
    """Columns that the widest of the values needs."""
    texts = [wide(value) for value in values if isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int | Decimal)]
    ends = (min(numbers), max(numbers)) if numbers else ()
    signs = {"count": 0, "move": 6}.get(style, 3)
    return max([2, *texts, *(len(f"{end:,.0f}") + signs for end in ends)])


def lines(text: str, width: float) -> int:
    """Lines that a text takes in a cell of this width, wrapped."""
    room = max(int(width) - 2, 1)
    return sum(max(-(-wide(line) // room), 1) for line in text.split("\n"))


def number(text: str | None) -> Decimal | None:
    """A published decimal as a cell's number: written digit by digit, where a float would come out as 99.34999999."""
    return None if text is None else Decimal(text)


def joined(names: Iterable[str], most: int) -> str:
    """The names in a line, cut short after `most` of them with how many there are."""
    every = list(names)
    return "、".join(every[:most]) + (f" 等 {len(every)} 个" if len(every) > most else "")
