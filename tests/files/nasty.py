"""Photos as people and attackers send them, made by code."""

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import ExifTags, Image

GPS_PLACE = (28.0, 14.0, 47.76)
"""Degrees, minutes, seconds north: Changsha."""
SECRET = "SecretPhone 13900000000"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><rect width="9" height="9"/></svg>'
HTML = b"<html><script>fetch('/api/v1/me')</script></html>"
GIF_SCRIPT = b"GIF89a/*" + b"\0" * 40 + b"*/=1;alert(document.cookie)//;"
HEIC = struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(200)
VIDEO_BRAND = b"isom"


def picture(size: tuple[int, int] = (64, 48), mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue, where the mode has colours."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    return image.convert(mode)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    made = io.BytesIO()
    image.save(made, form, **options)
    return made.getvalue()


def jpeg(size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    return encoded(picture(size), "JPEG", **options)


def exif(orientation: int = 1) -> Image.Exif:
    """What a phone writes: how it was held, which phone, and where."""
    said = Image.Exif()
    said[ExifTags.Base.Orientation] = orientation
    said[ExifTags.Base.Model] = SECRET
    said.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = GPS_PLACE
    said.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return said


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("evil.html", HTML)
    return made.getvalue()


def frames(form: str) -> bytes:
    """Moving: red, then blue."""
    first, second = Image.new("RGB", (32, 32), "red"), Image.new("RGB", (32, 32), "blue")
    return encoded(first, form, save_all=True, append_images=[second], duration=100)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kB that says that it is so large; its rows are there, and black, up to 100 MB of them."""
    rows, row = zlib.compressobj(9), bytes(1 + (width + 7) // 8)
    data = b"".join(rows.compress(row) for _ in range(min(height, 100_000_000 // len(row)))) + rows.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def many_scans(scans: int) -> bytes:
    """A progressive JPEG whose last scan is there again and again: each is a pass over the whole picture."""
    plain = jpeg((256, 256), progressive=True)
    last = plain.rindex(b"\xff\xda")
    return plain[:last] + plain[last:-2] * scans + b"\xff\xd9"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
