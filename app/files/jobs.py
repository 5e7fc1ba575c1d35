"""What is done for files in the background."""

from app.base import log
from app.base.clock import machine
from app.base.work import Opener
from app.domain.files import UNUSED
from app.domain.policy import SYSTEM
from app.files import queries
from app.files.store import Store, StoreAway

_logger = log.get(__name__)


async def sweep(store: Store, opener: Opener) -> int:
    """Takes away uploads that nobody has used for a day, half-stored ones too, and their bytes where no other file has
    the same; how many it was."""
    await store.tidy()
    before, spared, done = machine() - UNUSED, set[str](), 0
    while True:
        try:
            async with opener(SYSTEM) as work:
                found = await queries.forget_one(work.conn, before, spared)
                if found is None:
                    break
                digest, alone = found
                if alone:
                    # Inside Work, unlike any other waiting: until the commit, whoever sends these bytes again must
                    # wait, or they would be taken away just after having been found there.
                    await _drop(store, digest, spared)
        except StoreAway as away:
            # The others' turn; this one's row is still there, for the next sweep.
            _logger.error("file not swept", store=store.where, reason=str(away))
            continue
        done += 1
    return done


async def _drop(store: Store, digest: str, spared: set[str]) -> None:
    try:
        await store.drop(digest)
    except StoreAway:
        spared.add(digest)
        raise
