"""The trail. `ticket_event` is append-only (a trigger refuses the rest) and holds no text and no name of a citizen;
texts stand beside it, so that a person can be erased without touching the trail."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Named, Table, TypedColumns

from app.schema.base import Id, Json, Moment, metadata


class _TicketEvents(TypedColumns):
    """`seq` counts from 1 without a gap and is the ticket's version after the event."""

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


ticket_events = Table("ticket_event", metadata, _TicketEvents)


class _EventTexts(TypedColumns):
    """`public` NULL: public unless the ticket's category is sensitive; a person may say yes or no."""

    ticket_id: Named[int] = Column(Id, primary_key=True)
    seq: Named[int] = Column(primary_key=True)
    text: Named[str]
    public: Named[bool | None]


event_texts = Table(
    "event_text",
    metadata,
    _EventTexts,
    ForeignKeyConstraint(["ticket_id", "seq"], ["ticket_event.ticket_id", "ticket_event.seq"]),
)
