"""Whether size tells: the same questions to a small and to a large database. `python -m bench.growth`.

Through the services, without HTTP, one at a time, product and floor (the same columns, raw) in turn; medians.
"""

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import uvloop

from app.base.clock import machine
from app.base.db import Database
from app.divisions.service import atlas
from app.domain.policy import SYSTEM, Actor, ActorKind
from app.domain.vocabulary import OPEN, SHANGHAI
from app.people import queries as people
from app.rates import counters
from app.tickets import views
from app.tickets.queries.reading import Filters, Page
from bench import counting, ground, reading
from bench.crowd import gather
from bench.place import Place, connected, founded
from bench.rates import Question, question

SMALL, LARGE = 100_000, 10_000_000
LAID = 1_000
"""Tickets as the product writes them, with open ones among them: the same in both."""
CALLS = 200
TARGET = 1.3
BYTES = 4_000
"""Of disk a ticket, the log and a sort included: 10 million of them take 40 GB at most."""

Ask = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Took:
    """Medians in milliseconds."""

    product: float
    floor: float


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and through what. `actors`: an administrator of the county, and the courier of the ground."""

    database: Database
    conn: Any
    question: Question
    actors: tuple[Actor, Actor]
    numbers: Sequence[str]

    def pairs(self) -> dict[str, tuple[Ask, Ask]]:
        """What is asked: of the product, and raw."""
        return {
            "rates of a village, a month": (self._one, self._raw_one),
            "rates of all nodes, a month": (self._all, self._raw_all),
            "ticket by number": (self._ticket, self._raw_ticket),
            "courier's list, 20 of mine": (self._list, self._raw_list),
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description="Whether the size of the tables tells.")
    parser.add_argument("--small", type=int, default=SMALL, help=f"tickets (default {SMALL:,})")
    parser.add_argument("--large", type=int, default=LARGE, help=f"tickets (default {LARGE:,})")
    parser.add_argument("--calls", type=int, default=CALLS, help=f"of each, at each size (default {CALLS})")
    parser.add_argument("--keep", action="store_true", help="leaves the database where it is")
    options = parser.parse_args()
    if not 0 < options.small < options.large:
        parser.error("--small must be less than --large")
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < options.large * BYTES:
        needed = options.large * BYTES / 1e9
        _say(f"{tempfile.gettempdir()} has {free / 1e9:.0f} GB free, {options.large:,} tickets may need {needed:.0f}:")
        _say("set TMPDIR to a folder with more, or give a smaller --large")
        return 1
    print(f"load average before: {' '.join(f'{one:.2f}' for one in os.getloadavg())}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        small, large = runner.run(_measured((options.small, options.large), options.calls, keep=options.keep))
    _show(small, large)
    return 0


async def _measured(sizes: tuple[int, int], calls: int, *, keep: bool) -> list[dict[str, Took]]:
    found, there = [], 0
    async with founded(keep=keep) as place, connected(place.url) as conn:
        laid = await ground.lay(conn, place, LAID)
        for size in sizes:
            await _grow(conn, place, size - there)
            there = size
            async with place.opened() as database:
                asker = await _asker(place, laid, database, conn)
                found.append({what: await _took(pair, calls) for what, pair in asker.pairs().items()})
        if keep:
            _say(f"left in {place.folder}")
    return found


async def _grow(conn: Any, place: Place, count: int) -> None:
    """By so many tickets: loaded, counted, tidied."""
    begun = time.monotonic()
    await gather(conn, count, machine().astimezone(SHANGHAI), _say)
    loaded = time.monotonic()
    async with place.opened() as database, database.open_work(SYSTEM) as work:
        rollups = await counters.rebuild(work)
    counted = time.monotonic()
    await ground.tidy(conn)
    size = await conn.fetchval("SELECT pg_database_size(current_database())")
    print(
        f"{count:,} more tickets: loaded and indexed in {loaded - begun:.1f} s, counted in {counted - loaded:.1f} s"
        f" ({rollups:,} rollups), vacuumed in {time.monotonic() - counted:.1f} s; {size / 2**20:,.0f} MiB by now",
        flush=True,
    )


async def _asker(place: Place, laid: ground.Ground, database: Database, conn: Any) -> Asker:
    administrator = await conn.fetchval(
        "SELECT a.staff_id FROM appointment a JOIN division d ON d.id = a.division_id"
        " WHERE a.role = 'administrator' AND d.level = 'county' LIMIT 1"
    )
    last = await conn.fetchval("SELECT max(id) FROM ticket")
    some = [random.randrange(laid.last + 1, last + 1) for _ in range(2 * CALLS)]
    rows = await conn.fetch("SELECT number FROM ticket WHERE id = ANY($1::bigint[])", some)
    actors = await _actor(database, administrator), await _actor(database, laid.courier_id)
    asked = await question(place, laid, conn)
    return Asker(database, conn, asked, actors, [row["number"] for row in rows])


async def _actor(database: Database, staff_id: int) -> Actor:
    async with database.open_work(SYSTEM, read=True) as work:
        seats = await people.seats_of(work.conn, staff_id, work.now)
    return Actor(ActorKind.STAFF, staff_id, "", None, seats)


async def _took(pair: tuple[Ask, Ask], calls: int) -> Took:
    """In turn, after half as many that do not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for n in range(-calls // 2, calls):
        for ask, times in zip(pair, taken, strict=True):
            begun = time.perf_counter()
            await ask()
            if n >= 0:
                times.append(1000 * (time.perf_counter() - begun))
    return Took(median(taken[0]), median(taken[1]))


def _show(small: dict[str, Took], large: dict[str, Took]) -> None:
    head = ("operation", "product small", "large", "floor small", "large", "× floor small", "large")
    rows: list[tuple[str, ...]] = [(*head, "growth", "of the floor", f"≤ {TARGET:g}")]
    for what, before in small.items():
        after = large[what]
        grown, beside = after.product / before.product, after.floor / before.floor
        times = (before.product, after.product, before.floor, after.floor)
        ratios = (before.product / before.floor, after.product / after.floor, grown, beside)
        verdict = "met" if grown <= TARGET else "MISSED"
        rows.append((what, *(f"{one:.2f} ms" for one in times), *(f"{one:.2f}" for one in ratios), verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
