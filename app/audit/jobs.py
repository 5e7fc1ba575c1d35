"""What is done for the trail in the background."""

from app.audit import sealing
from app.base.work import Opener
from app.domain.policy import SYSTEM


async def seal(opener: Opener) -> int:
    """Seals the day that is over, once: links what is not linked, a lot of tickets at a time, each in a transaction of
    its own, then makes the anchor. Returns how much there was to do."""
    async with opener(SYSTEM) as work:
        if await sealing.is_sealed(work):
            return 0
    done, after = 0, 0
    while True:
        async with opener(SYSTEM) as work:
            linked, next_after = await sealing.join(work, after)
        done += linked
        if next_after is None:
            break
        after = next_after
    async with opener(SYSTEM) as work:
        return done + await sealing.seal(work)
