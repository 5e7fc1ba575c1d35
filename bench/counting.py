"""What the floors of the rates ask the database: rollups and open tickets of a node; tickets counted anew for all."""

from datetime import date, datetime
from typing import Any

from sqlalchemy.dialects import postgresql

from app.rates.queries.conditions import TALLIED as CONDITIONS
from app.schema.rates import TALLIED

_UNFINISHED = "completed_at IS NULL AND status IN ('received', 'accepted', 'in_progress', 'merged')"
_RUNNING = (
    "due_at <= {now}",
    "original_due_at <= {now}",
    "due_at > {now}",
    "due_at <= {now} AND accepted_at IS NOT NULL",
    "due_at <= {now} AND (first_replied_at IS NOT NULL OR status = 'declined')",
    "due_at <= {now} AND score = 'like'",
    "due_at <= {now} AND score = 'dislike'",
)
"""Of unfinished tickets, in the order of domain.counting.Running."""


def _running(now: str, also: str = "") -> str:
    return ", ".join(f"count(*) FILTER (WHERE {also}{one.format(now=now)})" for one in _RUNNING)


NODE = f"""
SELECT * FROM
  (SELECT {", ".join(f"sum({name})" for name in TALLIED)} FROM rate_rollup
   WHERE division_id = ANY($1::bigint[]) AND day BETWEEN $2 AND $3) kept,
  (SELECT {_running("$6")} FROM ticket WHERE {_UNFINISHED} AND received_at >= $4 AND received_at < $5
   AND division_id = ANY($1::bigint[]) AND NOT confidential) live
"""
"""$1 the node's grids, itself included; $2, $3 the days; $4, $5 the same as moments; $6 as of when. One row."""


async def node(
    conn: Any, divisions: list[int], days: tuple[date, date], span: tuple[datetime, datetime, datetime]
) -> Any:
    """The counters of one node. `span`: from, to, as of."""
    return await conn.fetchrow(NODE, divisions, *days, *span)


ROLLED = f"""
SELECT division_id, {", ".join(f"sum({name})" for name in TALLIED)}, {", ".join("0" for _ in _RUNNING)}
FROM rate_rollup WHERE day BETWEEN $1 AND $2 GROUP BY 1
UNION ALL
SELECT division_id, {", ".join("0" for _ in TALLIED)}, {_running("$5")}
FROM ticket WHERE {_UNFINISHED} AND received_at >= $3 AND received_at < $4 GROUP BY 1
"""
"""$1, $2 the days; $3, $4 the same as moments; $5 as of when. A row or two for each division with any tickets."""


async def rolled(conn: Any, days: tuple[date, date], span: tuple[datetime, datetime, datetime]) -> Any:
    """The counters of every division, from the rollups. `span`: from, to, as of."""
    return await conn.fetch(ROLLED, *days, *span)


SCRATCH = "bench_ticket"
_COUNTED_FROM = (
    *("division_id", "confidential", "status", "withdrawn_before_work", "decline_reason", "accepted_at"),
    *("accepted_automatically", "first_replied_at", "completed_at", "explained", "score", "first_score"),
    *("rating_via", "solved", "kept_limit", "kept_original", "due_at", "original_due_at"),
)
"""The columns that the counts are made of, beside the moment of receipt."""


def _tallied() -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    options = {"literal_binds": True}
    conditions = (CONDITIONS[name].compile(dialect=dialect, compile_kwargs=options) for name in TALLIED)
    return ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)


ALL = f"""
SELECT CASE WHEN confidential THEN NULL ELSE division_id END, {_tallied()}, {_running("$3", f"{_UNFINISHED} AND ")}
FROM {SCRATCH} ticket WHERE received_at >= $1 AND received_at < $2 GROUP BY 1
"""
"""$1, $2 from and to; $3 as of when. A row for each division with tickets, NULL the county's confidential ones."""


async def lay_scratch(conn: Any) -> None:
    """A copy of the tickets with nothing but what is counted, and an index that covers it."""
    await drop_scratch(conn)
    await conn.execute(f"CREATE TABLE {SCRATCH} AS SELECT received_at, {', '.join(_COUNTED_FROM)} FROM ticket")
    await conn.execute(f"CREATE INDEX ON {SCRATCH} (received_at) INCLUDE ({', '.join(_COUNTED_FROM)})")
    # Index-only scans need to know which pages everybody sees.
    await conn.execute(f"VACUUM (ANALYZE) {SCRATCH}")


async def drop_scratch(conn: Any) -> None:
    await conn.execute(f"DROP TABLE IF EXISTS {SCRATCH}")


async def everywhere(conn: Any, span: tuple[datetime, datetime, datetime]) -> Any:
    """The counters of every division, counted from the tickets. `span`: from, to, as of."""
    return await conn.fetch(ALL, *span)
