"""Judges a drill by what is left: the client's log against the database, one query for each thing that must hold.

What must hold is in quality.md, 3 (guarantees 1, 2, 6 and the invariants); each check gives the rows that break it.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.drills.wechat import Sent

SETTLE_SECONDS = 15.0
"""A request whose client has gone may still be at work that long; a transaction open after that hangs."""
SHOWN = 5

OPEN = "('received', 'accepted', 'in_progress')"

# `sent`: the client's log. One row a message; every openid writes once.
_LOG = (
    "CREATE TEMP TABLE sent (appid text, openid text, text text, answered boolean, number text, "
    "PRIMARY KEY (appid, openid))"
)
_OF_LOG = (
    "sent s JOIN account a ON a.appid = s.appid "
    "LEFT JOIN inbound i ON i.account_id = a.id AND i.openid = s.openid "
    "LEFT JOIN ticket t ON t.id = i.ticket_id"
)
_FILED = "identity d JOIN ticket t ON t.citizen_id = d.citizen_id AND t.channel = 'account'"

CHECKS: dict[str, str] = {
    "an answered message is one inbound row, and one ticket or kept": (
        f"SELECT s.openid, count(i.id) AS rows, count(t.id) AS tickets FROM {_OF_LOG} WHERE s.answered "
        "GROUP BY s.appid, s.openid HAVING count(i.id) <> 1 "
        "OR count(t.id) <> count(*) FILTER (WHERE i.outcome = 'done')"
    ),
    "an unanswered message is at most one inbound row and one ticket": (
        f"SELECT s.openid, count(i.id) AS rows FROM {_OF_LOG} WHERE NOT s.answered "
        "GROUP BY s.appid, s.openid HAVING count(i.id) > 1 OR count(t.id) > count(i.id)"
    ),
    "no citizen has two tickets for one message": (
        f"SELECT d.openid, count(*) AS tickets FROM {_FILED} GROUP BY d.account_id, d.openid HAVING count(*) > 1"
    ),
    "no ticket that nobody's message asked for": (
        f"SELECT t.number FROM ticket t WHERE t.channel = 'account' "
        f"AND NOT EXISTS (SELECT FROM {_OF_LOG.replace('LEFT JOIN ticket t ON t.id = i.ticket_id', '')} "
        "WHERE i.ticket_id = t.id)"
    ),
    "the number told is the ticket's": (
        f"SELECT s.openid, s.number AS told, t.number FROM {_OF_LOG} "
        "WHERE s.answered AND t.number IS DISTINCT FROM s.number"
    ),
    "texts are equal, byte for byte": (
        f"SELECT t.number, octet_length(s.text) AS sent, octet_length(t.description) AS stored FROM {_OF_LOG} "
        "WHERE convert_to(t.description, 'UTF8') <> convert_to(s.text, 'UTF8')"
    ),
    "the trail counts from 1 without a gap, as many as the version": (
        "SELECT t.number, t.version, count(e.seq) AS events, min(e.seq), max(e.seq) "
        "FROM ticket t LEFT JOIN ticket_event e ON e.ticket_id = t.id GROUP BY t.id "
        "HAVING count(e.seq) <> t.version OR min(e.seq) IS DISTINCT FROM 1 OR max(e.seq) <> t.version"
    ),
    "each event begins where the one before ended, and not earlier": (
        "SELECT ticket_id, seq, action FROM (SELECT *, lag(to_status) OVER w AS before, lag(at) OVER w AS earlier "
        "FROM ticket_event WINDOW w AS (PARTITION BY ticket_id ORDER BY seq)) e "
        "WHERE from_status IS DISTINCT FROM before OR at < earlier"
    ),
    "the last event's state is the ticket's": (
        "SELECT t.number, t.status, e.to_status FROM ticket t LEFT JOIN LATERAL (SELECT to_status FROM ticket_event "
        "WHERE ticket_id = t.id ORDER BY seq DESC LIMIT 1) e ON true WHERE e.to_status IS DISTINCT FROM t.status"
    ),
    "milestones come in order, and are there when their state is": (
        "SELECT number, status FROM ticket WHERE received_at > entered_at OR accepted_at < received_at "
        "OR first_replied_at < accepted_at OR completed_at < accepted_at OR completed_at < first_replied_at "
        "OR closed_at < completed_at OR rated_at < received_at "
        "OR (accepted_at IS NULL) <> (status IN ('received', 'declined', 'withdrawn')) "
        "OR (completed_at IS NULL) <> (status NOT IN ('completed', 'closed'))"
    ),
    "an open ticket has one open assignment, to whom it says; others none": (
        "SELECT t.number, t.status, count(a.id) AS open FROM ticket t "
        "LEFT JOIN assignment a ON a.ticket_id = t.id AND a.until IS NULL GROUP BY t.id "
        f"HAVING count(a.id) <> (t.status IN {OPEN})::int OR bool_or(ROW(a.division_id, a.unit_id, a.person_id) "
        "IS DISTINCT FROM ROW(t.responsible_division_id, t.responsible_unit_id, t.person_id)) "
        "FILTER (WHERE a.id IS NOT NULL)"
    ),
    "one node at a time was responsible, without a gap": (
        "SELECT ticket_id, since FROM (SELECT *, lag(until) OVER w AS before, row_number() OVER w AS nth "
        "FROM assignment WINDOW w AS (PARTITION BY ticket_id ORDER BY id)) a "
        "WHERE until < since OR (nth > 1 AND (before IS NULL OR since < before))"
    ),
    "exactly one node is responsible": (
        "SELECT number FROM ticket WHERE num_nonnulls(responsible_division_id, responsible_unit_id) <> 1"
    ),
    "limits are there: three in the first cycle, one in each later one, and due_at is the present one's": (
        "SELECT t.number, t.cycle, count(l.kind) AS limits FROM ticket t "
        "LEFT JOIN ticket_limit l ON l.ticket_id = t.id GROUP BY t.id "
        "HAVING count(l.kind) <> t.cycle + 2 OR count(*) FILTER (WHERE l.cycle = 1) <> 3 "
        "OR count(*) FILTER (WHERE l.kind = 'complete' AND l.cycle = t.cycle AND l.due_at = t.due_at) <> 1"
    ),
    "outbox keys are unique": "SELECT key, count(*) FROM outbox GROUP BY key HAVING count(*) > 1",
    "every ticket of an account has told its citizen, once": (
        "SELECT t.number, count(o.id) AS notices FROM ticket t "
        "LEFT JOIN outbox o ON o.ticket_id = t.id AND o.notice = 'citizen.received' WHERE t.channel = 'account' "
        "GROUP BY t.id HAVING count(o.id) <> 1 OR bool_or(o.citizen_id IS DISTINCT FROM t.citizen_id)"
    ),
}

_BUSY = (
    "SELECT pid, state, round(extract(epoch FROM clock_timestamp() - xact_start)) AS seconds, left(query, 60) AS query "
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL "
    "AND backend_type = 'client backend'"
)


@dataclass(frozen=True, slots=True)
class Violation:
    """What does not hold, how often, and the first few rows that show it."""

    what: str
    count: int
    rows: tuple[str, ...]

    def __str__(self) -> str:
        return f"✗ {self.what}: {self.count}\n" + "\n".join(f"    {row}" for row in self.rows)


@dataclass(frozen=True, slots=True)
class Findings:
    """`kept`: openids whose message waits for an administrator. `lost`: never answered, and not in the database;
    `unsaid`: never answered, but the ticket is there."""

    violations: tuple[Violation, ...]
    kept: tuple[str, ...]
    lost: tuple[str, ...]
    unsaid: tuple[str, ...]
    tickets: int


async def check(url: str, log: Sequence[Sent], written: str = "") -> Findings:
    """Waits until nothing moves any more, then judges. `written`: all logs, in which nobody's words may stand."""
    conn = await asyncpg.connect(url)
    try:
        hanging = await _settled(conn)
        async with conn.transaction(isolation="repeatable_read"):
            found = await judge(conn, log)
        told = (*_violation("no transaction is left open", hanging), *_gossip(log, written))
        return Findings((*found.violations, *told), found.kept, found.lost, found.unsaid, found.tickets)
    finally:
        await conn.close()


async def judge(conn: Any, log: Sequence[Sent]) -> Findings:
    """As `check`, over an asyncpg connection in a transaction, at once and without the open transactions."""
    await conn.execute(_LOG)
    rows = [(s.account.keys.appid, s.openid, s.text, bool(s.answers), s.number) for s in log]
    await conn.copy_records_to_table("sent", records=rows)
    broken = [_violation(what, await conn.fetch(query)) for what, query in CHECKS.items()]
    violations = [violation for found in (*broken, _quarrels(log)) for violation in found]
    kept = await conn.fetch(f"SELECT s.openid FROM {_OF_LOG} WHERE i.outcome = 'kept' ORDER BY 1")
    silent = await conn.fetch(f"SELECT s.openid, t.id FROM {_OF_LOG} WHERE NOT s.answered AND i.id IS NULL ORDER BY 1")
    unsaid = await conn.fetch(f"SELECT s.openid FROM {_OF_LOG} WHERE NOT s.answered AND i.id IS NOT NULL ORDER BY 1")
    tickets = await conn.fetchval("SELECT count(*) FROM ticket")
    await conn.execute("DROP TABLE sent")
    return Findings(
        tuple(violations),
        tuple(row["openid"] for row in kept),
        tuple(row["openid"] for row in silent),
        tuple(row["openid"] for row in unsaid),
        tickets,
    )


async def _settled(conn: Any) -> list[Any]:
    """Waits for the transactions of others to end; those that do not."""
    for _ in range(int(SETTLE_SECONDS / 0.5)):
        if not await conn.fetch(_BUSY):
            return []
        await asyncio.sleep(0.5)
    return list(await conn.fetch(_BUSY))


def _quarrels(log: Sequence[Sent]) -> list[Violation]:
    rows = [{"openid": s.openid, "answers": [answer[:40] for answer in s.answers]} for s in log if s.quarrels()]
    return _violation("all deliveries of a message are answered alike", rows)


def _gossip(log: Sequence[Sent], written: str) -> list[Violation]:
    """Openids and texts in the logs: nothing that a person wrote or is belongs there."""
    words = re.compile("|".join(re.escape(s.openid) for s in log)) if log else re.compile("(?!)")
    rows = [{"openid": found} for found in sorted(set(words.findall(written)))]
    rows += [{"text of": s.openid} for s in log if len(s.text) >= 8 and s.text[:40].strip() in written]
    return _violation("no openid and no citizen's text in the logs", rows)


def _violation(what: str, rows: Sequence[Any]) -> list[Violation]:
    shown = tuple(", ".join(f"{name} {value}" for name, value in dict(row).items()) for row in rows[:SHOWN])
    return [Violation(what, len(rows), shown)] if rows else []
