"""Which files the actor may read: through the one door to their tickets, and what they sent themselves."""

import re

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import policy
from app.domain.errors import Missing
from app.files import service as files
from app.files.queries import Kept
from app.tickets.queries import attachments

_ID = re.compile("[A-Za-z0-9_-]{43}")


async def readable(work: Work, atlas: Atlas, file_id: str) -> Kept:
    """The file of that id. Raises Missing where there is none, or none that they may know of."""
    found = None
    if _ID.fullmatch(file_id):
        sight, sender = policy.sight(work.actor, atlas.county), files.sender_of(work.actor)
        found = await attachments.readable(work.conn, sight, sender, file_id)
    if found is None:
        raise Missing("file.unknown", "没有这个文件，请核对后再试")
    return found
