"""Sheets that people bring and take away: CSV or xlsx in, with the row and column of every fault, and CSV out that is
safe to open."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from app.base.sheets import delimited, workbooks
from app.base.sheets.records import MOST_ROWS, Record, Table, refused, spoilt
from app.domain.errors import Invalid

MOST_BYTES = 64 * 1024 * 1024

# OWASP, CSV Injection: what makes a spreadsheet take a cell for a formula, full-width signs included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NAMED_WORKBOOK, _NAMED_TEXT = frozenset({".xlsx", ".xlsm", ".xls"}), frozenset({".csv", ".txt"})


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
            raise refused(sorted(self._found, key=lambda fault: fault[0]))


def read(data: bytes, columns: Columns, *, name: str = "", hint: str = "") -> Sheet:
    """Reads a file with a header row, CSV or xlsx as its content says; `name` is only for a notice where it says else.
    `hint`: where a person whose columns are wrong finds the right ones, in Chinese.

    Raises Invalid: `import.rows` with row numbers, `import.file` for the whole.
    """
    if len(data) > MOST_BYTES:
        raise Invalid("import.file", f"文件超过 {MOST_BYTES // 1024 // 1024} MB，请分成几个文件导入")
    table = _table(data, columns)
    at = f"（读的是工作表“{table.name}”）" if table.name else ""
    first = next(table.records, None)
    if first is None:
        raise Invalid("import.file", f"文件是空的{at}")
    header = [_column(cell) for cell in first.cells]
    faults = Faults()
    for wrong in _wrong_columns(header, columns):
        faults.add(first.number, f"{wrong}{at}" + (f"；{hint}" if hint else ""))
    faults.refuse()
    rows = tuple(row for record in table.records if (row := _row(record, header, columns.known, faults)))
    faults.refuse()
    if not rows:
        raise Invalid("import.file", f"文件里只有表头，没有数据{at}")
    notices = (*_misnamed(name, data), *table.notices, *_ignored(header, columns))
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


def _table(data: bytes, columns: Columns) -> Table:
    if not workbooks.is_workbook(data):
        return delimited.table(data)
    required = set(columns.required)
    return workbooks.table(data, lambda cells: required <= {_column(cell) for cell in cells})


def _misnamed(name: str, data: bytes) -> tuple[str, ...]:
    suffix = PurePath(name).suffix.lower()
    if workbooks.is_workbook(data):
        return (f"文件名是 {suffix}，内容却是 Excel 工作簿，已按工作簿读取",) if suffix in _NAMED_TEXT else ()
    return (f"文件名是 {suffix}，内容却是 CSV 文本，已按 CSV 读取",) if suffix in _NAMED_WORKBOOK else ()


def _ignored(header: Sequence[str], columns: Columns) -> tuple[str, ...]:
    ignored = [name for name in header if name and name not in columns.known]
    return (f"忽略了不认识的列：{'、'.join(ignored)}",) if ignored else ()


def _column(cell: str) -> str:
    # A file saved twice with BOM keeps one.
    return cell.strip().lstrip("\ufeff").lower()


def _wrong_columns(header: Sequence[str], columns: Columns) -> Iterator[str]:
    for name, count in Counter(filter(None, header)).items():
        if count > 1:
            yield f"列名 {name} 出现了 {count} 次"
    missing = [name for name in columns.required if name not in header]
    if not missing:
        return
    detail = f"缺少列 {'、'.join(missing)}"
    if len(header) == 1 and any(sign in header[0] for sign in "\t;；，"):
        detail += "；列之间要用英文逗号分隔"
    elif columns.known.isdisjoint(header):
        # Not quoted: where the header is missing altogether it is somebody's data.
        detail += "；这一行应是英文列名，现在一个也认不出（标题行、中文列名请去掉）"
    yield detail


def _row(record: Record, header: Sequence[str], known: frozenset[str], faults: Faults) -> Row | None:
    number, cells = record.number, record.cells
    if number > MOST_ROWS:
        raise Invalid("import.file", f"超过 {MOST_ROWS} 行，请分成几个文件导入")
    if any(cells[len(header) :]):
        where = f"有 {len(cells)} 个字段，表头只有 {len(header)} 列，第 {len(header) + 1} 列起没有列名"
        faults.add(number, f"{where}（内容里的逗号要用英文双引号括起来）")
        return None
    if len(cells) < len(header):
        faults.add(number, f"只有 {len(cells)} 个字段，表头有 {len(header)} 列，从 {header[len(cells)]} 列起没有内容")
        return None
    values = {}
    for index, (name, cell) in enumerate(zip(header, cells, strict=False)):
        if name in known:
            values[name] = cell
            if wrong := record.spoilt.get(index) or spoilt(cell):
                faults.add(number, f"{name}：{wrong}")
    return Row(number, values)
