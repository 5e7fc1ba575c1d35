"""Single views and lists of tickets. Each is one statement, whatever it joins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, any_, bindparam, case, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.policy import Sight
from app.domain.ticket import Primary
from app.domain.vocabulary import OPEN, Status, Via
from app.schema.audit import event_texts, ticket_events
from app.schema.base import Id, Moment
from app.schema.divisions import divisions
from app.schema.limits import ticket_limits
from app.schema.people import citizens, staff
from app.schema.tickets import is_open, ratings, tickets
from app.tickets.queries import attachments
from app.tickets.queries.changing import Stored, acted_on
from app.tickets.queries.visibility import Shape, below_any, seen_by, shape_of, visible

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
    merged_into: str | None
    primary_status: str | None
    primary_cycle: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket as a list shows it. `rated_cycle`: the cycle in which it was last rated; `acted`: whether whoever looks
    has ever acted on it."""

    stored: Stored
    beside: Beside
    rated_cycle: int | None
    acted: bool

    @property
    def primary(self) -> Primary | None:
        if self.beside.primary_status is None or self.beside.primary_cycle is None:
            return None
        return Primary(Status(self.beside.primary_status), self.beside.primary_cycle)


@dataclass(frozen=True, slots=True)
class Detail:
    """One ticket whole: `limits` and `events` are lists of JSON objects, the events in order. `people`: how many
    different citizens have told of this matter, in it and in what is merged into it."""

    seen: Seen
    people: int
    result: str | None
    limits: list[dict[str, Any]]
    events: list[dict[str, Any]]
    files: list[dict[str, Any]]


_person = staff.alias("person")
_primary = tickets.alias("into")
_actor = staff.alias("actor")
_JOINED: Mapping[str, ColumnElement[Any]] = {
    "person_username": _person.c.username,
    "person_name": _person.c.name,
    "citizen_name": citizens.c.name,
    "citizen_phone": citizens.c.phone,
    "merged_into": _primary.c.number,
    "primary_status": _primary.c.status,
    "primary_cycle": _primary.c.cycle,
}
_STORED: tuple[ColumnElement[Any], ...] = tuple(t[field.name] for field in fields(Stored))
_BESIDE: tuple[ColumnElement[Any], ...] = tuple(
    _JOINED[field.name] if field.name in _JOINED else t[field.name] for field in fields(Beside)
)
_RATED_CYCLE = (
    select(func.max(ratings.c.cycle))
    .where(ratings.c.ticket_id == t.id, ratings.c.via != Via.IMPORTED)
    .scalar_subquery()
)
_ACTED = acted_on(t.id, bindparam("looking", type_=Id))
_SEEN = (*_STORED, *_BESIDE, _RATED_CYCLE, _ACTED)
_SOURCE = (
    tickets.outerjoin(_person, _person.c.id == t.person_id)
    .outerjoin(citizens, citizens.c.id == t.citizen_id)
    .outerjoin(_primary, _primary.c.id == t.merged_into_id)
)


def _seen(row: Sequence[Any]) -> Seen:
    cut, end = len(_STORED), len(_STORED) + len(_BESIDE)
    return Seen(Stored(*row[:cut]), Beside(*row[cut:end]), row[end], row[end + 1])


async def detail(conn: AsyncConnection, sight: Sight, by: str, value: str | int) -> Detail | None:
    """The one visible ticket whose column `by` (number, id) has that value, with its limits, trail and texts."""
    values = {"value": value, "looking": sight.staff_id, **seen_by(sight)}
    row = (await conn.execute(_detail_statement(shape_of(sight), by), values)).one_or_none()
    if row is None:
        return None
    people, result, limits, events, files = row[len(_SEEN) :]
    return Detail(_seen(row), people, result, limits or [], events or [], files or [])


@lru_cache(maxsize=256)
def _detail_statement(shape: Shape, by: str) -> Select[Any]:
    query = select(*_SEEN, _people(), t.result, _limits(), _events(), attachments.of_ticket(t.id)).select_from(_SOURCE)
    return query.where(t[by] == bindparam("value", type_=t[by].type), visible(shape))


def _people() -> ColumnElement[Any]:
    """Whoever is not known by name counts once for each ticket."""
    one = tickets.alias("told")
    told = select(func.count(func.coalesce(one.c.citizen_id, -one.c.id).distinct()))
    whole = told.where(or_(one.c.id == t.id, one.c.merged_into_id == t.id)).scalar_subquery()
    return case((t.copies == 0, 1), else_=whole)


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


async def page(conn: AsyncConnection, sight: Sight, filters: Filters, wanted: Page, now: datetime) -> list[Seen]:
    """At most `limit` + 1 tickets: one more than asked for tells that there is a next page."""
    given = frozenset(f.name for f in fields(Filters) if getattr(filters, f.name) not in (None, (), []))
    if set(filters.status) == OPEN:
        given = given - {"status"} | {"open"}
    late = None if filters.overdue is None else bool(filters.overdue)
    statement = _page_statement(shape_of(sight), given, late, wanted.order, wanted.after is not None)
    values = {f"is_{name}": getattr(filters, name) for name in given - {"overdue", "open"}}
    if wanted.after is not None:
        values |= {"after_moment": wanted.after[0], "after_id": wanted.after[1]}
    values |= {"now": now} if late is not None else {}
    rows = await conn.execute(
        statement, {"most": wanted.limit + 1, "looking": sight.staff_id, **values, **seen_by(sight)}
    )
    return [_seen(row) for row in rows]


@lru_cache(maxsize=512)
def _page_statement(shape: Shape, given: frozenset[str], late: bool | None, order: str, after: bool) -> Select[Any]:
    conditions = _conditions()
    chosen = [conditions[name] for name in sorted(given - {"overdue"})]
    if late is not None:
        overdue = and_(is_open, t.due_at <= bindparam("now", type_=Moment))
        chosen.append(overdue if late else ~overdue)
    query = select(*_SEEN).select_from(_SOURCE).where(visible(shape), *chosen)
    return _ordered(query, order, after=after).limit(bindparam("most", type_=BigInteger()))


def _ordered(query: Select[Any], order: str, *, after: bool) -> Select[Any]:
    """By due time, the most urgent first, or by time of receipt, the newest first; `after` the page before."""
    moment = t.received_at if order == "received_at" else t.due_at
    mark = tuple_(bindparam("after_moment", type_=Moment), bindparam("after_id", type_=BigInteger()))
    if order == "received_at":
        query = query.where(tuple_(moment, t.id) < mark) if after else query
        return query.order_by(moment.desc(), t.id.desc())
    query = query.where(tuple_(moment, t.id) > mark) if after else query
    return query.order_by(moment, t.id)


def _conditions() -> Mapping[str, ColumnElement[bool]]:
    """One for each filter, with the parameter is_<name>."""

    def one(name: str, like: ColumnElement[Any]) -> ColumnElement[Any]:
        return bindparam(f"is_{name}", type_=like.type)

    def several(name: str, like: ColumnElement[Any]) -> ColumnElement[Any]:
        return any_(bindparam(f"is_{name}", type_=ARRAY(like.type)))

    below = select(divisions.c.id).where(below_any(one("area", divisions.c.id)))
    return {
        "open": is_open,
        "status": t.status == several("status", t.status),
        "kind": t.kind == one("kind", t.kind),
        "category_ids": t.category_id == several("category_ids", t.category_id),
        "area": t.division_id.in_(below),
        "person_id": t.person_id == one("person_id", t.person_id),
        "due_before": t.due_at < one("due_before", t.due_at),
        "number": t.number == one("number", t.number),
        "channel": t.channel == one("channel", t.channel),
        "received_from": t.received_at >= one("received_from", t.received_at),
        "received_to": t.received_at < one("received_to", t.received_at),
    }
