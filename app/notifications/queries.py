"""The outbox."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.base.batch import Batch
from app.schema.notifications import outbox


def add_notices(batch: Batch, rows: Sequence[Mapping[str, Any]]) -> None:
    batch.add(outbox, *rows)
