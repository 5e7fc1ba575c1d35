"""The ticket, who was responsible for it and when, visits, ratings, and remembered answers to repeated requests."""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Named,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    and_,
    false,
    literal_column,
    text,
)

from app.schema.base import Id, Json, Moment, metadata

_OPEN = text("status IN ('received', 'accepted', 'in_progress')")
_UNFINISHED = text("completed_at IS NULL AND status IN ('received', 'accepted', 'in_progress', 'merged')")


class _Tickets(TypedColumns):
    """`version` is the number of events so far. `kept_limit`: every finished cycle ended within its limit.
    `works` counts visits and replies of the present cycle. The number is made of the id, which is drawn first.
    `first_score` is of the first rating, `score` of the latest."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    number: Named[str] = Column(Text, unique=True)
    kind: Named[str]
    channel: Named[str]
    status: Named[str]
    version: Named[int]
    cycle: Named[int]
    title: Named[str]
    description: Named[str]
    category_id: Named[int | None] = Column(Id, ForeignKey("category.id"))
    category_suggested: Named[bool]
    division_id: Named[int] = Column(Id, ForeignKey("division.id"))
    responsible_division_id: Named[int | None] = Column(Id, ForeignKey("division.id"))
    responsible_unit_id: Named[int | None] = Column(Id, ForeignKey("unit.id"))
    person_id: Named[int | None] = Column(Id, ForeignKey("staff.id"))
    routing_reason: Named[str]
    citizen_id: Named[int | None] = Column(Id, ForeignKey("citizen.id"))
    recorder_id: Named[int | None] = Column(Id, ForeignKey("staff.id"))
    account_id: Named[int | None] = Column(Id, ForeignKey("account.id"))
    source: Named[dict[str, str] | None] = Column(Json)
    lat: Named[float | None] = Column(Float)
    lon: Named[float | None] = Column(Float)
    datum: Named[str | None]
    urgent: Named[bool]
    confidential: Named[bool]
    # A person marked it so: it stays confidential whatever its category becomes.
    marked_confidential: Named[bool]
    about_staff_id: Named[int | None] = Column(Id, ForeignKey("staff.id"))
    about_division_id: Named[int | None] = Column(Id, ForeignKey("division.id"))
    about_unit_id: Named[int | None] = Column(Id, ForeignKey("unit.id"))
    received_at: Named[datetime] = Column(Moment)
    entered_at: Named[datetime] = Column(Moment)
    accepted_at: Named[datetime | None] = Column(Moment)
    accepted_automatically: Named[bool]
    # An automatic acceptance may be corrected once (category, place), with all limits reckoned anew.
    corrected: Named[bool]
    first_replied_at: Named[datetime | None] = Column(Moment)
    completed_at: Named[datetime | None] = Column(Moment)
    rated_at: Named[datetime | None] = Column(Moment)
    closed_at: Named[datetime | None] = Column(Moment)
    due_at: Named[datetime] = Column(Moment)
    original_due_at: Named[datetime] = Column(Moment)
    kept_limit: Named[bool]
    kept_original: Named[bool]
    works: Named[int]
    result: Named[str | None]
    explained: Named[bool]
    score: Named[str | None]
    first_score: Named[str | None]
    rating_via: Named[str | None]
    rating_comment: Named[str | None]
    solved: Named[bool | None]
    rating_code: Named[str | None]
    decline_reason: Named[str | None]
    withdrawn_before_work: Named[bool]
    decline_sub_reason: Named[str | None]
    declined_at: Named[datetime | None] = Column(Moment)
    appealed: Named[bool] = Column(server_default=false())
    # An appeal against the county itself: its principal alone decides.
    for_principal: Named[bool] = Column(server_default=false())
    # Where the responsible node got it from (NULL: routed), and until when it may be sent back; NULL: not at all.
    came_from_division_id: Named[int | None] = Column(Id, ForeignKey("division.id"))
    came_from_unit_id: Named[int | None] = Column(Id, ForeignKey("unit.id"))
    return_until: Named[datetime | None] = Column(Moment)
    returns: Named[int] = Column(server_default=text("0"))
    waiting_reason: Named[str | None]
    waiting_text: Named[str | None]
    look_again_on: Named[date | None] = Column(Date)
    # The ticket that this one follows, and what an unmerging gives back (`before_merge`).
    merged_into_id: Named[int | None] = Column(Id, ForeignKey("ticket.id"))
    merged_at: Named[datetime | None] = Column(Moment)
    status_before: Named[str | None]
    before_merge: Named[dict[str, object] | None] = Column(Json)
    copies: Named[int] = Column(server_default=text("0"))
    # What was asked of the level above in this cycle; `extensions`, `extension_days` (natural): approved in all.
    extension_state: Named[str | None]
    extension_asked: Named[int | None]
    extension_text: Named[str | None]
    extension_asker_id: Named[int | None] = Column(Id, ForeignKey("staff.id"))
    extensions: Named[int] = Column(server_default=text("0"))
    extension_days: Named[int] = Column(server_default=text("0"))
    unreasonable_state: Named[str | None]
    unreasonable_asker_id: Named[int | None] = Column(Id, ForeignKey("staff.id"))
    photos: Named[int] = Column(server_default=text("0"))
    last_completed_at: Named[datetime | None] = Column(Moment)
    # Where the ticket's chain of events ends (app.audit.chain.Head); NULL: it has not begun.
    chain_head: Named[bytes | None] = Column(LargeBinary)


tickets = Table(
    "ticket",
    metadata,
    _Tickets,
    CheckConstraint("num_nonnulls(responsible_division_id, responsible_unit_id) = 1", name="one_responsible"),
    Index(None, "division_id", "received_at"),
    Index(None, "received_at"),
    Index("ix_ticket_person_open", "person_id", "due_at", postgresql_where=_OPEN),
    Index("ix_ticket_due_open", "due_at", postgresql_where=_OPEN),
    Index(None, "responsible_unit_id", "received_at"),
    Index(None, "responsible_division_id", "received_at"),
    Index(None, "citizen_id"),
    Index(None, "recorder_id", "received_at"),
    Index("uq_ticket_rating_code", "rating_code", unique=True, postgresql_where=text("rating_code IS NOT NULL")),
    Index("ix_ticket_unfinished", "received_at", postgresql_where=_UNFINISHED),
    Index("ix_ticket_completed", "completed_at", postgresql_where=text("completed_at IS NOT NULL")),
    Index("ix_ticket_to_archive", "id", postgresql_where=text("status = 'completed'")),
    Index("ix_ticket_merged_into", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
)


is_open = tickets.c.status.in_(
    [literal_column(f"'{state}'", Text()) for state in ("received", "accepted", "in_progress")]
)
"""With the states spelt out, as the partial indexes have them: behind parameters PostgreSQL plans anew at each call."""

is_completed = tickets.c.status == literal_column("'completed'", Text())
is_unfinished = and_(
    tickets.c.completed_at.is_(None),
    tickets.c.status.in_(
        [literal_column(f"'{state}'", Text()) for state in ("received", "accepted", "in_progress", "merged")]
    ),
)
"""What may be overdue: a copy is open as its primary is (domain.counting.UNFINISHED)."""


class _Assignments(TypedColumns):
    id: Named[int] = Column(Id, Identity(), primary_key=True)
    ticket_id: Named[int] = Column(Id, ForeignKey("ticket.id"))
    division_id: Named[int | None] = Column(Id, ForeignKey("division.id"))
    unit_id: Named[int | None] = Column(Id, ForeignKey("unit.id"))
    person_id: Named[int | None] = Column(Id, ForeignKey("staff.id"))
    came_by: Named[str]
    since: Named[datetime] = Column(Moment)
    until: Named[datetime | None] = Column(Moment)


assignments = Table(
    "assignment",
    metadata,
    _Assignments,
    CheckConstraint("num_nonnulls(division_id, unit_id) = 1", name="one_node"),
    Index("uq_assignment_present", "ticket_id", unique=True, postgresql_where=text("until IS NULL")),
    Index(None, "ticket_id"),
    Index("ix_assignment_person", "person_id", "since"),
    Index(None, "division_id"),
    Index(None, "unit_id"),
)


class _Visits(TypedColumns):
    """An offline act: for a ticket (in one of its cycles), at a household, or both."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    ticket_id: Named[int | None] = Column(Id, ForeignKey("ticket.id"))
    household_id: Named[int | None] = Column(Id, ForeignKey("household.id"))
    staff_id: Named[int] = Column(Id, ForeignKey("staff.id"))
    cycle: Named[int | None]
    at: Named[datetime] = Column(Moment)
    seen: Named[str]
    lat: Named[float | None] = Column(Float)
    lon: Named[float | None] = Column(Float)
    datum: Named[str | None]


visits = Table(
    "visit",
    metadata,
    _Visits,
    CheckConstraint("num_nonnulls(ticket_id, household_id) > 0", name="of_something"),
    CheckConstraint("(ticket_id IS NULL) = (cycle IS NULL)", name="cycle_of_ticket"),
    Index(None, "ticket_id"),
    Index(None, "household_id", "at"),
    Index(None, "staff_id", "at"),
)


class _Ratings(TypedColumns):
    """Every rating given; the ticket's row holds the latest. `grade`: the finer word of an imported one (非常满意)."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    ticket_id: Named[int] = Column(Id, ForeignKey("ticket.id"))
    cycle: Named[int]
    score: Named[str]
    via: Named[str]
    comment: Named[str | None]
    solved: Named[bool | None]
    grade: Named[str | None]
    at: Named[datetime] = Column(Moment)


ratings = Table("rating", metadata, _Ratings, Index(None, "ticket_id"))


class _Idempotency(TypedColumns):
    """The first answer to a request that carried an Idempotency-Key, given again to its repeats."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    staff_id: Named[int] = Column(Id, ForeignKey("staff.id"))
    key: Named[str]
    body_digest: Named[str]
    ticket_id: Named[int | None] = Column(Id, ForeignKey("ticket.id"))
    answer: Named[dict[str, object] | None] = Column(Json)
    created_at: Named[datetime] = Column(Moment)


idempotency = Table("idempotency", metadata, _Idempotency, UniqueConstraint("staff_id", "key"))


class _Imported(TypedColumns):
    """A ticket that came from another system: `digest` of its row in the file, and the version it had then.

    A ticket whose version has grown since was acted on here: the file no longer changes it.
    """

    external_id: Named[str] = Column(Text, primary_key=True)
    ticket_id: Named[int] = Column(Id, ForeignKey("ticket.id"), unique=True)
    digest: Named[str]
    version: Named[int]


imported = Table("ticket_import", metadata, _Imported)
