"""The rates as programs read them: what GET /api/v1/rates answers and `o2o rates --json` prints."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from re import fullmatch
from typing import Any

from app.domain.counting import Counts
from app.domain.errors import Invalid
from app.domain.rates import parts, percent, share
from app.rates.service import RateRow, Table


@dataclass(frozen=True, slots=True)
class RateView:
    """A row. The counts are those of domain.rates.Counts, rates are in percent with two decimals.

    `parts`: numerator and denominator of every rate. `ranked`: the tickets completed or open past due.
    """

    code: str
    name: str
    level: str
    received: int
    accepted: int
    replied: int
    completed: int
    likes: int
    dislikes: int
    acceptance_rate: float | None
    reply_rate: float | None
    completion_rate: float | None
    satisfaction_rate: float | None
    on_time_rate: float | None
    rating_coverage: float | None
    rank: int | None
    original_on_time_rate: float | None
    first_satisfaction_rate: float | None
    solved_rate: float | None
    automatic_share: float | None
    parts: dict[str, tuple[int, int]]
    accepted_automatically: int
    explained: int
    declined: int
    first_likes: int
    first_dislikes: int
    callback_likes: int
    callback_dislikes: int
    rated_completed: int
    solved_yes: int
    solved_no: int
    on_time: int
    on_time_original: int
    open_overdue: int
    open_overdue_original: int
    not_yet_due: int
    ranked: int
    ranked_accepted: int
    ranked_replied: int
    ranked_likes: int
    ranked_dislikes: int
    withdrawn: int
    spam: int


@dataclass(frozen=True, slots=True)
class TableView:
    as_of: datetime
    rows: list[RateView]


def table_view(table: Table) -> TableView:
    """The table as it is answered."""
    return TableView(table.as_of, [_row(row) for row in table.rows])


def _row(row: RateRow) -> RateView:
    return RateView(
        code=row.code,
        name=row.name,
        level=row.level,
        rank=row.rank,
        ranked=row.counts.ranked,
        parts=parts(row.counts),
        **_percents(row.counts),
        **asdict(row.counts),
    )


def _percents(counts: Counts) -> dict[str, Any]:
    # Two decimals pass through a float's shortest form unharmed.
    reached = {name: percent(share(*pair)) for name, pair in parts(counts).items()}
    return {name: None if value is None else float(value) for name, value in reached.items()}


def day(text: str, pointer: str) -> date:
    """A day written as 2026-10-01. Raises Invalid naming `pointer`."""
    # Not left to the faces' libraries: they would also take 20261001 for seconds since 1970.
    try:
        return date.fromisoformat(text if fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else "")
    except ValueError as error:
        detail = f"“{text[:32]}”不是日期，请写成 2026-10-01 的样子"
        raise Invalid.field("rates.day", pointer, detail) from error
