"""The ticket as the rules see it, and the form that an action comes with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain.policy import Standing
from app.domain.vocabulary import Kind, Score, Status

Form = Mapping[str, object]
"""What the caller filled in; the faces have checked shapes and types."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The ticket as `decide` sees it. Times are aware."""

    id: int
    number: str
    kind: Kind
    status: Status
    version: int
    cycle: int
    division_id: int
    standing: Standing
    category_id: int | None
    accepted_at: datetime | None
    accepted_automatically: bool
    corrected: bool
    first_replied_at: datetime | None
    completed_at: datetime | None
    due_at: datetime
    original_due_at: datetime
    works: int
    score: Score | None
    rated_cycle: int | None
