"""What the floor of a transition writes: the rows of a reply or of a completion, as one data-modifying CTE.

The same tables, indexes and constraints as the product, and the same rows: the bench compares them, value by value.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain.steps import CHAINS, Chain
from app.schema.rates import TALLIED
from bench.reading import SESSION_OF
from bench.writers import BYTES

_ENDED = ", ".join(f"'{kind}'" for chain in (Chain.ACCEPT, Chain.REPLY) for kind in CHAINS[chain])
_COMPLETED = ("completed", "on_time", "on_time_original", "completed_accepted", "completed_replied")
"""What the completion of an accepted and answered ticket within its limit adds to the counters."""


def _statement(action: str, target: str, changes: str, counted: tuple[str, ...], beside: str) -> str:
    """$1 token digest, $2 now, $3 number, $4 text, $5 when a ticket is idle. Gives the ticket's id, or nothing."""
    ones = ", ".join("1" if name in counted else "0" for name in TALLIED)
    return f"""
WITH who AS ({SESSION_OF}), held AS (
  SELECT t.id, t.version + 1 AS seq, t.status, t.cycle, t.division_id, t.responsible_division_id, t.responsible_unit_id,
    t.citizen_id, t.received_at, who.id AS staff_id, who.held -> 0 ->> 0 AS role
  FROM ticket t JOIN who ON who.id = t.person_id WHERE t.number = $3 AND t.status = 'in_progress' FOR UPDATE OF t
), changed AS (
  UPDATE ticket t SET version = held.seq, status = '{target}', chain_head = {BYTES[36]}, {changes}
  FROM held WHERE t.id = held.id
), {beside}, told AS (
  INSERT INTO ticket_event (ticket_id, seq, at, action, from_status, to_status, actor_kind, actor_id, actor_role,
    detail, text_digest, prev, hash)
  SELECT id, seq, $2, '{action}', status, '{target}', 'staff', staff_id, role, '{{}}'::jsonb, {BYTES[32]}, {BYTES[32]},
    {BYTES[32]} FROM held
), said AS (
  INSERT INTO event_text (ticket_id, seq, text, salt) SELECT id, seq, $4, {BYTES[16]} FROM held
), lettered AS (
  INSERT INTO outbox (key, notice, ticket_id, citizen_id, body, created_at)
  SELECT id || ':' || seq || ':{_NOTICES[action]}:' || citizen_id || ':', '{_NOTICES[action]}', id, citizen_id,
    jsonb_build_object('seq', seq), $2 FROM held
), counted AS (
  INSERT INTO rate_delta (day, division_id, handler_division_id, handler_unit_id, {", ".join(TALLIED)})
  SELECT (received_at AT TIME ZONE 'Asia/Shanghai')::date, division_id, coalesce(responsible_division_id, 0),
    coalesce(responsible_unit_id, 0), {ones} FROM held
)
SELECT id FROM held
"""


_NOTICES = {"reply": "citizen.replied", "complete": "citizen.completed"}
REPLY = _statement(
    "reply",
    "in_progress",
    "first_replied_at = $2, works = t.works + 1",
    ("replied",),
    f"""ended AS (
  DELETE FROM step s USING held WHERE s.ticket_id = held.id AND s.done_at IS NULL AND s.kind IN ({_ENDED})
), later AS (
  UPDATE step s SET due_at = $5 FROM held WHERE s.ticket_id = held.id AND s.done_at IS NULL AND s.kind = 'idle'
)""",
)
"""The first reply to a ticket in progress."""
COMPLETE = _statement(
    "complete",
    "completed",
    "completed_at = $2, result = $4, explained = false",
    _COMPLETED,
    """stopped AS (
  DELETE FROM step s USING held WHERE s.ticket_id = held.id AND s.done_at IS NULL AND $5::timestamptz IS NOT NULL
), freed AS (
  UPDATE assignment a SET until = $2 FROM held WHERE a.ticket_id = held.id AND a.until IS NULL
), archived AS (
  INSERT INTO step (ticket_id, cycle, kind, due_at, silent) SELECT id, cycle, 'archive',
    (($2 AT TIME ZONE 'Asia/Shanghai')::date + 16)::timestamp AT TIME ZONE 'Asia/Shanghai', false FROM held
)""",
)
"""The completion of a ticket that was answered, within its limit."""
STATEMENTS: Mapping[str, str] = {"reply": REPLY, "complete": COMPLETE}


async def at_once(conn: Any, action: str, asked: tuple[str, str, str], now: datetime, idle_at: datetime) -> bool:
    """Writes everything in one statement, which is its own transaction. `asked`: token digest, number, text.

    Whether there was such a ticket in hand.
    """
    digest, number, text = asked
    return await conn.fetchval(STATEMENTS[action], digest, now, number, text, idle_at) is not None
