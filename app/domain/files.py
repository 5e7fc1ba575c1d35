"""Photos and recordings that come with tickets, visits, replies and results: what they are, and how large and how many
they may be (quality.md, 4)."""

from datetime import timedelta

from app.domain.vocabulary import Word

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
MOST_PER_ACT = 9
MOST_UNUSED = 100
"""Uploads of one person that no act has taken yet: eleven full acts; nobody fills the disk by uploading alone."""
UNUSED = timedelta(days=1)
"""How long an upload waits to be used."""


class FileType(Word):
    """What is kept, by its media type. Pictures are made anew, so there is one kind of them."""

    PHOTO = "image/jpeg", "照片"
    AMR = "audio/amr", "录音"
    AMR_WB = "audio/amr-wb", "录音"
    MP3 = "audio/mpeg", "录音"
    M4A = "audio/mp4", "录音"
    OGG = "audio/ogg", "录音"
    WAV = "audio/wav", "录音"

    @property
    def suffix(self) -> str:
        return _SUFFIXES[self]


_SUFFIXES = {
    FileType.PHOTO: "jpg",
    FileType.AMR: "amr",
    FileType.AMR_WB: "awb",
    FileType.MP3: "mp3",
    FileType.M4A: "m4a",
    FileType.OGG: "ogg",
    FileType.WAV: "wav",
}
