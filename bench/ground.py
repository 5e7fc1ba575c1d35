"""What lies in the database before anything is measured: tickets of an ordinary year, by SQL, as the product writes."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from app.base import secrets
from app.base.clock import machine
from app.domain import numbers
from app.domain.policy import SYSTEM
from app.domain.vocabulary import SHANGHAI
from app.rates import counters
from bench.citizens import Citizens, villages
from bench.likeness import TICKETS_OF
from bench.place import Place

TICKETS = 10_000
IN_HAND = 25
"""Open tickets of the courier who asks for a list: more than a page."""
TEXTS = 500
EVERY = timedelta(minutes=40)
"""Between two receipts: 10,000 tickets are nine months of the county."""

# n: 1 …; one in ten is open, besides those of the one courier. Couriers take turns; everybody lives in their grid.
_GIVEN = "CREATE TEMP TABLE given (n int, id bigint, number text, description text, received_at timestamptz)"
_LIVES = """
CREATE TEMP TABLE lives AS
WITH couriers AS (
  SELECT row_number() OVER (ORDER BY a.staff_id) - 1 AS turn, a.staff_id, a.division_id AS grid_id, d.village_id
  FROM appointment a JOIN division d ON d.id = a.division_id WHERE a.role = 'courier'
), leaves AS (
  SELECT row_number() OVER (ORDER BY id) - 1 AS turn, id AS category_id, coalesce(kind_hint, 'consultation') AS kind
  FROM category WHERE level = 2 AND NOT confidential
)
SELECT g.*, k.staff_id, k.grid_id, k.village_id, l.category_id, l.kind, g.received_at + interval '7 days' AS due_at,
  g.n % {every} = 0 OR g.n % 10 = 1 AS open, nextval('citizen_id_seq') AS citizen_id
FROM given g
JOIN couriers k ON k.turn = CASE WHEN g.n % {every} = 0 THEN 0 ELSE g.n % (SELECT count(*) FROM couriers) END
JOIN leaves l ON l.turn = g.n % (SELECT count(*) FROM leaves)
"""
_ROWS = (
    "INSERT INTO citizen (id, name, phone, grid_id, created_at)"
    " SELECT citizen_id, '王演示', '142' || lpad(n::text, 8, '0'), grid_id, received_at FROM lives",
    "INSERT INTO identity (account_id, openid, citizen_id)"
    " SELECT (SELECT min(id) FROM account), 'oBench' || lpad(n::text, 22, '0'), citizen_id FROM lives",
    """
    INSERT INTO ticket (id, number, kind, channel, status, version, cycle, title, description, category_id,
      category_suggested, division_id, responsible_division_id, person_id, routing_reason, citizen_id, account_id,
      urgent, confidential, marked_confidential, received_at, entered_at, accepted_at, accepted_automatically,
      corrected, first_replied_at, completed_at, rated_at, closed_at, due_at, original_due_at, kept_limit,
      kept_original, works, result, explained, score, first_score, rating_via, withdrawn_before_work)
    SELECT id, number, kind, 'account', CASE WHEN open THEN 'received' ELSE 'closed' END,
      CASE WHEN open THEN 1 ELSE 6 END, 1, left(description, 40) || '…', description, category_id, true, grid_id,
      village_id, staff_id, '文中地名', citizen_id, (SELECT min(id) FROM account), false, false, false, received_at,
      received_at, r.accepted, false, false, r.replied, r.completed, r.rated, r.rated, due_at, due_at, true, true,
      CASE WHEN open THEN 0 ELSE 1 END, CASE WHEN open THEN NULL ELSE '已经处理好了，并当面说明。' END, false,
      r.score, r.score, CASE WHEN open THEN NULL ELSE 'account' END, false
    FROM lives, LATERAL (SELECT
      CASE WHEN open THEN NULL ELSE received_at + interval '2 hours' END AS accepted,
      CASE WHEN open THEN NULL ELSE received_at + interval '1 day' END AS replied,
      CASE WHEN open THEN NULL ELSE received_at + interval '3 days' END AS completed,
      CASE WHEN open THEN NULL ELSE received_at + interval '4 days' END AS rated,
      CASE WHEN open THEN NULL ELSE 'like' END AS score) r""",
    "INSERT INTO ticket_limit (ticket_id, cycle, kind, due_at, original_due_at, rule, provisional)"
    " SELECT id, 1, k, due_at, due_at, '7个自然日', false"
    " FROM lives, unnest('{accept,reply,complete}'::text[]) k",
    "INSERT INTO step (ticket_id, cycle, kind, due_at, silent) SELECT id, 1, k, due_at, false FROM lives,"
    " unnest('{accept_missed,reply_missed,remind_3,idle}'::text[]) k WHERE open",
    "INSERT INTO assignment (ticket_id, division_id, person_id, came_by, since, until)"
    " SELECT id, village_id, staff_id, 'routed', received_at,"
    " CASE WHEN open THEN NULL ELSE received_at + interval '3 days' END FROM lives",
    """
    INSERT INTO ticket_event (ticket_id, seq, at, action, from_status, to_status, actor_kind, actor_id, actor_role,
      detail)
    SELECT id, e.seq, received_at + e.seq * interval '12 hours', e.action, e.before, e.after, e.who,
      CASE e.who WHEN 'staff' THEN staff_id WHEN 'citizen' THEN citizen_id END,
      CASE e.who WHEN 'staff' THEN 'courier' WHEN 'citizen' THEN 'citizen' END, '{}'
    FROM lives, (VALUES (1, 'open', NULL, 'received', 'citizen'), (2, 'accept', 'received', 'accepted', 'staff'),
      (3, 'start', 'accepted', 'in_progress', 'staff'), (4, 'reply', 'in_progress', 'in_progress', 'staff'),
      (5, 'complete', 'in_progress', 'completed', 'staff'), (6, 'rate', 'completed', 'closed', 'citizen'))
      e (seq, action, before, after, who)
    WHERE NOT open OR e.seq = 1""",
    "INSERT INTO rating (ticket_id, cycle, score, via, at)"
    " SELECT id, 1, 'like', 'account', received_at + interval '4 days' FROM lives WHERE NOT open",
    "INSERT INTO outbox (key, notice, ticket_id, citizen_id, body, created_at)"
    " SELECT id || ':1:citizen.received:' || citizen_id || ':', 'citizen.received', id, citizen_id, '{\"seq\": 1}',"
    " received_at FROM lives",
    "INSERT INTO outbox (key, notice, ticket_id, staff_id, body, created_at)"
    " SELECT id || ':1:staff.assigned::' || staff_id, 'staff.assigned', id, staff_id, '{\"seq\": 1}', received_at"
    " FROM lives",
    "INSERT INTO inbound (account_id, key, openid, received_at, raw, outcome, reply, ticket_id)"
    " SELECT (SELECT min(id) FROM account), sha256(('bench' || n)::bytea)::text, 'oBench' || lpad(n::text, 22, '0'),"
    " received_at, convert_to(description, 'UTF8'), 'done', '已收到', id FROM lives",
    "DROP TABLE lives, given",
)


@dataclass(frozen=True, slots=True)
class Ground:
    """`last`, `last_citizen`: the highest ids laid; `token`: of the courier with IN_HAND open tickets."""

    last: int
    last_citizen: int
    courier_id: int
    token: str
    number_key: bytes


async def lay(conn: Any, place: Place, count: int = TICKETS) -> Ground:
    """Puts `count` tickets into an empty county, each with all its rows, and signs the courier in."""
    key = (await conn.fetchval("SELECT value FROM setting WHERE name = 'number_key'")).encode()
    rows = await conn.fetch("SELECT nextval('ticket_id_seq') AS id FROM generate_series(1, $1::int)", count)
    now = machine().astimezone(SHANGHAI)
    citizens, spots = Citizens(place, seed=1), villages(place.county)
    texts = [citizens.text(spots[n % len(spots)][1]) for n in range(TEXTS)]
    given = [
        (n, row["id"], numbers.number(row["id"], key), texts[n % TEXTS], now - n * EVERY)
        for n, row in enumerate(rows, start=1)
    ]
    async with conn.transaction():
        await conn.execute(_GIVEN)
        await conn.copy_records_to_table("given", records=given)
        await conn.execute(_LIVES.format(every=count // IN_HAND))
        for statement in _ROWS:
            await conn.execute(statement)
    async with place.opened() as database, database.open_work(SYSTEM) as work:
        await counters.rebuild(work)
    await tidy(conn)
    first = "SELECT staff_id FROM appointment WHERE role = 'courier' ORDER BY staff_id LIMIT 1"
    courier_id = await conn.fetchval(first)
    return await upto_now(conn, Ground(0, 0, courier_id, await sign_in(conn, courier_id), key))


async def upto_now(conn: Any, ground: Ground) -> Ground:
    """The same, with whatever has been written since."""
    last, citizen = await conn.fetchrow("SELECT (SELECT max(id) FROM ticket), (SELECT max(id) FROM citizen)")
    return replace(ground, last=last, last_citizen=citizen)


async def sign_in(conn: Any, staff_id: int) -> str:
    """A bearer token of a new session, past the password."""
    token, now = secrets.token(), machine()
    await conn.execute(
        "INSERT INTO session (token_digest, staff_id, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)",
        *(secrets.digest(token), staff_id, now, now + timedelta(hours=12)),
    )
    return token


async def settle(conn: Any, ground: Ground) -> None:
    """Closes what the windows before have opened: nobody has thousands in hand, and no side is to find more than the
    other did; takes the deltas away, as a worker would. Then tidies, so that no side pays for the other's rows."""
    closed = "UPDATE ticket SET status = 'closed', closed_at = received_at WHERE id > $1 AND status = 'received'"
    await conn.execute(closed, ground.last)
    await conn.execute("DELETE FROM step WHERE ticket_id > $1", ground.last)
    await conn.execute("DELETE FROM rate_delta")
    await tidy(conn)


async def forget(conn: Any, ground: Ground, *, tidied: bool = True) -> None:
    """Takes away whatever was written on this ground since it was laid."""
    async with conn.transaction():
        # The trail refuses it otherwise (a trigger), and every row would be looked for in all tables that name it.
        await conn.execute("SET LOCAL session_replication_role = replica")
        for table, column in TICKETS_OF.items():
            await conn.execute(f"DELETE FROM {table} WHERE {column} > $1", ground.last)
        await conn.execute("DELETE FROM identity WHERE citizen_id > $1", ground.last_citizen)
        await conn.execute("DELETE FROM citizen WHERE id > $1", ground.last_citizen)
        await conn.execute("DELETE FROM rate_delta")
    if tidied:
        await tidy(conn)


async def tidy(conn: Any) -> None:
    await conn.execute("VACUUM (ANALYZE)")
    await conn.execute("CHECKPOINT")


async def tickets(conn: Any) -> int:
    return int(await conn.fetchval("SELECT count(*) FROM ticket"))
