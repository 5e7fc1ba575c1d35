"""Which matters may be the same (疑似重复): the same text again, and the same matter in other words. Pure.

The first is found by sketches of the text (one-permutation MinHash: P. Li, A. Owen, C. Zhang, One permutation hashing,
NIPS 2012): two texts with much the same triples of characters share a key. The second is looked for among what came
from the same place within thirty days, and ranked by the pairs of characters that both have.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zlib import crc32

from rapidfuzz.fuzz import token_set_ratio

from app.domain.text import plain

WITHIN = timedelta(days=30)
LEAST = 55.0
"""Of 100: below it two texts only speak of the same kind of thing."""
SAME = 90.0
_BINS, _BAND = 16, 2
_SAYS_NOTHING = re.compile(r"[\s\W_]+")
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another ticket as far as likeness goes."""

    id: int
    text: str
    category_id: int | None
    village: int | None


@dataclass(frozen=True, slots=True)
class Likeness:
    """`score`: 0 to 100, by the text alone; `why` in Chinese."""

    id: int
    score: float
    why: str


def keys(text: str) -> tuple[int, ...]:
    """At most eight keys (64 bits, signed); two texts that share one are nearly the same. None for a very short one."""
    said = _said(text)
    if len(said) < _SHORTEST:
        return ()
    bins: list[int | None] = [None] * _BINS
    for start in range(max(1, len(said) - 2)):
        hashed = crc32(said[start : start + 3].encode())
        place, value = hashed % _BINS, hashed // _BINS
        least = bins[place]
        if least is None or value < least:
            bins[place] = value
    filled = _densified(bins)
    bands = (filled[band : band + _BAND] for band in range(0, _BINS, _BAND))
    return tuple(((n << 58) | (a << 29 ^ b)) - (1 << 61) for n, (a, b) in enumerate(bands))


def _densified(bins: Sequence[int | None]) -> list[int]:
    """An empty bin borrows from the next that is not."""
    found = []
    for n in range(len(bins)):
        value = next(v for k in range(len(bins)) if (v := bins[(n + k) % len(bins)]) is not None)
        found.append(value)
    return found


def ranked(mine: Candidate, others: Iterable[Candidate], most: int) -> list[Likeness]:
    """The likeliest first; of equal texts the one of the same category and village. What is below LEAST is left out."""
    said = _pairs(mine.text)
    found = []
    for other in others:
        score = token_set_ratio(said, _pairs(other.text))
        same = (other.category_id == mine.category_id is not None) + (other.village == mine.village is not None)
        if score >= LEAST or (same == 2 and score >= LEAST - 15):
            found.append((score + 5 * same, Likeness(other.id, round(score, 1), _why(score, mine, other))))
    found.sort(key=lambda one: (-one[0], one[1].id))
    return [likeness for _, likeness in found[:most]]


def _why(score: float, mine: Candidate, other: Candidate) -> str:
    said = ["内容几乎相同" if score >= SAME else "内容相近"]
    if other.village is not None and other.village == mine.village:
        said.append("同一村社区")
    if other.category_id is not None and other.category_id == mine.category_id:
        said.append("同一分类")
    return "，".join(said)


def _said(text: str) -> str:
    return _SAYS_NOTHING.sub("", plain(text)).lower()


def _pairs(text: str) -> str:
    said = _said(text)
    return " ".join(said[n : n + 2] for n in range(max(1, len(said) - 1)))
