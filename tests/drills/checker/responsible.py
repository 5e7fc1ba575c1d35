"""6: a ticket always has exactly one responsible node."""

from tests.drills.checker.guarantees import Check, Guarantee

_OPEN = "('received', 'accepted', 'in_progress')"


def _check(what: str, query: str) -> Check:
    return Check(Guarantee.RESPONSIBLE, what, query)


CHECKS = (
    _check(
        "exactly one node is responsible",
        "SELECT number FROM ticket WHERE num_nonnulls(responsible_division_id, responsible_unit_id) <> 1",
    ),
    _check(
        "an open ticket has one open assignment, to whom it says; others none",
        "SELECT t.number, t.status, count(a.id) AS open FROM ticket t "
        "LEFT JOIN assignment a ON a.ticket_id = t.id AND a.until IS NULL GROUP BY t.id "
        f"HAVING count(a.id) <> (t.status IN {_OPEN})::int OR bool_or(ROW(a.division_id, a.unit_id, a.person_id) "
        "IS DISTINCT FROM ROW(t.responsible_division_id, t.responsible_unit_id, t.person_id)) "
        "FILTER (WHERE a.id IS NOT NULL)",
    ),
    _check(
        "one node at a time was responsible, without a gap",
        "SELECT ticket_id, since FROM (SELECT *, lag(until) OVER w AS before, row_number() OVER w AS nth "
        "FROM assignment WINDOW w AS (PARTITION BY ticket_id ORDER BY id)) a "
        "WHERE until < since OR (nth > 1 AND (before IS NULL OR since < before))",
    ),
)
