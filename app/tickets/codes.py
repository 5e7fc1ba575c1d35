"""The rating code of a ticket that was not filed in WeChat: how the citizen rates it, and who may hand it over."""

import secrets

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import numbers
from app.domain.vocabulary import Role
from app.people import queries as people
from app.tickets.queries import changing
from app.tickets.queries.changing import Stored

_BYTES = 32


def new() -> str:
    """A fresh code, from the system's randomness."""
    return numbers.rating_code(secrets.token_bytes(_BYTES))


async def given_to(work: Work, atlas: Atlas, row: Stored) -> frozenset[int]:
    """The staff who may see the code: who recorded the request; else, where that person worked on the ticket, the
    nearest administrators above who did not. A confidential one's is the inspector's (domain.md, 2, Who can rate).
    """
    if row.confidential:
        return frozenset({row.person_id}) if row.person_id is not None else frozenset()
    worked = await changing.worked(work.conn, row.id)
    recorder = row.recorder_id
    if recorder is not None and recorder not in worked:
        return frozenset({recorder})
    lineage = await _above(work, atlas, row)
    held = await people.holders(work.conn, Role.ADMINISTRATOR, lineage, work.now)
    for division_id in reversed(lineage):
        free = frozenset(staff for place, staff in held if place == division_id and staff not in worked)
        if free:
            return free
    return frozenset()


async def _above(work: Work, atlas: Atlas, row: Stored) -> tuple[int, ...]:
    """The divisions from the county down to where the recorder sits; to the responsible node where there is none."""
    seats = await people.seats_of(work.conn, row.recorder_id, work.now) if row.recorder_id is not None else ()
    node = seats[0].node if seats else row.node
    return atlas.county.division_of(node).lineage
