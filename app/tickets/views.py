"""What a member of staff or the citizen who filed sees of a ticket: the shapes of interface.md, times in +08:00."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from typing_extensions import TypedDict

from app.base.work import Work
from app.divisions.service import Atlas, node_codes
from app.domain import masking, policy
from app.domain.errors import Missing
from app.domain.lifecycle import allowed
from app.domain.policy import Capacity
from app.domain.vocabulary import OPEN, SHANGHAI, Action
from app.suggestion import service as suggestion
from app.suggestion.service import SuggestionView
from app.tickets import codes
from app.tickets.queries import reading
from app.tickets.queries.changing import Stored, as_ticket
from app.tickets.queries.reading import Beside, Detail, Filters, Page, Seen

_WORKERS = frozenset(
    {Capacity.ASSIGNED, Capacity.COLLEAGUE, Capacity.ADMINISTRATOR, Capacity.RECORDER, Capacity.CITIZEN}
)


@dataclass(frozen=True, slots=True)
class CategoryView:
    code: str
    name: str
    suggested: bool


@dataclass(frozen=True, slots=True)
class DivisionView:
    code: str
    name: str
    level: str
    path: list[str]


@dataclass(frozen=True, slots=True)
class PersonView:
    username: str
    name: str


@dataclass(frozen=True, slots=True)
class ResponsibleView:
    division_code: str | None
    unit_code: str | None
    person: PersonView | None


@dataclass(frozen=True, slots=True)
class LimitView:
    due_at: datetime
    original_due_at: datetime
    rule: str
    provisional: bool


@dataclass(frozen=True, slots=True)
class LimitsView:
    accept: LimitView
    reply: LimitView
    complete: LimitView


@dataclass(frozen=True, slots=True)
class RatingView:
    score: str
    comment: str | None
    solved: bool | None
    via: str | None


@dataclass(frozen=True, slots=True)
class WaitingView:
    reason: str
    text: str
    look_again_on: date


@dataclass(frozen=True, slots=True)
class ExtensionView:
    """Of the present cycle. `days`: natural days asked for; `state`: asked, approved, refused."""

    days: int
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class FileView:
    """`event`: the place in the timeline that it belongs to, counted from 1."""

    id: str
    content_type: str
    bytes: int
    event: int


@dataclass(frozen=True, slots=True)
class CitizenView:
    name: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class ActorView:
    name: str
    role: str | None


# A TypedDict, since `from` is a word of Python.
EventView = TypedDict(
    "EventView",
    {
        "at": datetime,
        "action": str,
        "from": str | None,
        "to": str,
        "actor": ActorView,
        "text": str | None,
        "public": bool,
    },
)


@dataclass(frozen=True, slots=True)
class ListedTicket:
    """A ticket in a list. `merged_into`: the number of the ticket that this one follows; `copies`: how many follow it.
    `unreasonable`: how a dislike held 不合理诉求 stands: asked, approved, refused."""

    number: str
    kind: str
    channel: str
    status: str
    title: str
    description: str
    category: CategoryView | None
    division: DivisionView
    responsible: ResponsibleView
    routing_reason: str
    received_at: datetime
    accepted_at: datetime | None
    first_replied_at: datetime | None
    completed_at: datetime | None
    rated_at: datetime | None
    closed_at: datetime | None
    due_at: datetime
    overdue: bool
    urgent: bool
    cycle: int
    waiting: WaitingView | None
    extension: ExtensionView | None
    unreasonable: str | None
    explained: bool
    rating: RatingView | None
    citizen: CitizenView | None
    source: dict[str, str] | None
    confidential: bool
    merged_into: str | None
    copies: int
    version: int
    allowed_actions: list[str]


@dataclass(frozen=True, slots=True)
class TicketView(ListedTicket):
    """A ticket whole. `rating_code` is there for whom domain.md, 2, says, once it is completed. `people`: how many
    citizens have told of this matter, in it and in what is merged into it."""

    limits: LimitsView
    result: str | None
    files: list[FileView]
    rating_code: str | None
    suggestions: list[SuggestionView]
    people: int
    timeline: list[EventView]


@dataclass(frozen=True, slots=True)
class TicketPage:
    items: list[ListedTicket]
    next: tuple[datetime, int] | None


async def one(work: Work, atlas: Atlas, number: str) -> TicketView:
    """The ticket of that number as Work's actor may see it. Raises Missing."""
    found = await reading.detail(work.conn, policy.sight(work.actor, atlas.county), "number", number)
    if found is None:
        raise Missing("ticket.unknown", "没有这个事项编号，请核对后再试")
    return await _whole(work, atlas, found)


async def by_id(work: Work, atlas: Atlas, ticket_id: int) -> TicketView | None:
    """The ticket after an act; None where the act took it out of the actor's sight."""
    found = await reading.detail(work.conn, policy.sight(work.actor, atlas.county), "id", ticket_id)
    return None if found is None else await _whole(work, atlas, found)


async def listed(work: Work, atlas: Atlas, filters: Filters, page: Page) -> TicketPage:
    """One page of the tickets that Work's actor may see."""
    sight = policy.sight(work.actor, atlas.county)
    rows = await reading.page(work.conn, sight, filters, page, work.now)
    items = [ListedTicket(**_fields(work, atlas, row)) for row in rows[: page.limit]]
    last = rows[page.limit - 1].stored if len(rows) > page.limit else None
    mark = None if last is None else (last.received_at if page.order == "received_at" else last.due_at, last.id)
    return TicketPage(items, mark)


async def _whole(work: Work, atlas: Atlas, found: Detail) -> TicketView:
    code = await _code(work, atlas, found.seen.stored)
    category = atlas.county.category(found.seen.stored.category_id)
    sensitive = category is not None and category.sensitive
    fields = _fields(work, atlas, found.seen)
    row, may_accept = found.seen.stored, Action.ACCEPT in fields["allowed_actions"]
    return TicketView(
        **fields,
        suggestions=suggestion.views(atlas, row.title, row.description) if may_accept else [],
        limits=_limits(found.limits, found.seen.stored.cycle),
        result=found.result,
        files=[FileView(**one) for one in found.files],
        rating_code=code,
        people=found.people,
        timeline=[_event(event, sensitive=sensitive) for event in found.events],
    )


async def _code(work: Work, atlas: Atlas, stored: Stored) -> str | None:
    if stored.rating_code is None or stored.completed_at is None or work.actor.kind is not policy.ActorKind.STAFF:
        return None
    return stored.rating_code if work.actor.id in await codes.given_to(work, atlas, stored) else None


def _fields(work: Work, atlas: Atlas, seen: Seen) -> dict[str, Any]:
    row, beside = seen.stored, seen.beside
    ticket = as_ticket(row, atlas.county, seen.rated_cycle, seen.primary, acted=seen.acted)
    held = policy.capacities(work.actor, ticket.standing, atlas.county)
    category = atlas.county.category(row.category_id)
    return {
        "number": row.number,
        "kind": row.kind,
        "channel": row.channel,
        "status": row.status,
        "title": row.title,
        "description": row.description,
        "category": category and CategoryView(category.code, category.name, row.category_suggested),
        "division": division_view(atlas, row.division_id),
        "responsible": _responsible(atlas, seen),
        "routing_reason": row.routing_reason,
        "received_at": local(row.received_at),
        "accepted_at": local(row.accepted_at),
        "first_replied_at": local(row.first_replied_at),
        "completed_at": local(row.completed_at),
        "rated_at": local(beside.rated_at),
        "closed_at": local(beside.closed_at),
        "due_at": local(row.due_at),
        "overdue": row.status in OPEN and row.due_at <= work.now,
        "urgent": row.urgent,
        "cycle": row.cycle,
        "waiting": _waiting(row),
        "extension": _extension(row),
        "unreasonable": row.unreasonable_state,
        "explained": beside.explained,
        "rating": row.score and RatingView(row.score, beside.rating_comment, beside.solved, beside.rating_via),
        "citizen": _citizen(beside, held),
        "source": _source(beside, held),
        "confidential": row.confidential,
        "merged_into": beside.merged_into,
        "copies": row.copies,
        "version": row.version,
        "allowed_actions": [str(action) for action in allowed(ticket, held, work.now)],
    }


def _waiting(row: Stored) -> WaitingView | None:
    if row.waiting_reason is None or row.look_again_on is None:
        return None
    return WaitingView(row.waiting_reason, row.waiting_text or "", row.look_again_on)


def _extension(row: Stored) -> ExtensionView | None:
    if row.extension_state is None or row.extension_asked is None:
        return None
    return ExtensionView(row.extension_asked, row.extension_text or "", row.extension_state)


def local(moment: datetime | None) -> datetime | None:
    """The moment in the county's zone, as every answer gives it."""
    return None if moment is None else moment.astimezone(SHANGHAI)


def division_view(atlas: Atlas, division_id: int) -> DivisionView:
    division = atlas.county.divisions[division_id]
    return DivisionView(division.code, division.name, division.level, atlas.county.path(division_id))


def _responsible(atlas: Atlas, seen: Seen) -> ResponsibleView:
    row = seen.beside
    person = PersonView(row.person_username, row.person_name or "") if row.person_username is not None else None
    return ResponsibleView(*node_codes(atlas.county, seen.stored.node), person)


def _citizen(row: Beside, held: frozenset[Capacity]) -> CitizenView | None:
    if row.citizen_name is None and row.citizen_phone is None:
        return None
    if not held.isdisjoint(_WORKERS):
        return CitizenView(row.citizen_name, row.citizen_phone)
    return CitizenView(
        masking.name(row.citizen_name) if row.citizen_name else None,
        masking.phone(row.citizen_phone) if row.citizen_phone else None,
    )


def _source(row: Beside, held: frozenset[Capacity]) -> dict[str, str] | None:
    if row.source is None or "speaker" not in row.source or not held.isdisjoint(_WORKERS):
        return row.source
    return row.source | {"speaker": masking.name(row.source["speaker"])}


def _limits(rows: list[dict[str, Any]], cycle: int) -> LimitsView:
    first = {row["kind"]: row for row in rows if row["cycle"] == 1}
    present = next((row for row in rows if row["kind"] == "complete" and row["cycle"] == cycle), first["complete"])
    return LimitsView(_limit(first["accept"]), _limit(first["reply"]), _limit(present))


def _limit(row: Mapping[str, Any]) -> LimitView:
    due, original = (datetime.fromisoformat(row[name]).astimezone(SHANGHAI) for name in ("due_at", "original_due_at"))
    return LimitView(due, original, row["rule"], row["provisional"])


def _event(row: Mapping[str, Any], *, sensitive: bool) -> EventView:
    names = {"system": "系统", "citizen": "群众", "public": "群众"}
    actor = ActorView(row["name"] or names.get(row["kind"], ""), row["role"])
    at = datetime.fromisoformat(row["at"]).astimezone(SHANGHAI)
    return {
        "at": at,
        "action": row["action"],
        "from": row["from"],
        "to": row["to"],
        "actor": actor,
        "text": row["text"],
        # None: as the category says.
        "public": row["text"] is not None and (not sensitive if row["public"] is None else row["public"]),
    }


def number_only(number: str) -> dict[str, object]:
    """All that is told of a confidential ticket to whoever may not see it."""
    return {"number": number, "confidential": True}
