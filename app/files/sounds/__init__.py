"""Recordings, kept as they are but for what they say of themselves (place, device, names, cover pictures).

Each container is walked from its first byte to its last, so that nothing else can hide in it; what is not sound is left
out or blanked, and nothing is decoded. Raises ValueError for a file that does not add up.
"""

from collections.abc import Callable, Mapping

from app.domain.files import FileType
from app.files.sounds import mp3, mp4, ogg

_AMR, _AMR_WB = b"#!AMR\n", b"#!AMR-WB\n"
# Bytes of a frame by its type, its own first byte included (RFC 4867, 5.3; 3GPP TS 26.101, 26.201); 0: there is none.
_FRAMES = (13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1)
_WIDE_FRAMES = (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1)
_CHUNKS = {b"fmt ", b"fact", b"data"}


def type_of(content: bytes) -> FileType | None:
    """What kind of recording it begins as."""
    if content.startswith(_AMR_WB):
        return FileType.AMR_WB
    if content.startswith(_AMR):
        return FileType.AMR
    if content.startswith(b"OggS"):
        return FileType.OGG
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return FileType.WAV
    if content[4:8] == b"ftyp":
        return FileType.M4A
    return FileType.MP3 if mp3.begins(content) else None


def cleaned(content: bytes, kind: FileType) -> bytes:
    """The recording without what it says of itself. Raises ValueError, mp4.Video."""
    return _CLEANERS[kind](content)


def _amr(content: bytes, head: bytes, frames: tuple[int, ...]) -> bytes:
    at = len(head)
    while at < len(content):
        size = frames[content[at] >> 3 & 15]
        if content[at] & 0b1000_0011 or not size:
            raise ValueError(f"no AMR frame at {at}")
        if at + size > len(content):
            break  # cut off within a frame, as a recorder that was stopped leaves it
        at += size
    if at == len(head):
        raise ValueError("no frame")
    return content[:at]


def _wav(content: bytes) -> bytes:
    """Only the chunks that sound is made of (Microsoft, Multimedia Programming Interface, RIFF)."""
    at, kept = 12, dict[bytes, bytes]()
    while at < len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        end = at + 8 + size
        if end > len(content) or (name in _CHUNKS and name in kept):
            raise ValueError(f"no chunk at {at}")
        if name in _CHUNKS:
            kept[name] = content[at:end] + b"\0" * (size % 2)
        at = end + size % 2
    if b"fmt " not in kept or len(kept.get(b"data", b"")) <= 8:
        raise ValueError("no sound")
    body = b"WAVE" + b"".join(kept.values())
    return b"RIFF" + len(body).to_bytes(4, "little") + body


_CLEANERS: Mapping[FileType, Callable[[bytes], bytes]] = {
    FileType.AMR: lambda content: _amr(content, _AMR, _FRAMES),
    FileType.AMR_WB: lambda content: _amr(content, _AMR_WB, _WIDE_FRAMES),
    FileType.WAV: _wav,
    FileType.MP3: mp3.cleaned,
    FileType.OGG: ogg.cleaned,
    FileType.M4A: mp4.cleaned,
}
