"""Every table, as typed Core tables, one module per subject. No behaviour. This gathers them for Alembic."""

from app.schema.audit import event_texts, ticket_events
from app.schema.base import metadata
from app.schema.divisions import categories, division_aliases, divisions, settings, units
from app.schema.limits import calendar_days, calendar_years, ticket_limits
from app.schema.notifications import outbox
from app.schema.people import appointments, citizens, identities, sessions, sign_in_failures, staff
from app.schema.reports import reports
from app.schema.tickets import assignments, idempotency, ratings, tickets, visits
from app.schema.wechat import accounts, inbound

__all__ = [
    "accounts",
    "appointments",
    "assignments",
    "calendar_days",
    "calendar_years",
    "categories",
    "citizens",
    "division_aliases",
    "divisions",
    "event_texts",
    "idempotency",
    "identities",
    "inbound",
    "metadata",
    "outbox",
    "ratings",
    "reports",
    "sessions",
    "settings",
    "sign_in_failures",
    "staff",
    "ticket_events",
    "ticket_limits",
    "tickets",
    "units",
    "visits",
]
