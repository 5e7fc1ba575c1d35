"""What the load generator itself costs: the same requests to a bare ASGI application that answers at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from bench import load
from bench.citizens import Citizens
from bench.harness import Window, take_turns
from bench.place import Place, floors
from bench.run import CONNECTIONS, Appetite, Run, over_http

ANSWER = "答" * 200
"""About as long as a sealed reply."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of the generator, by connections: requests a second against nothing, microseconds of processor a request."""

    rates: dict[int, int]
    microseconds: dict[int, int]

    def as_json(self) -> dict[str, Any]:
        return {"name": load.NAME, "per_second": self.rates, "cpu_microseconds": self.microseconds}

    def __str__(self) -> str:
        each = [f"{self.rates[n]:.0f}/s and {self.microseconds[n]:.0f} µs a request at {n}" for n in self.rates]
        return f"load generator {load.NAME}, against a bare ASGI application: {'; '.join(each)}"


async def cost(place: Place, run: Run) -> Cost:
    """Measured in one window of each number of connections, after a warm-up."""
    citizens = Citizens(place, seed=2)
    sealed = citizens.seal(citizens.write(500), "/null/")
    windows: dict[int, list[Window]] = {}
    async with floors(place, {"null": ANSWER}) as beside:
        for connections in CONNECTIONS:
            appetite = Appetite(8_000)
            supply = partial(_supply, sealed, appetite)
            side = over_http(place, beside, connections, supply, appetite)
            found = await take_turns({"null": side}, pairs=1, seconds=run.seconds, warm_up=run.warm_up)
            windows[connections] = found["null"]
    rates = {n: round(median(w.rate for w in found)) for n, found in windows.items()}
    spent = {n: round(median(1e6 * w.cpu["bench"] / w.done for w in found)) for n, found in windows.items()}
    return Cost(rates, spent)


def _supply(sealed: Sequence[bytes], appetite: Appetite, seconds: float) -> list[bytes]:
    return load.repeated(sealed, appetite.needs(seconds))
