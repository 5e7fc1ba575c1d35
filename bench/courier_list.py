"""The courier's list: 20 of mine by due date, beside two raw selects and the same bytes."""

import json
from typing import Any

from bench import ground, load, statements
from bench.harness import Report, line, take_turns
from bench.place import Place, floors, product
from bench.run import CONNECTIONS, Run, over_http

NAME = "courier's list, 20 of mine"
FLOOR = "2 raw selects, bare ASGI"
PATH = "/api/v1/courier/tickets"
TARGET, STATEMENTS = 3.0, 3
BODIES = 100_000
"""Requests prepared for a window: the same bytes, more than any window can ask for."""


async def measure(conn: Any, place: Place, laid: ground.Ground, run: Run) -> Report:
    """At 1 and at 8 connections."""
    request = load.get(PATH, laid.token)
    async with product(place) as service:
        page = await _page(service.port, request)
        async with floors(place, {"page": page.decode()}) as beside:
            bare = load.get("/list", laid.token)
            assert await _page(beside.port, bare) == page
            lines = []
            for connections in CONNECTIONS:
                sides = {
                    "product": over_http(place, service, connections, lambda _: [request] * BODIES),
                    "floor": over_http(place, beside, connections, lambda _: [bare] * BODIES),
                }
                found = await take_turns(sides, pairs=run.pairs, seconds=run.seconds, warm_up=run.warm_up)
                lines.append(line(NAME, FLOOR, connections, (found["product"], found["floor"]), TARGET))
    facts = {"tickets": await ground.tickets(conn), "in_hand": ground.IN_HAND, "bytes": len(page)}
    note = f"courier's list: {facts['tickets']:,} tickets, {ground.IN_HAND} in hand, {len(page):,} bytes a page"
    counted, heard = await _counted(place, laid)
    return Report(tuple(lines), (note, counted), facts | {"statements": heard})


async def _page(port: int, request: bytes) -> bytes:
    [connection] = await load.connect(port, 1)
    page = await connection.ok(request)
    connection.close()
    said = json.loads(page)
    assert len(said["items"]) == 20, "not a full page"
    assert said["next_cursor"], "no next page"
    return page


async def _counted(place: Place, laid: ground.Ground) -> tuple[str, list[str]]:
    async with statements.listening(place) as (client, heard):
        for _ in range(2):
            heard.clear()
            (await client.get(PATH, headers={"Authorization": f"Bearer {laid.token}"})).raise_for_status()
        return statements.sentence(NAME, heard, STATEMENTS), heard.statements
