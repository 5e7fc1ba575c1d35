"""One ticket with its timeline, as its courier opens it: beside two raw selects and the same bytes."""

import json
from collections.abc import Sequence
from typing import Any

from bench import ground, lives, load, statements
from bench.clones import clone
from bench.harness import Report, line, take_turns
from bench.place import Place, Service, floors, product
from bench.run import CONNECTIONS, Run, asking

NAME = "ticket with a timeline of 20"
FLOOR = "session, then 1 raw select (json_agg), bare ASGI"
TARGET, STATEMENTS = 3.0, 3
TIMELINE = 20
TICKETS = 200
"""Different ones, asked for in turn."""


async def measure(conn: Any, place: Place, laid: ground.Ground, run: Run) -> Report:
    """At 8 and at 1 connection."""
    async with product(place) as service:
        lived = await lives.lived(conn, place, service, lives.timeline(TIMELINE))
        numbers = await clone(conn, laid, lived.id, TICKETS)
        await ground.tidy(conn)
        requests = [load.get(lives.path(number), lived.token) for number in numbers]
        pages = await _pages(service, requests)
        async with floors(place, {"pages": dict(zip(numbers, pages, strict=True))}) as beside:
            bare = [load.get(f"/ticket/{number}", lived.token) for number in numbers]
            assert await _pages(beside, bare) == pages
            lines = []
            for connections in CONNECTIONS:
                sides = {
                    "product": asking(place, service, connections, requests),
                    "floor": asking(place, beside, connections, bare),
                }
                found = await take_turns(sides, pairs=run.pairs, seconds=run.seconds, warm_up=run.warm_up)
                lines.append(line(NAME, FLOOR, connections, (found["product"], found["floor"]), TARGET))
    size = len(pages[0])
    note = f"{NAME}: {TICKETS} of them in turn, {size:,} bytes each"
    counted, heard = await _counted(place, lived)
    return Report(tuple(lines), (note, counted), {"bytes": size, "statements": heard})


async def _pages(service: Service, requests: Sequence[bytes]) -> list[str]:
    [connection] = await load.connect(service.port, 1)
    pages = [(await connection.ok(request)).decode() for request in requests]
    connection.close()
    assert all(len(json.loads(page)["timeline"]) == TIMELINE for page in pages), "not the timeline that was ordered"
    return pages


async def _counted(place: Place, lived: lives.Lived) -> tuple[str, list[str]]:
    async with statements.listening(place) as (client, heard):
        for _ in range(2):
            heard.clear()
            answer = await client.get(lives.path(lived.number), headers={"Authorization": f"Bearer {lived.token}"})
            answer.raise_for_status()
        return statements.sentence(NAME, heard, STATEMENTS), heard.statements
