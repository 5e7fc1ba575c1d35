"""What `o2o doctor` asks of the calendar."""

from app.base.running.health import Check, State, reporter
from app.base.work import Work
from app.limits import queries

PUBLISHED_BY = 11
"""The month in which the State Council gives out the next year's rest days, most years."""


async def calendar(work: Work) -> Check:
    """Whether this year's rest days are known; from November on the next year's too."""
    check = reporter("calendar", "日历")
    _, years = await queries.calendar_rows(work.conn)
    year = work.now.year
    if year not in years:
        said = f"没有 {year} 年的节假日安排，期限只按周一至周五计算"
        return check(State.FAIL, f"{said}：请升级到含这一年安排的版本")
    if work.now.month >= PUBLISHED_BY and year + 1 not in years:
        said = f"有 {year} 年的安排，还没有 {year + 1} 年的；跨年的期限暂按周一至周五计算"
        return check(State.WARN, f"{said}：国务院公布后请升级到含它的版本")
    return check(State.OK, f"有 {min(years)} 至 {max(years)} 年的节假日安排")
