"""Staff record what came by group, window, phone or visit: checked, opened once per Idempotency-Key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import to_jsonable_python

from app.base.work import Work
from app.divisions import offline
from app.divisions import service as divisions
from app.divisions.service import Atlas
from app.domain.coordinates import Point
from app.domain.county import Node
from app.domain.errors import Invalid
from app.domain.vocabulary import SHANGHAI, Channel, Kind
from app.people import queries as people
from app.tickets import opening, service, views
from app.tickets.opening import About, Matter
from app.tickets.queries import repeats

OLDEST = timedelta(days=3)
"""How far back staff may put the moment of receipt."""


@dataclass(frozen=True, slots=True)
class Record:
    """The body of POST /tickets, already of the right shapes."""

    description: str
    channel: Channel
    kind: Kind | None
    title: str | None
    category: str | None
    division_code: str | None
    location: Mapping[str, Any] | None
    citizen: Mapping[str, str | None] | None
    source: Mapping[str, str | None] | None
    received_at: datetime | None
    confidential: bool
    about: Mapping[str, str | None] | None
    files: Sequence[str] = ()


async def record(work: Work, atlas: Atlas, body: Record, key: str | None, digest: str) -> dict[str, Any]:
    """Opens the ticket and gives the answer; with `key` the first answer to every repeat of the same body.

    Raises Invalid for a bad body, or the same key with another body.
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
    matter = await matter_of(work, atlas, body, staff_id)
    answer, ticket_id = await opened(work, atlas, matter)
    if key is not None:
        await repeats.remember(work.conn, staff_id, key, ticket_id, answer)
    return answer


async def opened(work: Work, atlas: Atlas, matter: Matter) -> tuple[dict[str, Any], int]:
    """Opens it; gives what staff are answered (of a confidential one the number alone), and its id."""
    ticket = await opening.open_ticket(work, atlas, matter)
    seen = await views.by_id(work, atlas, ticket.id)
    hidden = seen is None or seen.confidential
    return views.number_only(ticket.number) if hidden else to_jsonable_python(seen), ticket.id


async def matter_of(work: Work, atlas: Atlas, body: Record, staff_id: int) -> Matter:
    """What staff took down, checked. Raises Invalid."""
    county = atlas.county
    point = body.location
    return Matter(
        channel=body.channel,
        description=body.description,
        title=body.title,
        kind=body.kind,
        category_id=divisions.category(county, body.category).id if body.category else None,
        division_id=divisions.open_division(county, body.division_code).id if body.division_code else None,
        citizen_id=await _citizen(work, body.citizen),
        recorder_id=staff_id,
        recorder_division_id=_home(work, atlas),
        account_division_id=await _group(work, atlas, body.source),
        source={k: v for k, v in (body.source or {}).items() if v is not None} or None,
        point=Point(point["lat"], point["lon"], point["datum"]) if point else None,
        received_at=_received(work, body.received_at),
        confidential=body.confidential or body.about is not None,
        about=await _about(work, atlas, body.about),
        files=body.files,
    )


async def _citizen(work: Work, person: Mapping[str, str | None] | None) -> int | None:
    if person is None or not any(person.values()):
        return None
    return await people.insert_citizen(work.conn, person.get("name"), person.get("phone"), work.now)


def _home(work: Work, atlas: Atlas) -> int | None:
    """The recorder's own division: of the first appointment."""
    nodes = [appointment.node for appointment in work.actor.appointments]
    return atlas.county.division_of(nodes[0]).id if nodes else None


async def _group(work: Work, atlas: Atlas, source: Mapping[str, str | None] | None) -> int | None:
    """The division of the chat group it came from (domain.md, 3.1)."""
    named = (source or {}).get("group")
    return None if named is None else await offline.group_division(work, atlas.county, named)


def _received(work: Work, received_at: datetime | None) -> datetime | None:
    if received_at is None:
        return None
    if received_at > work.now:
        raise Invalid.field("received_at.future", "/received_at", "收到时间不能晚于现在")
    if work.now - received_at > OLDEST:
        raise Invalid.field("received_at.old", "/received_at", "收到时间最多可填三天以内")
    return received_at.astimezone(SHANGHAI)


async def _about(work: Work, atlas: Atlas, about: Mapping[str, str | None] | None) -> About | None:
    given = {k: v for k, v in (about or {}).items() if v is not None}
    if not given:
        return None
    if len(given) > 1:
        raise Invalid.field("about.several", "/about", "请只写明一个被反映的对象")
    match given:
        case {"division_code": code}:
            return About(Node(division_id=divisions.division(atlas.county, code, "/about/division_code").id))
        case {"unit_code": code}:
            return About(Node(unit_id=divisions.unit(atlas.county, code, "/about/unit_code").id))
    known = await people.staff_by_username(work.conn, given["username"])
    seats = await people.seats_of(work.conn, known[0], work.now) if known is not None else ()
    if known is None or not seats:
        raise Invalid.field("about.username", "/about/username", f"没有用户名为“{given['username'][:32]}”的工作人员")
    # Of several seats the highest: nobody at or below any of them may get it.
    highest = min((seat.node for seat in seats), key=lambda node: len(atlas.county.division_of(node).lineage))
    return About(highest, known[0])
