"""MP4 with sound alone (ISO/IEC 14496-12), as phones record: what is not needed to play it is blanked in its place.

A box that goes becomes `free`, as long as it was: every offset into the sound stays true.
"""

from collections.abc import Iterator
from dataclasses import dataclass

STILLS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
"""Brands of photos in the same container (HEIC, AVIF)."""
_KEPT: dict[bytes, frozenset[bytes]] = {
    b"": frozenset({b"ftyp", b"moov", b"mdat"}),
    b"moov": frozenset({b"mvhd", b"trak"}),
    b"trak": frozenset({b"tkhd", b"edts", b"mdia"}),
    b"mdia": frozenset({b"mdhd", b"hdlr", b"minf"}),
    b"minf": frozenset({b"smhd", b"dinf", b"stbl"}),
}
"""A box → what is kept of those in it; those that are not named here are kept whole."""
_DATED = {b"mvhd", b"tkhd", b"mdhd"}
_SELF = 36
"""Bytes of a `dinf` that says that the sound is in this file; a longer one names another."""


class Video(ValueError):  # noqa: N818 - no error of ours
    """It has pictures."""


@dataclass(frozen=True, slots=True)
class _Box:
    name: bytes
    start: int
    body: int
    end: int


def cleaned(content: bytes) -> bytes:
    """The same sound, without places, names, dates, covers. Raises ValueError, Video."""
    blanked, seen = bytearray(content), set[bytes]()
    _walk(blanked, _Box(b"", 0, 0, len(content)), seen)
    if not {b"ftyp", b"moov", b"mdat", b"soun"} <= seen:
        raise ValueError("no sound")
    return bytes(blanked)


def _walk(content: bytearray, parent: _Box, seen: set[bytes]) -> None:
    for box in _boxes(content, parent):
        if box.name == b"moof":
            raise ValueError("in fragments")
        if box.name not in _KEPT[parent.name]:
            content[box.start + 4 : box.start + 8] = b"free"
            content[box.body : box.end] = bytes(box.end - box.body)
            continue
        seen.add(box.name)
        if box.name in _KEPT:
            _walk(content, box, seen)
        elif box.name in _DATED:
            _undate(content, box)
        elif box.name == b"hdlr":
            seen.add(_handler(content, box))
        elif box.name == b"dinf" and box.end - box.start > _SELF:
            raise ValueError("sound in another file")


def _undate(content: bytearray, box: _Box) -> None:
    """When it was recorded and when changed: two times 4 bytes, or 8 in version 1."""
    if box.end - box.body < 24:
        raise ValueError(f"too short a box at {box.start}")
    until = box.body + (20 if content[box.body] else 12)
    content[box.body + 4 : until] = bytes(until - box.body - 4)


def _handler(content: bytearray, box: _Box) -> bytes:
    """What a track is; its name goes."""
    kind = bytes(content[box.body + 8 : box.body + 12])
    if kind == b"vide":
        raise Video("has pictures")
    if kind != b"soun":
        raise ValueError(f"a track of {kind!r}")
    content[box.body + 24 : box.end] = bytes(max(0, box.end - box.body - 24))
    return kind


def _boxes(content: bytearray, parent: _Box) -> Iterator[_Box]:
    at = parent.body
    while at < parent.end:
        size, body = int.from_bytes(content[at : at + 4]), at + 8
        if size == 1:
            size, body = int.from_bytes(content[at + 8 : at + 16]), at + 16
        elif size == 0 and parent.name == b"":
            size = parent.end - at  # the last one, to the end of the file
        end = at + size
        if end < body or end > parent.end:
            raise ValueError(f"no box at {at}")
        yield _Box(bytes(content[at + 4 : at + 8]), at, body, end)
        at = end
