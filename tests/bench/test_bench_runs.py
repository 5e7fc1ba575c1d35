"""The arithmetic and the order of the bench, on sides whose cost is known beforehand; no service, no database."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import load
from bench.harness import Line, Ratio, Side, Window, line, percentile, ratio, table, take_turns

SECONDS = st.floats(0.01, 100, allow_nan=False)


def known(order: list[str], name: str, costs: list[float]) -> Side:
    """A side that takes those seconds an operation, one window after the other, and says that it was called."""
    left = iter(costs)

    async def turn(seconds: float) -> Window:
        order.append(f"{name} {seconds:g}")
        cost = next(left)
        return Window(done=10, seconds=10 * cost, cpu={"service": 5 * cost})

    return turn


async def test_sides_take_turns_after_a_warm_up_of_each() -> None:
    order: list[str] = []
    sides = {"product": known(order, "product", [9, 2, 2]), "floor": known(order, "floor", [9, 1, 1])}

    async def between() -> None:
        order.append("settle")

    await take_turns(sides, pairs=2, seconds=3, warm_up=2, between=between)

    warm = ["product 2", "floor 2"]
    assert order == warm + 2 * ["settle", "product 3", "settle", "floor 3"]


async def test_the_warm_up_does_not_count() -> None:
    sides = {"product": known([], "product", [100, 2, 2, 2]), "floor": known([], "floor", [1, 1, 1, 1])}

    found = await take_turns(sides, pairs=3, seconds=1, warm_up=1)

    assert [w.cost for w in found["product"]] == [2, 2, 2]
    assert list(ratio(found["product"], found["floor"]).pairs) == [2, 2, 2]


def test_a_ratio_is_taken_pair_by_pair_and_its_middle_is_the_median() -> None:
    product = [Window(10, seconds) for seconds in (20, 90, 40)]
    floor = [Window(10, seconds) for seconds in (10, 10, 20)]

    found = ratio(product, floor)

    assert list(found.pairs) == [2, 9, 2]
    assert (found.middle, found.smallest, found.largest) == (2, 2, 9)


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=9), st.floats(0.5, 2))
def test_a_machine_that_is_slower_by_the_same_for_both_gives_the_same_ratio(
    costs: list[tuple[float, float]], slower: float
) -> None:
    quick = ratio([Window(1, p) for p, _ in costs], [Window(1, f) for _, f in costs])
    slow = ratio([Window(1, p * slower) for p, _ in costs], [Window(1, f * slower) for _, f in costs])

    assert math.isclose(quick.middle, slow.middle)


def test_sides_with_unequal_windows_have_no_ratio() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([Window(1, 1), Window(1, 1)], [Window(1, 1)])


@pytest.mark.parametrize(
    ("pairs", "met"),
    [
        ((2.0, 2.9, 3.0, 2.5, 2.8), True),
        ((2.0, 2.9, 99.0, 2.5, 2.8), True),
        ((2.0, 3.1, 99.0, 2.5, 2.8), False),
        ((2.0, 2.5, 3.1), False),
        ((3.1,), False),
        ((3.0,), True),
    ],
)
def test_a_target_is_met_when_all_pairs_but_one_of_at_least_five_meet_it(pairs: tuple[float, ...], met: bool) -> None:
    assert Ratio(pairs, target=3.0).met is met


def test_without_a_target_there_is_no_verdict() -> None:
    assert Ratio((1.5,)).met is None


def test_a_product_that_beats_its_floor_makes_the_floor_suspect() -> None:
    assert Ratio((0.8, 0.9, 1.1)).suspect
    assert not Ratio((0.9, 1.1, 1.2)).suspect


def _line() -> Line:
    product, floor = [Window(10, 20, {"service": 5})], [Window(10, 5, {"service": 1})]
    return line("repeated message", "1 raw select", 8, (product, floor), 3.0)


def test_a_row_of_the_table_says_ratio_target_and_verdict() -> None:
    _, row = table([_line()]).split("\n")

    for cell in ("repeated message", "1 raw select", "4.00", "4.00–4.00", "≤ 3", "MISSED"):
        assert cell in row


def test_the_json_of_a_row_has_what_the_table_has_and_milliseconds_of_processor() -> None:
    said = _line().as_json()

    assert said["ratio"] == 4
    assert said["pairs"] == [4]
    assert said["met"] is False
    assert (said["product_per_second"], said["floor_per_second"]) == (0.5, 2)
    assert (said["product_cpu_ms"], said["floor_cpu_ms"]) == ({"service": 500}, {"service": 100})


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (0.991, 100), (1, 100), (0, 1)])
def test_a_percentile_is_the_nearest_rank(share: float, value: int) -> None:
    assert percentile(range(100, 0, -1), share) == value


def test_a_request_carries_its_query_and_the_length_of_its_body() -> None:
    request = load.push("/wechat/wx1", {"nonce": "a b"}, "字".encode())

    head, body = request.split(b"\r\n\r\n")
    assert head.startswith(b"POST /wechat/wx1?nonce=a+b HTTP/1.1\r\n")
    assert b"Content-Length: 3" in head
    assert body == "字".encode()
