"""The floor of the history import, and the tickets by the million, on a few: rows, counters, indexes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app.base.clock import machine
from app.base.db import Database
from app.demo.county import DemoCounty
from app.divisions.service import atlas
from app.domain.policy import SYSTEM, Actor
from app.domain.vocabulary import SHANGHAI
from app.imports import service as imports
from app.rates import counters
from app.tickets import views
from bench import crowd, ground, history
from bench.place import connected

# PostgreSQL writes a condition otherwise once it has read what it wrote; whether there is one must stay.
INDEXES = """
SELECT indexname, split_part(indexdef, ' WHERE ', 1) AS of, indexdef LIKE '% WHERE %' AS partial
FROM pg_indexes WHERE tablename = 'ticket' ORDER BY 1
"""
EMPTY = ground.Ground(last=0, last_citizen=0, courier_id=0, token="", number_key=b"")


@pytest.fixture
async def raw(database: Database) -> AsyncIterator[Any]:
    """The driver itself, in the tests' own database."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with connected(url) as conn:
        yield conn


async def _imported(database: Database, demo: DemoCounty) -> None:
    await imports.run(database.open_work, imports.prepare("tickets", history.sheet(demo, 60)))


def _sorted(rows: history.Rows) -> dict[str, list[tuple[Any, ...]]]:
    """Where they lie in the table is the database's business."""
    return {table: sorted(records, key=repr) for table, (_, records) in rows.items()}


async def test_the_floor_of_the_import_leaves_the_rows_of_the_product_behind(
    database: Database, raw: Any, demo: DemoCounty
) -> None:
    database.clock.set(machine().astimezone(SHANGHAI))
    await _imported(database, demo)
    rows = await history.read_back(raw, EMPTY)
    await ground.forget(raw, EMPTY, tidied=False)
    assert not await history.read_back(raw, EMPTY)

    await history.write(raw, rows)

    assert _sorted(await history.read_back(raw, EMPTY)) == _sorted(rows)
    assert len(rows["ticket"][1]) == 60
    assert {"ticket_event", "event_text", "assignment", "ticket_limit", "rating", "rate_delta"} < rows.keys()


async def test_a_crowd_of_tickets_counts_and_shows_like_any_and_leaves_the_indexes_as_they_were(
    database: Database,
    raw: Any,
    demo: DemoCounty,
    actor: Callable[[str], Awaitable[Actor]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database.clock.set(machine().astimezone(SHANGHAI))
    await _imported(database, demo)
    monkeypatch.setattr(crowd, "CHUNK", 70)
    before = await raw.fetch(INDEXES)

    first, last = await crowd.gather(raw, 150, database.clock.business(), lambda sentence: None)

    assert last - first == 149
    assert await raw.fetch(INDEXES) == before
    async with database.open_work(SYSTEM) as work:
        await counters.rebuild(work)
        assert await counters.verify(work) == []
    number = await raw.fetchval("SELECT number FROM ticket WHERE id = $1", last)
    async with database.open_work(await actor("admin-430121"), read=True) as work:
        shown = await views.one(work, await atlas(work), number)
    assert (shown.status, len(shown.description), len(shown.timeline)) == ("closed", 60, 1)
