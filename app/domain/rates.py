"""The four rates (domain.md, 5): the one definition of what is counted and how. SQL elsewhere is tested equal to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from operator import add, attrgetter
from typing import Self

from app.domain.errors import Invalid
from app.domain.vocabulary import OPEN, Channel, Score, Status, Via
from app.domain.workdays import ONE_DAY, end_of

SPAM = "spam"
"""The reason of a decline that takes a ticket out of every rate."""

EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)
"""The span that can be asked for: well inside what Python and PostgreSQL can tell a zone for."""

# A copy is open, overdue or completed as its primary is, so without a completion it is open (domain.md, 2, Merge).
_UNFINISHED = OPEN | {Status.MERGED}


@dataclass(frozen=True, slots=True)
class Facts:
    """What one ticket contributes, as it stands at the counting. Times are aware.

    `kept_limit`, `kept_original`: every finished cycle ended within its limit, extensions included or not.
    `due_at`, `original_due_at`: the completion limits of the present (or last) cycle; that very moment is too late.
    `score`, `via`, `solved` are of the latest rating, `first_score` of the first, even of a ticket reopened since.
    `declined_reason` may outlive an appeal and `explained` a reopening: they count only together with the state.
    """

    status: Status
    channel: Channel
    received_at: datetime
    accepted_at: datetime | None
    accepted_automatically: bool
    first_replied_at: datetime | None
    completed_at: datetime | None
    due_at: datetime
    original_due_at: datetime
    kept_limit: bool
    kept_original: bool
    explained: bool
    score: Score | None
    first_score: Score | None
    via: Via | None
    solved: bool | None
    declined_reason: str | None
    withdrawn_by_citizen_before_work: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of tickets; those of parts add up to those of the whole.

    `withdrawn` (by the citizen, before any work) and `spam` are left out of the cohort and of every other field.
    `open_overdue`, `open_overdue_original`, `not_yet_due` depend on the clock, and with the first the four `ranked_*`:
    those are of the cohort's tickets that are completed or open past due, which the ranking is made over.
    """

    received: int = 0
    accepted: int = 0
    accepted_automatically: int = 0
    replied: int = 0
    completed: int = 0
    explained: int = 0
    declined: int = 0
    likes: int = 0
    dislikes: int = 0
    first_likes: int = 0
    first_dislikes: int = 0
    callback_likes: int = 0
    callback_dislikes: int = 0
    rated_completed: int = 0
    solved_yes: int = 0
    solved_no: int = 0
    on_time: int = 0
    on_time_original: int = 0
    open_overdue: int = 0
    open_overdue_original: int = 0
    not_yet_due: int = 0
    ranked_accepted: int = 0
    ranked_replied: int = 0
    ranked_likes: int = 0
    ranked_dislikes: int = 0
    withdrawn: int = 0
    spam: int = 0

    @classmethod
    def zero(cls) -> Self:
        """Nothing counted: where a sum begins."""
        return cls()

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*map(add, _values(self), _values(other)))

    @property
    def ranked(self) -> int:
        """The tickets that the ranking and the on-time rate are made over: completed, or open past due."""
        return self.completed + self.open_overdue


_values = attrgetter(*(field.name for field in fields(Counts)))


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


def count(facts: Iterable[Facts], as_of: datetime) -> Counts:
    """Counts a cohort as it stands at `as_of` (aware)."""
    return sum((_contribution(one, as_of) for one in facts), Counts.zero())


def _contribution(one: Facts, as_of: datetime) -> Counts:
    if one.status is Status.WITHDRAWN and one.withdrawn_by_citizen_before_work:
        return Counts(withdrawn=1)
    declined = one.status is Status.DECLINED
    if declined and one.declined_reason == SPAM:
        return Counts(spam=1)
    accepted = one.accepted_at is not None
    # The text of a decline is an answer.
    replied = one.first_replied_at is not None or declined
    completed = one.completed_at is not None
    unfinished = one.status in _UNFINISHED and not completed
    overdue = unfinished and one.due_at <= as_of
    ranked = completed or overdue
    like, dislike = one.score is Score.LIKE, one.score is Score.DISLIKE
    callback = one.via is Via.CALLBACK
    return Counts(
        received=1,
        accepted=accepted,
        accepted_automatically=accepted and one.accepted_automatically,
        replied=replied,
        completed=completed,
        explained=completed and one.explained,
        declined=declined,
        likes=like,
        dislikes=dislike,
        first_likes=one.first_score is Score.LIKE,
        first_dislikes=one.first_score is Score.DISLIKE,
        callback_likes=like and callback,
        callback_dislikes=dislike and callback,
        rated_completed=completed and one.score is not None,
        solved_yes=one.solved is True,
        solved_no=one.solved is False,
        on_time=completed and one.kept_limit,
        on_time_original=completed and one.kept_original,
        open_overdue=overdue,
        open_overdue_original=unfinished and one.original_due_at <= as_of,
        not_yet_due=unfinished and not overdue,
        ranked_accepted=ranked and accepted,
        ranked_replied=ranked and replied,
        ranked_likes=ranked and like,
        ranked_dislikes=ranked and dislike,
    )


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
