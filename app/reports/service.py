"""Makes, revises and fetches frozen reports (domain.md, 5, Cadence)."""

import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from app.audit import office
from app.audit.office import OfficeAction
from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.errors import Conflict, Invalid, Missing
from app.domain.policy import SYSTEM, Actor
from app.domain.rates import span
from app.reports import queries
from app.reports.differences import changes, unchanged
from app.reports.monthly import MONTHLY, Month, draft, finished
from app.reports.queries import Issue, Report, Wanted
from app.reports.records import sealed, verified

LONGEST_REASON = 200
_LAST_ID = 2**63 - 1
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Opens(Protocol):
    """A Database's open_work. A report is counted on one snapshot, and written in a transaction that sees others'."""

    def __call__(self, actor: Actor, *, read: bool = False) -> AbstractAsyncContextManager[Work]: ...


@dataclass(frozen=True, slots=True)
class IssuePage:
    """`next` is where the page after it begins; None where there is none."""

    items: Sequence[Issue]
    next: tuple[datetime, int] | None


async def monthly(opens: Opens, division_id: int, period: str) -> Report:
    """The newest revision of a month's bulletin (`period` as 2026-10); made now where there is none.

    Raises Invalid for a month that is none or not over, or before the division received anything; Tampered.
    """
    async with opens(SYSTEM, read=True) as work:
        month = finished(period, work.now)
        found = await queries.newest(work.conn, MONTHLY, division_id, period)
        if found is not None:
            return verified(found)
        county = await atlas(work)
        await _refuse_nothing(work, county, division_id, month)
        drafted = await draft(work, county, division_id, month)
    async with opens(SYSTEM) as work:
        return await keep(work, drafted)


async def _refuse_nothing(work: Work, county: Atlas, division_id: int, month: Month) -> None:
    """Raises Invalid: a slip in the month or the code would else be frozen as a bulletin of zeros."""
    area = county.county.divisions[division_id]
    if not await queries.any_before(work.conn, area, span(month.first, month.last)[1]):
        last = f"{month.last.year}年{month.last.month}月{month.last.day}日"
        detail = f"到{last}为止，{area.name}还没有收到过群众事项，没有可以通报的；请核对月份和区划"
        raise Invalid.field("report.nothing", "/period", detail)


async def keep(work: Work, drafted: Report) -> Report:
    """Freezes it, unless another process has done so at the same moment: there is only one, and that is answered.

    Work must be one that writes (READ COMMITTED): it waits for the other and then sees it.
    """
    if await queries.insert_report(work.conn, drafted):
        await office.note(work, OfficeAction.REPORT_ISSUE, _of_the_trail(drafted))
        return drafted
    found = await queries.newest(work.conn, drafted.kind, drafted.division_id, drafted.period)
    assert found is not None, "a report is never taken away"
    return verified(found)


async def revise(opens: Opens, division_id: int, period: str, reason: str) -> Report:
    """The next revision of a month's bulletin, from how the tickets stand now, with what it changed.

    Raises Invalid (also for a reason that is none), Conflict where nothing is there to revise, nothing has changed, or
    another was first.
    """
    said = _reason(reason)
    async with opens(SYSTEM, read=True) as work:
        month = finished(period, work.now)
        found = await queries.newest(work.conn, MONTHLY, division_id, period)
        if found is None:
            raise Conflict("report.none", f"还没有 {period} 的月通报可以修订，请先不带修订原因生成一次")
        drafted = await draft(work, await atlas(work), division_id, month)
    if unchanged(found, drafted):
        raise Conflict("report.unchanged", f"与第 {found.revision} 版相比，各项数据都没有变化，没有作修订")
    made = replace(drafted, revision=found.revision + 1, reason=said)
    made = sealed(replace(made, figures={**made.figures, "changes": changes(found, made)}))
    async with opens(SYSTEM) as work:
        if not await queries.insert_report(work.conn, made):
            raise Conflict("report.revised", f"刚刚已有人作了第 {made.revision} 版修订，请查看后再决定是否修订")
        await office.note(work, OfficeAction.REPORT_REVISE, _of_the_trail(made))
    return made


def _of_the_trail(report: Report) -> dict[str, object]:
    """Which issue, and its checksum: whoever changes both together is found by the trail."""
    names = ("kind", "division_id", "period", "revision", "checksum")
    return {name: getattr(report, name) for name in names}


def _reason(text: str) -> str:
    said = text.strip()
    if not said:
        raise Invalid.field("report.reason", "/revise", "请写明修订的原因")
    if len(said) > LONGEST_REASON or _UNPRINTABLE.search(said):
        detail = f"修订的原因写成一行，不超过 {LONGEST_REASON} 个字，不含无法显示的字符"
        raise Invalid.field("report.reason", "/revise", detail)
    return said


async def one(work: Work, report_id: int) -> Report:
    """Exactly that issue. Raises Missing, Tampered."""
    found = await queries.by_id(work.conn, report_id) if report_id <= _LAST_ID else None
    if found is None:
        raise Missing("report.unknown", "没有这个编号的报表，请从报表列表中选取")
    return verified(found)


async def listed(work: Work, wanted: Wanted, limit: int, after: tuple[datetime, int] | None) -> IssuePage:
    """The newest first, at most `limit`, from behind the mark `after`."""
    rows = await queries.page(work.conn, wanted, limit + 1, after)
    last = rows[limit - 1] if len(rows) > limit else None
    return IssuePage(rows[:limit], None if last is None else (last.as_of, last.id))
