"""Locks a ticket, changes it, and writes the rows beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Update, bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.batch import Batch
from app.domain.county import Node
from app.domain.policy import Sight, Standing
from app.domain.ticket import Ticket
from app.domain.vocabulary import Action, Kind, Score, Status, Via
from app.schema.audit import ticket_events
from app.schema.tickets import assignments, ratings, tickets, visits
from app.tickets.queries.visibility import Shape, seen_by, shape_of, visible

t = tickets.c
_WORK = (Action.START, Action.VISIT, Action.REPLY, Action.COMPLETE)


@dataclass(frozen=True, slots=True)
class Stored:
    """A ticket's row, as far as acting on it needs. Times are aware."""

    id: int
    number: str
    kind: str
    channel: str
    status: str
    version: int
    cycle: int
    title: str
    description: str
    category_id: int | None
    category_suggested: bool
    division_id: int
    responsible_division_id: int | None
    responsible_unit_id: int | None
    person_id: int | None
    routing_reason: str
    citizen_id: int | None
    recorder_id: int | None
    account_id: int | None
    urgent: bool
    confidential: bool
    marked_confidential: bool
    about_staff_id: int | None
    received_at: datetime
    accepted_at: datetime | None
    accepted_automatically: bool
    corrected: bool
    first_replied_at: datetime | None
    completed_at: datetime | None
    due_at: datetime
    original_due_at: datetime
    kept_limit: bool
    kept_original: bool
    works: int
    explained: bool
    score: str | None
    first_score: str | None
    rating_via: str | None
    solved: bool | None
    rating_code: str | None
    decline_reason: str | None
    withdrawn_before_work: bool

    @property
    def node(self) -> Node:
        return Node(self.responsible_division_id, self.responsible_unit_id)


_STORED = tuple(t[field.name] for field in fields(Stored))


async def lock(conn: AsyncConnection, number: str, sight: Sight) -> Stored | None:
    """The ticket, if it may be known of, held until the transaction ends."""
    return await _locked(conn, _lock_statement(shape_of(sight)), {"number": number, **seen_by(sight)})


async def lock_by_code(conn: AsyncConnection, code: str) -> Stored | None:
    """The ticket whose present completion has this rating code, held until the transaction ends."""
    return await _locked(conn, _LOCK_BY_CODE, {"code": code})


@lru_cache(maxsize=256)
def _lock_statement(shape: Shape) -> Select[Any]:
    return select(*_STORED).where(t.number == bindparam("number"), visible(shape)).with_for_update()


_LOCK_BY_CODE = select(*_STORED).where(t.rating_code == bindparam("code")).with_for_update()


async def _locked(conn: AsyncConnection, statement: Select[Any], values: Mapping[str, object]) -> Stored | None:
    found = (await conn.execute(statement, values)).one_or_none()
    return None if found is None else Stored(*found)


async def last_rating_cycle(conn: AsyncConnection, ticket_id: int) -> int | None:
    """The cycle in which the ticket was last rated here; how it was rated elsewhere is history and repeats nothing."""
    rated_here = (ratings.c.ticket_id == ticket_id, ratings.c.via != Via.IMPORTED)
    return (await conn.execute(select(func.max(ratings.c.cycle)).where(*rated_here))).scalar_one()


def as_ticket(row: Stored, rated_cycle: int | None) -> Ticket:
    """The row as the rules see it."""
    return Ticket(
        id=row.id,
        number=row.number,
        kind=Kind(row.kind),
        status=Status(row.status),
        version=row.version,
        cycle=row.cycle,
        division_id=row.division_id,
        standing=Standing(
            node=row.node,
            person_id=row.person_id,
            citizen_id=row.citizen_id,
            recorder_id=row.recorder_id,
            confidential=row.confidential,
            about_staff_id=row.about_staff_id,
        ),
        category_id=row.category_id,
        accepted_at=row.accepted_at,
        accepted_automatically=row.accepted_automatically,
        corrected=row.corrected,
        first_replied_at=row.first_replied_at,
        completed_at=row.completed_at,
        due_at=row.due_at,
        original_due_at=row.original_due_at,
        works=row.works,
        score=Score(row.score) if row.score else None,
        rated_cycle=rated_cycle,
    )


# Built once: what is made anew for each call costs more than its run.
_NEXT_ID = text("SELECT nextval('ticket_id_seq')")


async def next_id(conn: AsyncConnection) -> int:
    """The id of the next ticket: its number is made of it before it is written."""
    return int((await conn.execute(_NEXT_ID)).scalar_one())


def add_ticket(batch: Batch, row: Mapping[str, Any]) -> None:
    batch.add(tickets, row)


async def change(conn: AsyncConnection, ticket_id: int, changes: Mapping[str, Any]) -> None:
    await conn.execute(_change_statement(tuple(sorted(changes))), {"row": ticket_id, **changes})


@lru_cache(maxsize=256)
def _change_statement(names: tuple[str, ...]) -> Update:
    given = {name: bindparam(name, type_=t[name].type) for name in names}
    return update(tickets).where(t.id == bindparam("row")).values(given)


def add_assignment(batch: Batch, row: Mapping[str, Any]) -> None:
    """What was responsible before must have ended by then."""
    batch.add(assignments, row)


async def end_assignment(conn: AsyncConnection, ticket_id: int, now: datetime) -> None:
    a = assignments.c
    await conn.execute(update(assignments).where(a.ticket_id == ticket_id, a.until.is_(None)).values(until=now))


async def name_person(conn: AsyncConnection, ticket_id: int, person_id: int) -> None:
    """Whoever starts an unassigned ticket becomes its person."""
    a = assignments.c
    await conn.execute(
        update(assignments).where(a.ticket_id == ticket_id, a.until.is_(None)).values(person_id=person_id)
    )


def add_visit(batch: Batch, row: Mapping[str, Any]) -> None:
    batch.add(visits, row)


def add_rating(batch: Batch, row: Mapping[str, Any]) -> None:
    batch.add(ratings, row)


async def worked(conn: AsyncConnection, ticket_id: int) -> frozenset[int]:
    """Staff who were assigned the ticket or did start, visit, reply or complete on it."""
    assigned = select(assignments.c.person_id).where(assignments.c.ticket_id == ticket_id)
    e = ticket_events.c
    acted = select(e.actor_id).where(e.ticket_id == ticket_id, e.actor_kind == "staff", e.action.in_(_WORK))
    return frozenset(i for i in (await conn.execute(assigned.union(acted))).scalars() if i is not None)


async def published(conn: AsyncConnection, number: str) -> bool:
    """Whether the public may know of that number."""
    found = await conn.execute(select(t.id).where(t.number == number, t.confidential.is_(False)))
    return found.one_or_none() is not None
