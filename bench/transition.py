"""A reply and a completion, by the courier who has the ticket: beside the same rows written raw behind bare ASGI."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.base.clock import machine
from app.divisions.service import atlas
from app.domain.policy import SYSTEM
from app.domain.steps import idle_at
from app.limits import service as limits
from bench import ground, likeness, lives, load, statements
from bench.clones import clone
from bench.harness import Line, Report, Side, line, take_turns
from bench.lives import Lived, Step
from bench.place import Place, Service, floors, product
from bench.run import CONNECTIONS, Appetite, Run, over_http

FLOOR = "1 raw CTE, bare ASGI"
TARGET, STATEMENTS = 3.5, 10
LIVES: dict[str, tuple[Step, Sequence[Step]]] = {
    "reply": (lives.REPLY, lives.BEGUN),
    "complete": (lives.COMPLETE, (*lives.BEGUN, lives.REPLY)),
}
"""What is done, and what has been done to the ticket before."""
POOLS = {8: 4_000, 1: 2_000}
"""Tickets that wait for it, by connections; made anew before every window."""
GUESS = 400.0


@dataclass(slots=True)
class Pool:
    """Tickets like one, each to be acted on once. `under`: the ground with the original on it."""

    conn: Any
    under: ground.Ground
    original: Lived
    left: deque[str] = field(default_factory=deque)

    async def refill(self, count: int) -> None:
        await ground.forget(self.conn, self.under, tidied=False)
        self.left = deque(await clone(self.conn, self.under, self.original.id, count))
        await ground.tidy(self.conn)

    def taken(self, count: int) -> list[str]:
        return [self.left.popleft() for _ in range(min(count, len(self.left)))]


async def measure(conn: Any, place: Place, laid: ground.Ground, run: Run) -> Report:
    """Each at 8 and at 1 connection."""
    lines: list[Line] = []
    notes: list[str] = []
    heard: dict[str, list[str]] = {}
    idle = await _idle_at(place)
    async with product(place) as service:
        for action, (step, before) in LIVES.items():
            original = await lives.lived(conn, place, service, before)
            pool = Pool(conn, await ground.upto_now(conn, laid), original)
            await pool.refill(3)
            pages = {action: await _page(service, pool, step)}
            async with floors(place, {"pages": pages, "idle_at": idle.isoformat()}) as beside:
                await _alike(pool, service, beside, step)
                lines += await _measured(place, (service, beside), pool, step, run)
            await pool.refill(2)
            sentence, heard[action] = await _counted(place, pool, step)
            notes += [f"{action}: the answer has {len(pages[action].encode()):,} bytes", sentence]
    notes.append("the floor of a transition writes the same values into the same rows as the product (checked)")
    return Report(tuple(lines), tuple(notes), {"statements": heard})


async def _idle_at(place: Place) -> Any:
    """When a ticket that somebody has acted on now has been idle for too long."""
    async with place.opened() as database, database.open_work(SYSTEM) as work:
        return idle_at(work.now, await limits.calendar(work, await atlas(work)))


def _request(pool: Pool, number: str, step: Step, at: Callable[[str, str], str] = lives.path) -> bytes:
    return load.post(at(number, step[0]), pool.original.token, step[1])


def _bare(number: str, action: str) -> str:
    """Where the floor has it."""
    return f"/act/{action}/{number}"


async def _page(service: Service, pool: Pool, step: Step) -> str:
    [connection] = await load.connect(service.port, 1)
    page = await connection.ok(_request(pool, pool.taken(1)[0], step))
    connection.close()
    return page.decode()


async def _alike(pool: Pool, service: Service, beside: Service, step: Step) -> None:
    """Raises AssertionError where the floor leaves other rows behind than the product."""
    left = []
    for side, at in ((service, lives.path), (beside, _bare)):
        number = pool.taken(1)[0]
        begun, since = await likeness.mark(pool.conn), machine()
        [connection] = await load.connect(side.port, 1)
        await connection.ok(_request(pool, number, step, at))
        connection.close()
        left.append(await likeness.rows(pool.conn, number, begun.delta, (since, machine())))
    product_left, floor_left = left
    likeness.require_same(product_left, floor_left, FLOOR)


async def _measured(place: Place, both: tuple[Service, Service], pool: Pool, step: Step, run: Run) -> list[Line]:
    service, beside = both
    lines = []
    for connections in CONNECTIONS:

        async def refilled(count: int = POOLS[connections]) -> None:
            await pool.refill(count)

        await refilled()
        sides = {
            "product": acting_on(place, service, connections, pool, step),
            "floor": acting_on(place, beside, connections, pool, step, _bare),
        }
        found = await take_turns(sides, pairs=run.pairs, seconds=run.seconds, warm_up=run.warm_up, between=refilled)
        lines.append(line(f"transition: {step[0]}", FLOOR, connections, (found["product"], found["floor"]), TARGET))
    return lines


def acting_on(
    place: Place, service: Service, connections: int, pool: Pool, step: Step, at: Callable[[str, str], str] = lives.path
) -> Side:
    """A side that does that to one ticket of the pool after the other."""
    appetite = Appetite(GUESS)

    def supply(seconds: float) -> Sequence[bytes]:
        return [_request(pool, number, step, at) for number in pool.taken(appetite.needs(seconds))]

    return over_http(place, service, connections, supply, appetite)


async def _counted(place: Place, pool: Pool, step: Step) -> tuple[str, list[str]]:
    headers = {"Authorization": f"Bearer {pool.original.token}"}
    async with statements.listening(place) as (client, heard):
        for number in pool.taken(2):  # the first reads the county; the other is as any
            heard.clear()
            answer = await client.post(lives.path(number, step[0]), headers=headers, json=dict(step[1]))
            answer.raise_for_status()
        return statements.sentence(f"transition: {step[0]}", heard, STATEMENTS), heard.statements
