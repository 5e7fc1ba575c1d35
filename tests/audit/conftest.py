"""Tickets with a trail, written through the trail's own functions; and a superuser who gets past its guard."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from app.audit import service as audit
from app.audit.service import Event
from app.audit.verifying import Finding, Opens, Tally, verify
from app.base.batch import Batch
from app.base.work import Work
from app.divisions.service import atlas
from app.domain.policy import Actor
from app.domain.vocabulary import Action, Status
from app.tickets.queries import changing
from tests.rates.counted import UNTOUCHED, _row, at

_numbers = count(1)
LIFE: Sequence[tuple[Action, Status, str | None]] = (
    (Action.OPEN, Status.RECEIVED, None),
    (Action.ACCEPT, Status.ACCEPTED, None),
    (Action.START, Status.IN_PROGRESS, None),
    (Action.REPLY, Status.IN_PROGRESS, "明天上午去看"),
    (Action.COMPLETE, Status.COMPLETED, "已清运，现场已冲洗"),
)


@dataclass(frozen=True, slots=True)
class Filed:
    id: int
    number: str


Superuser = Callable[..., Awaitable[None]]


async def file(work: Work, steps: int = len(LIFE), *, chained: bool = True) -> Filed:
    """A ticket that has gone so many steps of LIFE. `chained` False: as before there were chains."""
    ticket_id = await changing.next_id(work.conn)
    place = at((await atlas(work)).county, "430121001001", UNTOUCHED)
    number = f"9{next(_numbers):07d}"
    row = _row(place) | {"id": ticket_id, "number": number, "version": steps, "chain_head": None}
    batch, head = Batch(), audit.BEGIN if chained else None
    before = None
    for seq, (action, after, said) in enumerate(LIFE[:steps], 1):
        moment = Work(work.conn, work.now + timedelta(minutes=seq), work.actor)
        detail = {"division_id": row["division_id"], "person_id": None} if seq == 1 else {}
        event = Event(seq, action, before, after, role="courier", detail=detail, text=said)
        head = audit.record(moment, batch, ticket_id, [event], head)
        before = after
    changing.add_ticket(batch, row | {"chain_head": head, "status": before})
    await batch.write(work.conn)
    return Filed(ticket_id, number)


async def act(work: Work, filed: Filed, action: Action = Action.NOTE, said: str | None = None) -> None:
    """One more event, as the services do it."""
    found = await work.conn.execute(
        text("SELECT version, status, chain_head FROM ticket WHERE id = :i FOR UPDATE"), {"i": filed.id}
    )
    version, status, head = found.one()
    batch = Batch()
    event = Event(version + 1, action, Status(status), Status(status), role="handler", text=said)
    moved = audit.record(work, batch, filed.id, [event], head)
    await changing.change(work.conn, filed.id, {"version": version + 1, "chain_head": moved})
    await batch.write(work.conn)


def told(finding: Finding) -> str:
    """`9000001 3 altered`: which ticket (or day, or the office), which links, what."""
    difference = finding.difference
    where = str(finding.day) if finding.day else finding.number or ("gone" if finding.ticket_id else "office")
    links = "" if difference.seq is None else f" {difference.seq}"
    if difference.upto is not None:
        links += f"-{difference.upto}"
    return f"{where}{links} {difference.what}"


async def verified(opens: Opens, **more: Any) -> tuple[list[str], Tally]:
    """What `o2o audit verify` finds, a line each."""
    found: list[str] = []
    tally = await verify(opens, lambda one: found.append(told(one)), lambda done, total: None, **more)
    return found, tally


def within(work: Work) -> Opens:
    """Opens nothing: all is seen as that Work has left it."""

    @asynccontextmanager
    async def same(actor: Actor, *, read: bool = False) -> AsyncIterator[Work]:
        yield work

    return same


@pytest.fixture
async def superuser(work: Work) -> Superuser:
    """`await superuser("UPDATE …", name=value)`: past the trail's guard and the foreign keys."""
    role = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    if not (await work.conn.execute(text(role))).scalar_one():
        pytest.skip("the role of O2O_TEST_DATABASE_URL is no superuser")

    async def run(statement: str, **values: object) -> None:
        await work.conn.execute(text("SET LOCAL session_replication_role = replica"))
        await work.conn.execute(text(statement), values)
        await work.conn.execute(text("SET LOCAL session_replication_role = origin"))

    return run
