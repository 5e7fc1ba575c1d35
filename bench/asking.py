"""What is asked of a small and of a large database, through the services and raw: one call at a time, without HTTP."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from app.base.clock import machine
from app.base.db import Database
from app.base.secrets import Vault
from app.divisions.service import atlas
from app.domain.policy import SYSTEM, Actor, ActorKind
from app.domain.vocabulary import OPEN, SHANGHAI
from app.people import queries as people
from app.tickets import views
from app.tickets.queries.reading import Filters, Page
from app.wechat import inbound
from app.wechat.accounts import Accounts
from app.wechat.messages import read
from bench import counting, ground, rates, reading, writers
from bench.citizens import Citizens
from bench.place import KEY, Place, connected
from bench.rates import Question

Ask = Callable[[], Awaitable[Any]]
Both = tuple[Ask, Ask]
"""Of the product, and raw."""

NUMBERS = 2_000
"""Tickets that are looked at, drawn from all."""
WRITTEN = 40
"""Messages before any is measured: what the floor writes again."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and through what. `actors`: an administrator of the county, and the courier of the ground."""

    database: Database
    conn: Any
    question: Question
    actors: tuple[Actor, Actor]
    numbers: Sequence[str]
    messages: "_Messages"

    def questions(self) -> dict[str, Both]:
        return {
            rates.ONE: (self._one, self._raw_one),
            rates.ALL: (self._all, self._raw_all),
            "ticket by number": (self._ticket, self._raw_ticket),
            "courier's list, 20 of mine": (self._list, self._raw_list),
            "webhook text → ticket": (self.messages.send, self.messages.write),
        }

    async def _one(self) -> Any:
        return await self.question.one(self.database)

    async def _raw_one(self) -> Any:
        return await self.question.raw_one(self.conn)

    async def _all(self) -> Any:
        return await self.question.all(self.database)

    async def _raw_all(self) -> Any:
        asked = self.question
        return await counting.rolled(self.conn, (asked.first, asked.last), asked.span)

    async def _ticket(self) -> Any:
        async with self.database.open_work(self.actors[0], read=True) as work:
            return await views.one(work, await atlas(work), random.choice(self.numbers))

    async def _raw_ticket(self) -> Any:
        return await self.conn.fetchrow(reading.ANY_TICKET, random.choice(self.numbers))

    async def _list(self) -> Any:
        courier = self.actors[1]
        async with self.database.open_work(courier, read=True) as work:
            mine = Filters(status=sorted(OPEN), person_id=courier.id)
            return await views.listed(work, await atlas(work), mine, Page("due_at", 20, None))

    async def _raw_list(self) -> Any:
        return await self.conn.fetch(reading.LIST, self.actors[1].id)


@dataclass(slots=True)
class _Messages:
    """New messages of new citizens: to the product's service, and as one statement of the same rows."""

    database: Database
    conn: Any
    citizens: Citizens
    accounts: Accounts
    ids: writers.Ids
    templates: Iterator[dict[str, Any]] = field(default_factory=lambda: cycle(()))

    async def send(self) -> Any:
        [sent] = self.citizens.write(1)
        account = await self.accounts.find(sent.account.keys.appid, self.database.open_work)
        assert account is not None
        async with self.database.open_work(SYSTEM) as work:
            message = read(sent.xml)
            return await inbound.receive(work, account, message, inbound.entry_of(message, sent.xml))

    async def write(self) -> Any:
        [sent] = self.citizens.write(1)
        now = machine().astimezone(SHANGHAI)
        filing = writers.Filing(sent.account.id, sent.openid, sent.key, sent.xml, sent.text, now)
        return await writers.at_once(self.conn, self.ids, filing, next(self.templates))

    async def learn(self, last: int) -> None:
        """What the product writes behind that ticket is what the floor writes."""
        for _ in range(WRITTEN):
            await self.send()
        self.templates = cycle([writers.ready(one) for one in await writers.templates(self.conn, last)])


@asynccontextmanager
async def asker(place: Place, laid: ground.Ground) -> AsyncIterator[Asker]:
    """What is written meanwhile is taken away afterwards."""
    async with place.opened() as database, connected(place.url) as conn:
        under = await ground.upto_now(conn, laid)
        some = [random.randrange(laid.last + 1, under.last + 1) for _ in range(NUMBERS)]
        rows = await conn.fetch("SELECT number FROM ticket WHERE id = ANY($1::bigint[])", some)
        actors = await _actor(database, await conn.fetchval(_ADMINISTRATOR)), await _actor(database, laid.courier_id)
        asked = await rates.question(place, laid, conn)
        ids = writers.Ids(conn, laid.number_key)
        messages = _Messages(database, conn, Citizens(place, seed=5), Accounts(Vault(KEY)), ids)
        await messages.learn(under.last)
        yield Asker(database, conn, asked, actors, [row["number"] for row in rows], messages)
        await ground.forget(conn, under, tidied=False)


_ADMINISTRATOR = """
SELECT a.staff_id FROM appointment a JOIN division d ON d.id = a.division_id
WHERE a.role = 'administrator' AND d.level = 'county' LIMIT 1
"""


async def _actor(database: Database, staff_id: int) -> Actor:
    async with database.open_work(SYSTEM, read=True) as work:
        seats = await people.seats_of(work.conn, staff_id, work.now)
    return Actor(ActorKind.STAFF, staff_id, "", None, seats)
