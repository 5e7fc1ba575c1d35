"""What the webhook's floor writes: the rows of one message, as one data-modifying CTE and statement by statement.

The same tables, indexes and constraints as the product, and the same rows: the bench counts them afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import numbers
from app.domain.workdays import day_of
from app.schema.rates import TALLIED
from app.tickets.opening import TITLE_LENGTH

Row = Mapping[str, Any]

NUMBER = "{number}"
"""Stands in a template's reply where the ticket's number comes."""

BYTES = {n: f"decode(repeat('5a', {n}), 'hex')" for n in (16, 32, 36)}
"""As many as the product's links of the trail have: what it makes of SHA-256 costs it some microseconds."""
_ONE_MORE = ", ".join("1" if name == "received" else "0" for name in TALLIED)
"""What a new ticket adds to the counters."""

AT_ONCE = f"""
WITH fresh AS (
  INSERT INTO inbound (account_id, key, openid, received_at, raw, outcome, reply, ticket_id)
  VALUES ($1, $2, $3, $4, $5, 'done', $6, $7)
  ON CONFLICT (account_id, key) DO NOTHING RETURNING ticket_id
), known AS (
  SELECT c.id FROM identity i JOIN citizen c ON c.id = i.citizen_id
  WHERE i.account_id = $1 AND i.openid = $3 FOR NO KEY UPDATE OF c
), made AS (
  INSERT INTO citizen (created_at) SELECT $4 FROM fresh WHERE NOT EXISTS (SELECT FROM known) RETURNING id
), linked AS (
  INSERT INTO identity (account_id, openid, citizen_id) SELECT $1, $3, id FROM made
), who AS (
  SELECT id FROM known UNION ALL SELECT id FROM made
), opened AS (
  INSERT INTO ticket (id, number, kind, channel, status, version, cycle, title, description, category_id,
    category_suggested, division_id, responsible_division_id, responsible_unit_id, person_id, routing_reason,
    citizen_id, account_id, urgent, confidential, marked_confidential, received_at, entered_at,
    accepted_automatically, corrected, due_at, original_due_at, kept_limit, kept_original, works, explained,
    withdrawn_before_work, return_until, chain_head)
  SELECT ticket_id, $8, $9, 'account', 'received', 1, 1, $10, $11, $12, $13, $14, $15, $16, $17, $18, who.id, $1,
    false, false, false, $4, $4, false, false, $19, $19, true, true, 0, false, false, $28, {BYTES[36]} FROM fresh, who
), limited AS (
  INSERT INTO ticket_limit (ticket_id, cycle, kind, due_at, original_due_at, rule, provisional)
  SELECT ticket_id, 1, l.kind, l.due_at, l.due_at, l.rule, l.provisional
  FROM fresh, unnest($20::text[], $21::timestamptz[], $22::text[], $23::bool[]) l (kind, due_at, rule, provisional)
), planned AS (
  INSERT INTO step (ticket_id, cycle, kind, due_at, silent)
  SELECT ticket_id, 1, p.kind, p.due_at, false FROM fresh, unnest($25::text[], $26::timestamptz[]) p (kind, due_at)
), counted AS (
  INSERT INTO rate_delta (day, division_id, handler_division_id, handler_unit_id, {", ".join(TALLIED)})
  SELECT $27::date, $14, coalesce($15, 0), coalesce($16, 0), {_ONE_MORE} FROM fresh
), assigned AS (
  INSERT INTO assignment (ticket_id, division_id, unit_id, person_id, came_by, since)
  SELECT ticket_id, $15, $16, $17, 'routed', $4 FROM fresh
), told AS (
  INSERT INTO ticket_event (ticket_id, seq, at, action, to_status, actor_kind, actor_id, actor_role, detail, prev,
    hash)
  SELECT ticket_id, 1, $4, 'open', 'received', 'citizen', who.id, 'citizen', $24::jsonb, {BYTES[32]}, {BYTES[32]}
  FROM fresh, who
), sketched AS (
  INSERT INTO ticket_likeness (ticket_id, received_at, sketch)
  SELECT ticket_id, $4, $29::bigint[] FROM fresh WHERE $29 IS NOT NULL
), lettered AS (
  INSERT INTO outbox (key, notice, ticket_id, citizen_id, staff_id, body, created_at)
  SELECT ticket_id || ':1:citizen.received:' || who.id || ':', 'citizen.received', ticket_id, who.id, NULL::bigint,
    '{{"seq": 1}}'::jsonb, $4 FROM fresh, who
  UNION ALL
  SELECT ticket_id || ':1:staff.assigned::' || $17, 'staff.assigned', ticket_id, NULL, $17, '{{"seq": 1}}'::jsonb, $4
  FROM fresh WHERE $17 IS NOT NULL
)
SELECT ticket_id FROM fresh
"""

# The same, one table a statement, as a program without an object mapper would: 14 and the reserved id.
_STEPS = {
    "inbound": "INSERT INTO inbound (account_id, key, openid, received_at, raw, outcome)"
    " VALUES ($1, $2, $3, $4, $5, 'done') ON CONFLICT (account_id, key) DO NOTHING RETURNING id",
    "known": "SELECT c.id FROM identity i JOIN citizen c ON c.id = i.citizen_id"
    " WHERE i.account_id = $1 AND i.openid = $2 FOR NO KEY UPDATE OF c",
    "citizen": "INSERT INTO citizen (created_at) VALUES ($1) RETURNING id",
    "identity": "INSERT INTO identity (account_id, openid, citizen_id) VALUES ($1, $2, $3)",
    "id": "SELECT nextval('ticket_id_seq')",
    "ticket": f"""
      INSERT INTO ticket (id, number, kind, channel, status, version, cycle, title, description, category_id,
        category_suggested, division_id, responsible_division_id, responsible_unit_id, person_id, routing_reason,
        citizen_id, account_id, urgent, confidential, marked_confidential, received_at, entered_at,
        accepted_automatically, corrected, due_at, original_due_at, kept_limit, kept_original, works, explained,
        withdrawn_before_work, return_until, chain_head)
      VALUES ($1, $2, $3, 'account', 'received', 1, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
        false, false, false, $15, $15, false, false, $16, $16, true, true, 0, false, false, $17, {BYTES[36]})""",
    "limits": "INSERT INTO ticket_limit (ticket_id, cycle, kind, due_at, original_due_at, rule, provisional)"
    " SELECT $1, 1, l.kind, l.due_at, l.due_at, l.rule, l.provisional"
    " FROM unnest($2::text[], $3::timestamptz[], $4::text[], $5::bool[]) l (kind, due_at, rule, provisional)",
    "steps": "INSERT INTO step (ticket_id, cycle, kind, due_at, silent)"
    " SELECT $1, 1, p.kind, p.due_at, false FROM unnest($2::text[], $3::timestamptz[]) p (kind, due_at)",
    "delta": "INSERT INTO rate_delta (day, division_id, handler_division_id, handler_unit_id,"
    f" {', '.join(TALLIED)}) VALUES ($1, $2, coalesce($3, 0), coalesce($4, 0), {_ONE_MORE})",
    "assignment": "INSERT INTO assignment (ticket_id, division_id, unit_id, person_id, came_by, since)"
    " VALUES ($1, $2, $3, $4, 'routed', $5)",
    "event": "INSERT INTO ticket_event (ticket_id, seq, at, action, to_status, actor_kind, actor_id, actor_role,"
    " detail, prev, hash)"
    f" VALUES ($1, 1, $2, 'open', 'received', 'citizen', $3, 'citizen', $4::jsonb, {BYTES[32]}, {BYTES[32]})",
    "sketch": "INSERT INTO ticket_likeness (ticket_id, received_at, sketch) VALUES ($1, $2, $3)",
    "outbox": "INSERT INTO outbox (key, notice, ticket_id, citizen_id, staff_id, body, created_at)"
    """ SELECT k, n, $1, c, s, '{"seq": 1}'::jsonb, $6"""
    " FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) l (k, n, c, s)",
    "finish": "UPDATE inbound SET reply = $2, ticket_id = $3 WHERE id = $1",
}


@dataclass(frozen=True, slots=True)
class Filing:
    """One message that becomes a ticket. `raw` is its clear XML, `key` what its repeats share."""

    account_id: int
    openid: str
    key: str
    raw: bytes
    text: str
    now: datetime


class Ids:
    """Ticket ids taken from the sequence a hundred at a time: the raw way to have one before the row is written."""

    def __init__(self, conn: Any, key: bytes) -> None:
        self._conn = conn
        self._key = key
        self._kept: list[int] = []

    async def next(self) -> tuple[int, str]:
        """(id, number)."""
        if not self._kept:
            rows = await self._conn.fetch("SELECT nextval('ticket_id_seq') AS id FROM generate_series(1, 100)")
            self._kept = [row["id"] for row in rows]
        one = self._kept.pop()
        return one, self.number(one)

    def number(self, ticket_id: int) -> str:
        return numbers.number(ticket_id, self._key)


async def at_once(conn: Any, ids: Ids, filing: Filing, t: Row) -> str:
    """Writes everything in one statement, which is its own transaction. Gives the reply."""
    ticket_id, number = await ids.next()
    reply: str = t["reply"].replace(NUMBER, number)
    await conn.fetchval(
        AT_ONCE,
        *(filing.account_id, filing.key, filing.openid, filing.now, filing.raw, reply, ticket_id, number),
        *(t["kind"], _title(filing.text), filing.text, t["category_id"], t["category_suggested"], t["division_id"]),
        *(t["responsible_division_id"], t["responsible_unit_id"], t["person_id"], t["routing_reason"], t["due_at"]),
        *t["limits"],
        t["detail"],
        *t["steps"],
        day_of(filing.now),
        t["return_until"],
        t["sketch"],
    )
    return reply


async def by_statements(conn: Any, ids: Ids, filing: Filing, t: Row) -> str:
    """The same in a transaction of one statement a table. Gives the reply."""
    s, now = _STEPS, filing.now
    node = (t["responsible_division_id"], t["responsible_unit_id"], t["person_id"])
    async with conn.transaction():
        row = await conn.fetchval(s["inbound"], filing.account_id, filing.key, filing.openid, now, filing.raw)
        citizen = await conn.fetchval(s["known"], filing.account_id, filing.openid)
        if citizen is None:
            citizen = await conn.fetchval(s["citizen"], now)
            await conn.execute(s["identity"], filing.account_id, filing.openid, citizen)
        ticket_id = await conn.fetchval(s["id"])
        number = ids.number(ticket_id)
        reply: str = t["reply"].replace(NUMBER, number)
        await conn.execute(
            s["ticket"],
            *(ticket_id, number, t["kind"], _title(filing.text), filing.text),
            *(t["category_id"], t["category_suggested"], t["division_id"], *node, t["routing_reason"]),
            *(citizen, filing.account_id, now, t["due_at"], t["return_until"]),
        )
        await conn.execute(s["limits"], ticket_id, *t["limits"])
        await conn.execute(s["steps"], ticket_id, *t["steps"])
        await conn.execute(s["assignment"], ticket_id, *node, now)
        await conn.execute(s["event"], ticket_id, now, citizen, t["detail"])
        if t["sketch"] is not None:
            await conn.execute(s["sketch"], ticket_id, now, t["sketch"])
        await conn.execute(s["outbox"], ticket_id, *_letters(ticket_id, citizen, t["person_id"]), now)
        await conn.execute(s["delta"], day_of(now), t["division_id"], *node[:2])
        await conn.execute(s["finish"], row, reply, ticket_id)
    return reply


def _title(text: str) -> str:
    return text if len(text) <= TITLE_LENGTH else text[:TITLE_LENGTH] + "…"


def _letters(ticket_id: int, citizen: int, person: int | None) -> tuple[list[Any], ...]:
    letters: list[tuple[Any, ...]] = [(f"{ticket_id}:1:citizen.received:{citizen}:", "citizen.received", citizen, None)]
    if person is not None:
        letters.append((f"{ticket_id}:1:staff.assigned::{person}", "staff.assigned", None, person))
    return tuple(list(column) for column in zip(*letters, strict=True))


async def templates(conn: Any, after: int) -> list[dict[str, Any]]:
    """What the product decided for the tickets behind that id, for the floor to write for its own, as JSON data."""
    rows = await conn.fetch(
        """
        SELECT t.number, t.kind, t.category_id, t.category_suggested, t.division_id, t.responsible_division_id,
          t.responsible_unit_id, t.person_id, t.routing_reason, t.due_at::text, t.return_until::text,
          i.reply, e.detail::text,
          l.kinds, l.due, l.rules, l.provisional, k.sketch, p.kinds AS step_kinds, p.due AS step_due
        FROM ticket t JOIN inbound i ON i.ticket_id = t.id
          JOIN ticket_event e ON e.ticket_id = t.id AND e.seq = 1 LEFT JOIN ticket_likeness k ON k.ticket_id = t.id,
          LATERAL (SELECT array_agg(kind) AS kinds, array_agg(due_at::text) AS due, array_agg(rule) AS rules,
            array_agg(provisional) AS provisional FROM ticket_limit WHERE ticket_id = t.id) l,
          LATERAL (SELECT array_agg(kind) AS kinds, array_agg(due_at::text) AS due FROM step WHERE ticket_id = t.id) p
        WHERE t.id > $1 AND t.channel = 'account' AND NOT t.confidential ORDER BY t.id""",
        after,
    )
    found = []
    for row in rows:
        one = dict(row)
        one["reply"] = one["reply"].replace(one.pop("number"), NUMBER)
        one["limits"] = [one.pop(name) for name in ("kinds", "due", "rules", "provisional")]
        one["steps"] = [one.pop(name) for name in ("step_kinds", "step_due")]
        found.append(one)
    return found


def ready(template: Row) -> dict[str, Any]:
    """A template from JSON data, its moments as the driver takes them."""
    kinds, due, rules, provisional = template["limits"]
    steps, coming = template["steps"]
    return dict(template) | {
        "due_at": datetime.fromisoformat(template["due_at"]),
        "return_until": template["return_until"] and datetime.fromisoformat(template["return_until"]),
        "limits": [kinds, [datetime.fromisoformat(one) for one in due], rules, provisional],
        "steps": [steps, [datetime.fromisoformat(one) for one in coming]],
    }
