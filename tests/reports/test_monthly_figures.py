"""What a bulletin shows beside the rates: movement, best and worst, times, matters, declines."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.counting import Counts, Facts
from app.domain.rates import parts, span
from app.domain.vocabulary import SHANGHAI, Status
from app.reports import monthly, queries
from app.reports.fields import COUNTS, DECLINES, RATES
from app.reports.monthly import Month, finished
from app.reports.queries import Report
from app.reports.records import Tampered, sealed
from tests.rates.counted import DONE, LIKED, RECEIVED, UNTOUCHED, Placed, at, write
from tests.rates.test_rates_of_nodes import a_mixed_bag
from tests.reports.making import AUGUST, COUNTY, long_before, made, revised

TOWN, VILLAGE, GRID = "430121001", "430121001001", "430121001001001"
OTHER_TOWN, OTHER_VILLAGE = "430121105", "430121105001"
JULY: dict[str, Any] = {"received_at": datetime(2026, 7, 8, 9, tzinfo=SHANGHAI)}
NEVER: dict[str, Any] = {"accepted_at": None, "first_replied_at": None, "completed_at": None}


@pytest.fixture
async def county(work: Work) -> Atlas:
    return await long_before(work)


def row(report: Report, code: str = COUNTY) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in report.figures["rows"] if one["code"] == code)
    return found


def beside(report: Report, code: str = COUNTY) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in report.figures["beside"] if one["code"] == code)
    return found


def tickets(county: Atlas, code: str, facts: Facts, times: int = 1) -> list[Placed]:
    return [at(county.county, code, facts)] * times


def test_every_count_and_every_rate_has_its_chinese() -> None:
    assert set(COUNTS) == {field.name for field in fields(Counts)}
    assert set(RATES) == set(parts(Counts()))
    assert len(set(COUNTS.values()) | set(RATES.values())) == len(COUNTS) + len(RATES)
    assert set(DECLINES) == set(queries.DECLINES)


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [("2026-03", "2026-03-31", "2026-02"), ("2024-02", "2024-02-29", "2024-01"), ("2026-01", "2026-01-31", "2025-12")],
)
def test_a_month_knows_its_days_and_the_month_before(first: str, last: str, before: str) -> None:
    month = finished(first, datetime(2030, 1, 1, tzinfo=SHANGHAI))
    assert (month.period, month.last.isoformat()) == (first, last)
    assert month.before is not None
    assert month.before.period == before


def test_before_the_first_month_there_is_none() -> None:
    assert finished("1970-01", datetime(2030, 1, 1, tzinfo=SHANGHAI)).before is None


async def test_every_level_is_the_sum_of_the_one_below_it_and_its_own(work: Work, county: Atlas) -> None:
    places = {COUNTY: 2, TOWN: 3, VILLAGE: 4, GRID: 5, OTHER_TOWN: 6, OTHER_VILLAGE: 7}
    await write(work.conn, [one for code, times in places.items() for one in tickets(county, code, DONE, times)])
    rows = (await made(work, county)).figures["rows"]
    received = {one["code"]: one["counts"]["received"] for one in rows if one["counts"]["received"]}
    assert received == {COUNTY: 27, TOWN: 12, VILLAGE: 9, OTHER_TOWN: 13, OTHER_VILLAGE: 7}
    above = {one["code"]: one["parent_code"] for one in rows}
    assert (above[COUNTY], above[TOWN], above[VILLAGE]) == (None, COUNTY, TOWN)


async def test_what_stands_beside_is_of_the_same_tickets_as_the_rates(work: Work, county: Atlas) -> None:
    random = Random(11)
    await write(work.conn, [one for _ in range(20) for one in a_mixed_bag(county.county, random, work.now)])
    month = finished(AUGUST, work.now)
    for code in (COUNTY, TOWN, VILLAGE, GRID):
        area = county.county.by_code[code]
        told = await queries.beside(work.conn, area, *span(month.first, month.last))
        report = await made(work, county, code)
        by_code = {county.county.divisions[key].code: one for key, one in told.items()}
        rates = {one["code"]: one["counts"] for one in report.figures["rows"] if one["counts"]["received"]}
        expected = {c for c in rates if code == COUNTY and len(c) == len(TOWN)} | {code}
        assert set(by_code) == expected
        for one in by_code:
            assert by_code[one].tickets == rates[one]["received"], one
            assert by_code[one].took["accepted"].tickets == rates[one]["accepted"], one
            assert by_code[one].took["completed"].tickets == rates[one]["completed"], one


async def test_a_rate_moves_by_the_difference_of_what_was_published(work: Work, county: Atlas) -> None:
    july = tickets(county, GRID, replace(DONE, **JULY), 2) + tickets(county, GRID, replace(UNTOUCHED, **JULY))
    august = tickets(county, GRID, LIKED, 3) + tickets(county, GRID, UNTOUCHED, 2)
    await write(work.conn, july + august)
    report = await made(work, county)
    found = row(report)
    assert found["previous"]["counts"] == {"received": 3, "completed": 2}
    assert (found["previous"]["rates"]["completion_rate"], found["rates"]["completion_rate"]) == ("66.67", "60.00")
    assert found["movement"]["rates"]["completion_rate"] == "-6.67"
    # Nobody rated anything in July: nothing to move from.
    assert (found["rates"]["satisfaction_rate"], found["movement"]["rates"]["satisfaction_rate"]) == ("100.00", None)
    assert report.parameters["compared_with"] == {
        "period": "2026-07",
        "revision": None,
        "checksum": None,
        "formulas_version": None,
    }


async def test_it_moves_from_what_was_published_for_the_month_before_not_from_what_is_true_now(
    work: Work, county: Atlas
) -> None:
    await write(work.conn, tickets(county, GRID, replace(DONE, **JULY)))
    july = await made(work, county, period="2026-07")
    await write(work.conn, tickets(county, GRID, replace(UNTOUCHED, **JULY)) + tickets(county, GRID, DONE))
    report = await made(work, county)
    assert row(report)["previous"]["rates"]["completion_rate"] == "100.00"
    compared = report.parameters["compared_with"]
    assert (compared["revision"], compared["checksum"]) == (1, july.checksum)
    assert compared["formulas_version"] == report.parameters["formulas_version"]


async def test_a_month_before_that_was_tampered_with_is_not_compared_with_in_silence(work: Work, county: Atlas) -> None:
    await made(work, county, period="2026-07")
    await work.conn.execute(text("UPDATE report SET reason = '更正'"))
    with pytest.raises(Tampered, match="2026-07"):
        await made(work, county)


async def test_an_issue_of_an_earlier_version_can_be_compared_with(work: Work, county: Atlas) -> None:
    await write(work.conn, tickets(county, GRID, replace(DONE, **JULY)) + tickets(county, GRID, DONE))
    july = await made(work, county, period="2026-07")
    old = earlier_version(july)
    await work.conn.execute(text("DELETE FROM report"))
    assert await queries.insert_report(work.conn, old)
    assert row(await made(work, county))["movement"]["rates"]["completion_rate"] == "0.00"


def earlier_version(report: Report) -> Report:
    """As the first version of the service made it: rows with counts, rates and rank, and nothing beside."""
    kept = ("code", "name", "level", "counts", "rates", "rank")
    rows = [{name: one[name] for name in kept} for one in report.figures["rows"]]
    parameters = {name: value for name, value in report.parameters.items() if name != "compared_with"}
    return sealed(replace(report, figures={"rows": rows}, parameters=parameters))


async def test_a_rank_moves_from_last_month_s(work: Work, county: Atlas) -> None:
    july = [replace(DONE, **JULY), replace(UNTOUCHED, **JULY, due_at=RECEIVED)]
    here = tickets(county, VILLAGE, july[1], 10) + tickets(county, VILLAGE, LIKED, 10)
    there = tickets(county, OTHER_VILLAGE, july[0], 10) + tickets(county, OTHER_VILLAGE, UNTOUCHED, 10)
    await write(work.conn, here + there)
    report = await made(work, county)
    found = {code: row(report, code) for code in (VILLAGE, OTHER_VILLAGE, "430121002001")}
    assert [(one["previous"]["rank"], one["rank"], one["movement"]["rank"]) for one in found.values()] == [
        (2, 1, 1),
        (1, 2, -1),
        (None, None, None),
    ]


def ranked(ranks: Sequence[int | None]) -> list[dict[str, Any]]:
    return [{"level": "town", "code": f"T{at:02d}", "rank": rank} for at, rank in enumerate(ranks)]


@pytest.mark.parametrize(
    ("ranks", "best", "worst"),
    [
        ([3, 1, 2, 7, 6, 5, 4], ["T01", "T02", "T00"], ["T05", "T04", "T03"]),
        # Who shares a place comes along, and nobody is both.
        ([1, 1, 1, 1, 5, 6, 6, 6], ["T00", "T01", "T02", "T03"], ["T05", "T06", "T07"]),
        ([1, 2, 3, 4, 4, 4, 4], ["T00", "T01", "T02"], ["T03", "T04", "T05", "T06"]),
        ([1, 2, 3, 4], ["T00", "T01", "T02"], ["T03"]),
        ([1, 2], ["T00", "T01"], []),
        ([1, 1, 1, 1], ["T00", "T01", "T02", "T03"], []),
        ([None, 1, 2, None], ["T01", "T02"], []),
    ],
)
def test_the_best_and_the_worst_three(ranks: list[int | None], best: list[str], worst: list[str]) -> None:
    assert monthly._podium(ranked(ranks)) == {"best": {"town": best}, "worst": {"town": worst}}


@pytest.mark.parametrize("ranks", [[], [None, None, None], [1, None]])
def test_where_less_than_two_are_ranked_nobody_is_the_best_or_the_worst(ranks: list[int | None]) -> None:
    assert monthly._podium(ranked(ranks)) == {"best": {}, "worst": {}}


async def test_how_long_it_took_is_what_half_and_nine_in_ten_really_took(work: Work, county: Atlas) -> None:
    random = Random(5)
    minutes = [random.randrange(1, 60 * 24 * 20) for _ in range(37)]
    done = [replace(DONE, completed_at=RECEIVED + timedelta(minutes=one)) for one in minutes]
    await write(work.conn, [at(county.county, GRID, one) for one in done] + tickets(county, GRID, UNTOUCHED, 5))
    told = beside(await made(work, county))["hours"]
    by_rank = sorted(minutes)
    half, most = (by_rank[ceil(Fraction(part) * 37) - 1] for part in ("1/2", "9/10"))
    assert told["completed"] == {"tickets": 37, "median": hours(half), "most": hours(most)}
    assert told["accepted"] == {"tickets": 37, "median": "1.0", "most": "1.0"}


def hours(minutes: int) -> str:
    """To one decimal, half-up."""
    tenths = (minutes * 10 * 2 + 60) // 120
    return f"{tenths // 10}.{tenths % 10}"


@pytest.mark.parametrize(
    ("took", "said"),
    [
        (timedelta(minutes=3), "0.1"),
        (timedelta(minutes=3) - timedelta(microseconds=1), "0.0"),
        (timedelta(0), "0.0"),
        (timedelta(days=3, minutes=8), "72.1"),
        (timedelta(days=3, minutes=9), "72.2"),
        (None, None),
    ],
)
def test_hours_are_rounded_half_up_from_microseconds(took: timedelta | None, said: str | None) -> None:
    assert monthly._in_hours(took) == said


async def test_times_are_told_of_each_town_and_of_nothing_where_nothing_was_done(work: Work, county: Atlas) -> None:
    slow = replace(DONE, completed_at=RECEIVED + timedelta(days=9))
    await write(work.conn, tickets(county, GRID, DONE) + tickets(county, OTHER_VILLAGE, slow, 2))
    report = await made(work, county)
    assert beside(report)["hours"]["completed"] == {"tickets": 3, "median": "216.0", "most": "216.0"}
    assert beside(report, TOWN)["hours"]["completed"]["median"] == "72.0"
    assert beside(report, OTHER_TOWN)["hours"]["completed"]["tickets"] == 2
    await write(work.conn, tickets(county, "430121002", replace(DONE, **JULY)))
    nothing = beside(await made(work, county, "430121002"), "430121002")
    assert nothing["hours"]["accepted"] == {"tickets": 0, "median": None, "most": None}


async def test_merged_tickets_are_one_matter_and_declines_stand_by_reason(work: Work, county: Atlas) -> None:
    declined = replace(UNTOUCHED, status=Status.DECLINED)
    bag = [
        *tickets(county, GRID, DONE),
        *tickets(county, GRID, replace(DONE, status=Status.MERGED), 2),
        *tickets(county, GRID, replace(declined, declined_reason="no_facts"), 3),
        *tickets(county, OTHER_VILLAGE, replace(declined, declined_reason="in_procedure")),
        # An appeal was heard: it is no longer declined, though the reason is remembered.
        *tickets(county, GRID, replace(DONE, declined_reason="no_facts")),
        *tickets(county, GRID, replace(declined, declined_reason="spam"), 4),
    ]
    await write(work.conn, bag)
    report = await made(work, county)
    told = beside(report)
    assert (row(report)["counts"]["received"], told["matters"], row(report)["counts"]["spam"]) == (8, 6, 4)
    assert told["declines"] == {"outside_jurisdiction": 0, "no_facts": 3, "in_procedure": 1}
    assert beside(report, TOWN)["declines"]["no_facts"] == 3
    assert beside(report, TOWN)["declines"]["in_procedure"] == 0


async def test_a_confidential_matter_is_told_of_nowhere_below_the_county(work: Work, county: Atlas) -> None:
    slow = replace(DONE, completed_at=RECEIVED + timedelta(days=9))
    await write(work.conn, [at(county.county, GRID, slow, confidential=True), *tickets(county, GRID, DONE)])
    report = await made(work, county)
    assert beside(report)["hours"]["completed"]["tickets"] == 2
    assert beside(report, TOWN)["hours"]["completed"] == {"tickets": 1, "median": "72.0", "most": "72.0"}
    assert beside(await made(work, county, TOWN), TOWN)["matters"] == 1


async def test_a_bulletin_prints_its_formulas_beside_those_of_the_rates(work: Work, county: Atlas) -> None:
    formulas = (await made(work, county, VILLAGE)).parameters["formulas"]
    for word in ("办结率＝", "升降＝", "前三名", "中位数", "事项数"):
        assert any(word in sentence for sentence in formulas), word


async def test_a_revision_compares_with_the_newest_issue_of_the_month_before(work: Work, county: Atlas) -> None:
    await made(work, county, period="2026-07")
    assert Month(finished(AUGUST, work.now).first).before == finished("2026-07", work.now)
    first = await made(work, county)
    assert first.parameters["compared_with"]["revision"] == 1
    await write(work.conn, tickets(county, GRID, replace(DONE, **JULY)))
    await revised(work, county, period="2026-07")
    second = await revised(work, county)
    assert second.parameters["compared_with"]["revision"] == 2
    assert row(second)["previous"]["counts"]["received"] == 1
