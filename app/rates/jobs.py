"""What is done for the counters in the background."""

from app.base.work import Opener
from app.domain.policy import SYSTEM
from app.rates import counters


async def fold(opener: Opener) -> int:
    """Folds everything that waits, a lot at a time, each in a transaction of its own; how many deltas it was."""
    total = 0
    while True:
        async with opener(SYSTEM) as work:
            done = await counters.fold(work)
        total += done
        if not done:
            return total
