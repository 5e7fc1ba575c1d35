import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.numbers import CAPACITY, CODE_ALPHABET, as_rating_code, is_rating_code, number, rating_code, sound

KEY = b"a key of the tests, 32 bytes long"
keys = st.binary(min_size=16, max_size=80)
sequences = st.integers(min_value=0, max_value=CAPACITY - 1)


@given(sequences, keys)
def test_a_number_is_ten_digits_without_a_leading_nought_and_sound(sequence: int, key: bytes) -> None:
    made = number(sequence, key)
    assert (len(made), made.isdigit(), made[0] != "0", sound(made)) == (10, True, True, True)


@given(st.sets(sequences, min_size=2, max_size=50), keys)
def test_no_two_sequences_share_a_number(chosen: set[int], key: bytes) -> None:
    assert len({number(s, key)[:9] for s in chosen}) == len(chosen)


def test_a_long_row_of_sequences_has_no_collision_and_spreads_over_all_first_digits() -> None:
    made = [number(s, KEY) for s in range(20_000)]
    assert len({m[:9] for m in made}) == 20_000
    shares = [sum(m[0] == digit for m in made) / len(made) for digit in "123456789"]
    assert all(0.09 < share < 0.13 for share in shares)


def test_numbers_do_not_tell_the_order_of_receipt() -> None:
    made = [int(number(s, KEY)) for s in range(4_000)]
    rising = sum(a < b for a, b in itertools.pairwise(made)) / (len(made) - 1)
    assert 0.45 < rising < 0.55


def test_another_key_gives_other_numbers() -> None:
    assert sum(number(s, KEY) == number(s, KEY + b"!") for s in range(1_000)) < 3


def test_numbers_stay_what_they_were() -> None:
    """A change of the permutation would renumber tickets still to come into those already given."""
    assert [number(s, bytes(32)) for s in (0, 1, CAPACITY - 1)] == PINNED


PINNED = ["9315108731", "2300219559", "2826417348"]


@pytest.mark.parametrize("sequence", [-1, CAPACITY, 10**12])
def test_a_sequence_out_of_range_is_refused(sequence: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        number(sequence, KEY)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        number(1, b"short")


def test_every_slip_of_one_digit_and_every_swap_of_neighbours_is_caught() -> None:
    missed = []
    for right in (number(s, KEY) for s in range(0, 3_000, 3)):
        slips = {right[:i] + d + right[i + 1 :] for i in range(10) for d in "0123456789"}
        swaps = {right[:i] + right[i + 1] + right[i] + right[i + 2 :] for i in range(9)}
        missed += [(right, wrong) for wrong in (slips | swaps) - {right} if sound(wrong)]
    assert missed == []


@pytest.mark.parametrize(
    "text", ["", "0000000000", "13812345678", "１２３４５６７８９０", "12345 6789", "abcdefghij", "²²²²²²²²²²"]
)
def test_what_is_not_ten_plain_digits_is_not_sound(text: str) -> None:
    assert not sound(text)


@given(st.integers(min_value=0))
def test_a_rating_code_is_eight_clear_characters_with_a_letter(seed: int) -> None:
    code = rating_code(random.Random(seed).randbytes(32))
    assert len(code) == 8
    assert set(code) <= set(CODE_ALPHABET)
    assert not code.isdigit()
    assert not set(code) & set("0O1IL")


def test_every_character_of_a_rating_code_is_equally_likely() -> None:
    source = random.Random(20261124)
    drawn = "".join(rating_code(source.randbytes(32)) for _ in range(6_000))
    expected = len(drawn) / len(CODE_ALPHABET)
    chi_squared = sum((drawn.count(c) - expected) ** 2 / expected for c in CODE_ALPHABET)
    assert chi_squared < 59.7  # 30 degrees of freedom, p = 0.001


def test_bytes_that_would_favour_some_characters_are_skipped() -> None:
    assert rating_code(bytes([255, 248, 30, 250, 29, 28, 27, 26, 25, 24, 23]) + bytes(21)) == "ZYXWVUTS"


def test_eight_digits_are_thrown_away_whole() -> None:
    assert rating_code(bytes(8) + bytes([30, 0, 0, 0, 0, 0, 0, 0]) + bytes(16)) == "Z2222222"


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(32), bytes([255]) * 64])
def test_bytes_that_yield_no_code_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        rating_code(raw)


@pytest.mark.parametrize("text", ["abcd2345", "ABCD2345", " aBcD2345 ", "ＡＢＣＤ２３４５", "ａｂｃｄ２３４５　"])
def test_a_rating_code_is_known_in_any_case_and_width(text: str) -> None:
    assert is_rating_code(text)
    assert as_rating_code(text) == "ABCD2345"


@pytest.mark.parametrize(
    "text", ["", "ABCD234", "ABCD23456", "ABCD234O", "ABCD2340", "ABCD1345", "23456789", "AB CD234", "ABCDEFß"]
)
def test_what_is_no_rating_code_is_not_taken_for_one(text: str) -> None:
    assert not is_rating_code(text)
    assert as_rating_code(text) is None


@given(sequences, st.integers(min_value=0))
def test_a_code_is_never_a_ticket_number_nor_a_number_a_code(sequence: int, seed: int) -> None:
    assert not is_rating_code(number(sequence, KEY))
    assert not sound(rating_code(random.Random(seed).randbytes(32)))
