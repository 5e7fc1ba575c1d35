"""The floor of the history import, and the tickets by the million, on a few: rows, counters, indexes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app.base.clock import machine
from app.base.db import Database
from app.demo.county import DemoCounty
from app.demo.sheets import Sheet, as_csv
from app.divisions.service import atlas
from app.domain.policy import SYSTEM, Actor
from app.domain.vocabulary import SHANGHAI, Role
from app.imports import service as imports
from app.rates import counters
from app.tickets import views
from bench import crowd, ground, history, likeness
from bench.place import connected

# PostgreSQL writes a condition otherwise once it has read what it wrote; whether there is one must stay.
INDEXES = """
SELECT indexname, split_part(indexdef, ' WHERE ', 1) AS of, indexdef LIKE '% WHERE %' AS partial
FROM pg_indexes WHERE tablename IN ('ticket', 'assignment', 'rating') ORDER BY 1
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


async def test_the_floor_of_the_import_leaves_the_rows_of_the_product_behind(
    database: Database, raw: Any, demo: DemoCounty
) -> None:
    database.clock.set(machine().astimezone(SHANGHAI))
    await _imported(database, demo)
    rows = await history.read_back(raw, EMPTY)
    await ground.forget(raw, EMPTY, tidied=False)
    assert not await history.read_back(raw, EMPTY)

    await history.write(raw, rows)

    assert await history.read_back(raw, EMPTY) == rows
    assert rows["ticket"][0] == 60
    assert {"ticket_event", "event_text", "assignment", "ticket_limit", "rating", "rate_delta"} < rows.keys()


# Closed by time, with a rating and no words: one of a courier, one of a unit.
_OF_A_COURIER = {
    "external_id": "旧-1",
    "channel": "group",
    "category": "C0103",
    "division_code": "430121001001001",
    "title": "垃圾堆了一周",
    "description": "开元路社区3栋楼下垃圾堆了一周没人清运",
    "received_at": "2026-01-05 09:00",
    "accepted_at": "2026-01-05 10:00",
    "completed_at": "2026-01-08 16:00",
    "rating": "like",
    "handler_username": "courier-430121001001001-1",
}


async def test_a_ticket_of_the_crowd_has_the_rows_of_an_imported_one_but_for_words_and_later_events(
    database: Database, raw: Any, demo: DemoCounty
) -> None:
    handler = next(user.username for user in demo.users if user.role == Role.HANDLER)
    rows = [_OF_A_COURIER, _OF_A_COURIER | {"external_id": "旧-2", "handler_username": handler}]
    data = as_csv(Sheet("tickets", tuple(_OF_A_COURIER), rows)).encode()
    begun = await likeness.mark(raw)
    await imports.run(database.open_work, imports.prepare("tickets", data))
    imported = await likeness.mark(raw)

    await crowd.gather(raw, 40, database.clock.business(), lambda sentence: None)

    theirs = await likeness.shapes(raw, begun, imported)
    ours = await likeness.shapes(raw, imported, await likeness.mark(raw))
    assert not theirs["event_text"]
    for table in likeness.TICKETS_OF.keys() - {"ticket_event"}:
        assert ours[table].keys() == theirs[table].keys(), table
        assert ours[table].total() == 20 * theirs[table].total(), table
    [opened] = ours["ticket_event"]
    assert opened in theirs["ticket_event"]


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
