"""Rows of the trail as they are read back. Somebody may have put into them what no calendar and no reader of JSON
takes: such a value becomes another one, which no hash fits."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Text, cast, func, literal

from app.audit.chain import Anchor, Entry, OfficeEntry, canonical
from app.schema.audit import anchors, office_events, sealed_heads, ticket_events

e, o, a, s = ticket_events.c, office_events.c, anchors.c, sealed_heads.c


@dataclass(frozen=True, slots=True)
class Stored:
    """An event with what its row says of the chain."""

    entry: Entry
    prev: bytes | None
    hash: bytes | None


def _moment(column: Column[datetime]) -> ColumnElement[datetime]:
    first, last = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)
    bounded = func.least(func.greatest(column, literal(first, column.type)), literal(last, column.type))
    return bounded.label(column.name)


def _day(column: Column[date]) -> ColumnElement[date]:
    bounded = func.least(func.greatest(column, literal(date(2, 1, 1))), literal(date(9998, 1, 1)))
    return bounded.label(column.name)


def _json(text: str) -> str:
    try:
        return canonical(json.loads(text))
    except ValueError:
        return text


EVENT = (
    e.ticket_id, e.seq, _moment(e.at), e.action, e.from_status, e.to_status, e.actor_kind, e.actor_id, e.actor_role,
    cast(e.detail, Text).label("detail"), e.text_digest, e.prev, e.hash,
)  # fmt: skip
OFFICE = (
    o.seq, _moment(o.at), o.action, o.actor_kind, o.actor_id, o.actor_role, cast(o.detail, Text).label("detail"),
    o.prev, o.hash,
)  # fmt: skip
ANCHOR = (_day(a.day), _moment(a.sealed_at), a.heads, a.digest, a.office, a.prev, a.hash)
SEALED = (s.ticket_id, _day(s.day), s.head)


def event(row: Any) -> Stored:
    """Of the columns EVENT."""
    covered: tuple[Any, ...] = (*row[:9], _json(row.detail), row.text_digest)
    return Stored(Entry(*covered), row.prev, row.hash)


def office(row: Any) -> tuple[OfficeEntry, bytes, bytes]:
    """Of the columns OFFICE: the entry, the hash that it follows and its own."""
    covered: tuple[Any, ...] = (*row[:6], _json(row.detail))
    return OfficeEntry(*covered), row.prev, row.hash


def anchor(row: Any) -> tuple[Anchor, bytes, bytes]:
    """Likewise, of the columns ANCHOR."""
    return Anchor(*row[:5]), row.prev, row.hash
