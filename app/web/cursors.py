"""Opaque cursors for pages of a list."""

import base64
import binascii
import json
from datetime import datetime

from app.domain.errors import Invalid


def encode(mark: tuple[datetime, int] | None) -> str | None:
    if mark is None:
        return None
    moment, row_id = mark
    return base64.urlsafe_b64encode(json.dumps([moment.isoformat(), row_id]).encode()).decode().rstrip("=")


def decode(cursor: str | None) -> tuple[datetime, int] | None:
    """Raises Invalid for anything that `encode` did not make."""
    if cursor is None:
        return None
    try:
        moment, row_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return datetime.fromisoformat(moment), int(row_id)
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid.field("cursor.invalid", "/cursor", "翻页标记不对，请从第一页重新开始") from error
