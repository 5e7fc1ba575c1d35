"""The trail. What has happened to tickets (`ticket_event`), to staff, settings and papers (`office_event`), and the
seals on both are append-only (triggers refuse the rest) and hold no text and no name of a citizen; texts stand beside
it, so that a person can be erased without touching the trail. How rows are chained: app.audit.chain."""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Named,
    Table,
    TypedColumns,
    text,
)

from app.schema.base import Id, Json, Moment, metadata


class _TicketEvents(TypedColumns):
    """`seq` counts from 1 without a gap and is the ticket's version after the event.

    `prev`, `hash`: NULL where it was written before its ticket's chain had begun; what is linked is its content then.
    """

    ticket_id: Named[int] = Column(Id, ForeignKey("ticket.id"), primary_key=True)
    seq: Named[int] = Column(primary_key=True)
    at: Named[datetime] = Column(Moment)
    action: Named[str]
    from_status: Named[str | None]
    to_status: Named[str]
    actor_kind: Named[str]
    actor_id: Named[int | None] = Column(Id)
    actor_role: Named[str | None]
    # Ids only: which node, which person, which cycle.
    detail: Named[dict[str, object]] = Column(Json, nullable=False)
    # Of the text as it was first written; `detail.texts` of a later event has those that came in its place.
    text_digest: Named[bytes | None] = Column(LargeBinary)
    prev: Named[bytes | None] = Column(LargeBinary)
    hash: Named[bytes | None] = Column(LargeBinary)


ticket_events = Table(
    "ticket_event",
    metadata,
    _TicketEvents,
    # What an auditor asks: when, and by whom.
    Index(None, "at", "ticket_id", "seq"),
    Index("ix_ticket_event_staff", "actor_id", "at", postgresql_where=text("actor_kind = 'staff'")),
)


class _EventTexts(TypedColumns):
    """`public` NULL: public unless the ticket's category is sensitive; a person may say yes or no.

    `salt` goes with the text: without it, nobody can try out what the digest in the trail is of.
    """

    ticket_id: Named[int] = Column(Id, primary_key=True)
    seq: Named[int] = Column(primary_key=True)
    text: Named[str]
    public: Named[bool | None]
    salt: Named[bytes | None] = Column(LargeBinary)


event_texts = Table(
    "event_text",
    metadata,
    _EventTexts,
    ForeignKeyConstraint(["ticket_id", "seq"], ["ticket_event.ticket_id", "ticket_event.seq"]),
)


class _OfficeEvents(TypedColumns):
    """One chain for all: what was done to staff, settings and papers. `seq` counts from 1 without a gap; `detail`: ids,
    counts and digests."""

    seq: Named[int] = Column(Id, primary_key=True, autoincrement=False)
    at: Named[datetime] = Column(Moment)
    action: Named[str]
    actor_kind: Named[str]
    actor_id: Named[int | None] = Column(Id)
    actor_role: Named[str | None]
    detail: Named[dict[str, object]] = Column(Json, nullable=False)
    prev: Named[bytes] = Column(LargeBinary)
    hash: Named[bytes] = Column(LargeBinary)


office_events = Table("office_event", metadata, _OfficeEvents, Index(None, "at", "seq"))


class _OfficeHeads(TypedColumns):
    """The one row that says where the office's chain ends, as `ticket.chain_head` does for a ticket's."""

    one: Named[bool] = Column(primary_key=True)
    head: Named[bytes] = Column(LargeBinary)


office_heads = Table("office_head", metadata, _OfficeHeads, CheckConstraint("one", name="one"))


class _SealedHeads(TypedColumns):
    """Where a ticket's chain ended when a day was sealed; a row only for tickets whose chain had grown since.

    No foreign key: what becomes of the ticket changes nothing here.
    """

    ticket_id: Named[int] = Column(Id, primary_key=True, autoincrement=False)
    day: Named[date] = Column(Date, primary_key=True)
    head: Named[bytes] = Column(LargeBinary)


# In the order in which they are written, which is that of the days.
sealed_heads = Table("sealed_head", metadata, _SealedHeads, Index(None, "day", postgresql_using="brin"))


class _Anchors(TypedColumns):
    """One for each day that was sealed. `digest`: of the `heads` rows of that day; `office`: the office's head then."""

    day: Named[date] = Column(Date, primary_key=True)
    sealed_at: Named[datetime] = Column(Moment)
    heads: Named[int] = Column(Id)
    digest: Named[bytes] = Column(LargeBinary)
    office: Named[bytes] = Column(LargeBinary)
    prev: Named[bytes] = Column(LargeBinary)
    hash: Named[bytes] = Column(LargeBinary)


anchors = Table("audit_anchor", metadata, _Anchors)
