"""A photo comes back as a small, upright JPEG with nothing else in it, or is refused in words."""

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from PIL import Image, ImageChops

from app.domain.errors import Invalid
from app.files import pictures
from tests.files import nasty


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    assert image.format == "JPEG"
    return image


def colours(image: Image.Image) -> tuple[str, str]:
    """What is left and what is right, by the stronger of red and blue."""
    found = []
    for x in (image.width // 4, image.width * 3 // 4):
        pixel = image.convert("RGB").getpixel((x, image.height // 2))
        assert isinstance(pixel, tuple)
        found.append("red" if pixel[0] > pixel[2] else "blue")
    return found[0], found[1]


def refused(content: bytes) -> str:
    """The code; the sentence is Chinese and about the file."""
    with pytest.raises(Invalid) as refusal:
        pictures.cleaned(content)
    (fault,) = refusal.value.faults
    assert fault.pointer == "/file"
    assert any("\u4e00" <= character <= "\u9fff" for character in fault.detail)
    return refusal.value.code


def test_what_a_photo_says_of_itself_is_gone() -> None:
    sent = nasty.jpeg(exif=nasty.exif(), comment=nasty.SECRET.encode(), icc_profile=b"x" * 200, dpi=(72, 72))
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(0x8825)
    assert nasty.SECRET.encode() in sent
    made = pictures.cleaned(sent)
    assert nasty.SECRET.encode() not in made
    image = opened(made)
    assert dict(image.getexif()) == {}
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert (image.size, colours(image)) == ((64, 48), ("red", "blue"))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("orientation", "size", "seen"), [(3, (64, 48), ("blue", "red")), (6, (48, 64), None)])
def test_it_stands_upright_and_says_no_more_that_it_should_be_turned(
    form: str, orientation: int, size: tuple[int, int], seen: tuple[str, str] | None
) -> None:
    image = opened(pictures.cleaned(nasty.encoded(nasty.picture(), form, exif=nasty.exif(orientation))))
    assert (image.size, dict(image.getexif())) == (size, {})
    assert seen is None or colours(image) == seen


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_large_one_is_shrunk_and_a_small_one_stays(form: str) -> None:
    large, small = (pictures.cleaned(nasty.encoded(nasty.picture(size), form)) for size in ((4100, 1000), (9, 7)))
    assert (opened(large).size, opened(small).size) == ((2000, 488), (9, 7))
    assert colours(opened(large)) == ("red", "blue")


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB", "YCbCr"])
def test_every_mode_of_a_jpeg_is_read(mode: str) -> None:
    image = opened(pictures.cleaned(nasty.encoded(nasty.picture(mode=mode), "JPEG")))
    assert image.mode == "RGB"
    assert mode == "L" or colours(image) == ("red", "blue")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_a_png_is_read(mode: str) -> None:
    grey = mode in {"1", "L", "LA", "I;16"}
    sent = Image.new("I;16", (64, 48), 128 * 256) if mode == "I;16" else nasty.picture(mode=mode)
    image = opened(pictures.cleaned(nasty.encoded(sent, "PNG")))
    assert grey or colours(image) == ("red", "blue")


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    image = opened(pictures.cleaned(nasty.encoded(Image.new("I;16", (64, 48), 128 * 256), "PNG")))
    difference = ImageChops.difference(image, Image.new("RGB", (64, 48), (128, 128, 128)))
    assert max(most for _, most in difference.getextrema()) <= 2  # type: ignore[misc]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0)).convert(mode)
    options = {"transparency": 0} if mode == "P" else {}
    image = opened(pictures.cleaned(nasty.encoded(clear, "PNG", **options)))
    assert image.getpixel((10, 10)) == (255, 255, 255)


def test_of_two_pictures_in_a_phones_jpeg_the_first_is_the_photo() -> None:
    second = Image.new("RGB", (64, 48), "green")
    sent = nasty.encoded(nasty.picture(), "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(sent)).format == "MPO"
    assert colours(opened(pictures.cleaned(sent))) == ("red", "blue")


def test_a_film_behind_a_photo_as_phones_add_it_is_cut_off() -> None:
    made = pictures.cleaned(nasty.jpeg() + b"\0\0\0\x18ftypmp42" + b"\xff\xda" * 5000)
    assert b"ftyp" not in made
    assert colours(opened(made)) == ("red", "blue")


@pytest.mark.parametrize("more", [nasty.archive(), nasty.HTML, nasty.SVG, b"%PDF-1.7", b"<?php system($_GET[0]); ?>"])
@pytest.mark.parametrize("sent", [nasty.jpeg(), nasty.encoded(nasty.picture(), "PNG")])
def test_a_photo_that_is_something_else_as_well_is_refused(sent: bytes, more: bytes) -> None:
    assert refused(sent + more) == "file.foreign"


def test_a_script_in_a_photos_comment_is_refused() -> None:
    assert refused(nasty.jpeg(comment=nasty.HTML)) == "file.foreign"


def test_a_gif_that_is_a_script_is_refused() -> None:
    assert refused(nasty.GIF_SCRIPT) in {"file.pixels", "file.broken"}


@pytest.mark.parametrize(("width", "height"), [(5001, 5000), (8000, 8000), (50_000, 50_000)])
def test_more_than_25_megapixels_are_refused_before_they_are_decoded(width: int, height: int) -> None:
    sent = nasty.bomb(width, height)
    assert len(sent) < 1_000_000
    assert refused(sent) == "file.pixels"


def test_25_megapixels_are_taken() -> None:
    assert opened(pictures.cleaned(nasty.bomb(5000, 5000))).size == (2000, 2000)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_what_moves_is_refused(form: str) -> None:
    assert refused(nasty.frames(form)) == "file.animated"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_off_one_is_refused(form: str, share: float) -> None:
    noise = Image.effect_noise((200, 200), 50).convert("RGB")
    sent = nasty.encoded(noise, form)
    assert refused(sent[: int(len(sent) * share)]) == "file.broken"


def test_one_that_would_keep_the_decoder_busy_for_hours_is_refused() -> None:
    assert opened(pictures.cleaned(nasty.many_scans(20))).size == (256, 256)
    assert refused(nasty.many_scans(200)) == "file.broken"


def test_spoilt_bytes_are_refused_or_read_and_never_a_fault_of_ours() -> None:
    for sent in (nasty.jpeg(exif=nasty.exif(6)), nasty.encoded(nasty.picture(), "PNG"), nasty.frames("GIF")):
        for at in range(4, len(sent), 7):
            spoilt = sent[:at] + bytes([sent[at] ^ 0xFF]) + sent[at + 1 :]
            with suppress(Invalid):
                opened(pictures.cleaned(spoilt))


def test_the_same_photo_becomes_the_same_bytes_in_every_thread() -> None:
    sent = nasty.jpeg((800, 600), exif=nasty.exif())
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(pictures.cleaned, [sent] * 8))) == 1
