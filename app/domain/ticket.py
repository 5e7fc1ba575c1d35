"""The ticket as the rules see it, and the form that an action comes with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain.policy import Standing
from app.domain.vocabulary import Asked, Kind, Score, Status

Form = Mapping[str, object]
"""What the caller filled in; the faces have checked shapes and types. `photos`: how many of the files are photos."""


@dataclass(frozen=True, slots=True)
class Primary:
    """The ticket that a merged one follows."""

    status: Status
    cycle: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """The ticket as `decide` sees it. Times are aware.

    `at_county`: nothing is above the responsible node. `return_until`: until when (exclusive) it may be returned; None:
    not at all. `extension`, `unreasonable`: how what was asked in this cycle stands: asked, approved, refused.
    `extensions`, `extension_days`: approved ones of all cycles. `photos`: of this cycle. `copies`: merged into it.
    `for_principal`: an appeal against the county, which its principal alone decides. `status_before`: of a merged one.
    `last_completed_at`: of the completion that the last dislike has undone.
    """

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
    at_county: bool = False
    return_until: datetime | None = None
    waiting: bool = False
    copies: int = 0
    primary: Primary | None = None
    status_before: Status | None = None
    extension: Asked | None = None
    extensions: int = 0
    extension_days: int = 0
    unreasonable: Asked | None = None
    declined_at: datetime | None = None
    appealed: bool = False
    for_principal: bool = False
    photo_required: bool = False
    photos: int = 0
    last_completed_at: datetime | None = None
