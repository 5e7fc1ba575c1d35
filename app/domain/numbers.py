"""Public numbers: the ticket number that a citizen types, and the rating code that is handed over privately."""

import hashlib
from functools import lru_cache

LENGTH = 10
"""Digits of a ticket number: one fewer than a mobile number, so that neither is taken for the other."""

CAPACITY = 900_000_000
"""How many tickets a key can number: sequences 0 to CAPACITY - 1."""

CODE_LENGTH = 8
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0, O, 1, I, L: what is read out or copied by hand can't be taken for another character."""

# H. M. Damm, Total anti-symmetrische Quasigruppen (Marburg, 2004), the table of order 10: with x*x = 0, every wrong
# digit and every swap of neighbours leads to another result.
_DAMM = tuple(
    tuple(map(int, row))
    for row in (
        "0317598642",
        "7092154863",
        "4206871359",
        "1750983426",
        "6123045978",
        "3674209581",
        "5869720134",
        "8945362017",
        "9438617205",
        "2581436790",
    )
)

_FIRST = 100_000_000
_HALF_BITS = 15
_HALF = (1 << _HALF_BITS) - 1
_ROUNDS = 8  # as FF3 of NIST SP 800-38G, the standard for permuting a domain as small as this
_FULL_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)}


def number(sequence: int, key: bytes) -> str:
    """The ticket number of a sequence value: ten digits, the first never 0, the last a check digit.

    One key never gives two sequences the same number, and tells nothing of their order: gaps between numbers can't be
    counted (quality.md, 4). Raises ValueError outside 0..CAPACITY-1 and for a key under 16 bytes.
    """
    if not 0 <= sequence < CAPACITY:
        raise ValueError(f"sequence {sequence} is outside 0..{CAPACITY - 1}")
    place = _shuffle(sequence, key)
    # Cycle walking (Black & Rogaway 2002): 2^30 holds the 9 * 10^8 places, so a walk takes 1.2 steps in the mean.
    while place >= CAPACITY:
        place = _shuffle(place, key)
    digits = str(_FIRST + place)
    return digits + str(_check(digits))


def sound(text: str) -> bool:
    """Whether the text is ten ASCII digits, the first not 0, with the right check digit."""
    return len(text) == LENGTH and text.isascii() and text.isdigit() and text[0] != "0" and _check(text) == 0


def rating_code(random: bytes) -> str:
    """Eight characters of CODE_ALPHABET, at least one of them a letter (so never taken for a ticket number).

    Uniform over all such codes: a byte above the largest multiple of 31 is skipped, eight digits are thrown away
    whole. Hand in 32 random bytes; fewer, or a row of bytes that yields nothing (once in 10^13), raise ValueError.
    """
    if len(random) < 32:
        raise ValueError("a rating code needs 32 random bytes")
    size = len(CODE_ALPHABET)
    usable = [CODE_ALPHABET[byte % size] for byte in random if byte < 256 - 256 % size]
    for start in range(0, len(usable) - CODE_LENGTH + 1, CODE_LENGTH):
        code = "".join(usable[start : start + CODE_LENGTH])
        if not code.isdigit():
            return code
    raise ValueError("these bytes yield no rating code: hand in others")


def as_rating_code(text: str) -> str | None:
    """The code as it is stored (capitals, half width), or None where the text is none; spaces around don't count."""
    plain = text.translate(_FULL_WIDTH).strip()
    code = plain.upper() if plain.isascii() else ""
    plausible = len(code) == CODE_LENGTH and all(c in CODE_ALPHABET for c in code) and not code.isdigit()
    return code if plausible else None


def is_rating_code(text: str) -> bool:
    """Whether the text has the form of a rating code, in capitals or not, half or full width."""
    return as_rating_code(text) is not None


def _check(digits: str) -> int:
    """Damm's result: the check digit of nine digits, 0 for ten that are right."""
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][ord(digit) - 48]
    return interim


def _shuffle(place: int, key: bytes) -> int:
    """A balanced Feistel network over 30 bits."""
    left, right = place >> _HALF_BITS, place & _HALF
    for prefix in _round_states(key):
        state = prefix.copy()
        state.update(right.to_bytes(2, "big"))
        left, right = right, left ^ (int.from_bytes(state.digest(), "big") & _HALF)
    return left << _HALF_BITS | right


@lru_cache(maxsize=8)
def _round_states(key: bytes) -> tuple["hashlib.blake2s", ...]:
    """BLAKE2's own keyed mode (RFC 7693 §2.9) per round; keyed once, because keying costs more than a round."""
    if len(key) < 16:
        raise ValueError("the key of the ticket numbers needs at least 16 bytes")
    secret = hashlib.sha256(key).digest()
    return tuple(hashlib.blake2s(key=secret, digest_size=4, person=b"round" + bytes([r])) for r in range(_ROUNDS))
