"""The simulation's own books: what happened to each ticket, counted by the domain's rules, held against the service."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from app.demo.cast import NOBODY, Account, Cast, Responsible, User
from app.domain.counting import Counts, Facts, count
from app.domain.rates import percent, rates
from app.domain.vocabulary import Attribution, Channel, Kind, Level, Score, Status, Via

UNIT = "unit"
COMPARED = {
    "received": "收到",
    "accepted": "受理",
    "replied": "回复",
    "completed": "办结",
    "likes": "点赞",
    "dislikes": "踩",
}
"""The counts that every row of rates has (interface.md), as people call them."""
BESIDE = {
    "accepted_automatically": "自动受理",
    "explained": "解释办结",
    "declined": "不予受理",
    "first_likes": "首次点赞",
    "first_dislikes": "首次踩",
    "rated_completed": "已评价的办结",
    "on_time": "按时办结",
    "withdrawn": "撤回",
    "spam": "垃圾信息",
}
"""Those that a row may have besides. None of them depends on the clock alone, so the difference of two readings is what
was done between them."""
FOUR_RATES = {
    "acceptance_rate": "受理率",
    "reply_rate": "回复率",
    "completion_rate": "办结率",
    "satisfaction_rate": "满意率",
}

Row = Mapping[str, Any]


class Key(NamedTuple):
    """One row of the rates: how it is attributed, at which level, whose."""

    attribution: Attribution
    level: str
    code: str


@dataclass(slots=True)
class Entry:
    """One ticket, as it should stand by what was done to it. Times are the service's, aware.

    `meant`: the category it is really about. `allowed`: the codes its place may have. `sent_to`: the node it has to be
    with, where that is certain. `hands`: who was given it or worked on it, and so is not handed its rating code;
    `worker`: the last who did.
    """

    number: str
    channel: Channel
    meant: str
    allowed: frozenset[str]
    confidential: bool
    received_at: datetime
    recorder: User | None = None
    account: Account | None = None
    openid: str = ""
    place: str = ""
    node: Responsible = NOBODY
    sent_to: Responsible | None = None
    person: str | None = None
    category: str | None = None
    kind: Kind = Kind.CONSULTATION
    status: Status = Status.RECEIVED
    version: int = 1
    cycle: int = 1
    works: int = 0
    accepted_at: datetime | None = None
    automatically: bool = False
    replied: bool = False
    replied_at: datetime | None = None
    completed_at: datetime | None = None
    due_at: datetime | None = None
    score: Score | None = None
    first_score: Score | None = None
    via: Via | None = None
    hands: set[str] = field(default_factory=set)
    worker: User | None = None

    def facts(self) -> Facts:
        """What the ticket contributes to the rates. Nothing here is ever late, declined or withdrawn."""
        due = self.due_at or self.received_at
        return Facts(
            status=self.status,
            channel=self.channel,
            received_at=self.received_at,
            accepted_at=self.accepted_at,
            accepted_automatically=self.automatically,
            first_replied_at=self.replied_at,
            completed_at=self.completed_at,
            due_at=due,
            original_due_at=due,
            kept_limit=True,
            kept_original=True,
            explained=False,
            score=self.score,
            first_score=self.first_score,
            via=self.via,
            solved=None,
            declined_reason=None,
            withdrawn_by_citizen_before_work=False,
        )

    def rate(self, score: Score, via: Via) -> None:
        """The citizen's word; a dislike reopens the ticket (domain.md, 2, Rating)."""
        self.first_score = self.first_score or score
        self.score, self.via = score, via
        if score is Score.DISLIKE:
            self.status, self.completed_at, self.works = Status.IN_PROGRESS, None, 0
            self.cycle += 1


@dataclass(slots=True)
class Books:
    """Every ticket that the simulation opened."""

    cast: Cast
    entries: list[Entry] = field(default_factory=list)

    def counts(self, as_of: datetime) -> dict[Key, Counts]:
        """What each row of the rates should have gained: only the rows that any ticket belongs to."""
        by_row: dict[Key, list[Facts]] = {}
        for entry in self.entries:
            for key in self._rows(entry):
                by_row.setdefault(key, []).append(entry.facts())
        return {key: count(facts, as_of) for key, facts in by_row.items()}

    def _rows(self, entry: Entry) -> Iterator[Key]:
        """Territorial: the place and all above it. Handling: the node, its division and all above that.

        All counts of a confidential one are the county's (domain.md, 2), whichever town's inspector has it.
        """
        for code in _lineage(entry.place):
            yield Key(Attribution.TERRITORIAL, _level(code), code)
        for code in _lineage(self.cast.root if entry.confidential else self.cast.home(entry.node)):
            yield Key(Attribution.HANDLING, _level(code), code)
        if entry.node.unit_code is not None:
            yield Key(Attribution.HANDLING, UNIT, entry.node.unit_code)


def differences(expected: Mapping[Key, Counts], before: Mapping[Key, Row], after: Mapping[Key, Row]) -> list[str]:
    """Each count by which the service's rows gained something else than the books say, in Chinese; rates that are not
    what their own counts make. `before` and `after`: all rows read then; a row that is not there counts nothing."""
    lines = []
    for key in sorted({*expected, *before, *after}):
        should = expected.get(key, Counts.zero())
        old, new = before.get(key, {}), after.get(key, {})
        for name, label in (COMPARED | BESIDE).items():
            if name in BESIDE and new and name not in new:
                continue
            had, has, gain = old.get(name, 0), new.get(name, 0), getattr(should, name)
            if has - had != gain:
                lines.append(
                    f"{_named(key, new or old)}的“{label}”：账上增 {gain}，服务增 {has - had}（{had} → {has}）"
                )
        lines += [f"{_named(key, new)}的{wrong}" for wrong in _wrong_rates(new)]
    return lines


def _wrong_rates(row: Row) -> Iterator[str]:
    """The four rates are to be those of the row's own counts."""
    if not row:
        return
    shares = rates(Counts(**{name: row[name] for name in COMPARED}))
    for name, label in FOUR_RATES.items():
        right = percent(getattr(shares, name))
        if row[name] != (None if right is None else float(right)):
            yield f"{label}：按它自己的件数应为 {right}，服务给出 {row[name]}"


def _named(key: Key, row: Row) -> str:
    return f"{key.attribution.label} {row.get('name', '')}（{key.code}）"


def keyed(attribution: Attribution, rows: Iterable[Row]) -> dict[Key, Row]:
    """The rows of one answer under their keys."""
    return {Key(attribution, row["level"], row["code"]): row for row in rows}


def _lineage(code: str) -> Iterator[str]:
    """The codes from the county down to a village that a place counts at (the rates of grids are not looked at)."""
    return (code[:length] for length in _LENGTHS if len(code) >= length)


def _level(code: str) -> str:
    return _LENGTHS[len(code)]


_LENGTHS: Mapping[int, str] = {6: Level.COUNTY, 9: Level.TOWN, 12: Level.VILLAGE}
