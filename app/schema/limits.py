"""The calendar as data, and each ticket's limits."""

from datetime import date, datetime

from sqlalchemy import Column, Date, ForeignKey, Named, Table, Text, TypedColumns

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
