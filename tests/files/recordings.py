"""Recordings by code: whole containers with sound of nothing in them, and what phones say beside it."""

import io
import struct
import wave

PLACE = b"+28.2466+113.0806/"
NAME = "王某某的录音".encode()


def amr(frames: int = 50, *, wide: bool = False) -> bytes:
    """Frames of the largest kind: 31 or 60 bytes behind the first, which says so."""
    head, kind, rest = (b"#!AMR-WB\n", 8, 60) if wide else (b"#!AMR\n", 7, 31)
    return head + (bytes([kind << 3 | 4]) + bytes(rest)) * frames


def wav(said: bytes = NAME) -> bytes:
    """With a LIST chunk and one of a studio's, before and behind the sound."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(256)) * 20)
    plain = made.getvalue()
    before, behind = _chunk(b"LIST", b"INFO" + _chunk(b"IART", said)), _chunk(b"bext", said + b"!")
    body = plain[8:36] + before + plain[36:] + behind
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def mp3(frames: int = 10, *, tags: bool = True, rest: bytes = b"") -> bytes:
    """MPEG-1, 128 kbit/s, 44,100 Hz: frames of 417 bytes; ID3 in front and behind."""
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    said = b"TPE1" + struct.pack(">I", len(NAME) + 1) + b"\0\0\3" + NAME
    front = b"ID3\x04\0\0" + bytes([0, 0, len(said) >> 7, len(said) & 127]) + said
    behind = b"TAG" + NAME[:24].ljust(125, b"\0")
    return (front if tags else b"") + frame * frames + rest + (behind if tags else b"")


def m4a(*, handler: bytes = b"soun", extra: bytes = b"") -> bytes:
    """As phones lay it out: the sound, then the index with the place, the device and the name of the track."""
    sound = box(b"mdat", bytes(range(256)) * 4)
    dates = struct.pack(">II", 0xE2000000, 0xE2000001)
    place = box(b"udta", box(b"\xa9xyz", struct.pack(">HH", len(PLACE), 0x15C7) + PLACE) + box(b"meta", NAME))
    media = (
        box(b"mdhd", bytes(4) + dates + bytes(12))
        + box(b"hdlr", bytes(8) + handler + bytes(12) + NAME + b"\0")
        + box(b"minf", box(b"smhd", bytes(8)) + box(b"dinf", _SELF) + box(b"stbl", b"where the sound lies"))
    )
    track = box(b"trak", box(b"tkhd", bytes(4) + dates + bytes(72)) + box(b"mdia", media) + box(b"udta", NAME))
    index = box(b"moov", box(b"mvhd", bytes(4) + dates + bytes(88)) + track + place)
    return box(b"ftyp", b"M4A \0\0\0\0M4A isom") + sound + index + extra


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


_SELF = box(b"dref", bytes(4) + struct.pack(">I", 1) + box(b"url ", b"\0\0\0\1"))


def opus(said: bytes = NAME, *, serial: int = 7) -> bytes:
    """Three pages and more: head, comments (on as many as they need), sound."""
    head = b"OpusHead\x01\x01" + bytes(9)
    return _ogg(head, b"OpusTags" + _comments(said), serial)


def vorbis(said: bytes = NAME) -> bytes:
    return _ogg(b"\x01vorbis" + bytes(23), b"\x03vorbis" + _comments(said) + b"\x01", 9)


def speex(said: bytes = NAME) -> bytes:
    return _ogg(b"Speex   1.2" + bytes(69), _comments(said), 11)


def _comments(said: bytes) -> bytes:
    line = b"LOCATION=" + said
    return struct.pack("<I", 6) + b"phone!" + struct.pack("<II", 1, len(line)) + line


def _ogg(head: bytes, comments: bytes, serial: int) -> bytes:
    lacing = [255] * (len(comments) // 255) + [len(comments) % 255]
    pages, at, number = [page(head, [len(head)], serial, 0, 2)], 0, 1
    for first in range(0, len(lacing), 255):
        sizes = lacing[first : first + 255]
        pages.append(page(comments[at : at + sum(sizes)], sizes, serial, number, 1 if first else 0))
        at, number = at + sum(sizes), number + 1
    return b"".join(pages) + page(b"sound" * 20, [100], serial, number, 4)


def page(body: bytes, sizes: list[int], serial: int, number: int, flags: int) -> bytes:
    head = b"OggS\0" + struct.pack("<BqIII", flags, 0, serial, number, 0) + bytes([len(sizes), *sizes])
    crc = crc_of(head + body)
    return head[:22] + struct.pack("<I", crc) + head[26:] + body


def crc_of(data: bytes) -> int:
    """Bit by bit, as RFC 3533 has it."""
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc
