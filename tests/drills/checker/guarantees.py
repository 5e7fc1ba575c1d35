"""The seven guarantees (quality.md, 3), what a check is, and the verdict on each guarantee."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

SHOWN = 5
"""Rows of a violation that are shown."""


class Guarantee(IntEnum):
    """By its number there. BESIDE: what the list of invariants asks besides the seven."""

    BESIDE = 0
    MESSAGES = 1
    TOGETHER = 2
    STEPS = 3
    NOTICES = 4
    PUBLISHED = 5
    RESPONSIBLE = 6
    TRAIL = 7

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Guarantee.BESIDE: "日志里没有群众的信息",
    Guarantee.MESSAGES: "已答复的消息恰好生效一次，或已留存",
    Guarantee.TOGETHER: "事项、历程、时限、计数、通知一同改变，或都不变",
    Guarantee.STEPS: "每个期限步骤每轮恰好一次，按次序",
    Guarantee.NOTICES: "通知至少送达一次，送不到的看得见",
    Guarantee.PUBLISHED: "公布的数字不会悄悄改变",
    Guarantee.RESPONSIBLE: "事项始终恰有一个负责节点",
    Guarantee.TRAIL: "历程完整、未被改动",
}


class State(StrEnum):
    HELD = "持有 held"
    BROKEN = "违反 BROKEN"
    NOT_BUILT = "未建 not built"


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold. `query` gives the rows that break it; without one, `judging` looks at it in Python."""

    guarantee: Guarantee
    what: str
    query: str = ""


@dataclass(frozen=True, slots=True)
class NotBuilt:
    """A guarantee that the service does not give yet, and why. `sign`: a query whose rows say that it does after all:
    then this entry is to go, and checks are to come."""

    why: str
    sign: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a drill is judged by."""

    checks: Sequence[Check]
    not_built: Mapping[Guarantee, NotBuilt]


@dataclass(frozen=True, slots=True)
class Violation:
    """What does not hold, how often, and the first few rows that show it."""

    guarantee: Guarantee
    what: str
    count: int
    rows: tuple[str, ...]

    def __str__(self) -> str:
        return f"✗ {self.guarantee}. {self.what}: {self.count}\n" + "\n".join(f"    {row}" for row in self.rows)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`checks`: how many were made; `why` where it is not built."""

    guarantee: Guarantee
    state: State
    checks: int
    why: str = ""

    def __str__(self) -> str:
        name = int(self.guarantee) or "＋"
        if self.state is State.NOT_BUILT:
            return (
                f"  {name} {self.state}：{self.guarantee.words}（{self.why}；已有的 {self.checks} 项检查成立 so far）"
            )
        return f"  {name} {self.state}：{self.guarantee.words}（{self.checks} 项检查）"


def broken(check: Check, rows: Sequence[Any]) -> list[Violation]:
    """The violation that these rows are, or none."""
    shown = tuple(", ".join(f"{name} {value}" for name, value in dict(row).items()) for row in rows[:SHOWN])
    return [Violation(check.guarantee, check.what, len(rows), shown)] if rows else []


def unaccounted(rules: Rules) -> list[Violation]:
    """A guarantee that nobody checks and nobody has said is not built: it must not pass in silence."""
    known = {check.guarantee for check in rules.checks} | set(rules.not_built)
    what = "a guarantee has neither a check nor an entry as not built"
    return [Violation(one, what, 1, (one.words,)) for one in Guarantee if one not in known]


def verdicts(rules: Rules, made: Sequence[Check], violations: Collection[Violation]) -> tuple[Verdict, ...]:
    """One for each guarantee; `made` are the checks that were made this time."""
    return tuple(_verdict(one, rules, made, violations) for one in Guarantee)


def _verdict(one: Guarantee, rules: Rules, made: Sequence[Check], violations: Collection[Violation]) -> Verdict:
    checks = sum(check.guarantee is one for check in made)
    if any(violation.guarantee is one for violation in violations):
        return Verdict(one, State.BROKEN, checks)
    if one in rules.not_built:
        return Verdict(one, State.NOT_BUILT, checks, rules.not_built[one].why)
    return Verdict(one, State.HELD, checks)
