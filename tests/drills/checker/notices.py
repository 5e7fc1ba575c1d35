"""4: a notice is delivered at least once, or given up visibly. Nobody delivers yet; what is to go out is there."""

from tests.drills.checker.guarantees import Check, Guarantee, NotBuilt


def _check(what: str, query: str) -> Check:
    return Check(Guarantee.NOTICES, what, query)


NOT_BUILT = NotBuilt("通知还不送出", "SELECT key, delivered_at FROM outbox WHERE delivered_at IS NOT NULL")
CHECKS = (
    _check("outbox keys are unique", "SELECT key, count(*) FROM outbox GROUP BY key HAVING count(*) > 1"),
    _check(
        "a notice tells of an event of its ticket",
        "SELECT o.key, o.notice FROM outbox o LEFT JOIN ticket_event e "
        "ON e.ticket_id = o.ticket_id AND e.seq = (o.body->>'seq')::int WHERE e.seq IS NULL",
    ),
    _check(
        "nobody is told of what an imported ticket has lived elsewhere",
        "SELECT x.external_id, o.notice FROM ticket_import x JOIN outbox o ON o.ticket_id = x.ticket_id "
        "WHERE (o.body->>'seq')::int <= x.version",
    ),
)
