"""Whether size tells: the same questions to a small and to a large database. `python -m bench.growth`.

Two databases of one server, the large one a copy of the small one that has grown. Through the services, without HTTP,
one at a time; small and large, product and floor (the same columns or rows, raw) in turn, call by call.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from app.base.clock import machine
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI
from app.rates import counters
from bench import counting, ground, harness, rates
from bench.asking import Ask, Asker, asker
from bench.crowd import gather
from bench.harness import LEAST_PAIRS, Line, Window, line
from bench.place import Place, connected, founded

SMALL, LARGE = 100_000, 10_000_000
LAID = 1_000
"""Tickets as the product writes them, with open ones among them: the same in both."""
CALLS = 200
TARGET = 1.3
BYTES = 4_000
"""Of disk a ticket, the log and a sort included: 10 million of them take 40 GB at most."""


def main() -> int:
    options = _options()
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < options.large * BYTES:
        needed = options.large * BYTES / 1e9
        _say(f"{tempfile.gettempdir()} has {free / 1e9:.0f} GB free, {options.large:,} tickets may need {needed:.0f}:")
        _say("set TMPDIR to a folder with more, or give a smaller --large")
        return 1
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        grown, beside, facts = runner.run(_measured(options))
    if options.json:
        tables = {"growth": [one.as_json() for one in grown], "large": [one.as_json() for one in beside]}
        options.json.write_text(json.dumps(facts | tables, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"{options.large:,} tickets against {options.small:,} (product/s, floor/s: the large one, the small one)")
    print(harness.table(grown))
    print(f"beside the floors, at {options.large:,}")
    print(harness.table(beside))
    averages = " ".join(f"{one:.2f}" for one in facts["load_average"])
    print(f"* medians of {options.calls // LEAST_PAIRS} calls in each of {LEAST_PAIRS} rounds, one call at a time")
    print(f"* load average before: {averages}{' — NOISY' if facts['noisy'] else ''}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description="Whether the size of the tables tells.")
    parser.add_argument("--small", type=int, default=SMALL, help=f"tickets (default {SMALL:,})")
    parser.add_argument("--large", type=int, default=LARGE, help=f"tickets (default {LARGE:,})")
    parser.add_argument("--calls", type=int, default=CALLS, help=f"of each, at each size (default {CALLS})")
    parser.add_argument(
        "--wait", type=float, default=120.0, help="seconds for a quiet machine, once loaded (default 120)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures are written as JSON")
    parser.add_argument("--keep", action="store_true", help="leaves the databases where they are")
    options = parser.parse_args()
    if not LAID < options.small < options.large:
        parser.error(f"--small must be more than {LAID:,} and less than --large")
    if options.calls < LEAST_PAIRS:
        parser.error(f"at least {LEAST_PAIRS} calls")
    return options


async def _measured(options: argparse.Namespace) -> tuple[list[Line], list[Line], dict[str, Any]]:
    async with founded(keep=options.keep) as place:
        if options.keep:
            _say(f"in {place.folder}, which is left there")
        async with connected(place.url) as conn:
            laid = await ground.lay(conn, place, LAID)
            sizes = [await _grow(conn, place, options.small - LAID)]
        large = await place.copied("large")
        async with connected(large.url) as conn:
            sizes.append(await _grow(conn, large, options.large - options.small))
        load, noisy = harness.wait_for_quiet(options.wait, _say)
        async with asker(place, laid) as few, asker(large, laid) as many:
            grown, beside = await _compared(few, many, options.calls)
            beside.append(await _aggregated(many, options.calls))
    return grown, beside, {"load_average": load, "noisy": noisy, "bytes": sizes, "machine": harness.machine()}


async def _grow(conn: Any, place: Place, count: int) -> int:
    """By so many tickets: loaded, counted, tidied. The bytes of the database then."""
    begun = time.monotonic()
    await gather(conn, count, machine().astimezone(SHANGHAI), _say)
    loaded = time.monotonic()
    async with place.opened() as database, database.open_work(SYSTEM) as work:
        rollups = await counters.rebuild(work)
    counted = time.monotonic()
    await ground.tidy(conn)
    size = int(await conn.fetchval("SELECT pg_database_size(current_database())"))
    _say(
        f"{count:,} more tickets: loaded and indexed in {loaded - begun:.1f} s, counted in {counted - loaded:.1f} s"
        f" ({rollups:,} rollups), vacuumed in {time.monotonic() - counted:.1f} s; {size / 2**20:,.0f} MiB by now"
    )
    return size


async def _compared(few: Asker, many: Asker, calls: int) -> tuple[list[Line], list[Line]]:
    """What size does to each question, of the product and raw; and, where there are many, the one beside the other."""
    grown, beside = [], []
    for name, (ours, raw) in few.questions().items():
        theirs, bare = many.questions()[name]
        _say(f"asking: {name}")
        took = await _in_turn({"few": ours, "many": theirs, "few, raw": raw, "many, raw": bare}, calls)
        grown.append(_growth(name, "the same, small", (took["many"], took["few"]), TARGET))
        grown.append(_growth(f"  {name}, raw", "the same, small", (took["many, raw"], took["few, raw"]), None))
        beside.append(line(name, "the same, raw", 1, (took["many"], took["many, raw"]), None))
    return grown, beside


def _growth(name: str, than: str, windows: tuple[list[Window], list[Window]], target: float | None) -> Line:
    row = line(name, than, 1, windows, target)
    return replace(row, ratio=replace(row.ratio, floored=False))


async def _aggregated(many: Asker, calls: int) -> Line:
    """The rates of all nodes beside the aggregate of a covering index: what the counters are there for."""
    _say("laying the scratch copy, with its covering index")
    await counting.lay_scratch(many.conn)
    try:
        ours, _ = many.questions()[rates.ALL]
        sides = {"ours": ours, "raw": lambda: many.question.raw_all(many.conn)}
        took = await _in_turn(sides, max(LEAST_PAIRS, calls // 10))
    finally:
        await counting.drop_scratch(many.conn)
    row = line(rates.ALL, rates.ALL_FLOOR, 1, (took["ours"], took["raw"]), rates.TARGETS[rates.ALL])
    # Here the product is meant to win.
    return replace(row, ratio=replace(row.ratio, floored=False))


async def _in_turn(sides: Mapping[str, Ask], calls: int) -> dict[str, list[Window]]:
    """Rounds of calls in turn, after a short one that does not count; a window is as long as its median call says."""
    found: dict[str, list[Window]] = {name: [] for name in sides}
    each = calls // LEAST_PAIRS
    for number in range(-1, LEAST_PAIRS):
        taken: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(each if number >= 0 else each // 2 + 1):
            for name, ask in sides.items():
                begun = time.perf_counter()
                await ask()
                taken[name].append(time.perf_counter() - begun)
        if number >= 0:
            for name, times in taken.items():
                found[name].append(Window(len(times), len(times) * median(times)))
    return found


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
