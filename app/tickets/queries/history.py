"""Tickets that come from another system: written by COPY, known again by the id that they have there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import any_, bindparam, delete, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.base.copy import copy_rows
from app.schema.audit import ticket_events
from app.schema.base import Id
from app.schema.people import citizens
from app.schema.tickets import assignments, imported, ratings, tickets

t, m, c = tickets.c, imported.c, citizens.c
TICKET = tuple(column.name for column in tickets.c)
RATING = ("ticket_id", "cycle", "score", "via", "comment", "solved", "grade", "at")
ASSIGNMENT = ("ticket_id", "division_id", "unit_id", "person_id", "came_by", "since", "until")


@dataclass(frozen=True, slots=True)
class Known:
    """A ticket that was imported before: its row's digest and version then, and what it is now."""

    ticket_id: int
    digest: str
    version: int
    present: int
    status: str
    citizen_id: int | None
    name: str | None
    phone: str | None
    completed_at: datetime | None
    rating_code: str | None
    chain_head: bytes | None

    @property
    def acted_on(self) -> bool:
        """Somebody has done something to it here: the file no longer changes it."""
        return self.present != self.version


async def known(conn: AsyncConnection, external_ids: Sequence[str]) -> dict[str, Known]:
    """Which of these were imported before; locked, so that nobody acts on one while it is changed."""
    query = (
        select(m.external_id, m.ticket_id, m.digest, m.version, t.version, t.status, t.citizen_id, c.name, c.phone)
        .add_columns(t.completed_at, t.rating_code, t.chain_head)
        .select_from(imported.join(tickets, t.id == m.ticket_id).outerjoin(citizens, c.id == t.citizen_id))
        .where(m.external_id == any_(literal(list(external_ids), ARRAY(m.external_id.type))))
        .order_by(t.id)
        .with_for_update(of=tickets)
    )
    return {row[0]: Known(*row[1:]) for row in await conn.execute(query)}


async def any_there(conn: AsyncConnection) -> bool:
    """Whether there is any ticket at all."""
    return bool((await conn.execute(select(select(t.id).exists()))).scalar_one())


async def new_ids(conn: AsyncConnection, count: int) -> list[int]:
    drawn = text("SELECT nextval('ticket_id_seq') FROM generate_series(1, :many)")
    return [int(one) for one in (await conn.execute(drawn, {"many": count})).scalars()]


async def copy_tickets(conn: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Columns that a row does not have are NULL."""
    await copy_rows(conn, tickets.name, TICKET, ([row.get(name) for name in TICKET] for row in rows))


async def copy_assignments(conn: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    await copy_rows(conn, assignments.name, ASSIGNMENT, ([row[name] for name in ASSIGNMENT] for row in rows))


async def copy_ratings(conn: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    await copy_rows(conn, ratings.name, RATING, ([row[name] for name in RATING] for row in rows))


async def remember(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """What was imported, for the next time."""
    into = upsert(imported)
    fresh = {"digest": into.excluded.digest, "version": into.excluded.version}
    await conn.execute(into.on_conflict_do_update(index_elements=[m.external_id], set_=fresh), list(rows))


async def copy_imported(conn: AsyncConnection, rows: Iterable[tuple[str, int, str, int]]) -> None:
    """(external id, ticket id, digest, version) of new ones."""
    await copy_rows(conn, imported.name, ("external_id", "ticket_id", "digest", "version"), rows)


async def trails(conn: AsyncConnection, ticket_ids: Sequence[int]) -> dict[int, list[tuple[str, datetime]]]:
    """(action, at) of every event of these tickets, in order."""
    e = ticket_events.c
    query = select(e.ticket_id, e.action, e.at).where(e.ticket_id == _among(ticket_ids)).order_by(e.ticket_id, e.seq)
    found: dict[int, list[tuple[str, datetime]]] = {}
    for ticket_id, action, at in await conn.execute(query):
        found.setdefault(ticket_id, []).append((action, at))
    return found


async def change_all(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Sets the columns that each row gives (all the same ones) on the ticket of its `id`."""
    given = {name: bindparam(f"new_{name}", type_=t[name].type) for name in rows[0] if name != "id"}
    statement = update(tickets).where(t.id == bindparam("new_id")).values(**given)
    await conn.execute(statement, [{f"new_{name}": value for name, value in row.items()} for row in rows])


async def replace_beside(
    conn: AsyncConnection, ticket_ids: Sequence[int], kept: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Ratings go; who is responsible from now on is as in `kept` (none for a ticket that is finished)."""
    a = assignments.c
    await conn.execute(delete(ratings).where(ratings.c.ticket_id == _among(ticket_ids)))
    present = (a.ticket_id == _among(ticket_ids), a.until.is_(None))
    await conn.execute(update(assignments).where(*present).values(until=func.greatest(a.since, literal(now))))
    if kept:
        await conn.execute(insert(assignments), list(kept))


def _among(ids: Sequence[int]) -> Any:
    return any_(literal(list(ids), ARRAY(Id)))
