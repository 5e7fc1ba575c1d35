"""MPEG audio layer III (ISO/IEC 11172-3, 13818-3): its frames without the tags around them (ID3, APE, lyrics)."""

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Samples a second by version (3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5)."""
_KBITS_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3", b"3DI")


def begins(content: bytes) -> bool:
    return content.startswith(b"ID3") or _frame(content, 0) > 0


def cleaned(content: bytes) -> bytes:
    """Only the frames. Raises ValueError where they don't follow one another to the end, tags apart."""
    start = _behind_tag(content)
    at, count = start, 0
    while size := _frame(content, at):
        if at + size > len(content):
            break  # cut off within a frame
        at, count = at + size, count + 1
    rest = content[at:]
    if count < 2 or not (_frame(content, at) or rest.startswith(_TAGS) or not rest.strip(b"\0")):
        raise ValueError(f"no frame at {at}")
    return content[start:at]


def _behind_tag(content: bytes) -> int:
    """Where the first frame is. ID3v2 says its length in four times seven bits, without its head, foot and padding."""
    at = 0
    while content[at : at + 3] == b"ID3" and len(content) >= at + 10:
        size = 0
        for byte in content[at + 6 : at + 10]:
            size = size << 7 | byte & 127
        at += 10 + size + (10 if content[at + 5] & 16 else 0)
    while content[at : at + 1] == b"\0":
        at += 1
    return at


def _frame(content: bytes, at: int) -> int:
    """How long the frame there is; 0 where there is none."""
    head = content[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, kbits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or kbits in (0, 15) or rate == 3:
        return 0
    bits = (_KBITS_1 if version == 3 else _KBITS_2)[kbits - 1] * 1000
    return (144 if version == 3 else 72) * bits // _RATES[version][rate] + (head[2] >> 1 & 1)
