"""Excel workbooks in: what people see is what is read, and a file that is none is named for what it is."""

import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from io import BytesIO

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from app.base.sheets import Columns, Sheet, read, workbook_parts
from app.domain.errors import Invalid
from tests.base.workbook_files import changed

COLUMNS = Columns(("code", "name"), ("note",))
HEADER = ("code", "name", "note")
SHEET = "xl/worksheets/sheet1.xml"

Write = Callable[[Worksheet], object]
moment = datetime.fromisoformat
"""Excel's moments have no zone."""


def workbook(*sheets: Write, epoch_1904: bool = False) -> bytes:
    """A workbook with a worksheet for each function, named 表1, 表2 and so on, in which it writes."""
    out = BytesIO()
    options = {"default_date_format": "yyyy-mm-dd hh:mm", "date_1904": epoch_1904}
    with xlsxwriter.Workbook(out, options) as book:
        for number, write in enumerate(sheets, 1):
            write(book.add_worksheet(f"表{number}"))
    return out.getvalue()


def rows(*cells: Sequence[object]) -> Write:
    """The header and rows of cells, each written as the kind of value it is."""

    def write(worksheet: Worksheet) -> None:
        worksheet.write_row(0, 0, HEADER)
        for number, row in enumerate(cells, 1):
            for column, cell in enumerate(row):
                worksheet.write(number, column, cell)

    return write


def formatted(number: float, form: str) -> bytes:
    """A workbook with one row, in which the name is a number shown in some form."""
    out = BytesIO()
    with xlsxwriter.Workbook(out) as book:
        worksheet = book.add_worksheet()
        worksheet.write_row(0, 0, HEADER)
        worksheet.write(1, 0, "1")
        worksheet.write_number(1, 1, number, book.add_format({"num_format": form}))
    return out.getvalue()


def raw(sheet_data: str) -> bytes:
    """A workbook of one sheet with the header, and rows as XML."""
    return changed(workbook(rows()), SHEET, lambda text: text.replace("</sheetData>", f"{sheet_data}</sheetData>"))


def zipped(*names: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "text")
    return out.getvalue()


def cells(found: Sheet) -> list[tuple[int, list[str]]]:
    return [(row.number, list(row.values.values())) for row in found.rows]


def one(cell: object) -> str:
    """What is read of a cell."""
    return read(workbook(rows(["1", cell])), COLUMNS).rows[0].values["name"]


def refusal(data: bytes) -> Invalid:
    with pytest.raises(Invalid) as refused:
        read(data, COLUMNS)
    return refused.value


def faults(data: bytes) -> list[str]:
    return [f"{fault.pointer}：{fault.detail}" for fault in refusal(data).faults]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (430121, "430121"),
        (13800000000, "13800000000"),
        (430121001001, "430121001001"),
        (430121001001001, "430121001001001"),
        (999_999_999_999_999, "999999999999999"),
        (-3, "-3"),
        (0, "0"),
        (28.2467, "28.2467"),
        (0.1 + 0.2, "0.3"),
        (45231.5, "45231.5"),
        (0.00001, "0.00001"),
        ("007", "007"),
        ("430121001001001001", "430121001001001001"),
        (True, "true"),
        (False, "false"),
        (date(2026, 10, 1), "2026-10-01"),
        (moment("2026-10-01T09:30:00"), "2026-10-01T09:30:00"),
        (moment("2026-10-01T23:59:59.999900"), "2026-10-02T00:00:00"),
        (time(9, 30), "09:30:00"),
        ("　甲 ", "甲"),
        ("第一行\n第二行", "第一行\n第二行"),
        ("㮾梨街道", "㮾梨街道"),
    ],
)
def test_a_cell_is_read_as_people_see_it(cell: object, text: str) -> None:
    assert one(cell) == text


@given(st.datetimes(moment("1900-03-01"), moment("9999-12-31")).map(lambda when: when.replace(microsecond=0)))
def test_every_second_is_read_as_it_was_written(when: datetime) -> None:
    assert one(when) == (when.date() if when.time() == time() else when).isoformat()


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_every_number_of_15_digits_is_exact(number: int) -> None:
    assert one(number) == str(number)


FIRST_OF_OCTOBER = 46296
"""2026-10-01, as Excel counts days."""


@pytest.mark.parametrize(
    ("number", "form", "text"),
    [
        (731, "000000", "731"),
        (0.5, "0%", "0.5"),
        (430121001, "#,##0.00", "430121001"),
        (FIRST_OF_OCTOBER, "yyyy-mm-dd", "2026-10-01"),
        (FIRST_OF_OCTOBER, 'yyyy"年"m"月"d"日"', "2026-10-01"),
        (FIRST_OF_OCTOBER, "[$-804]yyyy/m/d;@", "2026-10-01"),
        (FIRST_OF_OCTOBER + 0.39583333, "上午/下午h:mm", "2026-10-01T09:30:00"),
        (1.25, "[h]:mm", "30:00:00"),
    ],
)
def test_a_number_is_a_date_where_it_is_shown_as_one_and_gets_no_zeros(number: float, form: str, text: str) -> None:
    assert read(formatted(number, form), COLUMNS).rows[0].values["name"] == text


def test_rows_are_numbered_as_excel_shows_them() -> None:
    def write(worksheet: Worksheet) -> None:
        worksheet.write_row(2, 1, HEADER)
        worksheet.write_row(4, 1, ["1", "甲"])
        worksheet.write_row(5, 1, [" ", " "])
        worksheet.write_row(9, 1, ["2", "乙"])
        worksheet.set_row(20, 30)

    assert cells(read(workbook(write), COLUMNS)) == [(5, ["1", "甲", ""]), (10, ["2", "乙", ""])]


def test_header_faults_and_rows_are_those_of_a_csv_file() -> None:
    assert faults(workbook(lambda sheet: sheet.write_row(0, 0, ["note"]))) == ["第 1 行：缺少列 code、name"]
    assert faults(workbook(lambda sheet: sheet.write_row(0, 0, [*HEADER, " Note "]))) == [
        "第 1 行：列名 note 出现了 2 次"
    ]
    assert refusal(workbook(rows())).detail == "文件里只有表头，没有数据"
    assert refusal(workbook(lambda sheet: None)).detail == "文件是空的"
    unknown = read(workbook(lambda sheet: [sheet.write_row(n, 0, ["code", "Name", "kind"]) for n in (0, 1)]), COLUMNS)
    assert unknown.notices == ("忽略了不认识的列：kind",)


def test_a_number_of_more_than_15_digits_is_a_fault_of_its_row_and_column() -> None:
    [fault] = faults(workbook(rows(["1", "甲"], [43012100100100123, "乙"])))
    assert fault.startswith("第 3 行：code：Excel 把数字改成了科学计数法（4.30121E+16），后面的位可能已丢失；")
    assert "设成文本格式" in fault


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#VALUE!", "#DIV/0!"])
def test_an_error_is_a_fault_of_its_row_and_column(error: str) -> None:
    def write(worksheet: Worksheet) -> None:
        rows(["1", "甲"], ["2", "乙"])(worksheet)
        worksheet.write_formula(2, 2, "=1/0", None, error)

    assert faults(workbook(write)) == [f"第 3 行：note：{workbook_parts.ERROR}"]


def test_an_error_that_was_pasted_as_text_is_one_too() -> None:
    assert faults(workbook(rows(["1", "#N/A"]))) == ["第 2 行：name：这一格是 Excel 的错误值 #N/A，请改正后再导入"]


def test_an_error_in_a_column_that_is_ignored_is_ignored() -> None:
    def write(worksheet: Worksheet) -> None:
        rows(["1", "甲"])(worksheet)
        worksheet.write(0, 3, "备注")
        worksheet.write_formula(1, 3, "=1/0", None, "#DIV/0!")

    assert cells(read(workbook(write), COLUMNS)) == [(2, ["1", "甲", ""])]


def test_a_formula_is_its_result() -> None:
    def write(worksheet: Worksheet) -> None:
        rows(["1"])(worksheet)
        worksheet.write_formula(1, 1, '="甲"&"乙"', None, "甲乙")
        worksheet.write_formula(1, 2, "=1+1", None, 2)

    assert cells(read(workbook(write), COLUMNS)) == [(2, ["1", "甲乙", "2"])]


def test_a_formula_whose_result_was_never_saved_is_a_fault_even_in_a_row_of_nothing_else() -> None:
    formulas = "".join(f'<c r="{column}3"><f>1+1</f><v></v></c>' for column in "ABC")
    found = faults(raw(f'<row r="2"><c r="A2"><v>1</v></c></row><row r="3">{formulas}</row>'))
    assert found == [f"第 3 行：{column}：{workbook_parts.UNSOLVED}" for column in HEADER]


def test_a_formula_with_an_empty_text_as_its_result_is_empty() -> None:
    found = raw('<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="str"><f>""</f><v></v></c></row>')
    assert cells(read(found, COLUMNS)) == [(2, ["1", "", ""])]


def test_cells_that_were_merged_downwards_are_told_of() -> None:
    def write(worksheet: Worksheet) -> None:
        rows(["1"], ["2"])(worksheet)
        worksheet.merge_range(1, 1, 2, 1, "甲")
        worksheet.merge_range(3, 0, 3, 1, "3")

    found = read(workbook(write), COLUMNS)
    assert cells(found) == [(2, ["1", "甲", ""]), (3, ["2", "", ""]), (4, ["3", "", ""])]
    assert found.notices == ("第 2 行起有上下合并的单元格：只有最上面一行有内容，下面各行按空白读取",)


def test_the_sheet_with_the_header_is_read_and_named() -> None:
    found = read(workbook(lambda sheet: sheet.write(0, 0, "填写说明"), rows(["1", "甲"]), rows(["2", "乙"])), COLUMNS)
    assert cells(found) == [(2, ["1", "甲", ""])]
    assert found.notices == ("工作簿里有 3 张工作表，只读了“表2”",)


def test_a_sheet_that_nobody_sees_is_not_read() -> None:
    def hidden(worksheet: Worksheet) -> None:
        rows(["1", "甲"])(worksheet)
        worksheet.hide()

    def seen(worksheet: Worksheet) -> None:
        rows(["2", "乙"])(worksheet)
        worksheet.activate()
        worksheet.set_first_sheet()

    assert cells(read(workbook(hidden, seen), COLUMNS)) == [(2, ["2", "乙", ""])]
    only = changed(
        workbook(rows(["1", "甲"])), "xl/workbook.xml", lambda text: text.replace('" r:id', '" state="hidden" r:id')
    )
    assert refusal(only).detail == "工作簿里没有可见的工作表"


def test_where_no_sheet_has_the_header_the_first_is_told_of() -> None:
    found = workbook(lambda sheet: sheet.write(0, 0, "note"), lambda sheet: sheet.write(0, 0, "code"))
    assert faults(found) == ["第 1 行：缺少列 code、name（读的是工作表“表1”）"]


def test_a_sheet_of_a_chart_is_passed_over() -> None:
    out = BytesIO()
    with xlsxwriter.Workbook(out) as book:
        chart = book.add_chart({"type": "line"})
        sheet = book.add_chartsheet("图")
        worksheet = book.add_worksheet("表")
        worksheet.write_row(0, 0, HEADER)
        worksheet.write_row(1, 0, [1, "甲"])
        chart.add_series({"values": "=表!$A$2:$A$2"})
        sheet.set_chart(chart)
    found = read(out.getvalue(), COLUMNS)
    assert (cells(found), found.notices) == ([(2, ["1", "甲", ""])], ())


def test_days_are_counted_from_1904_where_the_workbook_does() -> None:
    found = read(workbook(rows(["1", date(2026, 10, 1)]), epoch_1904=True), COLUMNS)
    assert found.rows[0].values["name"] == "2026-10-01"


def test_rows_and_cells_without_a_reference_follow_each_other() -> None:
    found = raw("<row><c><v>1</v></c><c><v>2</v></c></row><row><c/><c><v>3</v></c></row>")
    assert cells(read(found, COLUMNS)) == [(2, ["1", "2", ""]), (3, ["", "3", ""])]


@pytest.mark.parametrize(
    ("name", "notice"),
    [
        ("人员.csv", "文件名是 .csv，内容却是 Excel 工作簿，已按工作簿读取"),
        ("人员.XLSX", None),
        ("", None),
    ],
)
def test_a_workbook_is_known_by_its_content(name: str, notice: str | None) -> None:
    found = read(workbook(rows(["1", "甲"])), COLUMNS, name=name)
    assert (len(found.rows), found.notices) == (1, (notice,) if notice else ())


@pytest.mark.parametrize(
    ("name", "notice"), [("人员.xlsx", "文件名是 .xlsx，内容却是 CSV 文本，已按 CSV 读取"), ("人员.csv", None)]
)
def test_a_csv_file_is_known_by_its_content(name: str, notice: str | None) -> None:
    found = read("code,name\n1,甲\n".encode(), COLUMNS, name=name)
    assert (len(found.rows), found.notices) == (1, (notice,) if notice else ())


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (OLE, "这是旧格式的 Office 文件（如 .xls）"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "工作簿有密码"),
        (zipped("mimetype", "content.xml"), "这是 OpenDocument 文件（如 .ods）"),
        (zipped("[Content_Types].xml", "word/document.xml"), "这是 Word 文档"),
        (zipped("[Content_Types].xml", "xl/workbook.bin"), "这是二进制工作簿（.xlsb）"),
        (zipped("a.csv"), "这是压缩包"),
        (b"PK\x05\x06" + bytes(18), "这是压缩包"),
        (b"PK\x03\x04rest", "Excel 文件已损坏或不完整"),
        (workbook(rows(["1", "甲"]))[:-200], "Excel 文件已损坏或不完整"),
        (zipped("xl/workbook.xml"), "Excel 文件已损坏或不完整"),
    ],
)
def test_what_is_no_workbook_is_called_what_it_is(data: bytes, said: str) -> None:
    refused = refusal(data)
    assert refused.code == "import.file"
    assert refused.detail.startswith(said)


def test_a_zip_with_a_password_is_told_of() -> None:
    data = bytearray(workbook(rows(["1", "甲"])))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(data)).detail.startswith("工作簿有密码")


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        (SHEET, "<sheetData>", "<sheetData"),
        (SHEET, 'r="A1"', 'r="A0"'),
        (SHEET, 'r="A1"', 'r="A1048577"'),
        (SHEET, 'r="A1"', 'r="XFE1"'),
        (SHEET, 'r="A1"', 'r="A99999999999999"'),
        (SHEET, '<row r="2" spans="1:3"><c r="A2"', '<row r="276447231"><c'),
        (SHEET, "<v>0</v>", "<v>99</v>"),
        (SHEET, "<worksheet", "<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet"),
        ("xl/workbook.xml", "</sheets>", '<sheet name="x" sheetId="2" r:id="rId9"/></sheets>'),
        ("xl/_rels/workbook.xml.rels", "worksheets/", "nowhere/"),
        ("xl/sharedStrings.xml", 'uniqueCount="', 'uniqueCount="4294967'),
    ],
)
def test_a_workbook_that_is_not_sound_is_refused(part: str, old: str, new: str) -> None:
    broken = changed(workbook(rows(["1", "甲"])), part, lambda text: text.replace(old, new, 1))
    assert refusal(broken).detail.startswith("Excel 文件已损坏或不完整")


def test_a_part_that_is_there_twice_is_refused() -> None:
    out = BytesIO(workbook(rows(["1", "甲"])))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("XL/worksheets/Sheet1.xml", "<worksheet/>")
    assert refusal(out.getvalue()).detail.startswith("Excel 文件已损坏或不完整")


def test_a_cell_far_away_does_not_take_the_memory_of_the_machine() -> None:
    def write(worksheet: Worksheet) -> None:
        rows(["1", "甲"])(worksheet)
        worksheet.write(1_048_575, 16_383, "误填")

    detail = refusal(workbook(write)).detail
    assert detail.startswith("工作表“表1”的内容一直到第 1048576 行、第 16384 列，多半是有一格误填在很远的地方；")


def test_cells_far_away_that_are_only_formatted_are_nothing() -> None:
    found = raw('<row r="2"><c r="A2"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" s="0"/></row>')
    assert cells(read(found, COLUMNS)) == [(2, ["1", "", ""])]


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = changed(workbook(rows(["1", "甲"])), SHEET, lambda text: text + " " * 30_000_000)
    assert len(bomb) < 60_000
    assert refusal(bomb).detail == "Excel 文件解压后有 28 MB，太大了；请分成几个文件导入"
    monkeypatch.setattr(workbook_parts, "MOST_UNPACKED", 1_000)
    assert "太大了" in refusal(workbook(rows(["1", "甲"]))).detail


def test_a_size_that_is_a_lie_is_found_out() -> None:
    data = bytearray(changed(workbook(rows(["1", "甲"])), SHEET, lambda text: text + " " * 3_000_000))
    at = next(n for n in _directory(data) if data[n + 46 : n + 46 + len(SHEET)] == SHEET.encode())
    data[at + 24 : at + 28] = (5_000).to_bytes(4, "little")
    assert refusal(bytes(data)).detail.startswith("Excel 文件已损坏或不完整")


def _directory(data: bytearray) -> list[int]:
    """Where the entries of a zip file's directory begin."""
    found, at = [], data.find(b"PK\x01\x02")
    while at >= 0:
        found.append(at)
        at = data.find(b"PK\x01\x02", at + 1)
    return found


def test_hours_beyond_all_measure_are_a_fault_of_their_row() -> None:
    assert faults(formatted(13_800_000_000, "[h]:mm"))[0].startswith("第 2 行：有一格的日期或时长超出范围")
