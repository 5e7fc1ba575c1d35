"""What must be known of a workbook before it is read: that it is one, that it is of a bearable size, where it ends.

calamine holds a worksheet as one rectangle from its first cell to its last, whatever lies between: a single cell at row
276,447,230 of a file of 4 kB took 23 GB (tried, python-calamine 0.9.1). And it gives an error as an empty cell.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from posixpath import join, normpath
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from app.base.sheets.records import MOST_ROWS
from app.domain.errors import Invalid

MOST_UNPACKED = 500 * 1024 * 1024
MOST_RATIO = 200
"""Worksheets pack 5 to 50 times."""
_LEAST_SUSPECT = 20 * 1024 * 1024
MOST_COLUMNS = 16_384
MOST_CELLS = 20_000_000
"""Of the rectangle, 24 bytes each: all the rows that there can be of 19 columns."""

ERROR = "这一格是 Excel 的错误值（如 #N/A、#REF!），请改正后再导入"
UNSOLVED = "这一格的公式没有保存结果，请在 Excel 或 WPS 中打开文件，保存后再导入"

BROKEN: tuple[type[Exception], ...] = (
    *(BadZipFile, EOFError, LookupError, NotImplementedError, OSError, OverflowError, RuntimeError, StopIteration),
    *(ValueError, zlib.error, expat.ExpatError),
)
"""What zipfile, zlib and expat raise on a file that is not sound."""
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([1-9][0-9]{0,6})")
_HEAD = 64 * 1024
_BOOK = "xl/workbook.xml"

Marks = Mapping[int, Mapping[int, str]]
"""What is wrong with a cell, in Chinese, by row and column, both from 1."""


@dataclass(frozen=True, slots=True)
class Package:
    """The zip file that a workbook is. `sheets` are the parts of its sheets, in the workbook's order."""

    archive: ZipFile
    sheets: tuple[ZipInfo, ...]


@contextmanager
def sound(*more: type[Exception]) -> Iterator[None]:
    """Says that the file is broken where reading it raises what BROKEN names, or one of `more`."""
    try:
        yield
    except (*BROKEN, *more) as error:
        detail = "Excel 文件已损坏或不完整；请在 Excel 或 WPS 中打开，另存为 .xlsx 后再导入"
        raise Invalid("import.file", detail) from error


def opened(data: bytes) -> Package:
    """Opens an xlsx file and unpacks nothing but its list of sheets. Raises Invalid."""
    with sound():
        archive = ZipFile(BytesIO(data))
        infos = archive.infolist()
        parts = {info.filename.replace("\\", "/").lower(): info for info in infos}
        if _BOOK not in parts:
            raise Invalid("import.file", f"这是{_what(parts)}，不是 Excel 工作簿；请导入 .xlsx 或 CSV 文件")
        if len(parts) != len(infos):
            raise BadZipFile("a part is there twice")
        if any(info.flag_bits & 1 for info in infos):
            raise Invalid("import.file", "工作簿有密码；请去掉密码，另存后再导入")
        unpacked = sum(info.file_size for info in infos)
        if unpacked > min(MOST_UNPACKED, max(_LEAST_SUSPECT, MOST_RATIO * len(data))):
            size = f"{unpacked // 1024 // 1024} MB"
            raise Invalid("import.file", f"Excel 文件解压后有 {size}，太大了；请分成几个文件导入")
        _check_texts(archive, parts.get("xl/sharedstrings.xml"))
        return Package(archive, _sheets(archive, parts))


def marks(package: Package, index: int, name: str) -> Marks:
    """The cells of a sheet that hold no value of their own. Raises Invalid, also where it reaches too far."""
    walk = _Walk()
    parser = expat.ParserCreate()
    parser.StartElementHandler = walk.start
    parser.StartDoctypeDeclHandler = _no_doctype
    with sound(), package.archive.open(package.sheets[index]) as part:
        parser.ParseFile(part)
    if walk.last_row * walk.last_column > MOST_CELLS:
        far = f"一直到第 {walk.last_row} 行、第 {walk.last_column} 列"
        detail = f"工作表“{name}”的内容{far}，多半是有一格误填在很远的地方；请删除数据以外的行和列，保存后再导入"
        raise Invalid("import.file", detail)
    return walk.marks


def _what(parts: Mapping[str, ZipInfo]) -> str:
    if "xl/workbook.bin" in parts:
        return "二进制工作簿（.xlsb）"
    if any(part.startswith("word/") for part in parts):
        return " Word 文档"
    return " OpenDocument 文件（如 .ods）" if "content.xml" in parts else "压缩包"


def _sheets(archive: ZipFile, parts: Mapping[str, ZipInfo]) -> tuple[ZipInfo, ...]:
    relations = _elements(archive.read(parts["xl/_rels/workbook.xml.rels"]), "Relationship")
    targets = {relation["Id"]: relation["Target"] for relation in relations}
    ids = [
        next(value for key, value in sheet.items() if key.rpartition(":")[2] == "id")
        for sheet in _elements(archive.read(parts[_BOOK]), "sheet")
    ]
    return tuple(parts[normpath(join("/xl", targets[id_])).lstrip("/").lower()] for id_ in ids)


def _check_texts(archive: ZipFile, part: ZipInfo | None) -> None:
    """calamine takes memory for as many texts as are announced, and ends the process where there is not so much."""
    if part is None:
        return
    with archive.open(part) as texts:
        announced = _elements(texts.read(_HEAD), "sst", whole=False)
    if int(announced[0].get("uniqueCount", "0")) * len("<si/>") > part.file_size:
        raise ValueError("more texts than there can be")


def _elements(document: bytes, name: str, *, whole: bool = True) -> list[dict[str, str]]:
    """The attributes of each element of that name; `whole`: the document does not break off."""
    found: list[dict[str, str]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda element, attributes: (
        found.append(attributes) if element.rpartition(":")[2] == name else None
    )
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.Parse(document, whole)
    return found


def _no_doctype(*_declared: object) -> None:
    raise ValueError("no part of a workbook has a document type")


@dataclass(slots=True)
class _Walk:
    """The callback of expat over a worksheet (ECMA-376-1, 18.3.1). A row or cell without `r` follows the one before."""

    row: int = 0
    column: int = 0
    last_row: int = 0
    last_column: int = 0
    has_type: bool = False
    marks: dict[int, dict[int, str]] = field(default_factory=dict)

    def start(self, element: str, attributes: dict[str, str]) -> None:
        match element.rpartition(":")[2]:
            case "c":
                self._enter(attributes.get("r"), attributes.get("t"))
            case "v" | "is":
                self.last_row, self.last_column = max(self.last_row, self.row), max(self.last_column, self.column)
            case "f" if not self.has_type:
                # Not where there is a type: the result of a formula may be an empty text.
                self._mark(UNSOLVED)
            case "row":
                number = attributes.get("r")
                self.row, self.column = int(number) if number else self.row + 1, 0

    def _enter(self, reference: str | None, type_: str | None) -> None:
        self.column += 1
        if reference:
            self.row, self.column = _position(reference)
        if not (0 < self.row <= MOST_ROWS and self.column <= MOST_COLUMNS):
            raise ValueError("a cell outside of any worksheet")
        self.has_type = type_ is not None
        if type_ == "e":
            self._mark(ERROR)

    def _mark(self, detail: str) -> None:
        self.marks.setdefault(self.row, {})[self.column] = detail


def _position(reference: str) -> tuple[int, int]:
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError("no reference of a cell")
    return int(found[2]), _number_of(found[1])


@lru_cache(maxsize=1024)
def _number_of(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
