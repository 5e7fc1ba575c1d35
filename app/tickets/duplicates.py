"""Likely duplicates of a ticket, for whoever decides whether many citizens have told of one matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain import likeness, policy
from app.domain.errors import Missing
from app.domain.likeness import WITHIN, Candidate
from app.domain.vocabulary import Level
from app.tickets.queries import likeness as queries
from app.tickets.queries import reading
from app.tickets.views import CategoryView, DivisionView, division_view, local

MOST = 5


@dataclass(frozen=True, slots=True)
class DuplicateView:
    """Another ticket that may be about the same matter. `score`: 0 to 100, by the text; `why` says what is alike."""

    number: str
    title: str
    status: str
    category: CategoryView | None
    division: DivisionView
    received_at: datetime | None
    merged: bool
    score: float
    why: str


async def likely(work: Work, atlas: Atlas, number: str) -> Sequence[DuplicateView]:
    """At most five, the likeliest first, of those that the actor may see. Raises Missing.

    Nothing is like a confidential one: not even its inspector is to lay it beside others.
    """
    sight = policy.sight(work.actor, atlas.county)
    found = await reading.detail(work.conn, sight, "number", number)
    if found is None:
        raise Missing("ticket.unknown", "没有这个事项编号，请核对后再试")
    row = found.seen.stored
    if row.confidential:
        return ()
    text = f"{row.title}\n{row.description}"
    lineage = atlas.county.divisions[row.division_id].lineage
    mine = {"id": row.id, "since": row.received_at - WITHIN, "until": row.received_at + WITHIN}
    mine |= {"town": lineage[: Level.TOWN.depth][-1]}
    others = {one.id: one for one in await queries.others(work.conn, sight, mine, likeness.keys(text))}
    candidates = (_candidate(atlas, one) for one in others.values())
    me = Candidate(row.id, text, row.category_id, _village(atlas, row.division_id))
    return [_view(atlas, others[like.id], like) for like in likeness.ranked(me, candidates, MOST)]


def _candidate(atlas: Atlas, one: queries.Other) -> Candidate:
    return Candidate(one.id, f"{one.title}\n{one.description}", one.category_id, _village(atlas, one.division_id))


def _village(atlas: Atlas, division_id: int) -> int | None:
    lineage = atlas.county.divisions[division_id].lineage
    return lineage[Level.VILLAGE.depth - 1] if len(lineage) >= Level.VILLAGE.depth else None


def _view(atlas: Atlas, one: queries.Other, like: likeness.Likeness) -> DuplicateView:
    category = atlas.county.category(one.category_id)
    return DuplicateView(
        number=one.number,
        title=one.title,
        status=one.status,
        category=CategoryView(category.code, category.name, suggested=False) if category else None,
        division=division_view(atlas, one.division_id),
        received_at=local(one.received_at),
        merged=one.merged_into_id is not None,
        score=like.score,
        why=like.why,
    )
