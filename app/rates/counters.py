"""The counters behind the rates: every change of a ticket adds its difference, a job folds, a recount checks."""

from dataclasses import dataclass

from app.base.batch import Batch
from app.base.work import Work
from app.domain.counting import Facts, Tally, tally
from app.domain.county import Node
from app.domain.workdays import day_of
from app.rates.queries import counting
from app.rates.queries.counting import Difference, Spot

__all__ = ["Counted", "Difference", "count", "fold", "rebuild", "unfolded", "verify"]

_NOTHING = Tally()


@dataclass(frozen=True, slots=True)
class Counted:
    """A ticket as the counters see it. A confidential one is the county's alone, whoever holds it (domain.md, 2)."""

    facts: Facts
    place_id: int
    node: Node
    county_id: int
    confidential: bool

    @property
    def spot(self) -> Spot:
        day = day_of(self.facts.received_at)
        if self.confidential:
            return Spot(day, self.county_id, self.county_id, 0)
        return Spot(day, self.place_id, self.node.division_id or 0, self.node.unit_id or 0)


def count(batch: Batch, before: Counted | None, after: Counted) -> None:
    """Adds to the counters what changed; `before` None: a new ticket. Written with the batch."""
    was, now = _NOTHING if before is None else tally(before.facts), tally(after.facts)
    if before is None or before.spot == after.spot:
        if now != was:
            counting.add_delta(batch, after.spot, now - was)
        return
    counting.add_delta(batch, before.spot, _NOTHING - was)
    counting.add_delta(batch, after.spot, now)


async def fold(work: Work) -> int:
    """Folds a lot of deltas into the rollups; how many they were. Any number of workers may fold."""
    return await counting.fold(work.conn)


async def verify(work: Work) -> list[Difference]:
    """Every counter that is not what the tickets say; of one moment, however busy the house is."""
    return await counting.differences(work.conn)


async def rebuild(work: Work) -> int:
    """Counts all tickets anew and forgets what was counted before; how many rollups there are then."""
    return await counting.rebuild(work.conn)


async def unfolded(work: Work) -> int:
    """How many deltas wait for a worker."""
    return await counting.unfolded(work.conn)
