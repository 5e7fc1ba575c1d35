"""Opaque cursors for pages of a list.

Sealed, since a mark holds a row's id: by the gaps between those anybody with a list could count the rows hidden from
them, confidential tickets among others.
"""

from datetime import UTC, datetime

from app.base.secrets import Vault
from app.domain.errors import Invalid

_PLACE = "cursor"
_LONGEST = 200


def encode(vault: Vault, mark: tuple[datetime, int] | None) -> str | None:
    """What `decode` opens again, in any process with the same key. Always of one length, which would tell of the id."""
    if mark is None:
        return None
    moment, row_id = mark
    return vault.seal(f"{row_id:019d} {moment.astimezone(UTC).isoformat(timespec='microseconds')}", _PLACE)


def decode(vault: Vault, cursor: str | None) -> tuple[datetime, int] | None:
    """Raises Invalid `cursor.invalid` for anything that `encode` did not make."""
    if cursor is None:
        return None
    try:
        row_id, moment = vault.open(cursor if len(cursor) <= _LONGEST else "", _PLACE).split(" ")
    except ValueError as error:
        raise Invalid.field("cursor.invalid", "/cursor", "翻页标记不对，请从第一页重新开始") from error
    return datetime.fromisoformat(moment), int(row_id)
