"""The table of a report, as its CSV has it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.base.sheets import csv_of
from app.domain.vocabulary import Level
from app.reports.fields import COUNTS, LEVEL, NONE, RANK, RATES, SHOWN_COUNTS, SHOWN_RATES
from app.reports.queries import Report

HEADER = (
    "编码", "名称", LEVEL, *(COUNTS[name] for name in SHOWN_COUNTS), *(RATES[name] for name in SHOWN_RATES), RANK,
)  # fmt: skip


def title(report: Report) -> str:
    """What the report is called: 长沙县民生快递月通报 2026年10月."""
    month = date.fromisoformat(f"{report.period}-01")
    return f"{report.parameters['division']['name']}民生快递月通报 {month.year}年{month.month}月"


def as_csv(report: Report) -> bytes:
    """The report as a spreadsheet opens it; of the frozen figures alone, so the same bytes for ever."""
    return csv_of(HEADER, [cells(row) for row in report.figures["rows"]])


def cells(row: Mapping[str, Any]) -> Sequence[object]:
    """A row under HEADER: numbers of tickets, rates and rank as they are published."""
    counts, rates = row["counts"], row["rates"]
    reached = [NONE if rates[name] is None else rates[name] for name in SHOWN_RATES]
    rank = NONE if row["rank"] is None else row["rank"]
    level = Level(row["level"]).label
    return [row["code"], row["name"], level, *(counts[name] for name in SHOWN_COUNTS), *reached, rank]
