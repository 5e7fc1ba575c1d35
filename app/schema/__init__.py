"""Every table, as typed Core tables, one module per subject. No behaviour. This gathers them for Alembic."""

from app.schema.audit import anchors, event_texts, office_events, office_heads, sealed_heads, ticket_events
from app.schema.base import metadata
from app.schema.divisions import (
    categories,
    division_aliases,
    division_areas,
    divisions,
    groups,
    settings,
    stations,
    units,
    urgent_words,
)
from app.schema.files import file_links, files
from app.schema.likeness import likenesses
from app.schema.limits import calendar_days, calendar_years, steps, ticket_limits
from app.schema.notifications import outbox
from app.schema.people import appointments, citizens, households, identities, sessions, sign_in_failures, staff
from app.schema.rates import deltas, rollups
from app.schema.reports import reports
from app.schema.tickets import assignments, idempotency, imported, ratings, tickets, visits
from app.schema.wechat import accounts, inbound

__all__ = [
    "accounts",
    "anchors",
    "appointments",
    "assignments",
    "calendar_days",
    "calendar_years",
    "categories",
    "citizens",
    "deltas",
    "division_aliases",
    "division_areas",
    "divisions",
    "event_texts",
    "file_links",
    "files",
    "groups",
    "households",
    "idempotency",
    "identities",
    "imported",
    "inbound",
    "likenesses",
    "metadata",
    "office_events",
    "office_heads",
    "outbox",
    "ratings",
    "reports",
    "rollups",
    "sealed_heads",
    "sessions",
    "settings",
    "sign_in_failures",
    "staff",
    "stations",
    "steps",
    "ticket_events",
    "ticket_limits",
    "tickets",
    "units",
    "urgent_words",
    "visits",
]
