"""What must hold whatever a test has done to tickets through the services: looked at after every test that commits."""

from sqlalchemy import text

from app.audit.verifying import Finding, verify
from app.base.db import Database
from app.domain.policy import SYSTEM
from app.rates import counters

_STEPS = """
SELECT t.number, t.status, t.cycle, array_agg(s.kind ORDER BY s.kind) FILTER (WHERE s.kind IS NOT NULL) AS coming
FROM ticket t LEFT JOIN step s ON s.ticket_id = t.id AND s.done_at IS NULL
GROUP BY t.id HAVING
    (t.status IN ('received', 'accepted', 'in_progress')) IS DISTINCT FROM bool_or(coalesce(s.kind <> 'archive', false))
    OR (t.status = 'completed') IS DISTINCT FROM bool_or(coalesce(s.kind = 'archive', false))
    OR bool_or(s.kind = 'archive' AND s.due_at AT TIME ZONE 'Asia/Shanghai'
        <> (t.completed_at AT TIME ZONE 'Asia/Shanghai')::date + 16)
    OR bool_or(s.cycle <> t.cycle)
    OR bool_or(s.kind LIKE 'accept_%' AND t.accepted_at IS NOT NULL)
    OR bool_or(s.kind LIKE 'reply_%' AND t.first_replied_at IS NOT NULL)
    OR count(s.kind) FILTER (WHERE s.kind IN ('remind_3', 'remind_1', 'overdue', 'overdue_1', 'fault')) > 1
    OR bool_or(s.kind = 'overdue' AND s.due_at <> t.due_at)
"""
_NODES = """
SELECT t.number, t.status FROM ticket t LEFT JOIN assignment a ON a.ticket_id = t.id AND a.until IS NULL
WHERE (t.status IN ('received', 'accepted', 'in_progress')) <> (a.id IS NOT NULL)
    OR (a.division_id, a.unit_id, a.person_id)
        IS DISTINCT FROM (t.responsible_division_id, t.responsible_unit_id, t.person_id) AND a.id IS NOT NULL
"""
_COPIES = """
SELECT p.number, p.copies FROM ticket p LEFT JOIN ticket c ON c.merged_into_id = p.id
GROUP BY p.id HAVING p.copies <> count(c.id) OR bool_or(c.status <> 'merged') OR (p.copies > 0 AND p.status = 'merged')
"""


async def in_balance(database: Database) -> None:
    """Counters are what the tickets say; an open ticket has the steps to come that it should, a completed one that it
    is archived, others none; there is one responsible node at a time, of an open ticket alone; the trail verifies."""
    async with database.open_work(SYSTEM) as work:
        assert await counters.verify(work) == []
        assert (await work.conn.execute(text(_STEPS))).all() == []
        assert (await work.conn.execute(text(_NODES))).all() == []
        assert (await work.conn.execute(text(_COPIES))).all() == []
    found: list[Finding] = []
    tally = await verify(database.open_work, found.append, lambda done, total: None)
    assert (found, tally.joined, tally.behind) == ([], 0, 0)
