"""Closed tickets by the million, by SQL, spread over divisions, units and 24 months: the rows that an import of history
writes (a test holds them equal), but for all words but 60 characters and all events but the first.

Less than a real ticket has (quality.md, 2): what is measured is how the tables' size tells.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from bench.writers import BYTES

DAYS, OVER = 730, 15
"""In which they came, and how long it is since the last one did."""
CHUNK = 100_000

Say = Callable[[str], None]

# Drawn by a hash of the ticket's id, so that the same comes out each time and no column follows another. One in five
# is a unit's, of the town that it lies in.
_SPREAD = """
CREATE TEMP TABLE IF NOT EXISTS spread_place AS
SELECT row_number() OVER (ORDER BY d.id) - 1 AS turn, d.id AS grid_id, d.village_id, d.town_id,
  min(a.staff_id) AS person_id
  FROM division d JOIN appointment a ON a.division_id = d.id AND a.role = 'courier'
  WHERE d.level = 'grid' AND d.valid_to IS NULL GROUP BY d.id;
CREATE TEMP TABLE IF NOT EXISTS spread_unit AS
SELECT row_number() OVER (PARTITION BY u.division_id ORDER BY u.id) - 1 AS turn,
  count(*) OVER (PARTITION BY u.division_id) AS many, u.id, u.division_id AS town_id, min(a.staff_id) AS person_id
  FROM unit u JOIN appointment a ON a.unit_id = u.id AND a.role = 'handler' GROUP BY u.id;
CREATE TEMP TABLE IF NOT EXISTS spread_leaf AS
SELECT row_number() OVER (ORDER BY id) - 1 AS turn, id, coalesce(kind_hint, 'consultation') AS kind
  FROM category WHERE level = 2 AND NOT confidential;
ANALYZE spread_place, spread_unit, spread_leaf;
"""
_DRAWN = "abs(hashint8extended(id, {seed}) % {of})"
_TICKETS = f"""
INSERT INTO ticket (id, number, kind, channel, status, version, cycle, title, description, category_id,
  category_suggested, division_id, responsible_division_id, responsible_unit_id, person_id, routing_reason, urgent,
  confidential, marked_confidential, received_at, entered_at, accepted_at, accepted_automatically, corrected,
  first_replied_at, completed_at, rated_at, closed_at, due_at, original_due_at, kept_limit, kept_original, works,
  result, explained, score, first_score, rating_via, withdrawn_before_work, chain_head)
SELECT n.id, '9999' || lpad((n.id * 387420489 % 1000000000)::text, 9, '0'), l.kind, 'group', 'closed', 1, 1,
  left(said, 20), said, l.id, false, p.grid_id, CASE WHEN u.id IS NULL THEN p.village_id END, u.id,
  coalesce(u.person_id, p.person_id), '历史导入：归承办人所在的节点', false,
  false, false, received, received, received + interval '5 hours', false, true, received + interval '1 day',
  completed, completed + interval '1 day', completed + interval '1 day', received + interval '7 days',
  received + interval '7 days', late < 95, late < 95, 1, '', false,
  score, score, 'imported', false, {BYTES[36]}
FROM (SELECT id, $3::timestamptz + (id - $4::bigint) * $5::interval AS received,
    {_DRAWN.format(seed=1, of="(SELECT count(*) FROM spread_place)")} AS place,
    {_DRAWN.format(seed=2, of="(SELECT count(*) FROM spread_leaf)")} AS leaf,
    CASE WHEN {_DRAWN.format(seed=3, of=5)} = 0 THEN {_DRAWN.format(seed=4, of=1_000_000)} END AS unit,
    {_DRAWN.format(seed=5, of=100)} AS late, {_DRAWN.format(seed=6, of=20)} AS liking
  FROM generate_series($1::bigint, $2::bigint) id) n
JOIN spread_place p ON p.turn = n.place JOIN spread_leaf l ON l.turn = n.leaf
LEFT JOIN spread_unit u ON u.town_id = p.town_id AND u.turn = n.unit % u.many,
LATERAL (SELECT rpad('村口第' || n.id || '号路灯坏了', 60, '，晚上看不见路，请派人来看一看') AS said,
  CASE WHEN late < 95 THEN received + interval '3 days' ELSE received + interval '9 days' END AS completed,
  CASE WHEN liking = 0 THEN 'dislike' ELSE 'like' END AS score) more
ORDER BY n.id
"""
_BESIDE = (
    f"""
    INSERT INTO ticket_event (ticket_id, seq, at, action, to_status, actor_kind, detail, prev, hash)
    SELECT id, 1, received_at, 'open', 'received', 'system', '{{"imported": true}}', {BYTES[32]}, {BYTES[32]}
    FROM ticket WHERE id BETWEEN $1 AND $2
    """,
    """
    INSERT INTO ticket_limit (ticket_id, cycle, kind, due_at, original_due_at, rule, provisional)
    SELECT id, 1, k, due_at, due_at, 'natural', false FROM ticket, unnest('{accept,reply,complete}'::text[]) k
    WHERE id BETWEEN $1 AND $2
    """,
    """
    INSERT INTO assignment (ticket_id, division_id, unit_id, person_id, came_by, since, until)
    SELECT id, responsible_division_id, responsible_unit_id, person_id, 'imported', received_at, completed_at
    FROM ticket WHERE id BETWEEN $1 AND $2
    """,
    """
    INSERT INTO rating (ticket_id, cycle, score, via, at) SELECT id, 1, score, 'imported', rated_at FROM ticket
    WHERE id BETWEEN $1 AND $2
    """,
    """
    INSERT INTO ticket_import (external_id, ticket_id, digest, version)
    SELECT '旧系统-' || id, id, encode(sha256(id::text::bytea), 'hex'), 1 FROM ticket WHERE id BETWEEN $1 AND $2
    """,
)
_INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made FROM pg_index i
WHERE i.indrelid = ANY ('{ticket,assignment,rating}'::regclass[])
AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""


async def gather(conn: Any, count: int, now: datetime, say: Say) -> tuple[int, int]:
    """`count` more of them, received in 24 months, the oldest first, all long closed; their first and last id."""
    first = int(await conn.fetchval("SELECT max(id) + 1 FROM ticket"))
    last, begun = first + count - 1, time.monotonic()
    begin, every = now - timedelta(days=DAYS + OVER), timedelta(days=DAYS) / count
    await conn.execute(_SPREAD)
    async with _bare(conn, say):
        for start in range(first, last + 1, CHUNK):
            end = min(start + CHUNK - 1, last)
            async with conn.transaction():
                # Foreign keys are not looked up for every row: all of them are drawn from the tables they name.
                await conn.execute("SET LOCAL session_replication_role = replica")
                await conn.execute(_TICKETS, start, end, begin, first, every)
                for statement in _BESIDE:
                    await conn.execute(statement, start, end)
            say(f"{end - first + 1:,} of {count:,} tickets, {time.monotonic() - begun:.0f} s")
    await conn.execute("SELECT setval('ticket_id_seq', $1)", last)
    return first, last


@asynccontextmanager
async def _bare(conn: Any, say: Say) -> AsyncIterator[None]:
    """Without the secondary indexes, which are built again afterwards: many times as fast."""
    indexes = await conn.fetch(_INDEXES)
    for index in indexes:
        await conn.execute(f"DROP INDEX {index['name']}")
    try:
        yield
    finally:
        begun = time.monotonic()
        await conn.execute("SET maintenance_work_mem = '256MB'")
        for index in indexes:
            await conn.execute(index["made"])
        say(f"{len(indexes)} indexes built in {time.monotonic() - begun:.0f} s")
