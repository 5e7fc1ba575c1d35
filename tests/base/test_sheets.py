"""CSV in, with the row and column of every fault; CSV out that no spreadsheet runs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base import sheets
from app.base.sheets import MOST_BYTES, Columns, Faults, Sheet, csv_of, read, safe
from app.base.sheets.records import MOST_SHOWN
from app.domain.errors import Invalid

COLUMNS = Columns(("code", "name"), ("note",))


def sheet(text: str) -> Sheet:
    return read(text.encode(), COLUMNS)


def refusal(data: bytes | str) -> Invalid:
    with pytest.raises(Invalid) as refused:
        read(data.encode() if isinstance(data, str) else data, COLUMNS)
    return refused.value


def faults(data: bytes | str) -> list[str]:
    return [f"{fault.pointer}：{fault.detail}" for fault in refusal(data).faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_read_with_and_without_bom(encoding: str) -> None:
    found = read("code,name\n1,㮾梨街道\n".encode(encoding), COLUMNS)
    assert [(row.number, row.values) for row in found.rows] == [(2, {"code": "1", "name": "㮾梨街道"})]
    assert found.columns == {"code", "name"}
    assert found.notices == ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read(end: str) -> None:
    assert [row.number for row in sheet(end.join(["code,name", "1,甲", "2,乙", ""])).rows] == [2, 3]


def test_gbk_is_named_with_its_row_and_the_way_out() -> None:
    [fault] = faults("code,name\n1,a\n2,长沙县\n".encode("gbk"))
    assert fault.startswith("第 3 行：不是 UTF-8 编码，看起来是 GBK；请在 Excel 或 WPS 中另存为")


def test_bytes_of_no_chinese_encoding_are_refused_with_their_row() -> None:
    [fault] = faults(b"\xef\xbb\xbfcode,name\n1,a\n2,b\n3,\xff\xff\n")
    assert fault.startswith("第 4 行：不是 UTF-8 编码；")


def test_the_row_of_a_wrong_byte_counts_a_cell_of_several_lines_once() -> None:
    assert faults('code,name\n1,"甲\n乙"\n2,'.encode() + "长".encode("gbk"))[0].startswith("第 3 行：")


def test_nul_is_refused_with_its_row() -> None:
    assert faults("code,name\n1,甲\n2,乙\0\n") == ["第 3 行：含有空字符（NUL），文件可能已损坏"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"%PDF-1.7", "这是 PDF 文件，不是表格"),
        (b"\x89PNG\r\n\x1a\n", "这是图片，不是表格"),
        (b"<html><table><tr><td>code</td></tr></table></html>", "这是网页（HTML）或 XML 文件，不是 CSV"),
        ('\ufeff \n<?xml version="1.0"?>'.encode(), "这是网页（HTML）或 XML 文件，不是 CSV"),
    ],
)
def test_what_is_no_sheet_at_all_is_called_what_it_is(data: bytes, said: str) -> None:
    assert refusal(data).detail.startswith(said)


def test_utf16_is_recognised() -> None:
    assert "UTF-16" in refusal("code,name\n1,甲\n".encode("utf-16")).detail


@pytest.mark.parametrize("data", ["", "\ufeff", "\n\n", " , \n"])
def test_an_empty_file_is_refused(data: str) -> None:
    assert refusal(data).detail == "文件是空的"


def test_a_header_alone_is_refused() -> None:
    assert refusal("code,name\n\n,\n").detail == "文件里只有表头，没有数据"


def test_a_file_beyond_the_size_is_refused_before_it_is_read() -> None:
    assert "64 MB" in refusal(b"a" * (MOST_BYTES + 1)).detail


def test_missing_columns_are_named() -> None:
    assert faults("note\n1\n") == ["第 1 行：缺少列 code、name"]


@pytest.mark.parametrize("header", ["长沙县承办单位一览表", "代码,名称"])
def test_a_row_without_any_column_is_taken_for_no_header_and_not_quoted(header: str) -> None:
    assert faults(f"{header}\n1\n") == [
        "第 1 行：缺少列 code、name；这一行应是英文列名，现在一个也认不出（标题行、中文列名请去掉）"
    ]


def test_whose_columns_are_wrong_is_told_where_the_right_ones_are() -> None:
    with pytest.raises(Invalid) as refused:
        read(b"code,code\n1,2\n", COLUMNS, hint="见模板")
    assert [fault.detail for fault in refused.value.faults] == ["列名 code 出现了 2 次；见模板", "缺少列 name；见模板"]


def test_a_wrong_separator_is_guessed() -> None:
    assert faults("code;name\n1;甲\n") == ["第 1 行：缺少列 code、name；列之间要用英文逗号分隔"]


def test_a_column_twice_is_refused() -> None:
    assert faults("code,name,Code\n1,甲,2\n") == ["第 1 行：列名 code 出现了 2 次"]


def test_unknown_columns_are_ignored_with_a_notice() -> None:
    found = sheet("code,kind,name,,\n1,street,甲,,\n")
    assert found.notices == ("忽略了不认识的列：kind",)
    assert found.rows[0].values == {"code": "1", "name": "甲"}


def test_header_and_cells_are_stripped_and_the_header_knows_no_case() -> None:
    assert sheet(" CODE , Name\n 1 ,\u3000甲 \n").rows[0].values == {"code": "1", "name": "甲"}


def test_too_many_and_too_few_fields_are_refused_each_with_its_row() -> None:
    found = faults("code,name,note\n1,甲,\n2,乙,丙,丁\n3,戊\n")
    assert [fault[:5] for fault in found] == ["第 3 行", "第 4 行"]
    assert "有 4 个字段，表头只有 3 列" in found[0]
    assert "只有 2 个字段，表头有 3 列，从 note 列起没有内容" in found[1]


@pytest.mark.parametrize("cell", ["4.30121E+11", "1.38E+10", "1E+15", "-2.5E+120"])
def test_a_number_that_a_spreadsheet_has_shortened_is_a_fault_of_its_column(cell: str) -> None:
    assert faults(f"code,name\n{cell},甲\n") == [
        f"第 2 行：code：Excel 把数字改成了科学计数法（{cell}），后面的位可能已丢失；"
        "请把该列设成文本格式，重新填写后再保存"
    ]


@pytest.mark.parametrize("cell", ["#N/A", "#REF!", "#DIV/0!"])
def test_an_error_of_a_formula_is_a_fault_of_its_column(cell: str) -> None:
    assert faults(f"code,name\n1,{cell}\n") == [f"第 2 行：name：这一格是 Excel 的错误值 {cell}，请改正后再导入"]


@pytest.mark.parametrize("cell", ["1E-05", "4E11", "12E+05", "4.3E+1", "E+11", "房号 4.3E+11", "#5 栋", "1e+11"])
def test_what_only_looks_like_it_is_left(cell: str) -> None:
    assert sheet(f"code,name\n1,{cell}\n").rows[0].values["name"] == cell


def test_more_rows_than_a_spreadsheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    assert len(sheet("code,name\n1,甲\n2,乙\n").rows) == 2
    assert refusal("code,name\n1,甲\n2,乙\n3,丙\n").detail == "超过 3 行，请分成几个文件导入"


def test_empty_cells_behind_the_last_column_are_nothing() -> None:
    assert sheet("code,name\n1,甲,,\n").rows[0].values == {"code": "1", "name": "甲"}


def test_rows_are_numbered_as_a_spreadsheet_does() -> None:
    found = sheet('\ncode,name\n\n1,"甲\n乙"\n,\n2,丙\n')
    assert [(row.number, row.values["name"]) for row in found.rows] == [(4, "甲\n乙"), (6, "丙")]


@pytest.mark.parametrize("row", ['3,"丙', '3,"丙"丁'])
def test_a_quote_without_its_other_is_refused_where_it_began(row: str) -> None:
    assert faults(f"code,name\n1,甲\n{row}\n4,戊\n")[0].startswith("第 3 行：双引号没有配对")


def test_a_cell_beyond_all_measure_is_refused() -> None:
    assert faults(f"code,name\n1,{'长' * 200_000}\n")[0].startswith("第 2 行：有一格内容太长")


def test_no_more_than_a_hundred_faults_are_shown_but_all_are_counted() -> None:
    found = Faults()
    for number in range(150, 0, -1):
        found.add(number, "不对")
    with pytest.raises(Invalid) as refused:
        found.refuse()
    assert [fault.pointer for fault in refused.value.faults] == [f"第 {n} 行" for n in range(1, MOST_SHOWN + 1)]
    assert refused.value.detail == "共 150 处错误，什么都没有导入；这里只列出前 100 处"
    assert refused.value.code == "import.rows"


@pytest.mark.parametrize("text", ["=1+1", "+86", "-2", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠a"])
def test_a_text_that_would_run_as_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe(text) == "'" + text


@pytest.mark.parametrize(
    ("value", "written"), [(-3, "-3"), (96.33, "96.33"), (None, ""), ("—", "—"), ("甲=乙", "甲=乙"), ("", "")]
)
def test_numbers_and_other_texts_are_written_as_they_are(value: object, written: str) -> None:
    assert safe(value) == written


def test_a_written_file_opens_with_bom_and_crlf_and_no_formula() -> None:
    written = csv_of(["编码", "名称"], [["430121", "=HYPERLINK(1)"], [1, '甲,"乙"']])
    assert written.startswith(b"\xef\xbb\xbf")
    assert written.decode("utf-8-sig") == '编码,名称\r\n430121,\'=HYPERLINK(1)\r\n1,"甲,""乙"""\r\n'


@given(
    st.lists(st.tuples(st.integers(0, 999), st.text(st.characters(codec="utf-8", exclude_characters="\0"))), min_size=1)
)
def test_what_is_written_is_read_again(rows: list[tuple[int, str]]) -> None:
    written = csv_of(["code", "name"], rows)
    assert next(csv.reader(io.StringIO(written.decode("utf-8-sig")))) == ["code", "name"]
    assert [row.values["name"] for row in read(written, COLUMNS).rows] == [safe(name).strip() for _, name in rows]
