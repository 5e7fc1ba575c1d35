"""Where the bytes lie, by the SHA-256 of what they are: a folder of this host, or an S3-compatible store.

What is put there is never changed: whoever has the digest can tell whether it is whole.
"""

import hashlib
from typing import Protocol


class StoreAway(Exception):  # noqa: N818 - no error of ours
    """The store can't be read or written now: away, full, or not allowed. The message says why, for the log."""


class Store(Protocol):
    """Contents by digest. Each method raises StoreAway where the store doesn't answer as it should."""

    @property
    def where(self) -> str:
        """Which store this is, for people."""

    async def put(self, digest: str, content: bytes) -> None:
        """When it returns, no crash takes the content away. Putting the same again changes nothing."""

    async def get(self, digest: str) -> bytes | None:
        """None where it isn't there."""

    async def size(self, digest: str) -> int | None:
        """How many bytes it has; None where it isn't there."""

    async def drop(self, digest: str) -> None:
        """Takes it away; nothing happens where it isn't there."""

    async def tidy(self) -> None:
        """Sweeps away what was begun long ago and never finished."""

    async def probe(self) -> None:
        """Writes, reads and takes away something small; leaves nothing behind."""


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
