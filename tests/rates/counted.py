"""Tickets for counting: rows written as they are, whatever life would have led to them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import Text, cast, column, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.counting import Facts
from app.domain.county import County, Node
from app.domain.vocabulary import SHANGHAI, Channel, Score, Status, Via
from app.rates.queries import counting
from app.schema.tickets import tickets

_numbers = count(1)
RECEIVED = datetime(2026, 8, 12, 9, tzinfo=SHANGHAI)
DONE = Facts(
    status=Status.COMPLETED,
    channel=Channel.GROUP,
    received_at=RECEIVED,
    accepted_at=RECEIVED + timedelta(hours=1),
    accepted_automatically=False,
    first_replied_at=RECEIVED + timedelta(hours=2),
    completed_at=RECEIVED + timedelta(days=3),
    due_at=RECEIVED + timedelta(days=10),
    original_due_at=RECEIVED + timedelta(days=10),
    kept_limit=True,
    kept_original=True,
    explained=False,
    score=None,
    first_score=None,
    via=None,
    solved=None,
    declined_reason=None,
    withdrawn_by_citizen_before_work=False,
)
LIKED = replace(DONE, score=Score.LIKE, first_score=Score.LIKE, via=Via.WECHAT, solved=True)
UNTOUCHED = replace(DONE, status=Status.RECEIVED, accepted_at=None, first_replied_at=None, completed_at=None)
"""Overdue since ten days after RECEIVED."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A ticket: what it contributes, where the matter is, and who is responsible."""

    facts: Facts
    place_id: int
    node: Node
    confidential: bool = False


def at(county: County, code: str, facts: Facts = DONE, unit: str | None = None, **more: Any) -> Placed:
    """A ticket in that division, handled by it or by that unit."""
    place = county.by_code[code].id
    node = Node(unit_id=county.unit_by_code[unit].id) if unit else Node(division_id=place)
    return Placed(facts, place, node, **more)


async def write(conn: AsyncConnection, placed: Sequence[Placed]) -> None:
    await conn.execute(insert(tickets), [_row(one) | {"number": f"r{next(_numbers)}"} for one in placed])
    # They did not live through what would have counted them.
    await counting.rebuild(conn)


async def write_many(conn: AsyncConnection, one: Placed, times: int) -> None:
    """The same ticket so many times, by one statement."""
    row = _row(one)
    values = [literal(value, tickets.c[name].type) for name, value in row.items()]
    number = literal(f"m{next(_numbers)}-") + cast(column("n"), Text)
    numbered = select(number, *values).select_from(func.generate_series(1, times).alias("n"))
    await conn.execute(insert(tickets).from_select(["number", *row], numbered))
    await counting.rebuild(conn)


def _row(placed: Placed) -> dict[str, Any]:
    f = placed.facts
    return {
        "kind": "problem",
        "channel": f.channel,
        "status": f.status,
        "version": 1,
        "cycle": 1,
        "title": "路灯不亮",
        "description": "路灯不亮",
        "category_suggested": False,
        "division_id": placed.place_id,
        "responsible_division_id": placed.node.division_id,
        "responsible_unit_id": placed.node.unit_id,
        "routing_reason": "测试",
        "urgent": False,
        "confidential": placed.confidential,
        "marked_confidential": placed.confidential,
        "received_at": f.received_at,
        "entered_at": f.received_at,
        "accepted_at": f.accepted_at,
        "accepted_automatically": f.accepted_automatically,
        "corrected": False,
        "first_replied_at": f.first_replied_at,
        "completed_at": f.completed_at,
        "due_at": f.due_at,
        "original_due_at": f.original_due_at,
        "kept_limit": f.kept_limit,
        "kept_original": f.kept_original,
        "works": 0,
        "explained": f.explained,
        "score": f.score,
        "first_score": f.first_score,
        "rating_via": f.via,
        "solved": f.solved,
        "decline_reason": f.declined_reason,
        "withdrawn_before_work": f.withdrawn_by_citizen_before_work,
    }


def any_facts(random: Random, moments: Sequence[datetime]) -> Facts:
    """Any ticket that can be, and some that can't: only that a completed one has been completed is kept to."""
    status = random.choice(list(Status))
    must = status in {Status.COMPLETED, Status.CLOSED}
    may = status is Status.MERGED and random.random() < 0.5
    score = random.choice([None, *Score])

    def moment() -> datetime:
        return random.choice(moments)

    def maybe() -> datetime | None:
        return random.choice([None, moment()])

    return Facts(
        status=status,
        channel=random.choice(list(Channel)),
        received_at=moment(),
        accepted_at=maybe(),
        accepted_automatically=random.random() < 0.5,
        first_replied_at=maybe(),
        completed_at=moment() if must or may else None,
        due_at=moment(),
        original_due_at=moment(),
        kept_limit=random.random() < 0.5,
        kept_original=random.random() < 0.5,
        explained=random.random() < 0.5,
        score=score,
        first_score=random.choice(list(Score)) if score else None,
        via=random.choice(list(Via)) if score else None,
        solved=random.choice([None, True, False]) if score else None,
        declined_reason=random.choice([None, "spam", "no_facts", "in_procedure"]),
        withdrawn_by_citizen_before_work=random.random() < 0.5,
    )
