"""The hash chains of the trail, so that anybody can recompute them. Pure.

A link is `SHA-256(UTF-8(array))`, the array in canonical JSON: no blanks; keys in the order of their code points; only
`"`, `\\` and U+0000 to U+001F are escaped (`\\b \\t \\n \\f \\r`, else `\\u00xx`). Moments are whole microseconds since
1970-01-01T00:00:00Z, bytes are lower-case hexadecimal, what is not there is null. The first link of a chain follows 32
zero bytes. There is a chain for each ticket, one of the office, and one of the anchors:

    ["minsheng.event.1", before, ticket_id, seq, at, action, from, to, actor_kind, actor_id, actor_role, detail, text]
    ["minsheng.office.1", before, seq, at, action, actor_kind, actor_id, actor_role, detail]
    ["minsheng.anchor.1", before, day, sealed_at, heads, digest of heads, office head]

`before` is the hash of the link before; `text` is SHA-256(salt of 16 bytes + UTF-8(text)), and the salt lies beside
the text: once both are gone, nobody can try out what the text was. A head is how many links its chain has, four bytes
(big-endian), and the hash of the last. The digest of heads is SHA-256 over eight bytes of id and the head of each
ticket that was sealed, in the order of their ids. Worked examples: tests/audit/test_chain.py.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from json import JSONEncoder
from typing import Protocol, Self

HASH_LENGTH = 32
START = bytes(HASH_LENGTH)
"""What the first link follows."""
_SALT_LENGTH = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_encode = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class Linked(Protocol):
    """What a chain is made of."""

    @property
    def seq(self) -> int: ...

    def hash_after(self, before: bytes, seq: int | None = None) -> bytes:
        """The hash of this link behind `before`, as the link of that `seq`, or else of its own."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of a ticket as its chain holds it. `at` is aware; `detail` is canonical JSON (`canonical`, `told`)."""

    ticket_id: int
    seq: int
    at: datetime
    action: str
    from_status: str | None
    to_status: str
    actor_kind: str
    actor_id: int | None
    actor_role: str | None
    detail: str
    text_digest: bytes | None = None

    def hash_after(self, before: bytes, seq: int | None = None) -> bytes:
        """See Linked."""
        return _hash(
            '"minsheng.event.1"',
            _bytes(before),
            str(self.ticket_id),
            str(self.seq if seq is None else seq),
            _moment(self.at),
            _word(self.action),
            _word(self.from_status),
            _word(self.to_status),
            _word(self.actor_kind),
            _number(self.actor_id),
            _word(self.actor_role),
            self.detail,
            _bytes(self.text_digest),
        )


@dataclass(frozen=True, slots=True)
class OfficeEntry:
    """Something that was done to the staff, the settings or the papers of the county, as its chain holds it."""

    seq: int
    at: datetime
    action: str
    actor_kind: str
    actor_id: int | None
    actor_role: str | None
    detail: str

    def hash_after(self, before: bytes, seq: int | None = None) -> bytes:
        """See Linked."""
        return _hash(
            '"minsheng.office.1"',
            _bytes(before),
            str(self.seq if seq is None else seq),
            _moment(self.at),
            _word(self.action),
            _word(self.actor_kind),
            _number(self.actor_id),
            _word(self.actor_role),
            self.detail,
        )


@dataclass(frozen=True, slots=True)
class Anchor:
    """The heads of a day's tickets under one hash. `heads`: of how many tickets; `office`: the office's own head."""

    day: date
    sealed_at: datetime
    heads: int
    digest: bytes
    office: bytes

    def hash_after(self, before: bytes) -> bytes:
        """The hash of this anchor behind that of the one before."""
        heads = (str(self.heads), _bytes(self.digest), _bytes(self.office))
        return _hash(
            '"minsheng.anchor.1"', _bytes(before), f'"{self.day.isoformat()}"', _moment(self.sealed_at), *heads
        )


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: after how many links, and with which hash."""

    length: int
    hash: bytes

    def packed(self) -> bytes:
        """As it lies in the database, 36 bytes."""
        return self.length.to_bytes(4, "big") + self.hash

    @classmethod
    def unpacked(cls, packed: bytes) -> Self | None:
        """None for bytes that are no head: somebody has been at them."""
        if len(packed) != 4 + HASH_LENGTH:
            return None
        return cls(int.from_bytes(packed[:4], "big"), packed[4:])


BEGIN = Head(0, START).packed()
"""The head of a chain without links: that of a new ticket."""


@dataclass(slots=True)
class Heads:
    """The digest of heads, taken in one by one in the order of the tickets' ids."""

    count: int = 0
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, ticket_id: int, head: bytes) -> None:
        self._digest.update(ticket_id.to_bytes(8, "big", signed=True) + head)
        self.count += 1

    def digest(self) -> bytes:
        return self._digest.digest()


def salt() -> bytes:
    """A fresh one for each text."""
    return os.urandom(_SALT_LENGTH)


def text_digest(salt: bytes, text: str) -> bytes:
    """What the chain holds of a text."""
    return hashlib.sha256(salt + text.encode()).digest()


def canonical(value: object) -> str:
    """What was read from the database, in canonical JSON."""
    return _encode(value)


def told(detail: Mapping[str, object]) -> str:
    """What is to be written, in canonical JSON. Raises TypeError where it would come back from the database in other
    bytes: a fraction, say, may gain or lose digits there, and keys that are no texts become some."""
    for value in detail.values():
        _refuse_other(value)
    return _encode(detail)


def _refuse_other(value: object) -> None:
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("keys in the trail are texts")
        for inner in value.values():
            _refuse_other(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_other(inner)
    elif not isinstance(value, str | int | None):
        raise TypeError(f"{type(value).__name__} has no place in the trail")


def _hash(*parts: str) -> bytes:
    """Of the array of these, each in JSON."""
    return hashlib.sha256(f"[{','.join(parts)}]".encode()).digest()


# They are few, and looked up several times faster than made.
@lru_cache(maxsize=1024)
def _word(word: str | None) -> str:
    return _encode(word)


def _number(number: int | None) -> str:
    return "null" if number is None else str(number)


def _bytes(value: bytes | None) -> str:
    return "null" if value is None else f'"{value.hex()}"'


def _moment(at: datetime) -> str:
    return str((at - _EPOCH) // _TICK)
