"""3: a step happens once per ticket and cycle, in order. Nobody does steps yet; what is to come is there already."""

from tests.drills.checker.guarantees import Check, Guarantee, NotBuilt

_OPEN = "('received', 'accepted', 'in_progress')"
_KINDS = """(VALUES
    ('accept_missed', 'accept', 1, false), ('accept_missed_above', 'accept', 2, true),
    ('reply_missed', 'reply', 1, false), ('reply_missed_above', 'reply', 2, true),
    ('remind_3', 'complete', 1, false), ('remind_1', 'complete', 2, false), ('overdue', 'complete', 3, false),
    ('overdue_1', 'complete', 4, false), ('fault', 'complete', 5, true),
    ('idle', 'idle', 1, true), ('archive', 'archive', 1, true)) k (kind, chain, nth, last)"""
# Each chain begins with a limit that runs: nothing of it comes once what it waits for is done.
_RUNS = (
    "CASE c.chain WHEN 'accept' THEN t.accepted_at IS NULL WHEN 'reply' THEN t.first_replied_at IS NULL ELSE true END"
)
_AROUND = "(VALUES ('remind_3', -3), ('remind_1', -1), ('overdue', 0), ('overdue_1', 1), ('fault', 3)) o (kind, days)"


def _check(what: str, query: str) -> Check:
    return Check(Guarantee.STEPS, what, query)


NOT_BUILT = NotBuilt(
    "还没有后台任务执行到期的步骤", "SELECT ticket_id, kind, done_at FROM step WHERE done_at IS NOT NULL AND NOT silent"
)
CHECKS = (
    _check(
        "an open ticket has the next step of each chain that runs, until the chain is at its end",
        "SELECT t.number, t.status, c.chain, count(s.kind) FILTER (WHERE s.done_at IS NULL) AS coming FROM ticket t "
        "CROSS JOIN (VALUES ('accept'), ('reply'), ('complete'), ('idle')) c (chain) "
        f"LEFT JOIN (step s JOIN {_KINDS} USING (kind)) "
        "ON s.ticket_id = t.id AND s.cycle = t.cycle AND k.chain = c.chain "
        f"WHERE t.status IN {_OPEN} GROUP BY t.id, c.chain "
        "HAVING count(s.kind) FILTER (WHERE s.done_at IS NULL) "
        f"<> ({_RUNS} AND NOT coalesce(bool_or(k.last AND s.done_at IS NOT NULL), false))::int",
    ),
    _check(
        "nothing is to come of a ticket that is not open but that a completed one is archived, nor of a past cycle",
        "SELECT t.number, t.status, s.cycle, s.kind FROM step s JOIN ticket t ON t.id = s.ticket_id "
        "WHERE s.done_at IS NULL AND (s.cycle <> t.cycle "
        f"OR t.status NOT IN {_OPEN} AND (t.status, s.kind) <> ('completed', 'archive'))",
    ),
    _check(
        "a completed ticket is archived when nobody can rate it any more",
        "SELECT t.number, s.due_at FROM ticket t LEFT JOIN step s ON s.ticket_id = t.id AND s.cycle = t.cycle "
        "AND s.kind = 'archive' AND s.done_at IS NULL WHERE t.status = 'completed' AND s.due_at IS DISTINCT FROM "
        "((t.completed_at AT TIME ZONE 'Asia/Shanghai')::date + 16)::timestamp AT TIME ZONE 'Asia/Shanghai'",
    ),
    _check(
        "a step is there once per ticket, cycle and kind, of a kind that is known",
        f"SELECT s.ticket_id, s.cycle, s.kind, count(*) FROM step s LEFT JOIN {_KINDS} USING (kind) "
        "GROUP BY s.ticket_id, s.cycle, s.kind HAVING count(*) > 1 OR count(k.chain) = 0",
    ),
    _check(
        "no step was done before it was due",
        "SELECT ticket_id, kind, due_at, done_at FROM step WHERE done_at < due_at",
    ),
    _check(
        "the steps of a chain are due, and done, one after the other",
        "SELECT ticket_id, cycle, kind FROM (SELECT s.*, lag(s.kind) OVER w AS before, "
        f"lag(s.due_at) OVER w AS was_due, lag(s.done_at) OVER w AS was_done FROM step s JOIN {_KINDS} USING (kind) "
        "WINDOW w AS (PARTITION BY s.ticket_id, s.cycle, k.chain ORDER BY k.nth)) s "
        "WHERE before IS NOT NULL AND (due_at < was_due OR was_done IS NULL OR done_at < was_done)",
    ),
    _check(
        "what is to come of a completion limit lies at its distance from it",
        "SELECT t.number, s.kind, s.due_at, t.due_at AS limit FROM step s JOIN ticket t ON t.id = s.ticket_id "
        f"JOIN {_AROUND} ON o.kind = s.kind "
        "WHERE s.done_at IS NULL AND s.cycle = t.cycle AND s.due_at <> t.due_at + o.days * interval '24 hours'",
    ),
)
