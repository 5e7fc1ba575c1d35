"""Rates and reports over two editions: whatever was renamed, closed or new in between, they add up."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from app.base.db import Database
from app.base.work import Work
from app.divisions.service import atlas
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI, Level
from app.imports.service import apply, prepare
from app.rates.service import RateRow, rates, rates_down_to
from app.reports.service import monthly
from tests.imports.county_files import Load
from tests.imports.edition_files import packaged
from tests.rates.counted import DONE, LIKED, UNTOUCHED, at, write

COUNTY, RENAMED_TOWN = "430121", "430121004"
RENAMED, CLOSED, EMPTY, NEW = "430121004201", "430121004002", "430121004003", "430121004006"
"""金托村 becomes 金圫村; 康狮岭社区 is new; the test leaves two villages of that street out of the edition of 2023."""
AUGUST: Mapping[str, Any] = {"first": date(2026, 8, 1), "last": date(2026, 8, 31)}
LATE = datetime(2026, 8, 20, 9, tzinfo=SHANGHAI)
BEFORE_IT = {RENAMED: 3, CLOSED: 12, RENAMED_TOWN: 2, COUNTY: 1}
AFTER_IT = {RENAMED: 4, NEW: 15, RENAMED_TOWN: 1}
RECEIVED = {RENAMED: 7, CLOSED: 12, NEW: 15, EMPTY: 0}
IN_TOWN, IN_COUNTY = 7 + 12 + 15 + 3, 7 + 12 + 15 + 3 + 1


def newer_without(*codes: str) -> str:
    return "\n".join(line for line in packaged(2023).splitlines() if not line.startswith(codes)) + "\n"


async def live_through_both(work: Work, load: Load) -> None:
    """Tickets, the newer edition, more tickets."""
    county = (await atlas(work)).county
    await write(work.conn, [at(county, code, LIKED) for code, count in BEFORE_IT.items() for _ in range(count)])
    done = await load(work, "divisions", newer_without(CLOSED, EMPTY), edition="2023")
    assert (done.created, done.updated) == (28, 7)
    county = (await atlas(work)).county
    assert [county.by_code[code].in_force for code in (RENAMED, CLOSED, EMPTY, NEW)] == [True, False, False, True]
    facts = [replace(DONE, received_at=LATE), replace(UNTOUCHED, received_at=LATE)]
    bag = [at(county, code, facts[n % 2]) for code, count in AFTER_IT.items() for n in range(count)]
    await write(work.conn, bag)


async def counted(work: Work) -> dict[str, RateRow]:
    table = await rates_down_to(work, await atlas(work), await root(work), **AUGUST, lowest=Level.GRID)
    return {row.code: row for row in table.rows}


async def root(work: Work) -> int:
    return (await atlas(work)).county.root.id


@pytest.fixture
async def lived(work: Work, load: Load) -> Work:
    await live_through_both(work, load)
    return work


async def test_every_level_is_the_sum_of_the_one_below_and_its_own(lived: Work) -> None:
    rows = await counted(lived)
    own = {code: BEFORE_IT.get(code, 0) + AFTER_IT.get(code, 0) for code in (COUNTY, RENAMED_TOWN)}
    for code in (COUNTY, RENAMED_TOWN):
        below = [row for row in rows.values() if row.code[:-3] == code and row.code != code]
        assert rows[code].counts.received == sum(row.counts.received for row in below) + own[code], code
        assert rows[code].counts.completed == sum(row.counts.completed for row in below) + {COUNTY: 1}.get(code, 3)
    assert (rows[RENAMED_TOWN].counts.received, rows[COUNTY].counts.received) == (IN_TOWN, IN_COUNTY)


async def test_old_and_new_are_counted_under_their_own_rows_and_the_present_names(lived: Work) -> None:
    rows = await counted(lived)
    assert {code: rows[code].counts.received for code in RECEIVED if code in rows} == {
        code: count for code, count in RECEIVED.items() if count
    }
    assert [rows[code].name for code in (RENAMED_TOWN, RENAMED)] == ["㮾梨街道", "金圫村委会"]


async def test_a_closed_division_is_ranked_while_it_has_tickets_and_an_empty_one_moves_nobody(lived: Work) -> None:
    rows = await counted(lived)
    assert EMPTY not in rows
    ranked = {row.code: row.rank for row in rows.values() if row.level == Level.VILLAGE and row.rank is not None}
    assert ranked.keys() == {CLOSED, NEW}, "the others have too few"
    assert sorted(ranked.values()) == [1, 2]
    towns = await rates(lived, await atlas(lived), await root(lived), **AUGUST, level=Level.TOWN)
    assert len(towns.rows) == 18


async def test_the_monthly_report_over_both_editions_adds_up(empty_database: Database) -> None:
    async def load(work: Work, kind: str, text: str, *, edition: str | None = None) -> Any:
        return await apply(work, prepare(kind, text.encode(), edition=edition))

    async with empty_database.open_work(SYSTEM) as work:
        await load(work, "divisions", packaged(2017), edition="2017")
        await live_through_both(work, load)
        county = await root(work)
    report = await monthly(empty_database.open_work, county, "2026-08")
    rows = {row["code"]: row for row in report.figures["rows"]}
    received = {code: row["counts"]["received"] for code, row in rows.items()}
    assert (received[COUNTY], received[RENAMED_TOWN]) == (IN_COUNTY, IN_TOWN)
    villages = sum(count for code, count in received.items() if len(code) == 12)
    assert villages + BEFORE_IT[RENAMED_TOWN] + AFTER_IT[RENAMED_TOWN] + BEFORE_IT[COUNTY] == IN_COUNTY
    assert (rows[CLOSED]["name"], received[CLOSED], EMPTY in rows) == ("大园社区居委会", 12, False)
    assert len(rows) == 1 + 18 + 225 - 1
    assert rows[RENAMED]["name"] == "金圫村委会"
