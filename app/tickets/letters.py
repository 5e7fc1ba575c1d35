"""Who is told of an act: the notices of its row, each addressed to somebody (domain.md, 4 and 6)."""

from collections.abc import Iterable

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.county import Node
from app.domain.notices import Notice
from app.domain.vocabulary import Role
from app.notifications.service import Letter
from app.people import queries as people
from app.tickets.queries.changing import Stored


async def addressed(
    work: Work, atlas: Atlas, row: Stored, notices: Iterable[Notice], seq: int, person_id: int | None
) -> list[Letter]:
    """One letter for each recipient. `row`: the ticket before the act; `person_id`: who is responsible after it.

    Of a confidential ticket nobody above is told.
    """
    letters: list[Letter] = []
    for notice in notices:
        match notice.audience:
            case "citizen":
                letters += to_citizen(row, notice, seq)
            case "staff" if person_id is not None:
                letters.append(Letter(notice, seq, staff_id=person_id))
            case "parent" if not row.confidential:
                letters += await _parents(work, atlas, row.node, notice, seq)
            case "inspector" if not row.confidential:
                letters += await _nearest(work, atlas, row.node, Role.INSPECTOR, notice, seq)
    return letters


async def alarm(work: Work, atlas: Atlas, node: Node, seq: int) -> list[Letter]:
    """Danger to life (domain.md, 2, Urgent): the node's administrators and officers, or the nearest above."""
    told = [
        await _nearest(work, atlas, node, role, Notice.NODE_URGENT, seq) for role in (Role.ADMINISTRATOR, Role.OFFICER)
    ]
    # One person may be both.
    return list(dict.fromkeys(letter for letters in told for letter in letters))


def to_citizen(row: Stored, notice: Notice, seq: int) -> list[Letter]:
    """Whoever has not filed in WeChat can't be told there."""
    if row.account_id is None or row.citizen_id is None:
        return []
    return [Letter(notice, seq, citizen_id=row.citizen_id)]


async def _parents(work: Work, atlas: Atlas, node: Node, notice: Notice, seq: int) -> list[Letter]:
    """The administrators of the node above, or of the nearest above it that has any; above the county its principal."""
    parent = atlas.county.parent_of(node)
    if parent is None:
        return await _nearest(work, atlas, node, Role.PRINCIPAL, notice, seq)
    return await _nearest(work, atlas, parent, Role.ADMINISTRATOR, notice, seq)


async def _nearest(work: Work, atlas: Atlas, node: Node, role: Role, notice: Notice, seq: int) -> list[Letter]:
    lineage = atlas.county.division_of(node).lineage
    held = await people.holders(work.conn, role, lineage, work.now)
    nearest = next((d for d in reversed(lineage) if any(place == d for place, _ in held)), None)
    return [Letter(notice, seq, staff_id=staff) for place, staff in held if place == nearest]
