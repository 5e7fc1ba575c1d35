"""A report is made once and stays; it is corrected by a revision, and a changed record is found out."""

import asyncio
import csv
import hashlib
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from app.base.db import Database
from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.errors import Conflict, Invalid
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI
from app.reports.monthly import draft, finished
from app.reports.queries import Report
from app.reports.records import Tampered, as_json, record
from app.reports.service import keep, revise
from app.reports.tables import as_csv
from tests.rates.counted import DONE, LIKED, UNTOUCHED, at, write, write_many
from tests.reports.making import long_before, made, revised

COUNTY, TOWN, VILLAGE, GRID = "430121", "430121001", "430121001001", "430121001001001"
AUGUST = "2026-08"
HEADER = "编码,名称,层级,收到,受理,回复,办结,点赞,踩,受理率,回复率,办结率,满意率,按时办结率,排名"


@pytest.fixture
async def county(work: Work) -> Atlas:
    return await long_before(work)


def lines(report: Report) -> list[list[str]]:
    return list(csv.reader(io.StringIO(as_csv(report).decode("utf-8-sig"), newline="")))


async def test_14100_of_14637_is_96_33(work: Work, county: Atlas) -> None:
    await write_many(work.conn, at(county.county, GRID), 14_100)
    await write_many(work.conn, at(county.county, GRID, UNTOUCHED), 537)
    report = await made(work, county)
    figures = ["14637", "14100", "14100", "14100", "0", "0", "96.33", "96.33", "96.33", "—", "96.33"]
    assert lines(report)[1] == [COUNTY, "长沙县", "县", *figures, "—"]


async def test_the_sheet_has_the_header_the_division_first_and_all_below_it_down_to_the_village(
    work: Work, county: Atlas
) -> None:
    await write(
        work.conn, [at(county.county, VILLAGE, LIKED) for _ in range(10)] + [at(county.county, TOWN, UNTOUCHED)]
    )
    report = await made(work, county)
    assert as_csv(report).startswith(b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n")
    _, first, *rest = lines(report)
    assert first[:4] == [COUNTY, "长沙县", "县", "11"]
    assert [line[0] for line in rest] == sorted(line[0] for line in rest)
    assert len(rest) == 18 + 197
    town, village, other = rest[:3]
    assert town[:4] == [TOWN, "星沙街道", "镇街", "11"]
    assert village[2:] == ["村社区", *["10"] * 5, "0", *["100.00"] * 5, "1"]
    assert other[3:] == ["0"] * 6 + ["—"] * 6


async def test_a_village_has_a_report_of_its_own_row(work: Work, county: Atlas) -> None:
    assert [line[0] for line in lines(await made(work, county, VILLAGE))[1:]] == [VILLAGE]


@pytest.mark.parametrize("code", [COUNTY, TOWN, VILLAGE, GRID])
async def test_before_a_place_has_received_anything_there_is_no_bulletin_of_it(work: Work, code: str) -> None:
    county = await long_before(work)
    assert (await made(work, county, code, "2025-03")).revision == 1
    assert (await made(work, county, code, "2025-04")).figures["rows"][0]["counts"]["received"] == 0
    with pytest.raises(Invalid, match=r"到2025年2月28日为止，.+还没有收到过群众事项，没有可以通报的"):
        await made(work, county, code, "2025-02")
    with pytest.raises(Invalid, match="泉塘街道还没有收到过"):
        await made(work, county, "430121002")
    kept = await work.conn.execute(text("SELECT count(*) FROM report WHERE period = '2025-02'"))
    assert kept.scalar_one() == 0


async def test_asked_again_it_gives_the_same_bytes_whatever_has_happened_since(work: Work, county: Atlas) -> None:
    await write(work.conn, [at(county.county, GRID, LIKED), at(county.county, GRID, UNTOUCHED)])
    first = await made(work, county)
    await write(work.conn, [at(county.county, GRID)])
    await work.conn.execute(text("UPDATE ticket SET score = 'dislike'"))
    later = replace(work, now=work.now + timedelta(days=40))
    again = await made(later, county)
    assert again == first
    assert as_csv(again) == as_csv(first)
    assert as_json(again) == as_json(first)
    assert again.as_of == work.now


async def test_a_revision_says_why_counts_anew_and_is_from_then_on_the_newest(work: Work, county: Atlas) -> None:
    first = await made(work, county)
    await write(work.conn, [at(county.county, GRID)])
    later = replace(work, now=work.now + timedelta(days=1))
    second = await revised(later, county, " 补录纸质来件 ")
    assert (second.revision, second.reason, second.as_of) == (2, "补录纸质来件", later.now)
    assert (lines(first)[1][3], lines(second)[1][3]) == ("0", "1")
    assert await made(work, county) == second
    await write(work.conn, [at(county.county, GRID)])
    third = await revised(later, county, "再补录一件")
    assert third.revision == 3
    kept = await work.conn.execute(text("SELECT revision, checksum FROM report ORDER BY revision"))
    assert [tuple(row) for row in kept] == [(r.revision, r.checksum) for r in (first, second, third)]


async def test_a_revision_needs_a_reason_and_something_to_revise(work: Work, county: Atlas) -> None:
    with pytest.raises(Conflict, match="先不带修订原因"):
        await revised(work, county, "补录")
    await made(work, county)
    for reason in ("  ", "补\n录", "补\x00录", "补" * 201):
        with pytest.raises(Invalid, match="原因"):
            await revised(work, county, reason)


async def test_the_record_says_how_it_was_reckoned_and_anybody_can_check_its_sum(work: Work, county: Atlas) -> None:
    report = await made(work, county)
    assert report.parameters["division"]["code"] == COUNTY
    assert (report.parameters["from"], report.parameters["to"]) == ("2026-08-01", "2026-08-31")
    assert report.parameters["attribution"] == "territorial"
    assert report.parameters["ranking"]["least"] == 10
    assert set(report.parameters["ranking"]["weights"].values()) == {"1"}
    assert any("分母为零" in sentence for sentence in report.parameters["formulas"])
    whole = json.loads(json.dumps(record(report)))
    checksum = whole.pop("checksum")
    canonical = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == checksum


@pytest.mark.parametrize(
    "change",
    [
        "figures = jsonb_set(figures, '{rows,0,counts,completed}', '1')",
        "figures = jsonb_set(figures, '{rows,0,rates,completion_rate}', '\"100.00\"')",
        "figures = jsonb_set(figures, '{rows,0,rank}', '1')",
        "parameters = jsonb_set(parameters, '{to}', '\"2026-08-30\"')",
        "as_of = as_of + interval '1 microsecond'",
        "revision = 2",
        "reason = '更正'",
        "checksum = md5('')",
        "division_id = (SELECT id FROM division WHERE code = '430121001')",
        "period = '2026-07'",
    ],
)
async def test_a_record_that_was_changed_is_found_out(work: Work, county: Atlas, change: str) -> None:
    await made(work, county)
    await work.conn.execute(text(f"UPDATE report SET {change}"))
    code = TOWN if change.startswith("division_id") else COUNTY
    period = "2026-07" if change.startswith("period") else AUGUST
    with pytest.raises(Tampered, match="校验和"):
        await made(work, county, code, period)


async def test_a_changed_record_can_be_replaced_by_a_revision(work: Work, county: Atlas) -> None:
    await made(work, county)
    await work.conn.execute(text("UPDATE report SET reason = '更正'"))
    second = await revised(work, county, "第 1 版被改动，重新生成")
    assert await made(work, county) == second
    assert second.figures["changes"]["items"] is None


@pytest.mark.parametrize(
    ("moment", "period", "over"),
    [
        (datetime(2026, 9, 1, tzinfo=SHANGHAI), "2026-08", True),
        (datetime(2026, 8, 31, 23, 59, 59, 999999, tzinfo=SHANGHAI), "2026-08", False),
        (datetime(2027, 1, 1, tzinfo=SHANGHAI), "2026-12", True),
        (datetime(2026, 12, 31, 23, 59, tzinfo=SHANGHAI), "2026-12", False),
    ],
)
async def test_a_month_has_its_report_from_the_moment_it_is_over(
    work: Work, county: Atlas, moment: datetime, period: str, over: bool
) -> None:
    then = replace(work, now=moment)
    if over:
        assert (await made(then, county, VILLAGE, period)).period == period
    else:
        with pytest.raises(Invalid, match="还没有结束"):
            await made(then, county, VILLAGE, period)


@pytest.mark.parametrize(
    "period", ["2026-13", "2026-00", "2026-8", "2026", "2026-W32", "2026-08-01", "0000-08", "", "八月"]
)
async def test_what_is_no_month_is_refused(work: Work, county: Atlas, period: str) -> None:
    with pytest.raises(Invalid, match="不是月份"):
        await made(work, county, period=period)


async def test_two_who_make_the_same_report_at_once_get_the_one(database: Database) -> None:
    async with database.open_work(SYSTEM) as work:
        county = await atlas(work)
        await write(work.conn, [at(county.county, GRID, DONE)])
        month = finished(AUGUST, work.now)
        mine = await draft(work, county, county.county.root.id, month)
        theirs = await draft(replace(work, now=work.now + timedelta(minutes=1)), county, county.county.root.id, month)

    async def other() -> Report:
        async with database.open_work(SYSTEM) as work:
            return await keep(work, theirs)

    async with database.open_work(SYSTEM) as work:
        first = await keep(work, mine)
        waiting = asyncio.create_task(other())
        await until_somebody_waits(database)
    assert await waiting == first == mine != theirs
    async with database.open_work(SYSTEM) as work:
        assert (await work.conn.execute(text("SELECT count(*) FROM report"))).scalar_one() == 1


async def test_of_two_who_revise_at_once_one_is_told(database: Database) -> None:
    async with database.open_work(SYSTEM) as work:
        county = await long_before(work)
        first = await made(work, county)
        await write(work.conn, [at(county.county, GRID)])

    async with database.open_work(SYSTEM) as work:
        await keep(work, replace(first, revision=2, reason="甲的原因"))
        waiting = asyncio.create_task(revise(database.open_work, county.county.root.id, AUGUST, "乙的原因"))
        await until_somebody_waits(database)
    with pytest.raises(Conflict, match="刚刚已有人"):
        await waiting


async def until_somebody_waits(database: Database) -> None:
    """Returns once a transaction waits for another's (its insert has met the uncommitted row)."""
    waiting = text("""
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid'
    """)
    for _ in range(500):
        async with database.open_work(SYSTEM, read=True) as work:
            if (await work.conn.execute(waiting)).scalar_one():
                return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody came to wait")
