"""Locks a ticket, changes it, and writes the rows beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, Update, any_, bindparam, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.batch import Batch
from app.domain.county import County, Node
from app.domain.errors import Busy
from app.domain.policy import Sight, Standing
from app.domain.ticket import Primary, Ticket
from app.domain.vocabulary import Action, Asked, Kind, Score, Status, Via
from app.schema.audit import ticket_events
from app.schema.base import Id
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
    declined_at: datetime | None
    appealed: bool
    for_principal: bool
    came_from_division_id: int | None
    came_from_unit_id: int | None
    return_until: datetime | None
    returns: int
    waiting_reason: str | None
    waiting_text: str | None
    look_again_on: date | None
    merged_into_id: int | None
    merged_at: datetime | None
    status_before: str | None
    before_merge: dict[str, Any] | None
    copies: int
    extension_state: str | None
    extension_asked: int | None
    extension_text: str | None
    extension_asker_id: int | None
    extensions: int
    extension_days: int
    unreasonable_state: str | None
    unreasonable_asker_id: int | None
    photos: int
    last_completed_at: datetime | None
    chain_head: bytes | None

    @property
    def node(self) -> Node:
        return Node(self.responsible_division_id, self.responsible_unit_id)

    @property
    def came_from(self) -> Node | None:
        """The node that it was moved from; None where it was routed."""
        if self.came_from_division_id is None and self.came_from_unit_id is None:
            return None
        return Node(self.came_from_division_id, self.came_from_unit_id)


_STORED = tuple(t[field.name] for field in fields(Stored))


@dataclass(frozen=True, slots=True)
class Locked:
    """A ticket's row held until the transaction ends, and, of a merged one, that of its primary, held as well.

    The order is: primaries by id, then copies by id. So the primary of a copy is held before the copy itself.
    """

    row: Stored
    primary: Stored | None = None


async def lock(conn: AsyncConnection, number: str, sight: Sight) -> Locked | None:
    """The ticket of that number, if it may be known of."""
    shape = shape_of(sight)
    values = {"number": number, **seen_by(sight)}
    row = await _locked(conn, _lock_statement(shape), values)
    return Locked(row) if row is not None else await _locked_copy(conn, _copy_statement(shape), values)


async def lock_by_code(conn: AsyncConnection, code: str) -> Locked | None:
    """The ticket whose present completion has this rating code."""
    row = await _locked(conn, _LOCK_BY_CODE, {"code": code})
    return Locked(row) if row is not None else await _locked_copy(conn, _COPY_BY_CODE, {"code": code})


async def lock_by_id(conn: AsyncConnection, ticket_id: int) -> Stored | None:
    return await _locked(conn, _LOCK_BY_ID, {"row": ticket_id})


async def ids_of(conn: AsyncConnection, numbers: Sequence[str], sight: Sight) -> dict[str, int]:
    """The ids of those tickets that may be known of, by number; nothing is held."""
    found = await conn.execute(_ids_statement(shape_of(sight)), {"numbers": list(numbers), **seen_by(sight)})
    return {row.number: row.id for row in found}


async def lock_primary(conn: AsyncConnection, ticket_id: int) -> Stored | None:
    """The ticket, held, unless it is merged into another: a copy is held after its primary."""
    return await _locked(conn, _LOCK_PRIMARY, {"row": ticket_id})


async def copies_of(conn: AsyncConnection, primary_id: int) -> list[Stored]:
    """All that are merged into it, held, by id; whoever calls holds the primary."""
    return [Stored(*row) for row in await conn.execute(_COPIES, {"primary": primary_id})]


async def acted(conn: AsyncConnection, ticket_id: int, staff_id: int) -> bool:
    """Whether that member of staff was ever assigned the ticket, or did anything on it but to note and to rate."""
    return bool((await conn.execute(_ACTED, {"ticket": ticket_id, "staff": staff_id})).scalar_one())


_IS_COPY = t.status == Status.MERGED.value


@lru_cache(maxsize=256)
def _lock_statement(shape: Shape) -> Select[Any]:
    return select(*_STORED).where(t.number == bindparam("number"), visible(shape), ~_IS_COPY).with_for_update()


@lru_cache(maxsize=256)
def _copy_statement(shape: Shape) -> Select[int, int | None]:
    return select(t.id, t.merged_into_id).where(t.number == bindparam("number"), visible(shape), _IS_COPY)


@lru_cache(maxsize=256)
def _ids_statement(shape: Shape) -> Select[str, int]:
    numbers = any_(bindparam("numbers", type_=ARRAY(Text())))
    return select(t.number, t.id).where(t.number == numbers, visible(shape))


_OF_CODE = t.rating_code == bindparam("code")
_LOCK_BY_CODE = select(*_STORED).where(_OF_CODE, ~_IS_COPY).with_for_update()
_COPY_BY_CODE = select(t.id, t.merged_into_id).where(_OF_CODE, _IS_COPY)
_LOCK_BY_ID = select(*_STORED).where(t.id == bindparam("row")).with_for_update()
_LOCK_PRIMARY = select(*_STORED).where(t.id == bindparam("row"), ~_IS_COPY).with_for_update()
_COPIES = select(*_STORED).where(t.merged_into_id == bindparam("primary"), _IS_COPY).order_by(t.id).with_for_update()


def acted_on(ticket: ColumnElement[int], staff: ColumnElement[int]) -> ColumnElement[bool]:
    """See `acted`, as a condition."""
    e, a = ticket_events.c, assignments.c
    own = (e.actor_kind == "staff", e.actor_id == staff, e.action.not_in((Action.NOTE, Action.RATE)))
    return or_(exists().where(e.ticket_id == ticket, *own), exists().where(a.ticket_id == ticket, a.person_id == staff))


_ACTED = select(acted_on(bindparam("ticket", type_=Id), bindparam("staff", type_=Id)))


async def _locked(conn: AsyncConnection, statement: Select[Any], values: Mapping[str, object]) -> Stored | None:
    found = (await conn.execute(statement, values)).one_or_none()
    return None if found is None else Stored(*found)


async def _locked_copy(
    conn: AsyncConnection, statement: Select[int, int | None], values: Mapping[str, object], tries: int = 3
) -> Locked | None:
    """It is looked up first, then its primary is held, then itself: by then it may have been taken out again."""
    for _ in range(tries):
        found = (await conn.execute(statement, values)).one_or_none()
        if found is None:
            return None
        primary = await lock_by_id(conn, found.merged_into_id)
        row = await lock_by_id(conn, found.id)
        if row is not None and row.merged_into_id == found.merged_into_id:
            return Locked(row, primary)
    raise Busy("ticket.moving", "事项正在并单或拆单，请稍后再试")


async def last_rating_cycle(conn: AsyncConnection, ticket_id: int) -> int | None:
    """The cycle in which the ticket was last rated here; how it was rated elsewhere is history and repeats nothing."""
    rated_here = (ratings.c.ticket_id == ticket_id, ratings.c.via != Via.IMPORTED)
    return (await conn.execute(select(func.max(ratings.c.cycle)).where(*rated_here))).scalar_one()


def as_ticket(
    row: Stored, county: County, rated_cycle: int | None, primary: Primary | None, *, acted: bool = True
) -> Ticket:
    """The row as the rules see it. `acted`: whether whoever looks has ever acted on it."""
    category = county.category(row.category_id)
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
            extension_asker_id=row.extension_asker_id,
            unreasonable_asker_id=row.unreasonable_asker_id,
            acted=acted,
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
        at_county=row.responsible_division_id == county.root.id,
        return_until=row.return_until,
        waiting=row.waiting_reason is not None,
        copies=row.copies,
        primary=primary,
        status_before=Status(row.status_before) if row.status_before else None,
        extension=Asked(row.extension_state) if row.extension_state else None,
        extensions=row.extensions,
        extension_days=row.extension_days,
        unreasonable=Asked(row.unreasonable_state) if row.unreasonable_state else None,
        declined_at=row.declined_at,
        appealed=row.appealed,
        for_principal=row.for_principal,
        photo_required=category is not None and category.photo_required,
        photos=row.photos,
        last_completed_at=row.last_completed_at,
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
