"""Sheets that people bring and take away: CSV in, with the row of every fault, and CSV out that is safe to open."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.domain.errors import Fault, Invalid

MOST_BYTES = 64 * 1024 * 1024
MOST_SHOWN = 100
"""Faults listed at most: a person mends a hundred and tries again."""

_HOW_TO_SAVE = "请在 Excel 或 WPS 中另存为“CSV UTF-8（逗号分隔）”后再导入"
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# OWASP, CSV Injection: what makes a spreadsheet take a cell for a formula, full-width signs included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Columns:
    """What a sheet must have and may have; others are ignored with a notice."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def known(self) -> frozenset[str]:
        return frozenset(self.required + self.optional)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of data. `number` is the one that a spreadsheet shows: the header is row 1, blank rows count."""

    number: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`columns` are the known ones that the file has; cells are stripped of surrounding blanks."""

    columns: frozenset[str]
    rows: tuple[Row, ...]
    notices: tuple[str, ...] = ()


class Faults:
    """Everything wrong with a file, gathered row by row, so that a person mends it in one go."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str]] = []

    def add(self, number: int, detail: str) -> None:
        self._found.append((number, detail))

    def refuse(self) -> None:
        """Raises Invalid `import.rows` where anything was added: the first faults by row, and how many there are."""
        if self._found:
            raise _refused(sorted(self._found, key=lambda fault: fault[0]))


def read(data: bytes, columns: Columns) -> Sheet:
    """Reads a file with a header row. Raises Invalid: `import.rows` with row numbers, `import.file` for the whole."""
    if len(data) > MOST_BYTES:
        raise Invalid("import.file", f"文件超过 {MOST_BYTES // 1024 // 1024} MB，请分成几个文件导入")
    # Another format joins here: anything that gives numbered rows of cells is read alike from there on.
    records = _csv_records(data)
    first = next(records, None)
    if first is None:
        raise Invalid("import.file", "文件是空的")
    header_row, header = first[0], [_column(cell) for cell in first[1]]
    faults = Faults()
    _check_header(header_row, header, columns, faults)
    faults.refuse()
    rows = tuple(row for number, cells in records if (row := _row(number, cells, header, columns.known, faults)))
    faults.refuse()
    if not rows:
        raise Invalid("import.file", "文件里只有表头，没有数据")
    ignored = [name for name in header if name and name not in columns.known]
    notices = (f"忽略了不认识的列：{'、'.join(ignored)}",) if ignored else ()
    return Sheet(columns.known & set(header), rows, notices)


def safe(value: object) -> str:
    """A cell's text; a text that a spreadsheet would run as a formula gets an apostrophe in front. None is empty."""
    if value is None:
        return ""
    text = str(value)
    return "'" + text if isinstance(value, str) and text.startswith(_FORMULA) else text


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file as Excel and WPS open it without asking: UTF-8 with BOM, lines ended by CR LF (RFC 4180)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([safe(name) for name in header])
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _column(cell: str) -> str:
    # A file saved twice with BOM keeps one.
    return cell.strip().lstrip("\ufeff").lower()


def _check_header(number: int, header: Sequence[str], columns: Columns, faults: Faults) -> None:
    for name, count in Counter(filter(None, header)).items():
        if count > 1:
            faults.add(number, f"列名 {name} 出现了 {count} 次")
    missing = [name for name in columns.required if name not in header]
    if not missing:
        return
    detail = f"缺少列 {'、'.join(missing)}"
    if len(header) == 1 and any(sign in header[0] for sign in "\t;；，"):
        detail += "；列之间要用英文逗号分隔"
    faults.add(number, detail)


def _row(number: int, cells: Sequence[str], header: Sequence[str], known: frozenset[str], faults: Faults) -> Row | None:
    if any(cells[len(header) :]):
        faults.add(number, f"有 {len(cells)} 个字段，表头只有 {len(header)} 列（内容里的逗号要用英文双引号括起来）")
    elif len(cells) < len(header):
        faults.add(number, f"只有 {len(cells)} 个字段，表头有 {len(header)} 列")
    else:
        values = {name: cell for name, cell in zip(header, cells, strict=False) if name in known}
        return Row(number, values)
    return None


def _csv_records(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """(row number, stripped cells) of each row that is not blank."""
    reader = csv.reader(io.StringIO(_decoded(data), newline=""), strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise _refused([(number, _quoting(error))]) from error
        if any(cells):
            yield number, cells


def _quoting(error: csv.Error) -> str:
    if "field limit" in str(error):
        return "有一格内容太长（也可能是双引号没有配对）"
    return "双引号没有配对（含逗号、引号或换行的内容要用英文双引号括起来，里面的双引号写两个）"


def _decoded(data: bytes) -> str:
    if data.startswith((_ZIP, _OLE)):
        raise Invalid("import.file", f"这是 Excel 工作簿，不是 CSV；{_HOW_TO_SAVE}")
    if data.startswith(_UTF16):
        raise Invalid("import.file", f"文件是 UTF-16 编码；{_HOW_TO_SAVE}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The codec counts from behind the BOM.
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        number = _row_at(data[:start].decode("utf-8-sig"))
        raise _refused([(number, f"{_guess(data)}；{_HOW_TO_SAVE}")]) from error
    if (at := text.find("\0")) >= 0:
        raise _refused([(_row_at(text[:at]), "含有空字符（NUL），文件可能已损坏")])
    return text


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


def _refused(faults: Sequence[tuple[int, str]]) -> Invalid:
    total = f"共 {len(faults)} 处错误，什么都没有导入"
    if len(faults) > MOST_SHOWN:
        total += f"；这里只列出前 {MOST_SHOWN} 处"
    shown = tuple(Fault(f"第 {number} 行", detail) for number, detail in faults[:MOST_SHOWN])
    return Invalid("import.rows", total, faults=shown)
