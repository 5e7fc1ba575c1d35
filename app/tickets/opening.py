"""A matter becomes a ticket: suggested, routed, numbered, limited, recorded, told of, in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.audit import service as audit
from app.audit.service import Event
from app.base.batch import Batch
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import numbers
from app.domain.coordinates import Point
from app.domain.county import Category, Node
from app.domain.likeness import keys
from app.domain.limits import DEFAULT, Limits, limits, return_ends
from app.domain.notices import Notice
from app.domain.policy import ActorKind
from app.domain.routing import Request
from app.domain.steps import Live
from app.domain.urgency import Urgency
from app.domain.vocabulary import Action, Channel, Kind, Status
from app.domain.workdays import Calendar
from app.files import service as files
from app.limits import service as ticket_limits
from app.notifications import service as notifications
from app.notifications.service import Letter
from app.routing import service as routing
from app.routing.service import Routed
from app.suggestion import service as suggestion
from app.tickets.counted import count_new
from app.tickets.letters import alarm
from app.tickets.queries import changing, likeness

TITLE_LENGTH = 40
"""Characters of the first sentence that serve as title where none was given."""


@dataclass(frozen=True, slots=True)
class About:
    """Whom a confidential complaint is about: a member of staff (with the node they work at), or a node."""

    node: Node
    staff_id: int | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """What somebody wants done, before it has a number. `received_at` None: now. Ids are checked by the caller."""

    channel: Channel
    description: str
    title: str | None = None
    kind: Kind | None = None
    category_id: int | None = None
    division_id: int | None = None
    citizen_id: int | None = None
    bound_grid_id: int | None = None
    recorder_id: int | None = None
    recorder_division_id: int | None = None
    account_id: int | None = None
    account_division_id: int | None = None
    source: Mapping[str, str] | None = None
    point: Point | None = None
    received_at: datetime | None = None
    confidential: bool = False
    about: About | None = None
    files: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """The new ticket, as its first answer needs it."""

    id: int
    number: str
    status: Status
    node: Node
    person_name: str | None
    limits: Limits
    choices: tuple[int, ...]
    urgency: Urgency | None = None


async def open_ticket(work: Work, atlas: Atlas, matter: Matter) -> Opened:
    """Opens a ticket for `matter` and does all that follows from it (domain.md, 3 and 4)."""
    category, suggested = _category(atlas, matter)
    routed = await _route(work, atlas, matter, category)
    calendar = await ticket_limits.calendar(work, atlas)
    received_at = matter.received_at or work.now
    urgency = atlas.urgency.read(f"{matter.title or ''}\n{matter.description}", category)
    urgent = urgency is not None and urgency.danger
    cut_off = urgency is not None and not urgent
    rules = category.rules if category else DEFAULT
    found = limits(received_at, rules, calendar, urgent=urgent, cut_off=cut_off)
    # 集中受理: only where a person chose the category; a suggested one is right about six times in ten.
    accepted = category is not None and not suggested and category.auto_accept and not is_confidential(matter, category)
    ticket_id = await changing.next_id(work.conn)
    row = _row(work, matter, category, routed, found) | {
        "id": ticket_id,
        "number": numbers.number(ticket_id, atlas.county.number_key),
        "category_suggested": suggested,
        "urgent": urgent,
        "received_at": received_at,
        "status": Status.ACCEPTED if accepted else Status.RECEIVED,
        "version": 2 if accepted else 1,
        "accepted_at": work.now if accepted else None,
        "accepted_automatically": accepted,
        "return_until": _return_until(work, atlas, routed, calendar, kept=is_confidential(matter, category)),
    }
    claimed = await files.claim(work, matter.files)
    live = Live(None if accepted else found.accept.due_at, found.reply.due_at, found.complete.due_at, received_at)
    batch = Batch()
    row["chain_head"] = audit.record(work, batch, ticket_id, _events(work, routed, accepted), audit.BEGIN)
    changing.add_ticket(batch, row)
    ticket_limits.set_first(batch, ticket_id, found)
    ticket_limits.plan_steps(work, batch, ticket_id, 1, live, calendar)
    changing.add_assignment(batch, assignment(ticket_id, routed, "routed", work.now))
    files.link(batch, ticket_id, 1, claimed)
    alarmed = await alarm(work, atlas, routed.node, 1) if urgent and not row["confidential"] else []
    notifications.enqueue(work, batch, ticket_id, [*_letters(matter, routed), *alarmed])
    count_new(batch, atlas, row)
    if not row["confidential"]:
        likeness.add_keys(batch, ticket_id, received_at, keys(f"{row['title']}\n{row['description']}"))
    await batch.write(work.conn)
    person = routed.person.name if routed.person else None
    return Opened(ticket_id, row["number"], row["status"], routed.node, person, found, routed.choices, urgency)


def _return_until(work: Work, atlas: Atlas, routed: Routed, days: Calendar, *, kept: bool) -> datetime | None:
    """A node may send back what was routed to it, to the level above; an inspector's stays with the inspector."""
    return None if kept or atlas.county.parent_of(routed.node) is None else return_ends(work.now, days)


def is_confidential(matter: Matter, category: Category | None) -> bool:
    """Marked so by a person, or of the category that always is (反映干部作风)."""
    return matter.confidential or (category is not None and category.confidential)


def _category(atlas: Atlas, matter: Matter) -> tuple[Category | None, bool]:
    """(category, whether it is only suggested)."""
    if matter.category_id is not None:
        return atlas.county.categories[matter.category_id], False
    best = suggestion.suggest(atlas, matter.title or "", matter.description)
    return (atlas.county.categories[best[0].category_id], True) if best else (None, False)


async def _route(work: Work, atlas: Atlas, matter: Matter, category: Category | None) -> Routed:
    if is_confidential(matter, category):
        about = matter.about
        accused = None if about is None else about.staff_id
        return await routing.route_confidential(work, atlas, None if about is None else about.node, accused)
    request = Request(
        text=f"{matter.title or ''}\n{matter.description}",
        given_division_id=matter.division_id,
        bound_grid_id=matter.bound_grid_id,
        account_division_id=matter.account_division_id,
        recorder_division_id=matter.recorder_division_id,
        point=matter.point,
    )
    return await routing.route(work, atlas, request, category)


def _row(work: Work, matter: Matter, category: Category | None, routed: Routed, found: Limits) -> dict[str, Any]:
    about = matter.about
    point = matter.point
    return {
        "kind": matter.kind or (category and category.kind_hint) or Kind.CONSULTATION,
        "channel": matter.channel,
        "cycle": 1,
        "title": matter.title or title_of(matter.description),
        "description": matter.description,
        "category_id": category.id if category else None,
        "division_id": routed.division_id,
        "responsible_division_id": routed.node.division_id,
        "responsible_unit_id": routed.node.unit_id,
        "person_id": routed.person.staff_id if routed.person else None,
        "routing_reason": routed.reason,
        "citizen_id": matter.citizen_id,
        "recorder_id": matter.recorder_id,
        "account_id": matter.account_id,
        "source": dict(matter.source) if matter.source else None,
        "lat": point.lat if point else None,
        "lon": point.lon if point else None,
        "datum": point.datum if point else None,
        "confidential": is_confidential(matter, category),
        "marked_confidential": matter.confidential,
        "about_staff_id": about.staff_id if about else None,
        "about_division_id": about.node.division_id if about else None,
        "about_unit_id": about.node.unit_id if about else None,
        "entered_at": work.now,
        "corrected": False,
        "due_at": found.complete.due_at,
        "original_due_at": found.complete.due_at,
        "kept_limit": True,
        "kept_original": True,
        "works": 0,
        "explained": False,
        "withdrawn_before_work": False,
    }


def title_of(description: str) -> str:
    """The beginning of the first line, for lists that staff read."""
    first = description.strip().split("\n", 1)[0]
    return first if len(first) <= TITLE_LENGTH else first[:TITLE_LENGTH] + "…"


def assignment(ticket_id: int, routed: Routed, came_by: str, now: datetime) -> dict[str, Any]:
    """The row that says who is responsible from `now` on."""
    return {
        "ticket_id": ticket_id,
        "division_id": routed.node.division_id,
        "unit_id": routed.node.unit_id,
        "person_id": routed.person.staff_id if routed.person else None,
        "came_by": came_by,
        "since": now,
    }


def _events(work: Work, routed: Routed, accepted: bool) -> list[Event]:
    opener = "citizen" if work.actor.kind is ActorKind.CITIZEN else next(iter(sorted(work.actor.roles)), None)
    events = [Event(1, Action.OPEN, None, Status.RECEIVED, role=opener, detail=event_detail(routed))]
    if accepted:
        events.append(Event(2, Action.ACCEPT, Status.RECEIVED, Status.ACCEPTED, role="system"))
    return events


def event_detail(routed: Routed) -> dict[str, object]:
    """Ids only: the trail holds no names."""
    return {
        "division_id": routed.division_id,
        "responsible_division_id": routed.node.division_id,
        "responsible_unit_id": routed.node.unit_id,
        "person_id": routed.person.staff_id if routed.person else None,
    }


def _letters(matter: Matter, routed: Routed) -> list[Letter]:
    letters = []
    if matter.citizen_id is not None and matter.channel is Channel.ACCOUNT:
        letters.append(Letter(Notice.CITIZEN_RECEIVED, 1, citizen_id=matter.citizen_id))
    if routed.person is not None:
        letters.append(Letter(Notice.STAFF_ASSIGNED, 1, staff_id=routed.person.staff_id))
    return letters
