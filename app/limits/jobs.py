"""What is done for limits in the background."""

from app.base.batch import Batch
from app.base.work import Opener, Work, piecemeal
from app.divisions.service import atlas
from app.domain.limits import rating_ends
from app.domain.steps import CHAINS, Live, coming
from app.domain.workdays import Calendar
from app.limits import queries, service
from app.limits.queries import Unplanned


async def plan_missing(opener: Opener) -> int:
    """Plans the steps of open tickets that have none to wait for an act: those that were there before steps were, or
    that a process of an older version wrote while a newer one was put in its place; and that completed ones are
    archived. How many tickets it was."""
    return await piecemeal(opener, _plan_some) + await piecemeal(opener, _archive_some)


async def _archive_some(work: Work) -> int:
    found = await queries.unarchived(work.conn)
    batch = Batch()
    for one in found:
        service.plan_archive(batch, one.id, one.cycle, rating_ends(one.completed_at))
    await batch.write(work.conn)
    return len(found)


async def _plan_some(work: Work) -> int:
    found = await queries.unplanned(work.conn)
    if not found:
        return 0
    days = await service.calendar(work, await atlas(work))
    batch = Batch()
    for one in found:
        queries.add_steps(batch, _steps(work, one, days))
    await batch.write(work.conn)
    return len(found)


def _steps(work: Work, one: Unplanned, days: Calendar) -> list[dict[str, object]]:
    live = Live(
        accept=None if one.accepted else one.accept,
        reply=None if one.replied else one.reply,
        complete=one.complete,
        idle_since=one.acted_at or one.received_at,
    )
    waiting = {chain for chain, kinds in CHAINS.items() if not one.coming.isdisjoint(kinds)}
    steps = coming(live, work.now, days, one.done)
    return [
        {"ticket_id": one.id, "cycle": one.cycle, "kind": s.kind, "due_at": s.due_at, "silent": False}
        for s in steps
        if not any(s.kind in CHAINS[chain] for chain in waiting)
    ]
