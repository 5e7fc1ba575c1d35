"""The protocol (quality.md, 2): product and floor take turns; each pair is a ratio of costs."""

import os
import platform
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from math import ceil
from statistics import median
from typing import Any

WARM_UP = 2.0
"""Seconds, of each side, before its first window."""
LEAST_PAIRS = 5
QUIET = 1.0
"""The load average under which the machine counts as quiet."""

_PACKAGES = (
    "asyncpg", "cryptography", "fastapi", "httptools", "pydantic", "sqlalchemy", "starlette", "uvicorn", "uvloop"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """One side's turn: `done` operations in `seconds`. `cpu`: seconds of processor by who spent them."""

    done: int
    seconds: float
    cpu: Mapping[str, float] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        """Seconds an operation. Raises ZeroDivisionError where nothing was done: such a window measures nothing."""
        return self.seconds / self.done

    @property
    def rate(self) -> float:
        return self.done / self.seconds


Side = Callable[[float], Awaitable[Window]]
"""Works for about that many seconds and tells what it did."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times the floor's cost the product's is, pair by pair. `floored` False: what it is compared with is no
    floor, and may well cost more."""

    pairs: tuple[float, ...]
    target: float | None = None
    floored: bool = True

    @property
    def middle(self) -> float:
        return median(self.pairs)

    @property
    def smallest(self) -> float:
        return min(self.pairs)

    @property
    def largest(self) -> float:
        return max(self.pairs)

    @property
    def met(self) -> bool | None:
        """Whether all pairs but one meet the target, of fewer than five all; None where there is none."""
        if self.target is None:
            return None
        spared = 1 if len(self.pairs) >= LEAST_PAIRS else 0
        return sum(pair > self.target for pair in self.pairs) <= spared

    @property
    def suspect(self) -> bool:
        """The product beats its floor: then the floor is wrong."""
        return self.floored and self.middle < 1


def ratio(product: Sequence[Window], floor: Sequence[Window], target: float | None = None) -> Ratio:
    """The ratio of two sides that took turns; raises ValueError where one has more windows than the other."""
    return Ratio(tuple(p.cost / f.cost for p, f in zip(product, floor, strict=True)), target)


async def take_turns(
    sides: Mapping[str, Side],
    *,
    pairs: int,
    seconds: float,
    warm_up: float = WARM_UP,
    between: Callable[[], Awaitable[None]] | None = None,
) -> dict[str, list[Window]]:
    """Each side's windows, A B A B …, after a warm-up of each; `between` runs before every window, unmeasured."""
    found: dict[str, list[Window]] = {name: [] for name in sides}
    for side in sides.values():
        await side(warm_up)
    for _ in range(pairs):
        for name, side in sides.items():
            if between is not None:
                await between()
            found[name].append(await side(seconds))
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` of them do not exceed (nearest rank). Raises for none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * share) - 1)]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table. `cpu`: milliseconds of processor an operation, product and floor."""

    name: str
    floor: str
    connections: int
    rates: tuple[float, float]
    ratio: Ratio
    cpu: tuple[Mapping[str, float], Mapping[str, float]] = field(default_factory=lambda: ({}, {}))

    def as_json(self) -> dict[str, Any]:
        return {
            "operation": self.name,
            "floor": self.floor,
            "connections": self.connections,
            "product_per_second": round(self.rates[0], 1),
            "floor_per_second": round(self.rates[1], 1),
            "ratio": round(self.ratio.middle, 3),
            "pairs": [round(pair, 3) for pair in self.ratio.pairs],
            "target": self.ratio.target,
            "met": self.ratio.met,
            "floor_suspect": self.ratio.suspect,
            "product_cpu_ms": {who: round(ms, 3) for who, ms in self.cpu[0].items()},
            "floor_cpu_ms": {who: round(ms, 3) for who, ms in self.cpu[1].items()},
        }


def line(
    name: str, floor: str, connections: int, windows: tuple[Sequence[Window], Sequence[Window]], target: float | None
) -> Line:
    """The row of two sides that took turns."""
    product, beside = windows
    rates = median(w.rate for w in product), median(w.rate for w in beside)
    return Line(name, floor, connections, rates, ratio(product, beside, target), (_cpu(product), _cpu(beside)))


def _cpu(windows: Sequence[Window]) -> dict[str, float]:
    return {who: median(1000 * w.cpu[who] / w.done for w in windows) for who in windows[0].cpu}


@dataclass(frozen=True, slots=True)
class Report:
    """What a script of bench/ gives: its rows, notes for a person, and facts for the JSON."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"lines": [one.as_json() for one in self.lines], "notes": self.notes, "facts": self.facts}


def table(lines: Sequence[Line]) -> str:
    """The rows as text, one a line, ratios first; absolute figures are of this machine and minute."""
    head = ("operation", "floor", "at", "ratio", "smallest–largest", "target", "", "product/s", "floor/s")
    rows = [head, *(_row(one) for one in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _row(one: Line) -> tuple[str, ...]:
    r = one.ratio
    verdict = {True: "met", False: "MISSED", None: "for information"}[r.met] + (" floor?" if r.suspect else "")
    target = "–" if r.target is None else f"≤ {r.target:g}"
    spread = f"{r.smallest:.2f}–{r.largest:.2f}"
    absolute = (f"{one.rates[0]:.0f}", f"{one.rates[1]:.0f}")
    return one.name, one.floor, str(one.connections), f"{r.middle:.2f}", spread, target, verdict, *absolute


def wait_for_quiet(patience: float, say: Callable[[str], None]) -> tuple[tuple[float, float, float], bool]:
    """Waits up to `patience` seconds for a load average under 1; gives the averages, and whether it stayed noisy."""
    until = time.monotonic() + patience
    while os.getloadavg()[0] >= QUIET and time.monotonic() < until:
        time.sleep(min(5.0, patience))
    load = os.getloadavg()
    noisy = load[0] >= QUIET
    if noisy:
        say(f"noisy: load average {load[0]:.2f} after {patience:.0f} s of waiting")
    return load, noisy


def machine() -> dict[str, Any]:
    """What the figures depend on, but for the database's own."""
    models = [row.split(":", 1)[1].strip() for row in _read("/proc/cpuinfo").splitlines() if row.startswith("model n")]
    return {
        "processors": len(os.sched_getaffinity(0)),
        "processor": models[0] if models else platform.processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123  (a file of the kernel)
        return file.read()


def cpu_of(pid: int) -> float:
    """Seconds of processor that a process and its living children have used (a PostgreSQL's backends, say)."""
    pids = [pid, *map(int, _read(f"/proc/{pid}/task/{pid}/children").split())]
    ticks = 0
    for one in pids:
        try:
            spent = _read(f"/proc/{one}/stat").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # a backend that ended between the two looks
        ticks += int(spent[11]) + int(spent[12])
    return ticks / os.sysconf("SC_CLK_TCK")
