"""Files of tickets and visits, for whoever may see these."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import ColumnElement, Select, any_, bindparam, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.policy import Sight
from app.files.queries import Kept, Sender
from app.schema.base import Id
from app.schema.files import file_links, files
from app.schema.tickets import tickets
from app.tickets.queries.visibility import Shape, seen_by, shape_of, visible

f, x = files.c, file_links.c
_OF_FILE = files.join(file_links, x.file_id == f.id)
_IN_ORDER = (f.created_at, f.id)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a visit."""

    visit_id: int | None
    id: str
    content_type: str
    bytes: int


async def readable(conn: AsyncConnection, sight: Sight, sender: Sender, file_id: str) -> Kept | None:
    """The file, where they sent it themselves or may see the ticket that it belongs to."""
    statement = _readable(shape_of(sight), tuple(sender))
    row = (await conn.execute(statement, {"file_id": file_id, **sender, **seen_by(sight)})).one_or_none()
    return None if row is None else Kept(row.id, row.digest, row.content_type, row.bytes)


@lru_cache(maxsize=256)
def _readable(shape: Shape, sender: tuple[str, ...]) -> Select[str, str, str, int]:
    of_ticket = exists().where(x.file_id == f.id, x.ticket_id == tickets.c.id, visible(shape))
    own = [f[column] == bindparam(column, type_=Id) for column in sender]
    query = select(f.id, f.digest, f.content_type, f.bytes)
    return query.where(f.id == bindparam("file_id", type_=f.id.type), f.stored, or_(of_ticket, *own))


def of_ticket(ticket_id: ColumnElement[int]) -> ColumnElement[list[dict[str, object]]]:
    """A column for a view of tickets: [{"id", "content_type", "bytes", "event"}], by event; NULL where there are none.

    `event` is the event's `seq`: its place in the timeline, counted from 1.
    """
    one = func.json_build_object("id", f.id, "content_type", f.content_type, "bytes", f.bytes, "event", x.seq)
    in_order = aggregate_order_by(one, x.seq, *_IN_ORDER)
    return select(func.json_agg(in_order)).select_from(_OF_FILE).where(x.ticket_id == ticket_id).scalar_subquery()


async def of_visits(conn: AsyncConnection, visit_ids: Collection[int]) -> list[Attached]:
    """Files of these visits at households that were for no ticket."""
    query = select(x.visit_id, f.id, f.content_type, f.bytes).select_from(_OF_FILE)
    of_these = x.visit_id == any_(literal(list(visit_ids), ARRAY(Id)))
    return [Attached(*row) for row in await conn.execute(query.where(of_these).order_by(x.visit_id, *_IN_ORDER))]
