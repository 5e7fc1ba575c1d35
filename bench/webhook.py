"""A citizen's text becomes a ticket, and the same message again: beside the raw rows, and those behind bare ASGI."""

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from app.base.clock import machine
from app.domain.vocabulary import SHANGHAI
from bench import ground, likeness, load, statements, writers
from bench.citizens import Citizens, Sent
from bench.harness import Line, Report, Side, Window, line, percentile, take_turns
from bench.place import Place, Service, connected, floors, product
from bench.run import CONNECTIONS, Appetite, Run, calling, over_http
from bench.writers import Filing, Ids

NAME, REPEATED = "webhook text → ticket", "repeated message"
AT_ONCE = "A: raw, one CTE"
BY_STATEMENTS = "A': raw, statement by statement"
BEHIND_HTTP = "B: A behind bare ASGI"
REMEMBERED = "1 raw select, bare ASGI"
TARGETS = {AT_ONCE: 3.0, BY_STATEMENTS: None, BEHIND_HTTP: 2.2}
REPEATED_TARGET = 3.0
STATEMENTS, REPEATED_STATEMENTS = 12, 3
REPEATS = 400
MOST_AT_ONCE = 32
"""Connections of the open loop."""
GUESS = 600.0

Writer = Callable[[Any, Ids, Filing, writers.Row], Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """What the sides share. `known`: messages that the product has answered; `begun`: before the first of them."""

    conn: Any
    place: Place
    laid: ground.Ground
    citizens: Citizens
    service: Service
    beside: Service
    templates: list[dict[str, Any]]
    known: list[Sent]
    begun: likeness.Mark

    async def settle(self) -> None:
        await ground.settle(self.conn, self.laid)


async def measure(conn: Any, place: Place, laid: ground.Ground, run: Run) -> Report:
    """At 8 and at 1 connection, then the latency at half of the capacity."""
    citizens = Citizens(place, seed=time.time_ns() % 2**32)
    async with product(place) as service:
        # These are repeated later, and show what the product decides and writes: the floors write the same.
        known = citizens.write(REPEATS)
        begun = await likeness.mark(conn)
        added = await likeness.rows_of(conn, lambda: _send(service, citizens.seal(known)))
        found = await writers.templates(conn, laid.last)
        async with floors(place, _facts(place, laid, found)) as beside:
            templates = [writers.ready(one) for one in found]
            scene = Scene(conn, place, laid, citizens, service, beside, templates, known, begun)
            notes = [likeness.told(added, len(known)), await _alike(scene)]
            lines = await _filing(scene, run) + await _repeating(scene, run)
            late, facts = await _latency(scene, lines[0].rates[0] / 2, run)
    notes += [late, *await _counted(place, citizens)]
    facts |= {"tickets_at_the_start": ground.TICKETS, "tickets_at_the_end": await ground.tickets(conn)}
    facts |= {"rows_per_message": {table: count / len(known) for table, count in added.items()}}
    return Report(tuple(lines), tuple(notes), facts)


async def _alike(scene: Scene) -> str:
    """Raises AssertionError where a floor writes rows of other shapes than the product."""
    written = scene.templates
    newest = await likeness.mark(scene.conn)
    expected = await likeness.shapes(scene.conn, scene.begun, newest)
    ids = Ids(scene.conn, scene.laid.number_key)
    for name in TARGETS:
        messages = scene.citizens.write(len(written))
        if name == BEHIND_HTTP:
            await _send(scene.beside, scene.citizens.seal(messages, "/push/"))
        else:
            write = writers.at_once if name == AT_ONCE else writers.by_statements
            for filing, template in zip(_filings(messages), written, strict=True):
                await write(scene.conn, ids, filing, template)
        begun, newest = newest, await likeness.mark(scene.conn)
        likeness.require(expected, await likeness.shapes(scene.conn, begun, newest), name)
    return "the floors write as many rows into the same columns of the same tables as the product (checked)"


def _facts(place: Place, laid: ground.Ground, found: list[dict[str, Any]]) -> dict[str, Any]:
    accounts = {
        one.keys.appid: {"id": one.id, "token": one.keys.token, "encoding_aes_key": one.keys.encoding_aes_key}
        for one in place.accounts
    }
    return {"number_key": laid.number_key.decode(), "accounts": accounts, "templates": found}


async def _filing(scene: Scene, run: Run) -> list[Line]:
    lines: list[Line] = []
    for connections in CONNECTIONS:
        async with AsyncExitStack() as stack:
            # Opened once: a raw program would keep its connections, with what they have prepared, as the product does.
            raw = [await stack.enter_async_context(connected(scene.place.url)) for _ in range(connections)]
            sides = {
                NAME: _pushing(scene, scene.service, "/wechat/", connections),
                AT_ONCE: _writing(scene, writers.at_once, raw),
                BY_STATEMENTS: _writing(scene, writers.by_statements, raw),
                BEHIND_HTTP: _pushing(scene, scene.beside, "/push/", connections),
            }
            found = await take_turns(
                sides, pairs=run.pairs, seconds=run.seconds, warm_up=run.warm_up, between=scene.settle
            )
        for floor, target in TARGETS.items():
            # The target against the raw rows is for 8 at a time (quality.md, 2): alone, fsync hides everything else.
            counts = target if floor != AT_ONCE or connections == CONNECTIONS[0] else None
            lines.append(line(NAME, floor, connections, (found[NAME], found[floor]), counts))
    return lines


async def _repeating(scene: Scene, run: Run) -> list[Line]:
    lines = []
    for connections in CONNECTIONS:
        sides = {
            REPEATED: _pushing(scene, scene.service, "/wechat/", connections, again=True),
            REMEMBERED: _pushing(scene, scene.beside, "/repeat/", connections, again=True),
        }
        found = await take_turns(sides, pairs=run.pairs, seconds=run.seconds, warm_up=run.warm_up)
        lines.append(line(REPEATED, REMEMBERED, connections, (found[REPEATED], found[REMEMBERED]), REPEATED_TARGET))
    return lines


def _pushing(scene: Scene, service: Service, path: str, connections: int, *, again: bool = False) -> Side:
    appetite = Appetite(GUESS)

    def supply(seconds: float) -> Sequence[bytes]:
        wanted = appetite.needs(seconds)
        if again:
            return load.repeated(scene.citizens.seal(scene.known[:REPEATS], path), wanted)
        return scene.citizens.seal(scene.citizens.write(wanted), path)

    return over_http(scene.place, service, connections, supply, appetite)


def _writing(scene: Scene, write: Writer, raw: Sequence[Any]) -> Side:
    appetite = Appetite(GUESS)
    templates = cycle(scene.templates)
    ids = {conn: Ids(conn, scene.laid.number_key) for conn in raw}

    async def turn(seconds: float) -> Window:
        supply = iter(_filings(scene.citizens.write(appetite.needs(seconds))))

        async def one(conn: Any) -> bool:
            filing = next(supply, None)
            if filing is not None:
                await write(conn, ids[conn], filing, next(templates))
            return filing is not None

        window = await calling(scene.place, raw, one)(seconds)
        appetite.learn(window.rate)
        return window

    return turn


def _filings(messages: Sequence[Sent]) -> list[Filing]:
    now = machine().astimezone(SHANGHAI)
    return [Filing(m.account.id, m.openid, m.key, m.xml, m.text, now) for m in messages]


async def _send(service: Service, requests: Sequence[bytes]) -> None:
    asking = await load.connect(service.port, 8)
    await load.in_turn(asking, requests, 120)
    for one in asking:
        one.close()


async def _latency(scene: Scene, rate: float, run: Run) -> tuple[str, dict[str, Any]]:
    """At a constant arrival rate: a closed loop would hide who waits."""
    told, facts = [], {}
    for name, service, path in ((NAME, scene.service, "/wechat/"), (BEHIND_HTTP, scene.beside, "/push/")):
        await scene.settle()
        messages = scene.citizens.write(max(50, int(rate * run.seconds * 2)))
        asking = await load.connect(service.port, MOST_AT_ONCE)
        waited = await load.at_rate(asking, scene.citizens.seal(messages, path), rate)
        for one in asking:
            one.close()
        middle, late = (1000 * percentile(waited, share) for share in (0.5, 0.99))
        told.append(f"{name} {middle:.1f} ms, p99 {late:.1f} ms")
        facts[name] = {"median_ms": round(middle, 2), "p99_ms": round(late, 2)}
    return f"latency at {rate:.0f} a second, arriving evenly: {'; '.join(told)}", {"latency": facts, "at": rate}


async def _counted(place: Place, citizens: Citizens) -> tuple[str, str]:
    """The statements of a first delivery and of a repeat, by the product's code in this process."""
    found = []
    async with statements.listening(place) as (client, heard):
        for message in citizens.write(5):  # the first reads the county; the others are as any
            for what, most in ((NAME, STATEMENTS), (REPEATED, REPEATED_STATEMENTS)):
                heard.clear()
                query, body = citizens.pushed(message)
                answer = await client.post(f"/wechat/{message.account.keys.appid}", params=query, content=body)
                answer.raise_for_status()
                found.append(statements.sentence(what, heard, most))
    return found[-2], found[-1]
