"""Writes the trail."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.base.batch import Batch
from app.schema.audit import event_texts, ticket_events


def add_events(batch: Batch, events: Sequence[Mapping[str, Any]]) -> None:
    batch.add(ticket_events, *events)


def add_texts(batch: Batch, texts: Sequence[Mapping[str, Any]]) -> None:
    batch.add(event_texts, *texts)
