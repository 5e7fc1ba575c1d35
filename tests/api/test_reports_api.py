"""GET /api/v1/reports: the list, and one issue in each format, for whoever is signed in."""

import csv
import hashlib
import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from app.base.clock import Clock
from app.base.db import Database
from app.divisions.service import atlas
from app.domain.policy import SYSTEM
from app.reports.service import monthly, revise
from app.reports.views import ReportRecord
from tests.api.conftest import SignIn
from tests.rates.counted import LIKED, at, write

COUNTY, TOWN, GRID = "430121", "430121001", "430121001001001"
REPORTS = "/api/v1/reports"
pytestmark = pytest.mark.by_hand
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
async def courier(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(f"courier-{GRID}-1")


@pytest.fixture
async def august(database: Database, clock: Clock) -> None:
    """August of the county, then of a town, then the county's second revision, a minute after each other."""
    async with database.open_work(SYSTEM) as work:
        county = (await atlas(work)).county
        await write(work.conn, [at(county, GRID, LIKED), at(county, GRID)])
    root, town = county.root.id, county.by_code[TOWN].id
    await monthly(database.open_work, root, "2026-08")
    clock.set(clock.business() + timedelta(minutes=1))
    await monthly(database.open_work, town, "2026-08")
    clock.set(clock.business() + timedelta(minutes=1))
    async with database.open_work(SYSTEM) as work:
        await write(work.conn, [at(county, GRID, LIKED)])
    await revise(database.open_work, root, "2026-08", "补录一件")


async def entries(client: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get(REPORTS, params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def which(items: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(one["division"]["code"], one["revision"]) for one in items]


@pytest.mark.usefixtures("august")
async def test_the_list_has_every_revision_the_newest_first_without_figures(courier: httpx.AsyncClient) -> None:
    items = await entries(courier)
    assert which(items) == [(COUNTY, 2), (TOWN, 1), (COUNTY, 1)]
    newest = items[0]
    assert newest == {
        "id": newest["id"],
        "kind": "monthly",
        "division": {"code": COUNTY, "name": "长沙县"},
        "period": "2026-08",
        "revision": 2,
        "as_of": "2026-09-22T10:02:00+08:00",
        "reason": "补录一件",
        "checksum": newest["checksum"],
    }
    assert len(newest["checksum"]) == 64


@pytest.mark.usefixtures("august")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"division": TOWN}, [(TOWN, 1)]),
        ({"division": "430121002"}, []),
        ({"kind": "monthly", "division": COUNTY}, [(COUNTY, 2), (COUNTY, 1)]),
        ({"kind": "weekly"}, []),
        ({"period": "2026-08", "division": TOWN}, [(TOWN, 1)]),
        ({"period": "2026-07"}, []),
    ],
)
async def test_the_list_is_filtered(
    courier: httpx.AsyncClient, asked: dict[str, str], expected: list[tuple[str, int]]
) -> None:
    assert which(await entries(courier, **asked)) == expected


@pytest.mark.usefixtures("august")
async def test_pages_are_turned_by_cursor_and_miss_and_repeat_nothing(courier: httpx.AsyncClient) -> None:
    seen, cursor = [], None
    for _ in range(3):
        asked = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await courier.get(REPORTS, params=asked)).json()
        seen += page["items"]
        cursor = page["next_cursor"]
    assert (which(seen), cursor) == ([(COUNTY, 2), (TOWN, 1), (COUNTY, 1)], None)


@pytest.mark.usefixtures("august")
async def test_one_issue_is_the_record_whole_and_anybody_can_check_its_sum(courier: httpx.AsyncClient) -> None:
    newest, _, first = await entries(courier)
    for entry, received in ((newest, 3), (first, 2)):
        answer = await courier.get(f"{REPORTS}/{entry['id']}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        whole = answer.json()
        assert (whole["revision"], whole["figures"]["rows"][0]["counts"]["received"]) == (entry["revision"], received)
        checksum = whole.pop("checksum")
        canonical = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(canonical.encode()).hexdigest() == checksum == entry["checksum"]
    assert TypeAdapter(ReportRecord).validate_json(answer.content, extra="forbid").checksum == checksum


@pytest.mark.usefixtures("august")
async def test_a_file_has_its_type_a_chinese_name_and_the_figures(courier: httpx.AsyncClient) -> None:
    entry = (await entries(courier))[0]
    as_csv = await courier.get(f"{REPORTS}/{entry['id']}.csv")
    as_xlsx = await courier.get(f"{REPORTS}/{entry['id']}.xlsx")
    assert (as_csv.headers["content-type"], as_xlsx.headers["content-type"]) == ("text/csv; charset=utf-8", XLSX)
    for answer, suffix in ((as_csv, "csv"), (as_xlsx, "xlsx")):
        plain, _, full = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
        assert plain == f'attachment; filename="monthly-430121-2026-08-r2.{suffix}"'
        assert unquote(full) == f"长沙县民生快递月通报 2026年8月 第2版.{suffix}"
        assert answer.headers["content-length"] == str(len(answer.content))
        assert answer.headers["x-content-type-options"] == "nosniff"
    lines = list(csv.reader(io.StringIO(as_csv.content.decode("utf-8-sig"), newline="")))
    assert lines[1][:4] == [COUNTY, "长沙县", "县", "3"]
    book = CalamineWorkbook.from_filelike(io.BytesIO(as_xlsx.content))
    assert "修订说明" in book.sheet_names
    assert [str(row[3]).removesuffix(".0") for row in book.get_sheet_by_name("各级明细").to_python()[1:]] == [
        line[3] for line in lines[1:]
    ]


@pytest.mark.usefixtures("august")
@pytest.mark.parametrize("suffix", ["", ".csv", ".xlsx"])
async def test_an_issue_never_changes_and_whoever_has_it_gets_it_not_again(
    courier: httpx.AsyncClient, suffix: str
) -> None:
    entry = (await entries(courier))[0]
    at_ = f"{REPORTS}/{entry['id']}{suffix}"
    answer = await courier.get(at_)
    tag = f'"{entry["checksum"]}"'
    assert answer.headers["etag"] == tag
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    for given in (tag, f'"x", W/{tag}'):
        again = await courier.get(at_, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await courier.get(at_, headers={"If-None-Match": '"x"'})).content == answer.content


@pytest.mark.usefixtures("august")
@pytest.mark.parametrize("suffix", ["", ".csv", ".xlsx"])
async def test_a_record_that_was_changed_is_not_given_out(
    courier: httpx.AsyncClient, database: Database, suffix: str
) -> None:
    entry = (await entries(courier))[0]
    async with database.open_work(SYSTEM) as work:
        await work.conn.execute(text("UPDATE report SET figures = jsonb_set(figures, '{rows,0,rank}', '1')"))
    tag = f'"{entry["checksum"]}"'
    answer = await courier.get(f"{REPORTS}/{entry['id']}{suffix}", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/report.tampered")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert "请联系系统管理员" in answer.json()["detail"]


@pytest.mark.parametrize(
    "id_", ["0", "1", "9223372036854775807", "9223372036854775808", "9" * 100, "1.docx", "x", "-1", "١", "1.csv.xlsx"]
)
@pytest.mark.parametrize("suffix", ["", ".csv", ".xlsx"])
async def test_what_is_no_report_is_a_404(courier: httpx.AsyncClient, id_: str, suffix: str) -> None:
    answer = await courier.get(f"{REPORTS}/{id_}{suffix}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/report.unknown")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"division": "999999"}, "/division"),
        ({"kind": "hourly"}, "/kind"),
        ({"period": "八月"}, "/period"),
        ({"period": "2026-13"}, "/period"),
        ({"limit": "0"}, "/limit"),
        ({"limit": "101"}, "/limit"),
        ({"cursor": "x"}, "/cursor"),
    ],
)
async def test_a_wrong_question_is_a_422_that_names_the_part(
    courier: httpx.AsyncClient, asked: dict[str, str], pointer: str
) -> None:
    answer = await courier.get(REPORTS, params=asked)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.usefixtures("august")
async def test_all_staff_may_read_and_a_stranger_may_not(sign_in: SignIn, stranger: httpx.AsyncClient) -> None:
    paths = [REPORTS, *(f"{REPORTS}/1{suffix}" for suffix in ("", ".csv", ".xlsx"))]
    assert {(await stranger.get(path)).status_code for path in paths} == {401}
    for username in ("auditor-430121-1", "operator-430121-1", "handler-U05-1"):
        client = await sign_in(username)
        entry = (await entries(client))[0]
        assert (await client.get(f"{REPORTS}/{entry['id']}.xlsx")).status_code == 200
    # Making one stays with the command line.
    assert (await client.post(REPORTS, json={})).status_code == 405


def test_the_interface_says_what_each_answers(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    shown = {suffix: paths[f"{REPORTS}/{{id}}{suffix}"]["get"]["responses"]["200"] for suffix in ("", ".csv", ".xlsx")}
    assert list(shown[""]["content"]) == ["application/json"]
    assert list(shown[".csv"]["content"]) == ["text/csv; charset=utf-8"]
    assert list(shown[".xlsx"]["content"]) == [XLSX]
    assert f"{REPORTS}/{{id}}.docx" not in paths
