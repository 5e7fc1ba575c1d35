"""Reports made in a test's own transaction, of tickets that nobody else sees."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.base.work import Work
from app.divisions.service import Atlas
from app.domain.policy import Actor
from app.reports.queries import Report
from app.reports.service import Opens, monthly, revise

COUNTY = "430121"
AUGUST = "2026-08"


def opens(work: Work) -> Opens:
    """That very Work, whatever is asked for."""

    @asynccontextmanager
    async def opened(actor: Actor, *, read: bool = False) -> AsyncIterator[Work]:
        yield work

    return opened


async def made(work: Work, county: Atlas, code: str = COUNTY, period: str = AUGUST) -> Report:
    return await monthly(opens(work), county.county.by_code[code].id, period)


async def revised(work: Work, county: Atlas, reason: str = "补录", period: str = AUGUST) -> Report:
    return await revise(opens(work), county.county.root.id, period, reason)
