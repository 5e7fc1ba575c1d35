"""A store, somebody who sends files to it, and acts that use them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.base.db import Database
from app.base.work import Work
from app.divisions.service import atlas
from app.domain.policy import Actor
from app.domain.vocabulary import Channel
from app.tickets import opening
from app.tickets.opening import Matter
from tests.files.sending import COURIER, Acting, Failing, Named


@pytest.fixture
def store(tmp_path: Path) -> Failing:
    return Failing(tmp_path)


@pytest.fixture
async def courier(actor: Named) -> Actor:
    return await actor(COURIER)


@pytest.fixture
def acting(database: Database) -> Acting:
    """Inside an act on a new ticket that this person may see: Work, and the ticket's id; its event 1 is there."""

    @asynccontextmanager
    async def one(who: Actor) -> AsyncIterator[tuple[Work, int]]:
        async with database.open_work(who) as work:
            matter = Matter(Channel.PHONE, "小区门口路灯坏了", recorder_id=who.id)
            ticket = await opening.open_ticket(work, await atlas(work), matter)
            yield work, ticket.id

    return one
