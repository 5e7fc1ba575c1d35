"""Excel workbooks (.xlsx) read as people see them: every cell a text, every row under the number that Excel shows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import chain, repeat
from typing import TYPE_CHECKING

from app.base.sheets import workbook_parts
from app.base.sheets.records import Record, Table, refused
from app.base.sheets.workbook_parts import Marks, Package
from app.domain.errors import Invalid

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_ZIP, _OLE = (b"PK\x03\x04", b"PK\x05\x06"), b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The name of the stream in which Office keeps a file with a password (MS-OFFCRYPTO, 2.3.4)."""
_EXACT = 10**15
"""Excel keeps 15 digits of a number."""

Value = int | float | str | bool | time | date | datetime | timedelta
Wanted = Callable[[Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class _Worksheet:
    name: str
    header: Sequence[str]
    records: Iterator[Record]
    notices: tuple[str, ...]


def is_workbook(data: bytes) -> bool:
    """Whether the file is a workbook or something else in a container of that kind: then `table` says what it is."""
    return data.startswith((*_ZIP, _OLE))


def table(data: bytes, wanted: Wanted) -> Table:
    """The rows of the first visible worksheet whose first row is `wanted`, else of the first visible one.

    Raises Invalid, while they are read too.
    """
    # Here, not above: the service writes tables and never reads one; it needn't hold the reader in memory.
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    if data.startswith(_OLE):
        raise Invalid("import.file", _about_ole(data))
    package = workbook_parts.opened(data)
    with workbook_parts.sound(CalamineError):
        book = CalamineWorkbook.from_filelike(BytesIO(data))
        kinds = [(sheet.typ, sheet.visible) for sheet in book.sheets_metadata]
        if len(kinds) != len(package.sheets):
            raise ValueError("sheets that are not listed")
    worksheets = [index for index, (kind, _) in enumerate(kinds) if kind == SheetTypeEnum.WorkSheet]
    visible = [index for index in worksheets if kinds[index][1] == SheetVisibleEnum.Visible]
    if not visible:
        raise Invalid("import.file", "工作簿里没有可见的工作表")
    tried = (_worksheet(book, package, index) for index in visible)
    first = next(tried)
    found = next((sheet for sheet in chain([first], tried) if wanted(sheet.header)), first)
    if len(worksheets) == 1:
        return Table(found.records, found.notices)
    notice = f"工作簿里有 {len(worksheets)} 张工作表，只读了“{found.name}”"
    return Table(found.records, (notice, *found.notices), found.name)


def _about_ole(data: bytes) -> str:
    if _ENCRYPTED in data:
        return "工作簿有密码；请在 Excel 或 WPS 中去掉密码，另存为 .xlsx 后再导入"
    return "这是旧格式的 Office 文件（如 .xls）；请在 Excel 或 WPS 中打开，另存为 .xlsx 后再导入"


def _worksheet(book: "CalamineWorkbook", package: Package, index: int) -> _Worksheet:
    from python_calamine import CalamineError

    name = book.sheet_names[index]
    marks = workbook_parts.marks(package, index, name)
    with workbook_parts.sound(CalamineError):
        sheet = book.get_sheet_by_index(index)
    records = _records(sheet, marks)
    first = next(records, None)
    if first is None:
        return _Worksheet(name, (), iter(()), ())
    merged = [top + 1 for (top, _), (bottom, _) in sheet.merged_cell_ranges or () if bottom > top]
    notice = f"第 {min(merged)} 行起有上下合并的单元格：只有最上面一行有内容，下面各行按空白读取" if merged else ""
    return _Worksheet(name, first.cells, chain([first], records), (notice,) if notice else ())


def _records(sheet: "CalamineSheet", marks: Marks) -> Iterator[Record]:
    """The sheet's rows from its first; those of calamine begin with row 1, but with the first column that has content.
    Behind them there may be rows with marks alone."""
    if sheet.start is None or sheet.end is None:
        left, last, width = 0, 0, 0
    else:
        left, last, width = sheet.start[1], sheet.end[0] + 1, sheet.width
    rows: Iterator[Sequence[Value]] = chain(sheet.iter_rows(), repeat([""] * width))
    for number in range(1, max((last, *marks)) + 1):
        try:
            cells = [_text(value) for value in next(rows)]
        except OverflowError:
            # Such as a phone number in a cell that is set to show hours.
            raise refused([(number, "有一格的日期或时长超出范围；请把这一格设成文本格式，重新填写")]) from None
        spoilt = _spoilt(cells, marks.get(number, {}), left)
        if spoilt or any(cells):
            yield Record(number, cells, spoilt)


def _spoilt(cells: Sequence[str], marked: Mapping[int, str], left: int) -> dict[int, str]:
    places = ((column - 1 - left, detail) for column, detail in marked.items())
    return {index: detail for index, detail in places if 0 <= index < len(cells) and not cells[index]}


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, datetime):
        # Days with a fraction are never exact: 09:30:00 may come as 09:29:59.999.
        value = (value + timedelta(milliseconds=500)).replace(microsecond=0)
    return value.isoformat()


def _number(value: float) -> str:
    """As Excel shows it in a cell that is wide enough: 15 digits, and what has more as 4.30121E+16."""
    if abs(value) >= _EXACT:
        return f"{value:.5E}"
    return str(int(value)) if value.is_integer() else f"{Decimal(f'{value:.15g}'):f}"
