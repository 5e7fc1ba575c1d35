"""The templates: every column is explained, and what the examples say can be imported as it stands."""

import re
import zipfile
from collections.abc import Sequence
from io import BytesIO
from xml.sax.saxutils import escape

import pytest
from python_calamine import CalamineWorkbook

from app.base.secrets import Vault
from app.base.sheets import csv_of
from app.base.work import Work
from app.domain.errors import Invalid
from app.imports.changes import Result
from app.imports.service import KINDS, apply, prepare
from app.imports.template_files import as_csv, as_xlsx, header
from app.imports.templates import GUIDES, MAY, MUST
from tests.base.workbook_files import changed
from tests.imports.county_files import Load

FORM = "xl/worksheets/sheet1.xml"
BRANCH = {"code": "C01", "name": "城市管理", "parent_code": "", "level": "1", "unit": ""}


def filled(kind: str, *rows: Sequence[str]) -> bytes:
    """The template with rows written into it, each cell as a text."""

    def fill(text: str) -> str:
        written = "".join(
            "<row>" + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row) + "</row>"
            for row in rows
        )
        assert text.count("</sheetData>") == 1
        return text.replace("</sheetData>", f"{written}</sheetData>")

    return changed(as_xlsx(kind), FORM, fill)


def example(kind: str, **cells: str) -> list[str]:
    return [cells.get(name, GUIDES[kind].columns[name].example) for name in header(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_is_described_and_none_that_is_not_there(kind: str) -> None:
    assert set(GUIDES[kind].columns) == KINDS[kind].known
    assert header(kind) == tuple(GUIDES[kind].columns)
    for name, column in GUIDES[kind].columns.items():
        assert column.how, name
        assert column.example or column.need is not MUST, name
        assert not column.words or column.example in column.words, name
        assert column.need is not MUST or name in KINDS[kind].required, name


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_with_its_examples_is_read_as_they_are(kind: str) -> None:
    sheet = prepare(kind, filled(kind, example(kind))).sheet
    [row] = sheet.rows
    assert row.values == {name: column.example for name, column in GUIDES[kind].columns.items()}
    assert row.number == 2
    assert sheet.notices == (f"工作簿里有 2 张工作表，只读了“{GUIDES[kind].title}”",)


async def test_the_columns_that_may_be_left_out_can_be_deleted_as_the_template_says(
    county: Work, load: Load, vault: Vault
) -> None:
    for kind in KINDS:
        guide = GUIDES[kind].columns
        kept = [name for name in header(kind) if guide[name].need is not MAY]
        # The datum is that of the coordinates, which are gone.
        gone = {"datum": ""} if "lat" in guide else {}
        rows = [{name: guide[name].example for name in kept} | gone]
        if kind == "categories":
            rows.insert(0, rows[0] | BRANCH)
        lines = [kept, *([row[name] for name in kept] for row in rows)]
        done = await apply(county, prepare(kind, csv_of(lines[0], lines[1:])), vault)
        assert (kind, done.created) == (kind, len(rows))


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_template_says_that_it_is_empty(kind: str) -> None:
    for data in (as_csv(kind), as_xlsx(kind)):
        with pytest.raises(Invalid, match="文件里只有表头，没有数据"):
            prepare(kind, data)


async def test_the_examples_of_all_kinds_are_imported_in_their_order(county: Work, load: Load, vault: Vault) -> None:
    done: dict[str, Result] = {}
    for kind in KINDS:
        rows = [example(kind, **BRANCH)] if kind == "categories" else []
        done[kind] = await apply(county, prepare(kind, filled(kind, *rows, example(kind))), vault)
    assert {kind: result.created for kind, result in done.items()} == {
        kind: 2 if kind == "categories" else 1 for kind in KINDS
    }


def test_the_explanation_has_a_line_for_each_column() -> None:
    book = CalamineWorkbook.from_filelike(BytesIO(as_xlsx("units")))
    assert book.sheet_names == ["承办单位", "填写说明"]
    first, *lines = book.get_sheet_by_index(1).to_python()
    assert first == ["列名", "是否必填", "写法", "例子"]
    assert lines[:2] == [
        ["code", "必填", "单位代码，自己编，不重复；字母、数字、横线，至多 32 个", "U02"],
        ["name", "必填", "全称，至多 60 个字，同一区划内不重复；事项分类按它找到单位", "长沙县城市管理和综合执法局"],
    ]
    assert [line[0] for line in lines[: len(header("units"))]] == list(header("units"))


def test_the_explanation_lists_the_words_that_can_be_chosen() -> None:
    lines = CalamineWorkbook.from_filelike(BytesIO(as_xlsx("divisions"))).get_sheet_by_index(1).to_python()
    assert ["level", "必填", "层级，从下拉列表选（县、镇街、村社区、网格）", "镇街"] in lines


def test_codes_are_cells_of_text_and_words_come_as_lists() -> None:
    with zipfile.ZipFile(BytesIO(as_xlsx("staff"))) as archive:
        form, styles = archive.read(FORM).decode(), archive.read("xl/styles.xml").decode()
        comments = archive.read("xl/comments1.xml").decode()
    [text] = re.findall(r'<numFmt numFmtId="([0-9]+)" formatCode="@"/>', styles)
    formats = re.findall(r'<xf numFmtId="([0-9]+)"', styles.partition("<cellXfs")[2])
    columns = [int(style) for style in re.findall(r'<col [^>]*style="([0-9]+)"', form)]
    assert [formats[style] for style in columns] == [text] * len(header("staff"))
    assert '<pane ySplit="1"' in form
    assert 'sqref="D2:D1048576"' in form
    assert "民生快递员,平台管理员,承办人," in form
    assert "必填。职务，从下拉列表选" in comments


def test_nothing_in_a_template_is_a_formula_or_a_link() -> None:
    for kind in KINDS:
        with zipfile.ZipFile(BytesIO(as_xlsx(kind))) as archive:
            text = b"".join(archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name).decode()
        assert "<f>" not in text
        assert "<hyperlink" not in text


def test_a_csv_template_is_the_header_with_a_bom() -> None:
    assert as_csv("units") == b"\xef\xbb\xbfcode,name,short_name,division_code,aliases\r\n"


def test_an_unknown_kind_has_no_template() -> None:
    with pytest.raises(Invalid, match="不能导入“photos”，可以导入的有：divisions、"):
        as_xlsx("photos")


def test_a_column_that_may_be_left_out_says_so() -> None:
    for kind, columns in KINDS.items():
        for name in columns.optional:
            assert GUIDES[kind].columns[name].need is not MUST, (kind, name)
        for name in columns.required:
            assert GUIDES[kind].columns[name].need is not MAY, (kind, name)
    assert GUIDES["units"].columns["short_name"].need is MAY
