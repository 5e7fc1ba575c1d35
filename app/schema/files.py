"""Photos and recordings: what was sent, and what it belongs to. Their bytes lie in the store, by digest."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Named,
    Table,
    Text,
    TypedColumns,
    false,
    text,
)

from app.schema.base import Id, Moment, metadata


class _Files(TypedColumns):
    """One upload. `id` is random and all that is ever said of it outside; several may have the same bytes (`digest`,
    SHA-256). The row comes before its bytes: `stored` once they are safe. `created_at` is the machine's time: a demo's
    clock that jumps ahead must not sweep away what is just being sent."""

    id: Named[str] = Column(Text, primary_key=True)
    digest: Named[str]
    content_type: Named[str]
    bytes: Named[int]
    staff_id: Named[int | None] = Column(Id, ForeignKey("staff.id"))
    citizen_id: Named[int | None] = Column(Id, ForeignKey("citizen.id"))
    created_at: Named[datetime] = Column(Moment)
    stored: Named[bool] = Column(server_default=false())
    used: Named[bool] = Column(server_default=false())


files = Table(
    "file",
    metadata,
    _Files,
    CheckConstraint("num_nonnulls(staff_id, citizen_id) = 1", name="one_sender"),
    Index(None, "digest"),
    Index("ix_file_unused", "created_at", postgresql_where=text("NOT used")),
)


class _FileLinks(TypedColumns):
    """What a used file belongs to: an event of a ticket, or a visit at a household that was for none."""

    file_id: Named[str] = Column(Text, ForeignKey("file.id"), primary_key=True)
    ticket_id: Named[int | None] = Column(Id)
    seq: Named[int | None]
    visit_id: Named[int | None] = Column(Id, ForeignKey("visit.id"))


file_links = Table(
    "file_link",
    metadata,
    _FileLinks,
    ForeignKeyConstraint(["ticket_id", "seq"], ["ticket_event.ticket_id", "ticket_event.seq"]),
    CheckConstraint("num_nonnulls(ticket_id, visit_id) = 1", name="of_one"),
    CheckConstraint("(ticket_id IS NULL) = (seq IS NULL)", name="event_of_ticket"),
    Index(None, "ticket_id", "seq"),
    Index(None, "visit_id"),
)
