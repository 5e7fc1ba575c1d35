"""5: a published figure never changes silently. `published`: the checksums of reports that somebody has read before."""

import json
from typing import Any

from app.reports.queries import Report
from app.reports.records import intact
from tests.drills.checker.guarantees import Check, Guarantee

TABLES = "CREATE TEMP TABLE published (checksum text);"


def _check(what: str, query: str = "") -> Check:
    return Check(Guarantee.PUBLISHED, what, query)


SEALED = _check("the checksum of a report is that of its figures")
CHECKS = (
    SEALED,
    _check(
        "what was published is there, under its checksum",
        "SELECT checksum FROM published WHERE checksum NOT IN (SELECT checksum FROM report)",
    ),
    _check(
        "the revisions of a report count from 1 without a gap, and each later one says why",
        "SELECT kind, division_id, period, count(*) AS revisions FROM report GROUP BY kind, division_id, period "
        "HAVING min(revision) <> 1 OR max(revision) <> count(*) "
        "OR bool_or((revision > 1) <> (coalesce(reason, '') <> ''))",
    ),
)
_REPORTS = (
    "SELECT kind, division_id, period, revision, as_of, reason, parameters::text, figures::text, checksum FROM report"
)


async def unsealed(conn: Any) -> list[dict[str, Any]]:
    """Reports whose checksum is not that of the rest."""
    rows = [dict(row) for row in await conn.fetch(_REPORTS)]
    kept = [row | {name: json.loads(row[name]) for name in ("parameters", "figures")} for row in rows]
    return [{name: r[name] for name in ("kind", "period", "revision")} for r in kept if not intact(Report(**r))]
