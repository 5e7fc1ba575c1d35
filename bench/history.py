"""A year of the county, brought in from another system by the tickets import: beside a raw COPY of the same rows.

The floor's rows are read back from the tables that the product has filled: same indexes, same constraints, and nothing
of what makes rows of a file (reading, checking, reckoning limits, counting).
"""

import time
from collections.abc import Mapping
from datetime import timedelta
from io import BytesIO
from statistics import median
from typing import Any

from app.base.clock import machine
from app.base.db import Database
from app.demo import past
from app.demo.county import DemoCounty, as_csv
from app.domain.vocabulary import SHANGHAI
from app.imports import service as imports
from bench import ground
from bench.harness import Line, Report, Side, Window, line, take_turns
from bench.likeness import DELTAS, TICKETS_OF
from bench.place import Place, connected
from bench.run import Run, spent

NAME, FLOOR = "history import, a ticket", "COPY of the same rows, binary"
TARGET = 2.5
ROWS = 14_637
"""What the county's own report has completed of about a year."""
MORE = 3
"""Times as many, once: whether it is linear."""
_SHARES = {"completed": 0.9633, "rated": 0.64, "liked": 0.61}

Rows = Mapping[str, tuple[int, bytes]]
"""By table, parents before their children: how many, and all of them as COPY has them in binary."""


async def measure(conn: Any, place: Place, laid: ground.Ground, run: Run) -> Report:
    """At 1: imports take turns."""
    notes, took, lines = [], {}, []
    for size, pairs in ((ROWS, run.pairs), (ROWS * MORE, 1)):
        data = sheet(place.county, size)
        async with place.opened() as database:
            sides, written = await _sides(conn, place, laid, (database, data))
            found = await take_turns(sides, pairs=pairs, seconds=0.0, warm_up=0.0)
        row = line(f"{NAME}, {size:,}", FLOOR, 1, (found["product"], found["floor"]), TARGET)
        lines.append(row)
        took[size] = {name: median(w.seconds for w in windows) for name, windows in found.items()}
        notes.append(_told(size, len(data), written, row))
    grown = {name: took[ROWS * MORE][name] / took[ROWS][name] for name in ("product", "floor")}
    notes.append(f"history import, {MORE} × the rows: product {grown['product']:.2f} ×, floor {grown['floor']:.2f} ×")
    return Report(tuple(lines), tuple(notes), {"seconds": took, "grown": grown})


def sheet(county: DemoCounty, count: int) -> bytes:
    """A file of so many tickets of the year before."""
    now = machine().astimezone(SHANGHAI)
    of = {name: int(count * share) for name, share in _SHARES.items()}
    # Not the month that the demo has a past of: its rows are named after the month.
    last = now.date() - timedelta(days=100)
    span = past.Span(last - timedelta(days=365), last, tickets=count, **of)
    return as_csv(past.history(county, span, now)).encode()


async def _sides(
    conn: Any, place: Place, laid: ground.Ground, given: tuple[Database, bytes]
) -> tuple[dict[str, Side], Rows]:
    """Each cleans up before its turn, unmeasured. The first import, whose rows the floor takes, warms up as well."""
    database, data = given

    async def turn(act: Any) -> Window:
        await ground.forget(conn, laid)
        before, begun = spent(place), time.perf_counter()
        done = await act()
        took, after = time.perf_counter() - begun, spent(place)
        return Window(done, took, {who: after[who] - before[who] for who in before})

    async def bring() -> int:
        return (await imports.run(database.open_work, imports.prepare("tickets", data))).created

    count = (await turn(bring)).done
    rows = await read_back(conn, laid)

    async def copy() -> int:
        async with connected(place.url) as raw:
            await write(raw, rows)
        return count

    return {"product": lambda _: turn(bring), "floor": lambda _: turn(copy)}, rows


async def read_back(conn: Any, laid: ground.Ground) -> Rows:
    """All rows that were written on that ground since it was laid."""
    first = {"citizen": ("id", laid.last_citizen), "ticket": ("id", laid.last)}
    after = first | {name: (column, laid.last) for name, column in TICKETS_OF.items()} | {DELTAS: ("id", 0)}
    found = {}
    for table, (column, last) in after.items():
        out = BytesIO()
        # In an order of their own, not of where they lie: the same rows are the same bytes.
        query = f"SELECT * FROM {table} r WHERE {column} > {last} ORDER BY {column}, r::text"
        status = await conn.copy_from_query(query, output=out, format="binary")
        count = int(status.removeprefix("COPY "))
        if count:
            found[table] = (count, out.getvalue())
    return found


async def write(conn: Any, rows: Rows) -> None:
    """All of it in one transaction."""
    async with conn.transaction():
        for table, (_, data) in rows.items():
            await conn.copy_to_table(table, source=BytesIO(data), format="binary")


def _told(size: int, length: int, rows: Rows, row: Line) -> str:
    each = ", ".join(f"{table} {count / size:.2g}" for table, (count, _) in rows.items())
    total = sum(count for count, _ in rows.values())
    return (
        f"history import of {size:,} tickets ({length / 2**20:.1f} MiB): {total / size:.1f} rows a ticket ({each});"
        f" rows a second: product {row.rates[0] * total / size:,.0f}, floor {row.rates[1] * total / size:,.0f}"
    )
