"""What is counted of a ticket's row, in SQL: equal to domain.counting, field by field (tested)."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, bindparam, case, cast, func, literal, not_, or_, true
from sqlalchemy.types import Date

from app.domain.counting import SPAM
from app.domain.vocabulary import Score, Status, Via
from app.schema.base import Moment
from app.schema.divisions import divisions
from app.schema.tickets import tickets

t, d = tickets.c, divisions.c
AS_OF = bindparam("as_of", type_=Moment)

_withdrawn = and_(t.status == Status.WITHDRAWN, t.withdrawn_before_work)
_declined = t.status == Status.DECLINED
# The reason may be null, and a condition that is negated must not be.
_spam = and_(_declined, t.decline_reason.is_not_distinct_from(SPAM))
_counted = and_(not_(_withdrawn), not_(_spam))
_accepted = t.accepted_at.is_not(None)
_completed = t.completed_at.is_not(None)
_like, _dislike = t.score == Score.LIKE, t.score == Score.DISLIKE
_callback = t.rating_via == Via.CALLBACK
_replied = or_(t.first_replied_at.is_not(None), _declined)
_overdue = t.due_at <= AS_OF

_COHORT: Mapping[str, ColumnElement[bool]] = {
    "received": true(),
    "accepted": _accepted,
    "accepted_automatically": and_(_accepted, t.accepted_automatically),
    "replied": _replied,
    "completed": _completed,
    "explained": and_(_completed, t.explained),
    "declined": _declined,
    "likes": _like,
    "dislikes": _dislike,
    "first_likes": t.first_score == Score.LIKE,
    "first_dislikes": t.first_score == Score.DISLIKE,
    "callback_likes": and_(_like, _callback),
    "callback_dislikes": and_(_dislike, _callback),
    "rated_completed": and_(_completed, t.score.is_not(None)),
    "solved_yes": t.solved.is_(True),
    "solved_no": t.solved.is_(False),
    "on_time": and_(_completed, t.kept_limit),
    "on_time_original": and_(_completed, t.kept_original),
    "completed_accepted": and_(_completed, _accepted),
    "completed_replied": and_(_completed, _replied),
    "completed_likes": and_(_completed, _like),
    "completed_dislikes": and_(_completed, _dislike),
}
TALLIED: Mapping[str, ColumnElement[bool]] = {
    **{name: and_(_counted, condition) for name, condition in _COHORT.items()},
    "withdrawn": _withdrawn,
    "spam": _spam,
}
"""domain.counting.Tally, by the names of its fields."""
RUNNING: Mapping[str, ColumnElement[bool]] = {
    "open_overdue": _overdue,
    "open_overdue_original": t.original_due_at <= AS_OF,
    "not_yet_due": not_(_overdue),
    "overdue_accepted": and_(_overdue, _accepted),
    "overdue_replied": and_(_overdue, _replied),
    "overdue_likes": and_(_overdue, _like),
    "overdue_dislikes": and_(_overdue, _dislike),
}
"""domain.counting.Running, by the names of its fields: of tickets that are unfinished, at AS_OF."""

DAY = cast(func.timezone("Asia/Shanghai", t.received_at), Date)
# A confidential ticket counts at the county alone, whoever holds it (domain.md, 2).
PLACE = case((t.confidential, d.county_id), else_=t.division_id)
HANDLER_DIVISION = case((t.confidential, d.county_id), else_=func.coalesce(t.responsible_division_id, literal(0)))
HANDLER_UNIT = case((t.confidential, literal(0)), else_=func.coalesce(t.responsible_unit_id, literal(0)))
"""The key of a rollup (schema.rates); `d` is the ticket's division."""
