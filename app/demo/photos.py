"""Photos as couriers take them: something to look at, and with the place that a phone writes into them."""

import io
from random import Random

WIDE, HIGH = 640, 480
_ORIENTATION, _MAKER = 0x0112, 0x010F


def photo(rng: Random) -> bytes:
    """A JPEG of a few kB, no two alike, lying on its side as phones keep them (EXIF orientation 6)."""
    from PIL import Image, ImageDraw  # 8 MB, for processes that take photos

    sky, ground, thing = (tuple(rng.randrange(40, 220) for _ in range(3)) for _ in range(3))
    picture = Image.new("RGB", (WIDE, HIGH), sky)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, HIGH * 2 // 3, WIDE, HIGH), fill=ground)
    x, y = rng.randrange(WIDE - 200), rng.randrange(HIGH // 3, HIGH - 150)
    draw.ellipse((x, y, x + rng.randrange(60, 200), y + rng.randrange(50, 140)), fill=thing)
    exif = Image.Exif()
    exif[_ORIENTATION], exif[_MAKER] = 6, "Minsheng demo"
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=80, exif=exif)
    return kept.getvalue()
