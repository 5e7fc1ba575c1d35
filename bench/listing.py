"""What the floor of the courier's list asks the database: two raw statements of the product's own columns."""

from dataclasses import fields

from app.tickets.queries.changing import Stored
from app.tickets.queries.reading import Beside

SESSION_OF = """
SELECT s.seen_at, p.id, p.name, p.username,
  (SELECT coalesce(json_agg(json_build_array(a.role, a.division_id, a.unit_id)), '[]'::json) FROM appointment a
   WHERE a.staff_id = s.staff_id AND a.starts_at <= $2 AND (a.ends_at IS NULL OR a.ends_at > $2)) AS held
FROM session s JOIN staff p ON p.id = s.staff_id
WHERE s.token_digest = $1 AND s.expires_at > $2 AND p.active
"""

_JOINED = {
    "person_username": "p.username",
    "person_name": "p.name",
    "citizen_name": "c.name",
    "citizen_phone": "c.phone",
}
_COLUMNS = ", ".join(
    [f"t.{field.name}" for field in fields(Stored)]
    + [_JOINED.get(field.name, f"t.{field.name}") for field in fields(Beside)]
)
LIST = f"""
SELECT {_COLUMNS}, (SELECT max(r.cycle) FROM rating r WHERE r.ticket_id = t.id)
FROM ticket t LEFT JOIN staff p ON p.id = t.person_id LEFT JOIN citizen c ON c.id = t.citizen_id
WHERE t.person_id = $1 AND t.status IN ('received', 'accepted', 'in_progress')
ORDER BY t.due_at, t.id LIMIT 21
"""
