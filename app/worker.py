"""The clockwork: a beat that starts the features' jobs. What is due lies in the database, so any number may beat."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.audit import jobs as audit
from app.base import log
from app.base.clock import machine
from app.base.db import Database, unreachable
from app.base.work import Opener
from app.domain.vocabulary import SHANGHAI
from app.files import jobs as files
from app.files.store import Store
from app.limits import jobs as limits
from app.people import jobs as people
from app.rates import jobs as rates
from app.tickets import jobs as tickets

POOL = 4
"""Connections of a worker: it does few things at once."""
PATIENCE = 10.0
"""Seconds that a job which is at work has to finish when the clockwork stops."""
LONGEST_WAIT = 60.0
AWAY_WAIT = 5.0
"""Seconds at most between two tries of a job that failed; the second while the database is away."""

_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something that happens later. `run` opens its own Work, may be cut short anywhere, and says how much it did.

    Several workers run it at the same time: it takes rows by SKIP LOCKED, or does what may be done twice.
    """

    name: str
    seconds: float
    run: Callable[[Opener], Awaitable[int]]


JOBS = (
    Job("rates.fold", 1, rates.fold),
    Job("limits.plan_missing", 3600, limits.plan_missing),
    Job("audit.seal", 300, audit.seal),
    Job("people.sweep", 600, people.sweep),
    Job("tickets.sweep", 3600, tickets.sweep),
)


def jobs_with(store: Store) -> tuple[Job, ...]:
    """All jobs, those that need the store of files among them."""
    return (*JOBS, Job("files.sweep", 3600, partial(files.sweep, store)))


@asynccontextmanager
async def beating(database: Database, jobs: Sequence[Job] = JOBS, patience: float = PATIENCE) -> AsyncIterator[None]:
    """While inside, the jobs run, the first time at once. Leaving waits for those that are at work, `patience` seconds
    at most; then they are cancelled, and what they had begun is rolled back."""
    # It warns of every beat that finds its job still at work, and logs each run: ours says what matters.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler = AsyncIOScheduler(timezone=SHANGHAI, job_defaults=defaults)
    hands = [_Hand(job, database.open_work) for job in jobs]
    for hand in hands:
        scheduler.add_job(hand.beat, "interval", seconds=hand.job.seconds, next_run_time=machine())
    scheduler.start()
    try:
        yield
    finally:
        # Before the scheduler, which would cancel what is at work instead of waiting for it.
        await asyncio.gather(*(hand.stop(patience) for hand in hands))
        scheduler.shutdown(wait=False)


class _Hand:
    """Runs one job, one run at a time; one that fails is tried again ever later."""

    def __init__(self, job: Job, opener: Opener) -> None:
        self.job = job
        self._opener = opener
        self._at_work: asyncio.Task[None] | None = None
        self._failures = 0
        self._again_at = 0.0
        self._stopped = False

    async def beat(self) -> None:
        if self._stopped or monotonic() < self._again_at:
            return
        # A task of our own: the scheduler cancels its own ones when it stops.
        self._at_work = asyncio.create_task(self._run())
        await asyncio.wait([self._at_work])

    async def stop(self, patience: float) -> None:
        """No run begins any more; the one at work ends by itself, or is cancelled when it is late."""
        self._stopped = True
        if self._at_work is None or self._at_work.done():
            return
        await asyncio.wait([self._at_work], timeout=patience)
        if self._at_work.cancel():
            _logger.warning("job cut short", job=self.job.name)
            await asyncio.wait([self._at_work])

    async def _run(self) -> None:
        began = monotonic()
        try:
            done = await self.job.run(self._opener)
        except Exception as error:
            self._failed(error)
            return
        if self._failures:
            _logger.warning("job works again", job=self.job.name, failures=self._failures)
        self._failures = 0
        if done:
            _logger.debug("job done", job=self.job.name, done=done, seconds=round(monotonic() - began, 3))

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        away = unreachable(error)
        longest = AWAY_WAIT if away else LONGEST_WAIT
        self._again_at = monotonic() + min(longest, self.job.seconds * 2.0 ** min(self._failures, 10))
        if not away:
            _logger.error("job failed", job=self.job.name, failures=self._failures, exc_info=error)
        elif self._failures == 1:
            _logger.warning("job waits for the database", job=self.job.name, reason=type(error).__name__)
