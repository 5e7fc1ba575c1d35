"""Deltas, folding, and the recount that finds whatever is wrong."""

import asyncio
from dataclasses import replace
from random import Random

import pytest
from sqlalchemy import text

from app.base.batch import Batch
from app.base.db import Database
from app.base.work import Work
from app.divisions.service import Atlas, atlas
from app.domain.counting import Tally, counts_of, running, tally
from app.domain.policy import SYSTEM
from app.domain.vocabulary import Channel, Level
from app.rates import counters, jobs
from app.rates.counters import Counted
from app.rates.service import Table, rates_down_to
from app.tickets.opening import Matter, open_ticket
from tests.rates.counted import DONE, LIKED, RECEIVED, UNTOUCHED, any_facts, at, write

GRID = "430121001001001"
VILLAGE = "430121001001"


@pytest.fixture
async def county(work: Work) -> Atlas:
    return await atlas(work)


async def figures(work: Work, county: Atlas) -> Table:
    day = RECEIVED.date()
    place = county.county.root.id
    return await rates_down_to(work, county, place, first=day, last=work.now.date(), lowest=Level.GRID)


def counted(county: Atlas, facts: object = DONE, code: str = GRID) -> Counted:
    placed = at(county.county, code)
    return Counted(facts, placed.place_id, placed.node, county.county.root.id, confidential=False)  # type: ignore[arg-type]


async def added(work: Work, *changes: tuple[Counted | None, Counted]) -> None:
    batch = Batch()
    for before, after in changes:
        counters.count(batch, before, after)
    await batch.write(work.conn)


async def test_folded_or_not_the_figures_are_the_same(work: Work, county: Atlas) -> None:
    await added(work, (None, counted(county)), (None, counted(county, LIKED)), (None, counted(county, code=VILLAGE)))
    before = await figures(work, county)
    assert await counters.unfolded(work) == 3
    assert await counters.fold(work) == 3
    assert await counters.unfolded(work) == 0
    assert await counters.fold(work) == 0
    assert await figures(work, county) == before
    assert before.rows[0].counts.received == 3


async def test_a_change_adds_only_its_difference_and_none_adds_nothing(work: Work, county: Atlas) -> None:
    was, now = counted(county, UNTOUCHED), counted(county, LIKED)
    await added(work, (None, was), (was, now), (now, now))
    assert await counters.unfolded(work) == 2
    row = (await figures(work, county)).rows[0].counts
    assert (row.received, row.accepted, row.completed, row.likes) == (1, 1, 1, 1)


async def test_a_ticket_that_moves_takes_all_it_counts_along(work: Work, county: Atlas) -> None:
    was, now = counted(county, LIKED), counted(county, LIKED, code=VILLAGE)
    await added(work, (None, was), (was, now))
    by_code = {row.code: row.counts for row in (await figures(work, county)).rows}
    assert (by_code[GRID].received, by_code[VILLAGE].received, by_code[VILLAGE].likes) == (0, 1, 1)


async def test_what_a_clock_changes_and_what_not_are_the_whole(county: Atlas) -> None:
    random = Random(7)
    moments = [RECEIVED.replace(day=day) for day in range(1, 29)]
    for _ in range(2_000):
        one = any_facts(random, moments)
        whole = counts_of(tally(one), running(one, random.choice(moments)))
        assert whole.received + whole.withdrawn + whole.spam == 1
        assert whole.ranked_accepted <= whole.ranked
    assert tally(DONE) - tally(DONE) == Tally()


@pytest.mark.parametrize(
    ("harm", "field"),
    [
        ("UPDATE rate_rollup SET likes = likes + 1", "likes"),
        ("UPDATE ticket SET score = NULL WHERE score = 'like'", "likes"),
        ("DELETE FROM rate_rollup", "received"),
        ("UPDATE rate_rollup SET day = day + 1", "received"),
    ],
)
async def test_the_recount_names_every_difference_and_a_rebuild_mends_it(
    work: Work, county: Atlas, harm: str, field: str
) -> None:
    await write(work.conn, [at(county.county, GRID, LIKED)])
    assert await counters.verify(work) == []
    await work.conn.execute(text(harm))
    found = await counters.verify(work)
    assert field in {one.field for one in found}
    assert all(one.kept != one.counted for one in found)
    assert await counters.rebuild(work) == 1
    assert await counters.verify(work) == []


async def test_any_tickets_are_recounted_as_the_heart_counts_them(work: Work, county: Atlas) -> None:
    random = Random(20260922)
    moments = [RECEIVED.replace(day=day, hour=hour) for day in range(1, 29) for hour in (0, 8, 23)]
    placed = [
        replace(at(county.county, random.choice([GRID, VILLAGE])), facts=any_facts(random, moments)) for _ in range(300)
    ]
    await write(work.conn, placed)
    await work.conn.execute(text("DELETE FROM rate_rollup"))
    batch = Batch()
    for one in placed:
        counters.count(batch, None, Counted(one.facts, one.place_id, one.node, county.county.root.id, one.confidential))
    await batch.write(work.conn)
    assert await counters.verify(work) == []


async def test_many_fold_beside_many_who_write_and_nothing_is_lost_or_counted_twice(database: Database) -> None:
    async def writes() -> None:
        for _ in range(10):
            async with database.open_work(SYSTEM) as work:
                await open_ticket(work, await atlas(work), Matter(Channel.WINDOW, "开元路社区路灯不亮"))

    await asyncio.gather(*(writes() for _ in range(3)), *(jobs.fold(database.open_work) for _ in range(20)))
    await asyncio.gather(*(jobs.fold(database.open_work) for _ in range(3)))
    async with database.open_work(SYSTEM) as work:
        assert (await figures(work, await atlas(work))).rows[0].counts.received == 30
        assert await counters.unfolded(work) == 0
        assert await counters.verify(work) == []


async def test_a_rebuild_beside_writers_misses_none_of_them(database: Database) -> None:
    async def writes() -> None:
        for _ in range(8):
            async with database.open_work(SYSTEM) as work:
                await open_ticket(work, await atlas(work), Matter(Channel.WINDOW, "开元路社区路灯不亮"))

    async def rebuilds() -> None:
        for _ in range(4):
            async with database.open_work(SYSTEM) as work:
                await counters.rebuild(work)

    await asyncio.gather(writes(), writes(), writes(), rebuilds())
    async with database.open_work(SYSTEM) as work:
        assert await counters.verify(work) == []
        assert (await figures(work, await atlas(work))).rows[0].counts.received == 24
