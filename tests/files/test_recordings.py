"""A recording stays as it is but for what it says of itself; one that does not add up is refused."""

import io
import struct
import wave
from collections.abc import Callable

import pytest

from app.domain.files import FileType
from app.files import sounds
from app.files.sounds.mp4 import Video
from tests.files import nasty, recordings

KINDS: dict[str, tuple[Callable[[], bytes], FileType]] = {
    "amr": (recordings.amr, FileType.AMR),
    "amr-wb": (lambda: recordings.amr(wide=True), FileType.AMR_WB),
    "mp3": (recordings.mp3, FileType.MP3),
    "m4a": (recordings.m4a, FileType.M4A),
    "opus": (recordings.opus, FileType.OGG),
    "vorbis": (recordings.vorbis, FileType.OGG),
    "speex": (recordings.speex, FileType.OGG),
    "wav": (recordings.wav, FileType.WAV),
}
SILENT = {"amr", "amr-wb"}
"""They have no place for anything but sound."""


def cleaned(content: bytes) -> bytes:
    kind = sounds.type_of(content)
    assert kind is not None
    return sounds.cleaned(content, kind)


@pytest.mark.parametrize("name", KINDS)
def test_it_is_known_by_its_content_and_tells_nothing_afterwards(name: str) -> None:
    make, kind = KINDS[name]
    sent = make()
    assert sounds.type_of(sent) is kind
    made = cleaned(sent)
    if name in SILENT:
        assert made == sent
    else:
        assert recordings.NAME[:12] in sent
    assert recordings.NAME[:12] not in made
    assert recordings.PLACE not in made
    assert cleaned(made) == made


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("more", [nasty.HTML, nasty.archive(), nasty.jpeg()])
def test_nothing_can_be_hidden_behind_it(name: str, more: bytes) -> None:
    make, _ = KINDS[name]
    try:
        made = cleaned(make() + more)
    except ValueError:
        return
    assert more not in made


@pytest.mark.parametrize("name", KINDS)
def test_cut_off_or_spoilt_anywhere_it_is_refused_or_still_clean_and_never_a_fault_of_ours(name: str) -> None:
    sent = KINDS[name][0]()
    for at in range(12, len(sent), 13):
        for tried in (sent[:at], sent[:at] + bytes([sent[at] ^ 0xFF]) + sent[at + 1 :]):
            kind = sounds.type_of(tried)
            if kind is None:
                continue
            try:
                made = sounds.cleaned(tried, kind)
            except ValueError:
                continue
            assert len(made) <= len(tried)


def test_the_sound_of_a_wav_is_untouched() -> None:
    sent = recordings.wav()
    with wave.open(io.BytesIO(sent)) as before, wave.open(io.BytesIO(cleaned(sent))) as after:
        assert after.getparams() == before.getparams()
        assert after.readframes(10**6) == before.readframes(10**6)


def test_of_an_mp3_just_the_frames_are_left() -> None:
    assert cleaned(recordings.mp3()) == recordings.mp3(tags=False)
    assert cleaned(recordings.mp3(tags=False, rest=b"\xff\xfb\x90\x00 cut off")) == recordings.mp3(tags=False)


def test_an_mp3_that_is_broken_in_the_middle_is_refused_and_not_cut_in_silence() -> None:
    with pytest.raises(ValueError):
        cleaned(recordings.mp3(5, tags=False) + b"junk" * 50 + recordings.mp3(5, tags=False))


def test_in_an_m4a_every_offset_stays_and_dates_places_and_names_are_gone() -> None:
    sent = recordings.m4a()
    made = cleaned(sent)
    assert len(made) == len(sent)
    sound = sent.index(b"mdat")
    assert made[sound : sound + 1024] == sent[sound : sound + 1024]
    assert b"udta" not in made
    assert b"\xa9xyz" not in made
    assert struct.pack(">I", 0xE2000000) not in made
    assert b"where the sound lies" in made


def test_a_film_is_refused_and_so_is_a_track_that_is_no_sound() -> None:
    with pytest.raises(Video):
        cleaned(recordings.m4a(handler=b"vide"))
    with pytest.raises(ValueError):
        cleaned(recordings.m4a(handler=b"meta"))


@pytest.mark.parametrize("extra", [recordings.box(b"moof", b""), b"\0\0\0\x05mdat", b"\0\0\0"])
def test_an_m4a_that_does_not_add_up_is_refused(extra: bytes) -> None:
    with pytest.raises(ValueError):
        cleaned(recordings.m4a(extra=extra))


@pytest.mark.parametrize("make", [recordings.opus, recordings.vorbis, recordings.speex])
@pytest.mark.parametrize("length", [10, 240, 255, 1000, 70_000, 200_000])
def test_the_comments_of_an_ogg_are_blanked_however_many_pages_they_take(
    make: Callable[[bytes], bytes], length: int
) -> None:
    sent = make(recordings.NAME + b"x" * length)
    made = cleaned(sent)
    assert len(made) == len(sent)
    assert b"xxxx" not in made
    assert b"LOCATION" not in made
    at = 0
    while at < len(made):
        end = at + 27 + made[at + 26] + sum(made[at + 27 : at + 27 + made[at + 26]])
        page = made[at : at + 22] + bytes(4) + made[at + 26 : end]
        assert recordings.crc_of(page) == int.from_bytes(made[at + 22 : at + 26], "little")
        at = end


def test_an_ogg_with_two_streams_or_with_pictures_is_refused() -> None:
    with pytest.raises(ValueError):
        cleaned(recordings.opus() + recordings.opus(serial=8))
    with pytest.raises(ValueError):
        cleaned(recordings.page(b"\x80theora" + bytes(30), [37], 1, 0, 2))
