"""Where the service spends its processor: `python -m bench.profile NAME`, with py-spy on the PATH (pip install py-spy).

Shares are of the samples in which the service was busy, at 8 connections: by package (what ran itself), and by
function of ours (with all that it called, but for what SQLAlchemy does in a greenlet before it first waits: that has
no callers in sight).
"""

import argparse
import asyncio
import re
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from bench import ground, lives, load
from bench.citizens import Citizens
from bench.clones import clone
from bench.harness import Side
from bench.place import Place, Service, connected, founded, product
from bench.run import Appetite, asking, over_http
from bench.ticket_view import TIMELINE
from bench.transition import LIVES, Pool, acting_on

NAMES = ("webhook", "reply", "complete", "ticket", "list")
CONNECTIONS = 8
POOL = 20_000
SHOWN = 25
_FRAME = re.compile(r"(?P<function>.*) \((?P<file>[^():]*)[^()]*\)$")
_WAITS = "Thread._bootstrap"
"""Threads that wait for something to do are taken for busy ones; all that is done is done in the main one."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description="Where the service spends its time.")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--py-spy", default=shutil.which("py-spy"), help="where it is (default: on the PATH)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where the stacks are left, for a flame graph")
    options = parser.parse_args()
    if options.py_spy is None:
        parser.error("py-spy is not on the PATH: pip install py-spy, or --py-spy FILE")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stacks = runner.run(_sampled(options.name, options.seconds, options.py_spy))
    if options.keep:
        options.keep.write_text(stacks, "utf-8")
    _show(stacks)
    return 0


async def _sampled(name: str, seconds: float, py_spy: str) -> str:
    """py-spy's stacks, one a line with its count."""
    async with founded() as place, connected(place.url) as conn:
        laid = await ground.lay(conn, place)
        async with product(place) as service:
            side = await _side(name, conn, place, laid, service)
            await side(3.0)
            into = place.folder / "stacks.txt"
            command = ("record", "--pid", str(service.pid), "--format", "raw", "--function", "--rate", "250")
            sampling = await asyncio.create_subprocess_exec(
                py_spy, *command, "--duration", f"{seconds:.0f}", "--output", str(into),
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            window = await side(seconds + 1)
            _, said = await sampling.communicate()
            if sampling.returncode:
                raise RuntimeError(f"py-spy: {said.decode()}")
            spent = ", ".join(f"{who} {1000 * cpu / window.done:.2f}" for who, cpu in window.cpu.items())
            print(
                f"{name}: {window.rate:.0f} a second at {CONNECTIONS}; ms of processor each, sampling included: {spent}"
            )
            return into.read_text("utf-8")


async def _side(name: str, conn: Any, place: Place, laid: ground.Ground, service: Service) -> Side:
    if name in LIVES:
        step, before = LIVES[name]
        original = await lives.lived(conn, place, service, before)
        pool = Pool(conn, await ground.upto_now(conn, laid), original)
        await pool.refill(POOL)
        return acting_on(place, service, CONNECTIONS, pool, step)
    if name == "webhook":
        citizens, appetite = Citizens(place, seed=4), Appetite(400)
        return over_http(
            place, service, CONNECTIONS, lambda s: citizens.seal(citizens.write(appetite.needs(s))), appetite
        )
    if name == "list":
        return asking(place, service, CONNECTIONS, [load.get("/api/v1/courier/tickets", laid.token)])
    lived = await lives.lived(conn, place, service, lives.timeline(TIMELINE))
    numbers = await clone(conn, laid, lived.id, 200)
    return asking(place, service, CONNECTIONS, [load.get(lives.path(number), lived.token) for number in numbers])


def _show(stacks: str) -> None:
    own: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for row in stacks.splitlines():
        stack, _, count = row.rpartition(" ")
        if stack.startswith(_WAITS):
            continue
        frames = [(found["function"], found["file"]) for found in map(_FRAME.match, stack.split(";")) if found]
        own[_package(frames[-1][1]) if frames else "?"] += int(count)
        within.update(
            dict.fromkeys({f"{file}  {name}" for name, file in frames if file.startswith("app/")}, int(count))
        )
    total = own.total()
    print(f"{total} samples; by package, itself:")
    _print(own.most_common(SHOWN), total)
    print("by function of ours, with what it calls:")
    _print(within.most_common(SHOWN), total)


def _package(file: str) -> str:
    return "/".join(file.split("/")[:2]) if file.startswith("app/") else file.split("/")[0]


def _print(rows: Sequence[tuple[str, int]], total: int) -> None:
    for what, count in rows:
        print(f"  {100 * count / total:5.1f} %  {what}")


if __name__ == "__main__":
    sys.exit(main())
