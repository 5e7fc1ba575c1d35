"""Opaque cursors for pages of a list.

Sealed, since a mark holds a row's id: by the gaps between those anybody with a list could count the rows hidden from
them, confidential tickets among others.
"""

from datetime import UTC, datetime

from app.base.secrets import Vault
from app.domain.errors import Invalid

_PLACE, _BY_MOMENT = "cursor", "moment"
_LONGEST = 200


def encode(vault: Vault, mark: tuple[datetime, int] | None) -> str | None:
    """What `decode` opens again, in any process with the same key. Always of one length, which would tell of the id."""
    if mark is None:
        return None
    moment, row_id = mark
    return seal(vault, _BY_MOMENT, f"{row_id:019d} {moment.astimezone(UTC).isoformat(timespec='microseconds')}")


def decode(vault: Vault, cursor: str | None) -> tuple[datetime, int] | None:
    """Raises Invalid `cursor.invalid` for anything that `encode` did not make."""
    mark = unseal(vault, _BY_MOMENT, cursor)
    if mark is None:
        return None
    row_id, moment = mark.split(" ")
    return datetime.fromisoformat(moment), int(row_id)


def encode_id(vault: Vault, of: str, row_id: int | None) -> str | None:
    """As `encode`, for a list by id; `of` names it, and its cursors open no other list's pages."""
    return seal(vault, of, None if row_id is None else f"{row_id:019d}")


def decode_id(vault: Vault, of: str, cursor: str | None) -> int:
    """Raises Invalid `cursor.invalid` for anything that `encode_id` did not make for that list; 0 for its begin."""
    mark = unseal(vault, of, cursor)
    return 0 if mark is None else int(mark)


def seal(vault: Vault, of: str, mark: str | None) -> str | None:
    """As `encode_id`, for a list in an order of its own: `mark` is a text, always of one length."""
    return None if mark is None else vault.seal(mark, f"{_PLACE}.{of}")


def unseal(vault: Vault, of: str, cursor: str | None) -> str | None:
    """Raises Invalid `cursor.invalid` for anything that `seal` did not make for that list."""
    if cursor is None:
        return None
    try:
        return vault.open(cursor if len(cursor) <= _LONGEST else "", f"{_PLACE}.{of}")
    except ValueError as error:
        raise Invalid.field("cursor.invalid", "/cursor", "翻页标记不对，请从第一页重新开始") from error
