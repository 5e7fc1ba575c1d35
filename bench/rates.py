"""The rates of a month, of one node and of all: beside the raw statements, without HTTP (as quality.md names no ASGI).

The product's side is what a face calls: Work, the county's revision, the service. Over HTTP is shown for information.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.base.clock import machine
from app.base.db import Database
from app.divisions.service import atlas
from app.domain.policy import SYSTEM
from app.domain.rates import span
from app.domain.vocabulary import SHANGHAI, Level
from app.rates import service as rates
from app.rates.service import Table
from app.schema.rates import TALLIED
from bench import counting, ground, load, statements
from bench.harness import Line, Report, line, take_turns
from bench.place import Place, connected, floors, product
from bench.run import CONNECTIONS, Run, asking, calling

ONE, ALL, ASKED = "rates of a village, a month", "rates of all nodes, a month", "rates of a village, over HTTP"
ONE_FLOOR, ALL_FLOOR = "1 raw select of rollups and open ones", "covering-index aggregate of the tickets"
ASKED_FLOOR = "session, then the same, bare ASGI"
TARGETS = {ONE: 2.0, ALL: 0.3}
STATEMENTS = 2
BACK = timedelta(days=60)
"""The month is that of so long ago: over, and with tickets that are still open."""

Ask = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """A village with its grids, a month as days and as moments, and the county."""

    village_id: int
    code: str
    divisions: list[int]
    county_id: int
    nodes: int
    first: date
    last: date

    @property
    def span(self) -> tuple[datetime, datetime, datetime]:
        begin, end = span(self.first, self.last)
        return begin, end, machine().astimezone(SHANGHAI)

    async def one(self, database: Database) -> Table:
        async with database.open_work(SYSTEM, read=True) as work:
            return await rates.rates(work, await atlas(work), self.village_id, first=self.first, last=self.last)

    async def all(self, database: Database) -> Table:
        async with database.open_work(SYSTEM, read=True) as work:
            return await rates.rates_down_to(
                work, await atlas(work), self.county_id, first=self.first, last=self.last, lowest=Level.GRID
            )

    async def raw_one(self, conn: Any) -> Any:
        return await counting.node(conn, self.divisions, (self.first, self.last), self.span)

    async def raw_all(self, conn: Any) -> Any:
        return await counting.everywhere(conn, self.span)


async def question(place: Place, laid: ground.Ground, conn: Any) -> Question:
    """Of the village of the courier who has many in hand."""
    grid = await conn.fetchval("SELECT division_id FROM appointment WHERE staff_id = $1 LIMIT 1", laid.courier_id)
    async with place.opened() as database, database.open_work(SYSTEM, read=True) as work:
        county = (await atlas(work)).county
    village = county.divisions[county.divisions[grid].lineage[2]]
    within = [one.id for one in county.divisions.values() if village.id in one.lineage]
    first = (machine() - BACK).date().replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Question(village.id, village.code, within, county.root.id, len(county.divisions), first, last)


async def measure(conn: Any, place: Place, laid: ground.Ground, run: Run) -> Report:
    """At 8 and at 1 at a time."""
    asked = await question(place, laid, conn)
    await counting.lay_scratch(conn)
    try:
        async with place.opened() as database:
            notes = await _alike(asked, database, conn)
            lines = await _measured(asked, database, place, run)
        lines += await _over_http(asked, place, laid, run)
    finally:
        await counting.drop_scratch(conn)
    counted = await _counted(asked, place)
    return Report(tuple(lines), (*notes, *counted))


async def _alike(asked: Question, database: Database, conn: Any) -> list[str]:
    """Raises AssertionError where a floor counts otherwise than the product."""
    one, everywhere = await asked.one(database), await asked.all(database)
    raw, rows = await asked.raw_one(conn), await asked.raw_all(conn)
    [own] = one.rows
    county = next(row for row in everywhere.rows if row.node.division_id == asked.county_id)
    for row, said in ((own, raw.values()), (county, (sum(row[n] for row in rows) for n in range(1, len(rows[0]))))):
        counts, numbers = row.counts, [int(one or 0) for one in said]
        tallied = dict(zip(TALLIED, numbers, strict=False))
        assert all(getattr(counts, name) == tallied[name] for name in ("received", "completed", "likes", "on_time"))
        open_ones = (counts.open_overdue, counts.open_overdue_original, counts.not_yet_due)
        assert open_ones == tuple(numbers[len(tallied) : len(tallied) + 3]), f"{row.name}: {open_ones} open"
    rollups = await conn.fetchval(
        "SELECT count(*) FROM rate_rollup WHERE day BETWEEN $1 AND $2", asked.first, asked.last
    )
    told = f"{own.counts.received:,} tickets of {len(asked.divisions)} divisions; all {asked.nodes:,} nodes:"
    return [f"rates of {asked.first:%Y-%m}: a village has {told} {county.counts.received:,} in {rollups:,} rollup rows"]


async def _measured(asked: Question, database: Database, place: Place, run: Run) -> list[Line]:
    lines = []
    pairs: tuple[tuple[str, str, Ask, Ask], ...] = (
        (ONE, ONE_FLOOR, asked.one, asked.raw_one),
        (ALL, ALL_FLOOR, asked.all, asked.raw_all),
    )
    for connections in CONNECTIONS:
        async with AsyncExitStack() as stack:
            raw = [await stack.enter_async_context(connected(place.url)) for _ in range(connections)]
            for name, floor, ours, theirs in pairs:
                sides = {
                    "product": calling(place, [database] * connections, ours),
                    "floor": calling(place, raw, theirs),
                }
                found = await take_turns(sides, pairs=run.pairs, seconds=run.seconds, warm_up=run.warm_up)
                lines.append(line(name, floor, connections, (found["product"], found["floor"]), TARGETS[name]))
    return lines


async def _over_http(asked: Question, place: Place, laid: ground.Ground, run: Run) -> list[Line]:
    request = load.get(f"/api/v1/rates?division={asked.code}&from={asked.first}&to={asked.last}", laid.token)
    bare = load.get("/rates", laid.token)
    lines = []
    async with product(place) as service:
        [connection] = await load.connect(service.port, 1)
        page = (await connection.ok(request)).decode()
        connection.close()
        month = [str(asked.first), str(asked.last)]
        async with floors(place, {"page": page, "divisions": asked.divisions, "month": month}) as beside:
            for connections in CONNECTIONS:
                sides = {
                    "product": asking(place, service, connections, [request]),
                    "floor": asking(place, beside, connections, [bare]),
                }
                found = await take_turns(sides, pairs=run.pairs, seconds=run.seconds, warm_up=run.warm_up)
                lines.append(line(ASKED, ASKED_FLOOR, connections, (found["product"], found["floor"]), None))
    return lines


async def _counted(asked: Question, place: Place) -> list[str]:
    notes = []
    async with statements.hearing(place) as (database, heard):
        for name, ask in ((ONE, asked.one), (ALL, asked.all)):
            for _ in range(2):
                heard.clear()
                await ask(database)
            notes.append(statements.sentence(name, heard, STATEMENTS))
    return notes
