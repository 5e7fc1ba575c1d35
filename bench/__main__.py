"""`python -m bench [names]`: measures, prints a table, and writes JSON where asked."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from bench import courier_list, generator, ground, harness, history, rates, ticket_view, transition, webhook
from bench.harness import LEAST_PAIRS, Report
from bench.place import DURABLE, Place, connected, founded
from bench.run import Run

Script = Callable[[Any, Place, ground.Ground, Run], Awaitable[Report]]

SCRIPTS: dict[str, Script] = {
    "courier_list": courier_list.measure,
    "ticket_view": ticket_view.measure,
    "transition": transition.measure,
    "rates": rates.measure,
    "history": history.measure,
    "webhook": webhook.measure,
}
PATIENCE = 120.0


def main() -> int:
    options = _options()
    load, noisy = harness.wait_for_quiet(options.wait, _say)
    run = Run(options.pairs, options.seconds, options.warm_up)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        reports, facts = runner.run(_measured(options.names or list(SCRIPTS), run))
    facts |= {"load_average": load, "noisy": noisy, "machine": harness.machine()}
    facts |= {"pairs": run.pairs, "seconds": run.seconds}
    if options.json:
        said = facts | {"reports": {name: report.as_json() for name, report in reports.items()}}
        options.json.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")
    _show(reports, facts)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed beside the floors, as ratios.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(SCRIPTS)}; all where none is given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures are written as JSON")
    parser.add_argument("--seconds", type=float, default=3.0, help="of a window (default 3)")
    parser.add_argument("--pairs", type=int, default=LEAST_PAIRS, help=f"of windows (default {LEAST_PAIRS})")
    parser.add_argument("--warm-up", type=float, default=harness.WARM_UP, help="seconds of each side (default 2)")
    parser.add_argument("--wait", type=float, default=PATIENCE, help="seconds for a quiet machine (default 120)")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in SCRIPTS]
    if options.pairs < 1:
        parser.error("at least one pair")
    if unknown:
        parser.error(f"no such script: {', '.join(unknown)}")
    return options


async def _measured(names: list[str], run: Run) -> tuple[dict[str, Report], dict[str, Any]]:
    """What each script gave, and the facts that they share."""
    begun = time.monotonic()
    reports: dict[str, Report] = {}
    async with founded() as place, connected(place.url) as conn:
        laid = await ground.lay(conn, place)
        _say(f"county and {ground.TICKETS:,} tickets laid in {time.monotonic() - begun:.0f} s")
        cost = await generator.cost(place, run)
        for name in names:
            _say(f"measuring {name} …")
            reports[name] = await SCRIPTS[name](conn, place, laid, run)
            await ground.forget(conn, laid)
        size = await conn.fetchval("SELECT pg_database_size(current_database())")
    facts = {"server": dict(place.server), "generator": cost.as_json(), "generator_note": str(cost)}
    return reports, facts | {"database_bytes": size, "took_seconds": round(time.monotonic() - begun, 1)}


def _show(reports: dict[str, Report], facts: dict[str, Any]) -> None:
    machine, server = facts["machine"], facts["server"]
    print(harness.table([line for report in reports.values() for line in report.lines]))
    for note in [note for report in reports.values() for note in report.notes] + [facts["generator_note"]]:
        print(f"* {note}")
    settings = ", ".join(f"{name} {server[name]}" for name in DURABLE)
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    print(f"* {facts['pairs']} pairs of {facts['seconds']:g} s, in {facts['took_seconds']} s altogether")
    print(f"* PostgreSQL {server['server_version']} ({settings}), {facts['database_bytes'] / 2**20:.0f} MiB at the end")
    print(f"* {machine['processors']} processors, {machine['processor']}; Python {machine['python']}; {packages}")
    averages = " ".join(f"{one:.2f}" for one in facts["load_average"])
    print(f"* load average before: {averages}{' — NOISY' if facts['noisy'] else ''}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
