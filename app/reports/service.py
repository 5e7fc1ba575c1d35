"""Makes and fetches frozen reports (domain.md, 5, Cadence)."""

import hashlib
import json
import re
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from app.base.sheets import csv_of
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.errors import Conflict, Invalid, Refusal
from app.domain.rates import EARLIEST, FORMULAS, LATEST, parts, percent, share
from app.domain.vocabulary import SHANGHAI, Attribution, Level
from app.domain.workdays import ONE_DAY, end_of
from app.rates.service import LEAST, WEIGHTS, RateRow, Table, rates_down_to
from app.reports import queries
from app.reports.queries import Report

MONTHLY = "monthly"
NONE = "—"
HEADER = (
    "编码", "名称", "层级", "收到", "受理", "回复", "办结", "点赞", "踩",
    "受理率", "回复率", "办结率", "满意率", "按时办结率", "排名",
)  # fmt: skip
_COUNTS = ("received", "accepted", "replied", "completed", "likes", "dislikes")
_RATES = ("acceptance_rate", "reply_rate", "completion_rate", "satisfaction_rate", "on_time_rate")


class Tampered(Refusal):
    """A frozen report is no longer what was written (500): a person must look into it."""

    status = 500
    title = "报表已被改动"


async def monthly(work: Work, atlas: Atlas, division_id: int, period: str) -> Report:
    """The newest revision of a month's bulletin (`period` as 2026-10); made now where there is none.

    Work must be one that writes (READ COMMITTED). Raises Invalid for a month that is none or not over, Tampered.
    """
    first, last = _finished(work, period)
    found = await queries.newest(work.conn, MONTHLY, division_id, period)
    if found is None:
        made = await _make(work, atlas, division_id, first, last)
        if await queries.insert_report(work.conn, made):
            return made
        # Another process has made it at the same moment: there is only one.
        found = await queries.newest(work.conn, MONTHLY, division_id, period)
        assert found is not None, "a report is never taken away"
    return verified(found)


async def revise(work: Work, atlas: Atlas, division_id: int, period: str, reason: str) -> Report:
    """The next revision of a month's bulletin, from how the tickets stand now.

    Raises Invalid (also where no reason is given), Conflict where nothing is there to revise or another was first.
    """
    if not reason.strip():
        raise Invalid.field("report.reason", "/revise", "请写明修订的原因")
    first, last = _finished(work, period)
    found = await queries.newest(work.conn, MONTHLY, division_id, period)
    if found is None:
        raise Conflict("report.none", f"还没有 {period} 的月通报可以修订，请先不带修订原因生成一次")
    made = await _make(work, atlas, division_id, first, last)
    made = sealed(replace(made, revision=found.revision + 1, reason=reason.strip()))
    if not await queries.insert_report(work.conn, made):
        raise Conflict("report.revised", f"刚刚已有人作了第 {made.revision} 版修订，请查看后再决定是否修订")
    return made


def _finished(work: Work, period: str) -> tuple[date, date]:
    """The month's first and last day, once it is over."""
    months = (EARLIEST.year, LATEST.year)
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", period)
    if found is None or not months[0] <= int(found[1]) <= months[1]:
        raise Invalid.field("report.period", "/period", f"“{period[:32]}”不是月份，请写成 2026-10 的样子")
    first = date(int(found[1]), int(found[2]), 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    if work.now < end_of(following - ONE_DAY):
        ready = f"{following.year}年{following.month}月{following.day}日"
        detail = f"{first.year}年{first.month}月还没有结束，月通报要到{ready}才能生成"
        raise Invalid.field("report.unfinished", "/period", detail)
    return first, following - ONE_DAY


async def _make(work: Work, atlas: Atlas, division_id: int, first: date, last: date) -> Report:
    """The first revision, as the tickets stand now. Territorial: in it every level is the sum of the one below."""
    table = await rates_down_to(work, atlas, division_id, first=first, last=last, lowest=Level.VILLAGE)
    division = atlas.county.divisions[division_id]
    parameters = {
        "division": {"code": division.code, "name": division.name, "level": str(division.level)},
        "from": first.isoformat(),
        "to": last.isoformat(),
        "attribution": str(Attribution.TERRITORIAL),
        "ranking": {"weights": {k: str(v) for k, v in asdict(WEIGHTS).items()}, "least": LEAST, "score": "mean"},
        "formulas": list(FORMULAS),
        "formulas_version": _digest(list(FORMULAS))[:12],
    }
    period = f"{first:%Y-%m}"
    return sealed(Report(MONTHLY, division_id, period, 1, table.as_of, None, parameters, _figures(table), ""))


def _figures(table: Table) -> dict[str, Any]:
    return {"rows": [_row(row) for row in table.rows]}


def _row(row: RateRow) -> dict[str, Any]:
    reached = {name: percent(share(*pair)) for name, pair in parts(row.counts).items()}
    return {
        "code": row.code,
        "name": row.name,
        "level": row.level,
        "counts": asdict(row.counts),
        "rates": {name: None if value is None else str(value) for name, value in reached.items()},
        "rank": row.rank,
    }


def record(report: Report) -> dict[str, Any]:
    """The report whole, as JSON. The checksum is SHA-256 of the rest in canonical JSON: anybody can check it."""
    # One moment has one text, whatever zone it is told in.
    return asdict(report) | {"as_of": report.as_of.astimezone(SHANGHAI).isoformat()}


def sealed(report: Report) -> Report:
    """The report with the checksum of all the rest of it."""
    return replace(report, checksum=_digest({k: v for k, v in record(report).items() if k != "checksum"}))


def verified(report: Report) -> Report:
    """The same report. Raises Tampered where its checksum does not fit it."""
    if sealed(report).checksum != report.checksum:
        detail = (
            f"{report.period} 第 {report.revision} 版通报与校验和不符，可能被改动过；请联系系统管理员核查，不要使用"
        )
        raise Tampered("report.tampered", detail)
    return report


def _digest(content: object) -> str:
    """SHA-256 of the canonical JSON: keys in order, no blanks, UTF-8."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def as_csv(report: Report) -> bytes:
    """The report as a spreadsheet opens it; of the frozen figures alone, so the same bytes for ever."""
    return csv_of(HEADER, [_cells(row) for row in report.figures["rows"]])


def _cells(row: dict[str, Any]) -> list[object]:
    counts, rates = row["counts"], row["rates"]
    reached = [NONE if rates[name] is None else rates[name] for name in _RATES]
    rank = NONE if row["rank"] is None else row["rank"]
    return [row["code"], row["name"], Level(row["level"]).label, *(counts[name] for name in _COUNTS), *reached, rank]
