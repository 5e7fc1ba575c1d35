"""The figures of a month's bulletin (domain.md, 5, Cadence): counted once, then frozen."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.audit.sealing import anchored
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.counting import Counts
from app.domain.errors import Invalid
from app.domain.rates import EARLIEST, FORMULAS, LATEST, parts, percent, share, span
from app.domain.vocabulary import Attribution, Level
from app.domain.workdays import ONE_DAY, end_of
from app.rates.service import LEAST, WEIGHTS, RateRow, rates_down_to
from app.reports import queries
from app.reports.queries import Beside, Report, Took
from app.reports.records import digest, sealed, verified

MONTHLY = "monthly"
_COUNTS = tuple(field.name for field in fields(Counts))
PODIUM = 3
"""How many places are called the best and the worst."""
SAID: tuple[str, ...] = (
    "升降＝本月数值－上月数值，以百分点计，由公布的两位小数相减；上月取其月通报最新一版，没有通报的按制表时刻统计。",
    "前三名为排名第一至第三；后三名为排名最后的三个，与前三名不重复；名次并列的一并列出；不足两个参与排名的不列。",
    "办理用时从收到算到受理、首次回复、办结，以小时计，含夜间和休息日；中位数、九成件用时是按用时由短到长排在一半处、"
    "九成处那一件的用时；没有走到这一步的不计。",
    "事项数：并单的几件合为一件计算，即收到件数减去并入其他事项的件数。",
)
"""What a bulletin shows beside the rates, and how; printed after the formulas of the rates."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month of Shanghai days."""

    first: date

    @property
    def last(self) -> date:
        return date(self.first.year + self.first.month // 12, self.first.month % 12 + 1, 1) - ONE_DAY

    @property
    def period(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def before(self) -> "Month | None":
        """The month before, where one can be asked for."""
        return Month((self.first - ONE_DAY).replace(day=1)) if self.first > EARLIEST else None


def finished(period: str, now: datetime) -> Month:
    """The month written as 2026-10, once it is over. Raises Invalid for one that is none, or not over."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", period)
    if found is None or not EARLIEST.year <= int(found[1]) <= LATEST.year:
        raise Invalid.field("report.period", "/period", f"“{period[:32]}”不是月份，请写成 2026-10 的样子")
    month = Month(date(int(found[1]), int(found[2]), 1))
    if now < end_of(month.last):
        ready = month.last + ONE_DAY
        detail = (
            f"{month.first.year}年{month.first.month}月还没有结束，月通报要到"
            f"{ready.year}年{ready.month}月{ready.day}日才能生成"
        )
        raise Invalid.field("report.unfinished", "/period", detail)
    return month


async def draft(work: Work, atlas: Atlas, division_id: int, month: Month) -> Report:
    """The first revision, as the tickets stand now; nothing is written. Territorial: every level sums the one below.

    Work should be of one snapshot (`read`), since several statements are asked. Raises Tampered (last month's issue).
    """
    table = await rates_down_to(work, atlas, division_id, first=month.first, last=month.last, lowest=Level.VILLAGE)
    compared, earlier = await _earlier(work, atlas, division_id, month.before)
    county, area = atlas.county, atlas.county.divisions[division_id]
    told = await queries.beside(work.conn, area, *span(month.first, month.last))
    codes = {division.code: division for division in county.divisions.values()}
    rows = [_row(row) for row in table.rows]
    for row in rows:
        parent = codes[row["code"]].parent_id
        row["parent_code"] = None if parent is None else county.divisions[parent].code
        row["previous"] = earlier.get(row["code"])
        row["movement"] = _movement(row, row["previous"])
    figures = {
        "rows": rows,
        **_podium(rows[1:]),
        "beside": [_told(row, told[codes[row["code"]].id]) for row in rows if codes[row["code"]].id in told],
    }
    formulas = [*FORMULAS, *SAID]
    parameters = {
        "division": {"code": area.code, "name": area.name, "level": str(area.level)},
        "from": month.first.isoformat(),
        "to": month.last.isoformat(),
        "attribution": str(Attribution.TERRITORIAL),
        "compared_with": compared,
        "ranking": {"weights": {k: str(v) for k, v in asdict(WEIGHTS).items()}, "least": LEAST, "score": "mean"},
        "formulas": formulas,
        "formulas_version": digest(formulas)[:12],
        "anchor": await anchored(work),
    }
    return sealed(Report(MONTHLY, division_id, month.period, 1, table.as_of, None, parameters, figures, ""))


async def _earlier(
    work: Work, atlas: Atlas, division_id: int, month: Month | None
) -> tuple[dict[str, Any] | None, dict[str, dict[str, Any]]]:
    """What is compared with, and of it what is shown, by code: the month's newest issue, else what is counted now."""
    if month is None:
        return None, {}
    issue = await queries.newest(work.conn, MONTHLY, division_id, month.period)
    if issue is None:
        table = await rates_down_to(work, atlas, division_id, first=month.first, last=month.last, lowest=Level.VILLAGE)
        now = {"period": month.period, "revision": None, "checksum": None, "formulas_version": None}
        return now, {row.code: _shown(_row(row)) for row in table.rows}
    rows = verified(issue).figures["rows"]
    compared = {
        "period": month.period,
        "revision": issue.revision,
        "checksum": issue.checksum,
        "formulas_version": issue.parameters.get("formulas_version"),
    }
    return compared, {row["code"]: _shown(row) for row in rows}


def _row(row: RateRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "level": row.level,
        "counts": {name: getattr(row.counts, name) for name in _COUNTS},
        "rates": {name: _published(*pair) for name, pair in parts(row.counts).items()},
        "rank": row.rank,
    }


@lru_cache(maxsize=4096)
def _published(part: int, whole: int) -> str | None:
    """Kept, since most villages have the same few small numbers, and fractions are dear."""
    reached = percent(share(part, whole))
    return None if reached is None else str(reached)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: row["counts"][name] for name in ("received", "completed")}
    return {"counts": counts, "rates": row["rates"], "rank": row["rank"]}


def _movement(row: Mapping[str, Any], previous: Mapping[str, Any] | None) -> dict[str, Any]:
    """Percentage points by which each rate rose, and places by which the rank did; null where one of two is missing."""
    before: Mapping[str, str | None] = previous["rates"] if previous else {}
    rank = previous["rank"] if previous else None
    return {
        "rates": {name: _risen(value, before.get(name)) for name, value in row["rates"].items()},
        "rank": None if rank is None or row["rank"] is None else rank - row["rank"],
    }


def _risen(now: str | None, before: str | None) -> str | None:
    return None if now is None or before is None else str(Decimal(now) - Decimal(before))


def _podium(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, list[str]]]:
    """The best and the worst of each level, by code in the order of their ranks; who shares a place comes along."""
    best: dict[str, list[str]] = {}
    worst: dict[str, list[str]] = {}
    for level in Level:
        ranked = sorted((r["rank"], r["code"]) for r in rows if r["level"] == level and r["rank"] is not None)
        if len(ranked) < 2:
            continue
        best[level] = [code for rank, code in ranked if rank <= PODIUM]
        below = ranked[len(best[level]) :]
        worst[level] = [code for rank, code in below if rank >= below[-PODIUM:][0][0]]
    return {"best": best, "worst": worst}


def _told(row: Mapping[str, Any], beside: Beside) -> dict[str, Any]:
    return {
        "code": row["code"],
        "name": row["name"],
        "matters": beside.matters,
        "declines": dict(beside.declines),
        "hours": {name: _hours(took) for name, took in beside.took.items()},
    }


def _hours(took: Took) -> dict[str, Any]:
    return {"tickets": took.tickets, "median": _in_hours(took.median), "most": _in_hours(took.most)}


def _in_hours(time: timedelta | None) -> str | None:
    """Hours to one decimal, rounded half-up from whole microseconds."""
    if time is None:
        return None
    tick = timedelta(microseconds=1)
    tenth, doubled = timedelta(hours=1) // 10 // tick, 2 * (time // tick)
    return str(Decimal((doubled + tenth) // (2 * tenth)).scaleb(-1))
