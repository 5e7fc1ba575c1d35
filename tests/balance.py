"""What must hold whatever a test has done to tickets through the services: looked at after every test that commits."""

from sqlalchemy import text

from app.base.db import Database
from app.domain.policy import SYSTEM
from app.rates import counters

_STEPS = """
SELECT t.number, t.status, t.cycle, array_agg(s.kind ORDER BY s.kind) FILTER (WHERE s.kind IS NOT NULL) AS coming
FROM ticket t LEFT JOIN step s ON s.ticket_id = t.id AND s.done_at IS NULL
GROUP BY t.id HAVING
    (t.status IN ('received', 'accepted', 'in_progress')) IS DISTINCT FROM (count(s.kind) > 0)
    OR bool_or(s.cycle <> t.cycle)
    OR bool_or(s.kind LIKE 'accept_%' AND t.accepted_at IS NOT NULL)
    OR bool_or(s.kind LIKE 'reply_%' AND t.first_replied_at IS NOT NULL)
    OR count(s.kind) FILTER (WHERE s.kind IN ('remind_3', 'remind_1', 'overdue', 'overdue_1', 'fault')) > 1
    OR bool_or(s.kind = 'overdue' AND s.due_at <> t.due_at)
"""


async def in_balance(database: Database) -> None:
    """Counters are what the tickets say; an open ticket has the steps to come that it should, a finished one none."""
    async with database.open_work(SYSTEM) as work:
        assert await counters.verify(work) == []
        assert (await work.conn.execute(text(_STEPS))).all() == []
