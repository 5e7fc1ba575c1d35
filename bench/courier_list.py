"""The courier's list: 20 of mine by due date, beside two raw selects and the same bytes."""

import json
from typing import Any

from bench import ground, load, statements
from bench.harness import Report, line, take_turns
from bench.place import Place, floors, product
from bench.run import CONNECTIONS, Run, asking

NAME = "courier's list, 20 of mine"
FLOOR = "2 raw selects, bare ASGI"
PATH = "/api/v1/courier/tickets"
TARGET, STATEMENTS = 3.0, 3
_IN_HAND = "SELECT count(*) FROM ticket WHERE person_id = $1 AND status IN ('received', 'accepted', 'in_progress')"


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
                    "product": asking(place, service, connections, [request]),
                    "floor": asking(place, beside, connections, [bare]),
                }
                found = await take_turns(sides, pairs=run.pairs, seconds=run.seconds, warm_up=run.warm_up)
                lines.append(line(NAME, FLOOR, connections, (found["product"], found["floor"]), TARGET))
    in_hand = await conn.fetchval(_IN_HAND, laid.courier_id)
    facts = {"tickets": await ground.tickets(conn), "in_hand": in_hand, "bytes": len(page)}
    note = f"courier's list: {facts['tickets']:,} tickets, {in_hand} in hand, {len(page):,} bytes a page"
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
