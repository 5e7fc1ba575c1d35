"""Ogg with one stream of Opus, Vorbis or Speex (RFC 3533, 7845): its comments are blanked in their place.

The comment packet keeps its length, so that no other page changes: a vendor's name made of spaces fills it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_HEAD = 27
_COMMENTS = {b"OpusHead": b"OpusTags", b"\x01vorbis": b"\x03vorbis", b"Speex   ": b""}
"""How the first packet begins → how the second one does, the comments."""


@dataclass(frozen=True, slots=True)
class _Page:
    """`sizes`: of its segments; a packet goes on while they are 255."""

    start: int
    body: int
    end: int
    serial: bytes
    sizes: bytes


def cleaned(content: bytes) -> bytes:
    """The same stream without comments. Raises ValueError where it is none, or several."""
    pages = list(_pages(content))
    if not pages or len({page.serial for page in pages}) > 1:
        raise ValueError("not one stream")
    first = content[pages[0].body : pages[0].end]
    head = next((head for head in _COMMENTS if first.startswith(head)), None)
    if head is None:
        raise ValueError("no sound that we know")
    blanked = bytearray(content)
    _blank(blanked, pages, _COMMENTS[head])
    return bytes(blanked)


def _pages(content: bytes) -> Iterator[_Page]:
    at = 0
    while at < len(content):
        count = content[at + 26] if len(content) >= at + _HEAD else 0
        sizes = content[at + _HEAD : at + _HEAD + count]
        body = at + _HEAD + count
        end = body + sum(sizes)
        if content[at : at + 5] != b"OggS\0" or end > len(content) or len(sizes) < count:
            raise ValueError(f"no page at {at}")
        yield _Page(at, body, end, content[at + 14 : at + 18], sizes)
        at = end


def _blank(content: bytearray, pages: list[_Page], begins: bytes) -> None:
    places = _second_packet(pages)
    length = sum(end - start for _, start, end in places)
    closing = b"\x01" if begins.startswith(b"\x03") else b""
    room = length - len(begins) - 8 - len(closing)
    old = b"".join(bytes(content[start:end]) for _, start, end in places)
    if room < 0 or not old.startswith(begins):
        raise ValueError("no comments")
    fresh = begins + room.to_bytes(4, "little") + b" " * room + bytes(4) + closing
    for page, start, end in places:
        content[start:end] = fresh[: end - start]
        fresh = fresh[end - start :]
        content[page.start + 22 : page.start + 26] = bytes(4)
        content[page.start + 22 : page.start + 26] = _crc(content[page.start : page.end]).to_bytes(4, "little")


def _second_packet(pages: list[_Page]) -> list[tuple[_Page, int, int]]:
    """Where it lies: (page, start, end), one for each page that it is on. The first packet is alone on the first."""
    places = []
    for page in pages[1:]:
        size, ended = 0, False
        for one in page.sizes:
            size, ended = size + one, one < 255
            if ended:
                break
        places.append((page, page.body, page.body + size))
        if ended:
            return places
    raise ValueError("no end of the comments")


@cache
def _table() -> tuple[int, ...]:
    """For the CRC of RFC 3533: polynomial 0x04c11db7, not reflected, which zlib's is."""
    table = []
    for value in range(256):
        rest = value << 24
        for _ in range(8):
            rest = (rest << 1 ^ (0x04C11DB7 if rest & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(rest)
    return tuple(table)


def _crc(page: bytearray) -> int:
    table, crc = _table(), 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ table[crc >> 24 ^ byte]
    return crc
