"""The workbook says what the record says, is the same file every time, and runs nothing."""

import asyncio
import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from python_calamine import CalamineWorkbook

from app.base.work import Work
from app.divisions.service import Atlas
from app.reports.formats import as_xlsx, disposition
from app.reports.queries import Report
from app.reports.records import as_json, sealed
from app.reports.sheets import lines, wide
from app.reports.tables import HEADER, cells
from tests.rates.counted import DONE, LIKED, UNTOUCHED, at, write
from tests.reports.making import long_before, made, revised
from tests.reports.test_monthly_figures import JULY, OTHER_VILLAGE, TOWN, VILLAGE, earlier_version

ROOT = Path(__file__).parents[2]
SHEETS = ["通报", "各级明细", "并列指标", "口径说明"]
NASTY = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "{=1}",
    "http://x.test",
    "&C&8<b>\"'",
    "0012",
    "=cmd|' /C calc'!A0",
    "是\x01",
]
RENDER = """
import json, sys, hashlib
from datetime import datetime
from app.reports.queries import Report
from app.reports.formats import as_xlsx
whole = json.load(sys.stdin)
whole["as_of"] = datetime.fromisoformat(whole["as_of"])
print(hashlib.sha256(as_xlsx(Report(**whole))).hexdigest())
"""


@pytest.fixture
async def county(work: Work) -> Atlas:
    return await long_before(work)


@pytest.fixture
async def august(work: Work, county: Atlas) -> Report:
    bag = [at(county.county, VILLAGE, LIKED)] * 11 + [at(county.county, VILLAGE, UNTOUCHED)] * 2
    bag += [at(county.county, OTHER_VILLAGE)] * 12 + [at(county.county, VILLAGE, replace(DONE, **JULY))] * 3
    await write(work.conn, bag)
    return await made(work, county)


def opened(report: Report) -> CalamineWorkbook:
    return CalamineWorkbook.from_filelike(io.BytesIO(as_xlsx(report)))


def sheet(report: Report, name: str) -> list[list[Any]]:
    return opened(report).get_sheet_by_name(name).to_python(skip_empty_area=False)


def part(report: Report, name: str) -> str:
    return zipfile.ZipFile(io.BytesIO(as_xlsx(report))).read(name).decode()


def named(report: Report, code: str, name: str) -> Report:
    rows = [one | {"name": name} if one["code"] == code else one for one in report.figures["rows"]]
    return sealed(replace(report, figures={**report.figures, "rows": rows}))


def as_published(cell: Any, like: object) -> object:
    """A number of a sheet as the CSV writes it."""
    return f"{Decimal(str(cell)):.2f}" if isinstance(like, str) and isinstance(cell, float) else cell


async def test_every_row_of_the_csv_is_in_it_with_the_same_figures(august: Report) -> None:
    assert opened(august).sheet_names == SHEETS
    header, *rows = sheet(august, "各级明细")
    assert tuple(header[: len(HEADER)]) == HEADER
    expected = [list(cells(row)) for row in august.figures["rows"]]
    assert len(expected) == 1 + 18 + 197
    found = [
        [as_published(cell, like) for cell, like in zip(row, want, strict=False)]
        for row, want in zip(rows, expected, strict=True)
    ]
    assert found == expected


async def test_a_published_decimal_is_written_digit_by_digit(august: Report) -> None:
    rows = [one | {"rates": one["rates"] | {"reply_rate": "99.35"}} for one in august.figures["rows"]]
    changed = sealed(replace(august, figures={**august.figures, "rows": rows}))
    written = part(changed, "xl/worksheets/sheet2.xml")
    assert "<v>99.35</v>" in written
    assert "99.34999" not in written


async def test_movement_and_where_a_row_belongs_stand_behind(august: Report) -> None:
    header, county_row, town = sheet(august, "各级明细")[:3]
    at_ = {name: header.index(name) for name in ("上月排名", "办结率升降", "满意率升降", "所属")}
    assert county_row[at_["办结率升降"]] == float(august.figures["rows"][0]["movement"]["rates"]["completion_rate"])
    assert (county_row[at_["满意率升降"]], county_row[at_["上月排名"]]) == ("—", "—")
    assert (county_row[at_["所属"]], town[at_["所属"]]) == ("", "长沙县")


async def test_the_bulletin_has_the_headline_the_best_and_the_level_below_it_in_words(august: Report) -> None:
    rows = sheet(august, "通报")
    said = "\n".join(str(cell) for row in rows for cell in row)
    assert rows[0][0] == "长沙县民生快递月通报 2026年8月"
    assert "2026年8月，长沙县收到群众事项 25 件，办结 23 件；办结率 92.00%，比上月下降 8.00 个百分点" in said
    assert "满意率 100.00%；" in said
    assert "村社区前三名" in said
    assert "（第1名）" in said
    towns = [(row[0], row[1]) for row in rows if row[0] in (1, 2, "—")]
    assert len(towns) == 18
    # The best first, those without a rank last.
    assert towns[:3] == [(1.0, "黄花镇"), (2.0, "星沙街道"), ("—", "泉塘街道")]


async def test_the_chart_is_of_the_level_below_and_a_rate_without_a_value_is_no_zero(august: Report) -> None:
    chart = part(august, "xl/charts/chart1.xml")
    assert chart.count("<c:ser>") == 2
    assert "各镇街办结率和满意率" in chart
    # Sixteen towns have received nothing, and a seventeenth has not been rated.
    labels = re.findall(r"<a:t>—</a:t>", chart)
    assert len(labels) == 16 + 17
    assert "<c:chart>" not in part(august, "xl/worksheets/sheet2.xml")


async def test_it_prints_on_a4_across_with_what_it_is_on_every_page(august: Report) -> None:
    for at_, name in enumerate(SHEETS, start=1):
        written = part(august, f"xl/worksheets/sheet{at_}.xml")
        assert 'paperSize="9"' in written, name
        assert 'orientation="landscape"' in written, name
        assert f"长沙县民生快递月通报 2026年8月&amp;R&amp;9 {name}</oddHeader>" in written
        assert f"校验和 {august.checksum[:16]}" in written, name
        assert "第 &amp;P 页，共 &amp;N 页" in written, name
    assert "各级明细!$A:$B,各级明细!$1:$1" in part(august, "xl/workbook.xml")
    assert "<pane " in part(august, "xl/worksheets/sheet2.xml")


@pytest.mark.parametrize(("at_", "name"), [(2, "各级明细"), (3, "并列指标")])
async def test_a_table_prints_on_pages_side_by_side_in_letters_that_can_be_read(
    august: Report, at_: int, name: str
) -> None:
    written = part(august, f"xl/worksheets/sheet{at_}.xml")
    [scale] = re.findall(r'<pageSetup [^>]*scale="(\d+)"', written)
    assert int(scale) >= 75, "letters of 10 points in print"
    assert "fitToPage" not in written, "that would take no notice of the breaks"
    begins = [int(one) for one in re.findall(r'<brk id="(\d+)"', written)]
    header = sheet(august, name)[0]
    assert [header[at] for at in begins] == {2: ["上月排名"], 3: ["办结已评价", "群众撤回"]}[at_]
    fitting = widths(written)
    for first, last in pairwise([2, *begins, len(fitting)]):
        # Points of a unit where the face is a wide one, as in LibreOffice without Calibri.
        assert (sum(fitting[:2]) + sum(fitting[first:last])) * 7.1 * int(scale) / 100 <= 784 + 5, header[first]


@pytest.mark.parametrize("name", ["甲&乙", "0012", "&C&8", "是\x01"])
async def test_a_name_in_the_print_header_is_no_command(august: Report, name: str) -> None:
    division = august.parameters["division"] | {"name": name}
    report = sealed(replace(august, parameters={**august.parameters, "division": division}))
    written = part(report, "xl/worksheets/sheet2.xml")
    [header] = re.findall("<oddHeader>(.*)</oddHeader>", written)
    kept = escape(name.replace("&", "&&").replace("\x01", ""))
    assert header.startswith(f"&amp;L&amp;9 {kept}民生快递月通报")


async def test_how_it_was_counted_and_how_to_check_it_is_printed(august: Report) -> None:
    said = {row[0]: row[1] for row in sheet(august, "口径说明")}
    text = "\n".join(str(row[1]) for row in sheet(august, "口径说明"))
    assert "2026-08-01 至 2026-08-31" in said["统计期"]
    assert "2026-09-22 10:00:00（北京时间）" in said["制表时刻"]
    assert said["校验和"].startswith(august.checksum)
    assert "该月还没有通报" in said["升降的比较"]
    assert "不足 10 件" in said["排名"]
    for sentence in august.parameters["formulas"]:
        assert sentence in text


async def test_a_revision_shows_what_it_changed_and_only_a_revision_does(
    august: Report, work: Work, county: Atlas
) -> None:
    await write(work.conn, [at(county.county, VILLAGE)])
    second = await revised(work, county, "补录一件")
    assert opened(second).sheet_names == [*SHEETS, "修订说明"]
    header, *rows = sheet(second, "修订说明")
    assert header == ["编码", "名称", "项目", "第 1 版", "第 2 版"]
    items = second.figures["changes"]["items"]
    assert len(rows) == len(items) > 10
    assert [row[:3] for row in rows] == [[one["code"], one["name"], one["field"]] for one in items]
    assert ["430121", "长沙县", "收到", "25", "26"] in rows
    assert any("修订原因：补录一件" in str(row[0]) for row in sheet(second, "通报"))
    assert "修订原因：补录一件" in str(sheet(second, "口径说明"))


@pytest.mark.parametrize(("items", "said"), [([], "没有变化"), (None, "被改动过，无法逐项比较")])
async def test_a_revision_without_differences_says_why(august: Report, items: list[Any] | None, said: str) -> None:
    changes = {"revision": 1, "checksum": "0", "items": items}
    second = sealed(replace(august, revision=2, reason="核对", figures={**august.figures, "changes": changes}))
    assert said in str(sheet(second, "修订说明"))


@pytest.mark.parametrize("name", NASTY)
async def test_a_name_is_a_text_whatever_it_looks_like(august: Report, name: str) -> None:
    report = named(named(august, TOWN, name), VILLAGE, name)
    division = report.parameters["division"] | {"name": name}
    report = sealed(replace(report, parameters={**report.parameters, "division": division}))
    with zipfile.ZipFile(io.BytesIO(as_xlsx(report))) as file:
        parts = {one: file.read(one).decode() for one in file.namelist()}
    sheets = [text for one, text in parts.items() if one.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 4
    assert not any("<f>" in text or "<f " in text or "<hyperlink" in text for text in sheets)
    assert not any("externalLink" in one or "hyperlink" in text for one, text in parts.items() if one.endswith(".rels"))
    found = {row[0]: row[1] for row in sheet(report, "各级明细")}
    assert (found[TOWN], found[VILLAGE]) == (name, name)


async def test_the_same_record_is_the_same_file_at_any_time_and_in_any_process(august: Report) -> None:
    digest = hashlib.sha256(as_xlsx(august)).hexdigest()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "America/Lima", "PYTHONPATH": str(ROOT)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RENDER, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        out, _ = await process.communicate(as_json(august))
        assert out.decode().strip() == digest
    with zipfile.ZipFile(io.BytesIO(as_xlsx(august))) as file:
        assert {one.date_time for one in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert file.read("docProps/core.xml").decode().count("2026-09-22T02:00:00Z") == 2


async def test_an_issue_of_an_earlier_version_is_still_rendered(august: Report) -> None:
    old = earlier_version(august)
    assert opened(old).sheet_names == SHEETS
    said = str(sheet(old, "通报"))
    assert "办结率 92.00%；" in said
    assert "比上月" not in said
    assert "没有与上月比较" in str(sheet(old, "口径说明"))


async def test_a_village_has_a_workbook_without_a_level_below(work: Work, county: Atlas) -> None:
    report = await made(work, county, VILLAGE)
    assert "没有收到群众事项" in str(sheet(report, "通报"))
    names = zipfile.ZipFile(io.BytesIO(as_xlsx(report))).namelist()
    assert not any("chart" in name for name in names)


def widths(written: str) -> list[float]:
    columns = re.findall(r'<col min="(\d+)" max="(\d+)" width="([\d.]+)"', written)
    return [float(width) for low, high, width in columns for _ in range(int(low), int(high) + 1)]


async def test_no_text_of_a_table_is_cut_off(august: Report) -> None:
    report = named(august, VILLAGE, "开元路社区居民委员会（经济技术开发区筹备委员会驻地）")
    for at_, name in ((2, "各级明细"), (3, "并列指标")):
        fitting = widths(part(report, f"xl/worksheets/sheet{at_}.xml"))
        header, *rows = sheet(report, name)
        for column, width in enumerate(fitting):
            texts = [row[column] for row in rows if isinstance(row[column], str)]
            assert max((wide(text) for text in texts), default=0) < width
            assert lines(header[column], width) <= 3


def test_wide_signs_count_double_and_lines_are_reckoned_by_them() -> None:
    assert (wide("星沙街道"), wide("G4"), wide("—")) == (8, 2, 2)
    assert (lines("", 10), lines("一二三四", 10), lines("一二三四五", 10), lines("一\n二", 10)) == (1, 1, 2, 2)


@pytest.mark.parametrize("name", ["长沙县", '甲/乙\\丙:"丁"\r\n', "a\u202eb"])
async def test_a_file_is_named_in_chinese_and_for_old_programs_plainly(august: Report, name: str) -> None:
    division = august.parameters["division"] | {"name": name}
    said = disposition(replace(august, parameters={**august.parameters, "division": division}), "xlsx")
    plain, full = re.fullmatch(r"attachment; filename=\"([!-~]+)\"; filename\*=UTF-8''([!-~]+)", said).groups()  # type: ignore[union-attr]
    assert plain == "monthly-430121-2026-08-r1.xlsx"
    assert not re.search(r'["/\\\r\n]', full)
