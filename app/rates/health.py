"""What `o2o doctor` asks of the counters: whether anybody folds them."""

import asyncio

from app.base.running.health import Check, State, reporter
from app.base.work import Opener
from app.domain.policy import SYSTEM
from app.rates import counters
from app.rates.queries import upkeep

LOOK_AGAIN = 3.0
"""Seconds. A worker folds once a second, the oldest first."""


async def folding(opener: Opener) -> Check:
    """Whether what waits gets done; takes 3 seconds where something waits."""
    check = reporter("counters", "计数")
    async with opener(SYSTEM) as work:
        before = await upkeep.oldest(work.conn)
    if before is not None:
        await asyncio.sleep(LOOK_AGAIN)
    async with opener(SYSTEM) as work:
        after, waiting = await upkeep.oldest(work.conn), await counters.unfolded(work)
        missing = await upkeep.uncounted(work.conn)
    if missing:
        return check(State.FAIL, f"事项数和计数差 {abs(missing):,} 件，四率不准：请运行 o2o rates rebuild")
    if before is not None and before == after:
        said = f"{waiting:,} 条计数没有人汇总（四率仍然准确，但会越算越慢）"
        return check(State.WARN, f"{said}：请启动 o2o worker，已启动的看它的日志")
    return check(State.OK, "计数有人汇总" if before is not None else "没有待汇总的计数")
