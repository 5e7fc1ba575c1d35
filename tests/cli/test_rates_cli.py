"""`o2o rates` and `o2o report` as a person or a program runs them, on the real database."""

import asyncio
import csv
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from app.base.db import Database
from app.cli import main
from app.divisions.service import atlas
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI, Attribution, Level
from app.rates.service import rates
from app.rates.views import TableView, table_view
from tests.rates.counted import DONE, UNTOUCHED, at, write_many

COUNTY, TOWN, GRID = "430121", "430121001", "430121001001001"
MARCH = ("--from", "2025-03-01", "--to", "2025-03-31")
RECEIVED = datetime(2025, 3, 12, 9, tzinfo=SHANGHAI)
"""Long past: a command runs on the machine's clock, on which the month must be over and the limits gone by."""


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Awaitable[Ran]]


@pytest.fixture
def o2o(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("O2O_DATABASE_URL", database.engine.url.render_as_string(hide_password=False))

    async def run(*args: str) -> Ran:
        def command() -> int:
            with pytest.raises(SystemExit) as left:
                main(list(args))
            return int(left.value.code or 0)

        # A command has an event loop of its own.
        code = await asyncio.to_thread(command)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
async def march(database: Database) -> None:
    """14,637 tickets of one grid, 14,100 of them completed."""
    long_ago: dict[str, Any] = {"received_at": RECEIVED, "due_at": RECEIVED, "original_due_at": RECEIVED}
    async with database.open_work(SYSTEM) as work:
        county = (await atlas(work)).county
        await write_many(work.conn, at(county, GRID, replace(DONE, **long_ago), unit="U05"), 14_100)
        await write_many(work.conn, at(county, GRID, replace(UNTOUCHED, **long_ago), unit="U05"), 537)


@pytest.mark.usefixtures("march")
async def test_rates_as_json_are_what_the_service_answers(o2o: Run, database: Database) -> None:
    ran = await o2o("rates", "--division", COUNTY, *MARCH, "--level", "town", "--json")
    async with database.open_work(SYSTEM, read=True) as work:
        county = await atlas(work)
        span = {"first": date(2025, 3, 1), "last": date(2025, 3, 31)}
        table = await rates(
            work, county, county.county.root.id, **span, level=Level.TOWN, attribution=Attribution.TERRITORIAL
        )
    answered = json.loads(TypeAdapter(TableView).dump_json(table_view(table)))
    said = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert said["rows"] == answered["rows"]
    assert said["as_of"].endswith("+08:00")
    (town,) = (row for row in said["rows"] if row["code"] == TOWN)
    assert (town["received"], town["completed"], town["completion_rate"], town["rank"]) == (14_637, 14_100, 96.33, 1)


@pytest.mark.usefixtures("march")
async def test_rates_for_people_are_a_table_with_a_dash_for_what_has_no_value(o2o: Run) -> None:
    ran = await o2o("rates", "--division", COUNTY, *MARCH)
    row = next(line for line in ran.out.splitlines() if COUNTY in line)
    counts = ["14637", "14100", "14100", "14100", "0", "0"]
    assert row.split() == [COUNTY, "长沙县", *counts, "96.33", "96.33", "96.33", "—", "96.33", "0.00"]
    assert "属地口径" in ran.out
    units = await o2o("rates", "--division", COUNTY, *MARCH, "--level", "unit", "--attribution", "handling")
    assert any("U05" in line and "96.33" in line for line in units.out.splitlines())


@pytest.mark.usefixtures("march")
async def test_a_month_s_report_comes_out_the_same_twice_on_the_screen_and_in_a_file(o2o: Run, tmp_path: Path) -> None:
    asked = ("report", "monthly", "--division", COUNTY, "--period", "2025-03")
    first = await o2o(*asked)
    file = tmp_path / "三月.csv"
    second = await o2o(*asked, "--format", "csv", "--out", str(file))
    assert (first.code, second.code, second.out) == (0, 0, "")
    assert file.read_bytes() == first.out.encode()
    assert first.err == second.err
    assert "第 1 版" in first.err
    rows = list(csv.reader(io.StringIO(first.out.removeprefix("\ufeff"), newline="")))
    assert rows[1][:4] == [COUNTY, "长沙县", "县", "14637"]
    assert "96.33" in rows[1]
    kept = json.loads((await o2o(*asked, "--json")).out)
    assert (kept["revision"], kept["reason"]) == (1, None)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("rates", "--division", "999999", *MARCH), "没有代码为“999999”的区划"),
        (("rates", "--division", COUNTY, "--from", "2025-03-31", "--to", "2025-03-01"), "早于"),
        (("rates", "--division", COUNTY, "--from", "三月", "--to", "2025-03-01"), "不是日期"),
        (("rates", "--division", COUNTY, *MARCH, "--level", "street"), "--level 没有“street”这个值"),
        (("rates", "--division", COUNTY, *MARCH, "--level", "unit"), "attribution=handling"),
        (("report", "weekly", "--division", COUNTY, "--period", "2025-W10"), "weekly 将在后续版本提供"),
        (("report", "annual", "--division", COUNTY, "--period", "2025"), "没有“annual”这个种类"),
        (("report", "monthly", "--division", COUNTY, "--period", "2025-03", "--format", "docx"), "docx 将在后续版本"),
        (("report", "monthly", "--division", COUNTY, "--period", "2999-12"), "还没有结束"),
        (("report", "monthly", "--division", "999999", "--period", "2025-03"), "没有代码为“999999”的区划"),
        (("report", "monthly", "--division", COUNTY, "--period", "2025-03", "--out", "none/r.csv"), "无法写入"),
    ],
)
async def test_what_is_wrong_is_said_in_one_chinese_sentence(o2o: Run, args: tuple[str, ...], said: str) -> None:
    ran = await o2o(*args)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
