"""Reports made in a test's own transaction, of tickets that nobody else sees."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.policy import Actor
from app.domain.vocabulary import SHANGHAI
from app.reports.queries import Report
from app.reports.service import Opens, monthly, revise
from tests.rates.counted import DONE, at, write

COUNTY, FIRST_GRID = "430121", "430121001001001"
AUGUST = "2026-08"


def opens(work: Work) -> Opens:
    """That very Work, whatever is asked for."""

    @asynccontextmanager
    async def opened(actor: Actor, *, read: bool = False) -> AsyncIterator[Work]:
        yield work

    return opened


async def long_before(work: Work) -> Atlas:
    """The county, in which one village has had a ticket before any month that a test is about."""
    county = await atlas(work)
    then = datetime(2025, 3, 3, 9, tzinfo=SHANGHAI)
    await write(work.conn, [at(county.county, FIRST_GRID, replace(DONE, received_at=then))])
    return county


async def made(work: Work, county: Atlas, code: str = COUNTY, period: str = AUGUST) -> Report:
    return await monthly(opens(work), county.county.by_code[code].id, period)


async def revised(work: Work, county: Atlas, reason: str = "补录", period: str = AUGUST) -> Report:
    return await revise(opens(work), county.county.root.id, period, reason)
