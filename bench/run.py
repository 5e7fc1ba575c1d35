"""How long and how often, and a side that is asked over HTTP with who spent the processor meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench import load
from bench.harness import LEAST_PAIRS, Side, Window, cpu_of
from bench.place import Place, Service

CONNECTIONS = (8, 1)


@dataclass(frozen=True, slots=True)
class Run:
    """`seconds` a window."""

    pairs: int = LEAST_PAIRS
    seconds: float = 3.0
    warm_up: float = 2.0


class Appetite:
    """How many requests a window may need: half as many again as the last one took."""

    def __init__(self, guess: float) -> None:
        self._rate = guess

    def learn(self, rate: float) -> None:
        self._rate = rate

    def needs(self, seconds: float) -> int:
        return int(self._rate * seconds * 1.5) + 50


Supply = Callable[[float], Sequence[bytes]]
"""Makes the requests of a window of so many seconds, unmeasured."""


def over_http(
    place: Place, service: Service, connections: int, supply: Supply, appetite: Appetite | None = None
) -> Side:
    """A closed loop over `connections`; `appetite` is told the rate of each window."""

    async def turn(seconds: float) -> Window:
        requests = supply(seconds)
        asking = await load.connect(service.port, connections)
        begun = spent(place, service)
        done, took = await load.in_turn(asking, requests, seconds)
        ended = spent(place, service)
        for one in asking:
            one.close()
        if appetite is not None:
            appetite.learn(done / took)
        return Window(done, took, {who: ended[who] - begun[who] for who in begun})

    return turn


def asking(place: Place, service: Service, connections: int, requests: Sequence[bytes], guess: float = 3_000.0) -> Side:
    """A side that asks for the same things over and over, some `guess` a second at first."""
    appetite = Appetite(guess)
    return over_http(
        place, service, connections, lambda seconds: load.repeated(requests, appetite.needs(seconds)), appetite
    )


def calling(place: Place, through: Sequence[Any], call: Callable[[Any], Awaitable[bool]]) -> Side:
    """A closed loop in this process, one for each of `through` (connections, say), which `call` is given.

    It ends early where `call` says that it has nothing to do.
    """

    async def turn(seconds: float) -> Window:
        done = 0

        async def one(through: Any) -> None:
            nonlocal done
            while time.perf_counter() - begun < seconds and await call(through):
                done += 1

        before, begun = spent(place), time.perf_counter()
        await asyncio.gather(*map(one, through))
        took, after = time.perf_counter() - begun, spent(place)
        return Window(done, took, {who: after[who] - before[who] for who in before})

    return turn


def spent(place: Place, service: Service | None = None) -> dict[str, float]:
    """Seconds of processor so far: of the service, of all backends, and of this process (the load, or a raw client)."""
    found = {"service": cpu_of(service.pid)} if service else {}
    return found | {"database": cpu_of(place.postmaster), "bench": time.process_time()}
