"""A photo made anew: upright, at most 2,000 pixels long, and nothing in it but the picture (no EXIF, place or maker).

Whatever else a file carries (a script, an archive, another picture) is gone with it. Pillow comes with this module: it
is imported when the first file is sent.
"""

import io
import re
import warnings
import zipfile

from PIL import Image, ImageOps

from app.base import log
from app.domain.errors import Invalid
from app.domain.files import MOST_PIXELS

LONGEST = 2000
"""Pixels of the longer side: a page of A4 can still be read, in some 400 kB. Half of what most phones make: a JPEG can
be decoded at that size, where 4000 × 3000 pixels would take 48 MB."""
QUALITY = 85
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_MOST_SCANS = 100
"""Of a JPEG; cameras write 1 or about 10. Each costs the decoder a pass over the whole picture, in a few bytes."""
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
_SCAN, _END = b"\xff\xda", b"\xff\xd9"
# One first byte and no flag: with IGNORECASE it would take ten times as long, and nobody else's turn comes meanwhile.
_PAGE = re.compile(rb"<(?:[sS][cC][rR][iI][pP][tT]|\?[pP][hH][pP]|![dD][oO][cC][tT][yY][pP][eE] |[hH][tT][mM][lL])")
_BOMBS = (Image.DecompressionBombWarning, Image.DecompressionBombError)
_logger = log.get(__name__)

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def is_picture(content: bytes) -> bool:
    """Whether it begins as one of the kinds that are taken."""
    return content.startswith(_HEADS) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


def cleaned(content: bytes) -> bytes:
    """The photo as JPEG: 0.2 s and 35 MB for 12 megapixels of a phone; up to 2.5 s and 390 MB for the worst (25 as
    WebP), given back at once. So one at a time, in a thread.

    Raises Invalid for one that is broken, animated, too large, or something else as well.
    """
    if _PAGE.search(content) or b"%PDF-1" in content or zipfile.is_zipfile(io.BytesIO(content)):
        raise _invalid("file.foreign", "照片里夹带了其他内容（网页、程序或压缩包），请重新拍照后上传")
    if content.startswith(b"\xff\xd8") and _scans(content) > _MOST_SCANS:
        raise _broken()
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            return _jpeg(_upright(_shrunk(opened)))
    except (Invalid, MemoryError):
        raise
    except _BOMBS as bomb:
        raise _too_many_pixels() from bomb
    except Exception as error:
        # What decoders raise on a hostile file is open-ended: OSError, SyntaxError, struct.error, IndexError …
        _logger.warning("picture refused", reason=type(error).__name__)
        raise _broken() from error


def _scans(content: bytes) -> int:
    """How many scans the first picture of a JPEG has (ITU-T T.81, B.1.1: segments say their length, scans end at the
    next marker)."""
    found, at = 0, 2
    while (marker := _MARKER.search(content, at)) is not None and marker[0] != _END:
        found += marker[0] == _SCAN
        at = marker.end() + max(2, int.from_bytes(content[marker.end() : marker.end() + 2]))
    return found


def _shrunk(opened: Image.Image) -> Image.Image:
    if opened.width * opened.height > MOST_PIXELS:  # should somebody have reset the filter of warnings
        raise _too_many_pixels()
    # Of an MPO (two pictures, as many phones write them) the first is the photo.
    if opened.format != "MPO" and getattr(opened, "is_animated", False):
        raise _invalid("file.animated", "动图不能作为照片，请上传静态的照片")
    # A JPEG is decoded at half or a quarter of its size at once, where that is enough.
    share = min(1.0, LONGEST / max(opened.size))
    opened.draft(None, (int(opened.width * share), int(opened.height * share)))
    opened.load()
    image = _eight_bits(opened)
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """In a mode that can be shrunk without loss: thumbnails of palettes are ragged, and 16 bits would be cut off."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"P", "PA"}:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image if image.mode in {"L", "RGB", "RGBA", "LA", "CMYK"} else image.convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says, and on white where it is transparent."""
    turned = ImageOps.exif_transpose(image)
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    clear = turned.convert("RGBA")
    white = Image.new("RGB", clear.size, "white")
    white.paste(clear, mask=clear)
    return white


def _jpeg(image: Image.Image) -> bytes:
    # What a file said of itself travels with the image: comments and profiles are written again unless they are gone.
    image.info.clear()
    made = io.BytesIO()
    image.save(made, "JPEG", quality=QUALITY)
    return made.getvalue()


def _too_many_pixels() -> Invalid:
    return _invalid("file.pixels", f"照片的像素太多，最多 {MOST_PIXELS // 10_000} 万，请调低相机的分辨率后重拍")


def _broken() -> Invalid:
    return _invalid("file.broken", "照片打不开，可能没有传完整或已损坏，请重新拍照或选择后再传")


def _invalid(code: str, said: str) -> Invalid:
    return Invalid.field(code, "/file", said)
