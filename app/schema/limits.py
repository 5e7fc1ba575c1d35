"""The calendar as data, each ticket's limits, and the steps that follow from them."""

from datetime import date, datetime

from sqlalchemy import Column, Date, ForeignKey, Index, Named, Table, Text, TypedColumns, text

from app.schema.base import Id, Moment, metadata


class _CalendarYears(TypedColumns):
    year: Named[int] = Column(primary_key=True, autoincrement=False)
    source: Named[str]
    version: Named[str]


calendar_years = Table("calendar_year", metadata, _CalendarYears)


class _CalendarDays(TypedColumns):
    """Only the exceptions: a weekday that is a rest day (`rest`), or a day of a weekend that is worked."""

    day: Named[date] = Column(Date, primary_key=True)
    rest: Named[bool]


calendar_days = Table("calendar_day", metadata, _CalendarDays)


class _TicketLimits(TypedColumns):
    """`due_at` is exclusive: at that instant the ticket is overdue. `original_due_at` is before any extension."""

    ticket_id: Named[int] = Column(Id, ForeignKey("ticket.id"), primary_key=True)
    cycle: Named[int] = Column(primary_key=True)
    kind: Named[str] = Column(Text, primary_key=True)
    due_at: Named[datetime] = Column(Moment)
    original_due_at: Named[datetime] = Column(Moment)
    rule: Named[str]
    provisional: Named[bool]


ticket_limits = Table("ticket_limit", metadata, _TicketLimits)


class _Steps(TypedColumns):
    """A step that falls due, once per ticket and cycle (domain.steps). `done_at` NULL: still to come.

    Of each chain (acceptance, reply, completion, idleness) the next step is there; doing it makes the one after it.
    `silent`: stored as done when the ticket was imported, because it was due before.
    """

    ticket_id: Named[int] = Column(Id, ForeignKey("ticket.id"), primary_key=True)
    cycle: Named[int] = Column(primary_key=True)
    kind: Named[str] = Column(Text, primary_key=True)
    due_at: Named[datetime] = Column(Moment)
    done_at: Named[datetime | None] = Column(Moment)
    silent: Named[bool]


steps = Table("step", metadata, _Steps, Index("ix_step_coming", "due_at", postgresql_where=text("done_at IS NULL")))
