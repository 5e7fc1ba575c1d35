"""The four rates (domain.md, 5) of what was counted: exact shares, their formulas, and the span they are of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from app.domain.counting import Counts, Facts
from app.domain.errors import Invalid
from app.domain.workdays import ONE_DAY, end_of

EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)
"""The span that can be asked for: well inside what Python and PostgreSQL can tell a zone for."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares from 0 to 1, exact; None where nothing is there to be shared (the denominator is 0)."""

    acceptance_rate: Fraction | None
    reply_rate: Fraction | None
    completion_rate: Fraction | None
    satisfaction_rate: Fraction | None
    on_time_rate: Fraction | None
    rating_coverage: Fraction | None
    original_on_time_rate: Fraction | None
    first_satisfaction_rate: Fraction | None
    solved_rate: Fraction | None
    automatic_share: Fraction | None


def span(first: date, last: date) -> tuple[datetime, datetime]:
    """The moments in which a period of Shanghai days begins (included) and ends (excluded), both days included.

    Raises Invalid where it ends before it begins or leaves EARLIEST to LATEST.
    """
    if last < first:
        raise Invalid.field("rates.span", "/to", f"结束日期 {last} 早于开始日期 {first}，请调换或更正")
    for pointer, day in (("/from", first), ("/to", last)):
        if not EARLIEST <= day <= LATEST:
            detail = f"日期 {day} 超出可统计的范围，请填 {EARLIEST} 至 {LATEST} 之间的日期"
            raise Invalid.field("rates.span", pointer, detail)
    return end_of(first - ONE_DAY), end_of(last)


def cohort(facts: Iterable[Facts], first: date, last: date) -> Iterator[Facts]:
    """The tickets received in a period of Shanghai days, both included. Raises Invalid as `span` does."""
    begin, end = span(first, last)
    return (one for one in facts if begin <= one.received_at < end)


def parts(counts: Counts) -> dict[str, tuple[int, int]]:
    """Numerator and denominator of every rate, under the rate's name, in the order of `Rates`."""
    c = counts
    return {
        "acceptance_rate": (c.accepted, c.received),
        "reply_rate": (c.replied, c.received),
        "completion_rate": (c.completed, c.received),
        "satisfaction_rate": (c.likes, c.likes + c.dislikes),
        "on_time_rate": (c.on_time, c.ranked),
        "rating_coverage": (c.rated_completed, c.completed),
        "original_on_time_rate": (c.on_time_original, c.completed + c.open_overdue_original),
        "first_satisfaction_rate": (c.first_likes, c.first_likes + c.first_dislikes),
        "solved_rate": (c.solved_yes, c.solved_yes + c.solved_no),
        "automatic_share": (c.accepted_automatically, c.accepted),
    }


def rates(counts: Counts) -> Rates:
    """All rates of what was counted, exact."""
    return Rates(**{name: share(*pair) for name, pair in parts(counts).items()})


def share(part: int, whole: int) -> Fraction | None:
    """`part` of `whole`, exact; None of nothing, never 0 or all."""
    return Fraction(part, whole) if whole else None


def percent(rate: Fraction | None) -> Decimal | None:
    """A share (0 to 1) in percent, rounded half-up to exactly two decimals from integers: 14,100/14,637 is 96.33."""
    if rate is None:
        return None
    # floor(x + 1/2) in hundredths of a percent: half-up without passing through a float or a rounded decimal.
    hundredths = (20_000 * rate.numerator + rate.denominator) // (2 * rate.denominator)
    return Decimal(hundredths).scaleb(-2)


FORMULAS: tuple[str, ...] = (
    "统计对象：统计期内收到的事项（北京时间，首尾两日均计入），按制表时刻的状态统计。",
    "受理率＝已受理件数÷收到件数。",
    "回复率＝已回复件数÷收到件数。",
    "办结率＝已办结件数÷收到件数。",
    "满意率＝点赞件数÷（点赞件数＋踩件数）；每件取最近一次评价，没有评价的不计入，回访所得评价计入并另行列示。",
    "按时办结率＝每次办理都在期限内（含经批准的延期）的办结件数÷（办结件数＋逾期未办结件数）。",
    "评价率＝已评价的办结件数÷办结件数。",
    "按原期限按时办结率＝每次办理都在原期限内（不含延期）的办结件数÷（办结件数＋超过原期限未办结件数）。",
    "首次满意率＝首次评价为点赞的件数÷（首次评价为点赞的件数＋首次评价为踩的件数）。",
    "解决率＝群众答“已解决”的件数÷（答“已解决”的件数＋答“未解决”的件数）；每件取最近一次评价。",
    "自动受理占比＝自动受理件数÷已受理件数。",
    "不计入：走访和回复之前由群众本人撤回的事项，以及因垃圾信息不予受理的事项；两者另行列示。",
    "其他不予受理的事项计入收到件数，答复视为回复；其他撤回的事项（含工作人员撤回的）仍计入；解释办结计入办结，另行列示。",
    "因踩重办的事项，再次办结之前不算办结；并单的事项各自计数，进度随主单。",
    "比率由整数算出，四舍五入保留两位小数；分母为零的显示为“—”。",
    "排名：同级之间比较受理率、回复率、办结率、满意率的加权得分，只计已办结和逾期未办结的事项；"
    "没有数值的比率，其权重按比例分给其余比率；件数不足的只列示、不排名；得分相同的名次并列。"
    "权重、最低件数和计分方法见本期参数。",
)
"""The formulas and the counting rule that every publication prints, a sentence a line; `as_of` is printed beside."""
