"""CSV files read strictly: in UTF-8, with the row of whatever is wrong."""

import csv
import io
from collections.abc import Iterator

from app.base.sheets.records import Record, Table, refused
from app.domain.errors import Invalid

_HOW_TO_SAVE = "请在 Excel 或 WPS 中另存为 .xlsx 或“CSV UTF-8（逗号分隔）”后再导入"
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_OTHERS = ((b"%PDF", " PDF 文件"), (b"\x89PNG", "图片"), (b"\xff\xd8\xff", "图片"), (b"{\\rtf", " RTF 文档"))


def table(data: bytes) -> Table:
    """The rows of a CSV file. Raises Invalid, while they are read too."""
    return Table(_records(_decoded(data)))


def _records(text: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise refused([(number, _quoting(error))]) from error
        if any(cells):
            yield Record(number, cells)


def _quoting(error: csv.Error) -> str:
    if "field limit" in str(error):
        return "有一格内容太长（也可能是双引号没有配对）"
    return "双引号没有配对（含逗号、引号或换行的内容要用英文双引号括起来，里面的双引号写两个）"


def _decoded(data: bytes) -> str:
    _refuse_others(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The codec counts from behind the BOM.
        start = error.start + (len(_UTF8_BOM) if data.startswith(_UTF8_BOM) else 0)
        number = _row_at(data[:start].decode("utf-8-sig"))
        raise refused([(number, f"{_guess(data)}；{_HOW_TO_SAVE}")]) from error
    if (at := text.find("\0")) >= 0:
        raise refused([(_row_at(text[:at]), "含有空字符（NUL），文件可能已损坏")])
    return text


def _refuse_others(data: bytes) -> None:
    if data.startswith(_UTF16):
        raise Invalid("import.file", f"文件是 UTF-16 编码；{_HOW_TO_SAVE}")
    for signature, what in _OTHERS:
        if data.startswith(signature):
            raise Invalid("import.file", f"这是{what}，不是表格；请导入 .xlsx 或 CSV 文件")
    # What many systems call an .xls is a page with a table in it.
    if data.removeprefix(_UTF8_BOM)[:100].lstrip().startswith(b"<"):
        raise Invalid("import.file", f"这是网页（HTML）或 XML 文件，不是 CSV；{_HOW_TO_SAVE}")


def _guess(data: bytes) -> str:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return "不是 UTF-8 编码"
    return "不是 UTF-8 编码，看起来是 GBK"


def _row_at(before: str) -> int:
    """The number of the row in which a text breaks off."""
    try:
        return sum(1 for _ in csv.reader(io.StringIO(before + "x", newline="")))
    except csv.Error:
        return before.count("\n") + 1
