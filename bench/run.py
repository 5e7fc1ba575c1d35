"""How long and how often, and a side that is asked over HTTP with who spent the processor meanwhile."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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


def spent(place: Place, service: Service | None = None) -> dict[str, float]:
    """Seconds of processor so far: of the service, of all backends, and of this process (the load, or a raw client)."""
    found = {"service": cpu_of(service.pid)} if service else {}
    return found | {"database": cpu_of(place.postmaster), "bench": time.process_time()}
