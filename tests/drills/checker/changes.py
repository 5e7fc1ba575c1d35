"""2: a ticket's row, trail, limits, counters and notices change in one transaction or not at all.

`act` is what staff did: one row for each act on a ticket; `known`: they were told that it was done.
"""

from tests.drills.checker.guarantees import Check, Guarantee
from tests.drills.checker.messages import OURS
from tests.drills.checker.recount import DIFFERENCES

TABLES = "CREATE TEMP TABLE act (number text, action text, known boolean, PRIMARY KEY (number, action));"


def _check(what: str, query: str = "") -> Check:
    return Check(Guarantee.TOGETHER, what, query)


HANGING = _check("no transaction is left open, idle or not")
CHECKS = (
    _check(
        "the trail counts from 1 without a gap, as many as the version",
        "SELECT t.number, t.version, count(e.seq) AS events, min(e.seq), max(e.seq) "
        "FROM ticket t LEFT JOIN ticket_event e ON e.ticket_id = t.id GROUP BY t.id "
        "HAVING count(e.seq) <> t.version OR min(e.seq) IS DISTINCT FROM 1 OR max(e.seq) <> t.version",
    ),
    _check(
        "the last event's state is the ticket's",
        "SELECT t.number, t.status, e.to_status FROM ticket t LEFT JOIN LATERAL (SELECT to_status FROM ticket_event "
        "WHERE ticket_id = t.id ORDER BY seq DESC LIMIT 1) e ON true WHERE e.to_status IS DISTINCT FROM t.status",
    ),
    _check(
        "milestones come in order, and are there when their state is",
        "SELECT number, status FROM ticket WHERE received_at > entered_at OR accepted_at < received_at "
        # The text of a decline is a reply, and an appeal is accepted after it.
        "OR first_replied_at < accepted_at AND NOT appealed OR completed_at < accepted_at "
        "OR completed_at < first_replied_at OR closed_at < completed_at OR rated_at < received_at "
        "OR accepted_at IS NULL AND status IN ('accepted', 'in_progress', 'completed', 'closed') "
        "OR accepted_at IS NOT NULL AND status = 'received' "
        "OR completed_at IS NULL AND status IN ('completed', 'closed') "
        "OR completed_at IS NOT NULL AND status NOT IN ('completed', 'closed', 'merged')",
    ),
    # What was corrected at its source after the import has one event `import` for all that changed.
    _check(
        "each milestone is the moment of an event that makes it",
        "SELECT t.number, m.what, m.at FROM ticket t CROSS JOIN LATERAL (VALUES "
        "('accepted', t.accepted_at, ARRAY['accept', 'merge']), ('completed', t.completed_at, ARRAY['complete']), "
        "('first replied', t.first_replied_at, ARRAY['reply', 'complete', 'decline', 'merge']), "
        "('rated', t.rated_at, ARRAY['rate']), ('closed', t.closed_at, ARRAY['archive', 'decide-unreasonable'])"
        ") m (what, at, actions) WHERE m.at IS NOT NULL AND NOT EXISTS (SELECT FROM ticket_event e "
        "WHERE e.ticket_id = t.id AND (e.action = 'import' OR (e.at = m.at AND e.action = ANY(m.actions))))",
    ),
    _check(
        "limits are there: three in the first cycle, one in each later one, and due_at is the present one's",
        "SELECT t.number, t.cycle, count(l.kind) AS limits FROM ticket t "
        "LEFT JOIN ticket_limit l ON l.ticket_id = t.id GROUP BY t.id "
        "HAVING count(l.kind) <> t.cycle + 2 OR count(*) FILTER (WHERE l.cycle = 1) <> 3 "
        "OR count(*) FILTER (WHERE l.kind = 'complete' AND l.cycle = t.cycle AND l.due_at = t.due_at) <> 1",
    ),
    _check("the counters, folded or not, are what the tickets say", DIFFERENCES),
    _check(
        "the ticket's rating is the last one given",
        "SELECT t.number, t.score, r.score AS given FROM ticket t LEFT JOIN LATERAL (SELECT score FROM rating "
        "WHERE ticket_id = t.id ORDER BY id DESC LIMIT 1) r ON true WHERE t.score IS DISTINCT FROM r.score",
    ),
    _check(
        "every ticket of an account has told its citizen, once",
        "SELECT t.number, count(o.id) AS notices FROM ticket t "
        "LEFT JOIN outbox o ON o.ticket_id = t.id AND o.notice = 'citizen.received' "
        f"WHERE t.channel = 'account' AND {OURS} "
        "GROUP BY t.id HAVING count(o.id) <> 1 OR bool_or(o.citizen_id IS DISTINCT FROM t.citizen_id)",
    ),
    _check(
        "an act that staff know of is one event, any other at most one",
        "SELECT c.number, c.action, c.known, count(e.seq) AS events FROM act c "
        "LEFT JOIN ticket t ON t.number = c.number "
        "LEFT JOIN ticket_event e ON e.ticket_id = t.id AND e.action = c.action "
        "GROUP BY c.number, c.action HAVING count(e.seq) > 1 OR (c.known AND count(e.seq) = 0)",
    ),
    HANGING,
)
