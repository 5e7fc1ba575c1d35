"""What the floors of list and view ask the database: raw statements of the product's own columns."""

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
    + ["(SELECT max(r.cycle) FROM rating r WHERE r.ticket_id = t.id)"]
)
_SOURCE = "ticket t LEFT JOIN staff p ON p.id = t.person_id LEFT JOIN citizen c ON c.id = t.citizen_id"

LIST = f"""
SELECT {_COLUMNS} FROM {_SOURCE}
WHERE t.person_id = $1 AND t.status IN ('received', 'accepted', 'in_progress')
ORDER BY t.due_at, t.id LIMIT 21
"""
"""20 of mine, and whether there are more."""

ANY_TICKET = f"""
SELECT {_COLUMNS}, t.result,
  (SELECT json_agg(json_build_object('kind', l.kind, 'cycle', l.cycle, 'due_at', l.due_at, 'original_due_at',
     l.original_due_at, 'rule', l.rule, 'provisional', l.provisional))
   FROM ticket_limit l WHERE l.ticket_id = t.id),
  (SELECT json_agg(json_build_object('at', e.at, 'action', e.action, 'from', e.from_status, 'to', e.to_status,
     'kind', e.actor_kind, 'role', e.actor_role, 'name', a.name, 'text', x.text, 'public', x.public) ORDER BY e.seq)
   FROM ticket_event e LEFT JOIN event_text x ON x.ticket_id = e.ticket_id AND x.seq = e.seq
     LEFT JOIN staff a ON a.id = e.actor_id AND e.actor_kind = 'staff'
   WHERE e.ticket_id = t.id)
FROM {_SOURCE} WHERE t.number = $1
"""
"""One whole: with its limits, and its trail with the texts."""
TICKET = f"{ANY_TICKET} AND t.person_id = $2"
"""The same, of mine."""
