"""Notices that are to leave the house: written with what they tell of, delivered later."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, Identity, Index, Named, Table, Text, TypedColumns, text

from app.schema.base import Id, Json, Moment, metadata


class _Outbox(TypedColumns):
    """`key` is the idempotency key of the notice. Exactly one of `citizen_id`, `staff_id` says whom to tell."""

    id: Named[int] = Column(Id, Identity(), primary_key=True)
    key: Named[str] = Column(Text, unique=True)
    notice: Named[str]
    ticket_id: Named[int] = Column(Id, ForeignKey("ticket.id"))
    citizen_id: Named[int | None] = Column(Id, ForeignKey("citizen.id"))
    staff_id: Named[int | None] = Column(Id, ForeignKey("staff.id"))
    body: Named[dict[str, object]] = Column(Json, nullable=False)
    created_at: Named[datetime] = Column(Moment)
    delivered_at: Named[datetime | None] = Column(Moment)


outbox = Table(
    "outbox",
    metadata,
    _Outbox,
    CheckConstraint("num_nonnulls(citizen_id, staff_id) = 1", name="one_recipient"),
    Index("ix_outbox_waiting", "id", postgresql_where=text("delivered_at IS NULL")),
    Index(None, "ticket_id"),
)
