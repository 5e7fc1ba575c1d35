"""Single views and lists of tickets. Each is one statement, whatever it joins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.vocabulary import OPEN, Status
from app.schema.audit import event_texts, ticket_events
from app.schema.divisions import divisions
from app.schema.limits import ticket_limits
from app.schema.people import citizens, staff
from app.schema.tickets import ratings, tickets
from app.tickets.queries.changing import Stored
from app.tickets.queries.visibility import below_any

t = tickets.c


@dataclass(frozen=True, slots=True)
class Beside:
    """What a view shows beside the row that the rules need (Stored). Times are aware (UTC)."""

    rated_at: datetime | None
    closed_at: datetime | None
    explained: bool
    rating_comment: str | None
    solved: bool | None
    rating_via: str | None
    source: dict[str, str] | None
    person_username: str | None
    person_name: str | None
    citizen_name: str | None
    citizen_phone: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket as a list shows it. `rated_cycle`: the cycle in which it was last rated."""

    stored: Stored
    beside: Beside
    rated_cycle: int | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One ticket whole: `limits` and `events` are lists of JSON objects, the events in order."""

    seen: Seen
    result: str | None
    limits: list[dict[str, Any]]
    events: list[dict[str, Any]]


_person = staff.alias("person")
_actor = staff.alias("actor")
_JOINED: Mapping[str, ColumnElement[Any]] = {
    "person_username": _person.c.username,
    "person_name": _person.c.name,
    "citizen_name": citizens.c.name,
    "citizen_phone": citizens.c.phone,
}
_STORED: tuple[ColumnElement[Any], ...] = tuple(t[field.name] for field in fields(Stored))
_BESIDE: tuple[ColumnElement[Any], ...] = tuple(
    _JOINED[field.name] if field.name in _JOINED else t[field.name] for field in fields(Beside)
)
_RATED_CYCLE = select(func.max(ratings.c.cycle)).where(ratings.c.ticket_id == t.id).scalar_subquery()
_SEEN = (*_STORED, *_BESIDE, _RATED_CYCLE)
_SOURCE = tickets.outerjoin(_person, _person.c.id == t.person_id).outerjoin(citizens, citizens.c.id == t.citizen_id)


def _seen(row: Sequence[Any]) -> Seen:
    cut, end = len(_STORED), len(_STORED) + len(_BESIDE)
    return Seen(Stored(*row[:cut]), Beside(*row[cut:end]), row[end])


async def detail(conn: AsyncConnection, condition: ColumnElement[bool]) -> Detail | None:
    """The one ticket that meets `condition`, with its limits, trail and texts: one statement."""
    query = select(*_SEEN, t.result, _limits(), _events()).select_from(_SOURCE)
    row = (await conn.execute(query.where(condition))).one_or_none()
    if row is None:
        return None
    result, limits, events = row[len(_SEEN) :]
    return Detail(_seen(row), result, limits or [], events or [])


def _limits() -> ColumnElement[Any]:
    x = ticket_limits.c
    one = func.json_build_object(
        "kind", x.kind, "cycle", x.cycle, "due_at", x.due_at, "original_due_at", x.original_due_at,
        "rule", x.rule, "provisional", x.provisional,
    )  # fmt: skip
    return select(func.json_agg(one)).where(x.ticket_id == t.id).scalar_subquery()


def _events() -> ColumnElement[Any]:
    e, x = ticket_events.c, event_texts.c
    one = func.json_build_object(
        "at", e.at, "action", e.action, "from", e.from_status, "to", e.to_status, "kind", e.actor_kind,
        "role", e.actor_role, "name", _actor.c.name, "text", x.text, "public", x.public,
    )  # fmt: skip
    source = ticket_events.outerjoin(event_texts, and_(x.ticket_id == e.ticket_id, x.seq == e.seq)).outerjoin(
        _actor, and_(_actor.c.id == e.actor_id, e.actor_kind == "staff")
    )
    in_order = aggregate_order_by(one, e.seq)
    return select(func.json_agg(in_order)).select_from(source).where(e.ticket_id == t.id).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed by; None leaves a filter out. `area`: a division and all below it."""

    status: Sequence[Status] = ()
    kind: str | None = None
    category_ids: Sequence[int] = ()
    area: int | None = None
    person_id: int | None = None
    overdue: bool | None = None
    due_before: datetime | None = None
    number: str | None = None
    channel: str | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Which page: `order` is due_at or received_at (the newest first); `after` is the last row of the page before."""

    order: str = "due_at"
    limit: int = 20
    after: tuple[datetime, int] | None = None


async def page(
    conn: AsyncConnection, sight: ColumnElement[bool], filters: Filters, wanted: Page, now: datetime
) -> list[Seen]:
    """At most `limit` + 1 tickets: one more than asked for tells that there is a next page."""
    query = select(*_SEEN).select_from(_SOURCE).where(sight, *_conditions(filters, now))
    rows = await conn.execute(_ordered(query, wanted).limit(wanted.limit + 1))
    return [_seen(row) for row in rows]


def _ordered(query: Select[Any], wanted: Page) -> Select[Any]:
    if wanted.order == "received_at":
        if wanted.after is not None:
            query = query.where(tuple_(t.received_at, t.id) < tuple_(*wanted.after))
        return query.order_by(t.received_at.desc(), t.id.desc())
    if wanted.after is not None:
        query = query.where(tuple_(t.due_at, t.id) > tuple_(*wanted.after))
    return query.order_by(t.due_at, t.id)


def _conditions(f: Filters, now: datetime) -> list[ColumnElement[bool]]:
    is_open = t.status.in_(OPEN)
    late = and_(is_open, t.due_at <= now)
    found: list[ColumnElement[bool] | None] = [
        t.status.in_(f.status) if f.status else None,
        t.kind == f.kind if f.kind else None,
        t.category_id.in_(f.category_ids) if f.category_ids else None,
        t.division_id.in_(select(divisions.c.id).where(below_any(frozenset({f.area})))) if f.area else None,
        t.person_id == f.person_id if f.person_id is not None else None,
        late if f.overdue else None,
        or_(~is_open, t.due_at > now) if f.overdue is False else None,
        t.due_at < f.due_before if f.due_before else None,
        t.number == f.number if f.number else None,
        t.channel == f.channel if f.channel else None,
        t.received_at >= f.received_from if f.received_from else None,
        t.received_at < f.received_to if f.received_to else None,
    ]
    return [condition for condition in found if condition is not None]
