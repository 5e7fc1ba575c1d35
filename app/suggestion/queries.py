"""What the county's own tickets teach: those that are over, whose category a person decided."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.vocabulary import Status
from app.schema.tickets import tickets

MOST = 50_000
"""The newest so many: older ones had other matters and other categories."""


async def decided(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """(title, text, category id) of archived tickets, the newest first. Confidential ones teach nothing."""
    t = tickets.c
    over = (t.status == Status.CLOSED, t.category_id.is_not(None), t.category_suggested.is_(False))
    query = select(t.title, t.description, t.category_id).where(*over, t.confidential.is_(False))
    rows = await conn.execute(query.order_by(t.id.desc()).limit(MOST))
    return [(row.title, row.description, row.category_id) for row in rows]
