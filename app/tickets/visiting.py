"""Visits: at a household, for a ticket, or both; entered once per Idempotency-Key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python

from app.base.batch import Batch
from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import visits
from app.domain.coordinates import Point
from app.domain.errors import Invalid
from app.domain.vocabulary import SHANGHAI, Action
from app.files import service as files
from app.people import households
from app.tickets import service
from app.tickets.queries import repeats
from app.tickets.queries import visits as queries


@dataclass(frozen=True, slots=True)
class NewVisit:
    """What was entered, already of the right shapes. `at`: None for now."""

    household_id: int | None
    ticket: str | None
    seen: str
    location: Mapping[str, Any] | None
    files: Sequence[str]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class VisitedView:
    """The household that was visited."""

    id: int
    head_name: str


@dataclass(frozen=True, slots=True)
class VisitView:
    at: datetime
    household: VisitedView | None
    ticket: str | None
    seen: str
    location: Point | None


@dataclass(frozen=True, slots=True)
class VisitPage:
    """`next`: when the last of them was, and its id, where there are more."""

    items: Sequence[VisitView]
    next: tuple[datetime, int] | None


async def record(work: Work, atlas: Atlas, visit: NewVisit, key: str | None, digest: str) -> dict[str, Any]:
    """Enters the visit and gives the answer; with `key` the first answer to every repeat of the same body.

    Raises Invalid for a bad body, or the same key with another one; Missing for a household out of the actor's reach;
    for a ticket whatever the action 走访 raises.
    """
    staff_id = service.must_be_staff(work)
    if key is not None:
        first = await repeats.claim(work.conn, staff_id, key, digest, work.now)
        if first is not None:
            if first.body_digest != digest:
                raise Invalid.field(
                    "idempotency.other_body", "/Idempotency-Key", "这个 Idempotency-Key 已用于另一份内容"
                )
            return dict(first.answer)
    view, ticket_id = await _visit(work, atlas, visit, staff_id)
    answer: dict[str, Any] = to_jsonable_python(view)
    if key is not None:
        await repeats.remember(work.conn, staff_id, key, ticket_id, answer)
    return answer


async def latest(work: Work, after: tuple[datetime, int] | None, limit: int) -> VisitPage:
    """The actor's own visits, the latest first."""
    rows = await queries.of_staff(work.conn, service.must_be_staff(work), after, limit + 1)
    shown = rows[:limit]
    mark = (shown[-1].at, shown[-1].id) if len(rows) > limit else None
    return VisitPage([_view(row) for row in shown], mark)


async def _visit(work: Work, atlas: Atlas, visit: NewVisit, staff_id: int) -> tuple[VisitView, int | None]:
    if visit.household_id is None and visit.ticket is None:
        raise Invalid.field(
            "visit.nowhere", "/household_id", "请写明走访的是哪一户（household_id）或哪件事项（ticket）"
        )
    at = (visit.at or work.now).astimezone(SHANGHAI)
    visits.check_moment(at, work.now)
    home = None
    if visit.household_id is not None:
        found = await households.reachable(work, atlas.county, visit.household_id)
        home = VisitedView(found.id, found.head_name)
    ticket_id = None
    form: dict[str, Any] = {"seen": visit.seen, "location": visit.location, "files": visit.files, "at": at}
    if visit.ticket is not None:
        form["household_id"] = visit.household_id
        ticket_id = await service.act(work, atlas, visit.ticket, Action.VISIT, form)
    else:
        row = {"household_id": visit.household_id, "staff_id": staff_id, "at": at, "seen": visit.seen}
        claimed = await files.claim(work, visit.files)
        visit_id = await queries.add(work.conn, row | (dict(visit.location) if visit.location else {}))
        batch = Batch()
        files.link_visit(batch, visit_id, claimed)
        await batch.write(work.conn)
    if home is not None:
        await households.visited(work, home.id, at)
    point = Point(**visit.location) if visit.location else None
    return VisitView(at, home, visit.ticket, visit.seen, point), ticket_id


def _view(row: queries.Visit) -> VisitView:
    home = None if row.household_id is None else VisitedView(row.household_id, row.head_name or "")
    point = None
    if row.lat is not None and row.lon is not None and row.datum is not None:
        point = Point(row.lat, row.lon, row.datum)
    return VisitView(row.at.astimezone(SHANGHAI), home, row.ticket, row.seen, point)
