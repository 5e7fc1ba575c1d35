"""Places within a level: who is ranked, by what score, and what is a tie."""

from fractions import Fraction
from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.counting import Counts
from app.domain.errors import Invalid
from app.domain.ranking import EQUAL, Weights, Z, rank, score, wilson_lower

ONLY_COMPLETION = Weights(acceptance=0, reply=0, completion=1, satisfaction=0)


def node(completed: int, overdue: int = 0, likes: int = 0, dislikes: int = 0) -> Counts:
    """A node whose ranked tickets are all accepted and replied to."""
    ranked = completed + overdue
    return Counts(
        received=ranked,
        completed=completed,
        open_overdue=overdue,
        ranked_accepted=ranked,
        ranked_replied=ranked,
        ranked_likes=likes,
        ranked_dislikes=dislikes,
    )


@st.composite
def nodes(draw: st.DrawFn) -> Counts:
    completed, overdue = draw(st.integers(0, 30)), draw(st.integers(0, 10))
    ranked = completed + overdue
    rated = draw(st.integers(0, ranked))
    likes = draw(st.integers(0, rated))
    return Counts(
        received=ranked + draw(st.integers(0, 10)),
        completed=completed,
        open_overdue=overdue,
        ranked_accepted=draw(st.integers(0, ranked)),
        ranked_replied=draw(st.integers(0, ranked)),
        ranked_likes=likes,
        ranked_dislikes=rated - likes,
    )


levels = st.lists(nodes(), max_size=12).map(lambda rows: list(enumerate(rows)))
weighings = st.tuples(*[st.fractions(0, 5, max_denominator=7)] * 4).filter(any).map(lambda each: Weights(*each))
trials = st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_the_best_score_comes_first_and_ties_share_a_place() -> None:
    rows = [("c", node(8, 2)), ("a", node(10)), ("b", node(20)), ("d", node(14, 6))]
    assert rank(rows) == {"a": 1, "b": 1, "c": 3, "d": 4}


def test_equal_shares_of_different_numbers_are_a_tie_though_floats_would_differ() -> None:
    # 0.1 + 0.2 + 0.3 + 0.4 in two orders is a tie only in exact arithmetic.
    first = Counts(completed=3, open_overdue=7, ranked_accepted=1, ranked_replied=2, ranked_likes=4, ranked_dislikes=6)
    other = Counts(completed=6, open_overdue=24, ranked_accepted=9, ranked_replied=3, ranked_likes=2, ranked_dislikes=3)
    assert rank([("first", first), ("other", other)]) == {"first": 1, "other": 1}


def test_a_node_with_too_few_tickets_is_listed_and_takes_no_place() -> None:
    rows = [("tiny", node(9)), ("enough", node(9, 1)), ("worse", node(5, 5))]
    assert rank(rows) == {"tiny": None, "enough": 1, "worse": 2}
    assert rank(rows, least=1) == {"tiny": 1, "enough": 2, "worse": 3}


def test_tickets_not_yet_due_neither_rank_a_node_nor_weigh_on_it() -> None:
    waiting = Counts(received=50, accepted=0, likes=0, dislikes=9, not_yet_due=50)
    assert rank([("waiting", waiting)]) == {"waiting": None}
    assert score(node(9, 1) + waiting) == score(node(9, 1))


def test_the_score_is_the_weighted_mean_of_the_four_rates() -> None:
    counts = Counts(completed=6, open_overdue=4, ranked_accepted=9, ranked_replied=8, ranked_likes=1, ranked_dislikes=3)
    assert score(counts) == (Fraction(9, 10) + Fraction(8, 10) + Fraction(6, 10) + Fraction(1, 4)) / 4
    weighed = score(counts, Weights(acceptance=1, reply=2, completion=3, satisfaction=Fraction(1, 2)))
    assert weighed == (Fraction(9, 10) + 2 * Fraction(8, 10) + 3 * Fraction(6, 10) + Fraction(1, 8)) / Fraction(13, 2)


def test_the_weight_of_a_missing_satisfaction_is_shared_in_proportion() -> None:
    unrated = Counts(completed=6, open_overdue=4, ranked_accepted=9, ranked_replied=8)
    assert score(unrated) == (Fraction(9, 10) + Fraction(8, 10) + Fraction(6, 10)) / 3
    weighed = score(unrated, Weights(acceptance=1, reply=2, completion=1, satisfaction=4))
    assert weighed == (Fraction(9, 10) + 2 * Fraction(8, 10) + Fraction(6, 10)) / 4


def test_unrated_is_better_than_disliked_and_no_better_than_liked() -> None:
    rows = [("unrated", node(10)), ("disliked", node(10, dislikes=1)), ("liked", node(10, likes=1))]
    assert rank(rows) == {"unrated": 1, "liked": 1, "disliked": 3}


def test_no_place_where_only_missing_rates_have_weight() -> None:
    only_satisfaction = Weights(acceptance=0, reply=0, completion=0, satisfaction=1)
    rows = [("unrated", node(20)), ("rated", node(20, dislikes=1))]
    assert rank(rows, only_satisfaction) == {"unrated": None, "rated": 1}


def test_a_node_without_tickets_has_no_place_even_where_none_are_asked_for() -> None:
    assert score(Counts.zero()) is None
    assert rank([("empty", Counts.zero()), ("some", node(1))], least=0) == {"empty": None, "some": 1}


@pytest.mark.parametrize("wrong", [(-1, 1, 1, 1), (0, 0, 0, 0)])
def test_weights_that_weigh_nothing_or_less_are_refused(wrong: tuple[int, int, int, int]) -> None:
    with pytest.raises(Invalid):
        Weights(*wrong)


def test_a_row_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="once"):
        rank([("a", node(10)), ("a", node(20))])


def test_by_the_lower_bound_one_of_one_does_not_beat_480_of_500() -> None:
    rows = [("one", node(1)), ("many", node(480, 20))]
    assert rank(rows, ONLY_COMPLETION, least=1) == {"one": 1, "many": 2}
    assert rank(rows, ONLY_COMPLETION, least=1, wilson=True) == {"one": 2, "many": 1}


@pytest.mark.parametrize(
    ("successes", "n", "printed"), [(81, 263, "0.2553"), (15, 148, "0.0624"), (0, 20, "0.0000"), (1, 29, "0.0061")]
)
def test_the_lower_bounds_are_those_of_newcombe_1998_table_1(successes: int, n: int, printed: str) -> None:
    # R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statist. Med. 17 (1998), 857-872.
    bound = wilson_lower(successes, n)
    assert bound is not None
    assert f"{float(bound):.4f}" == printed


@given(trials)
def test_the_lower_bound_is_the_textbook_formula_and_never_above_the_share(pair: tuple[int, int]) -> None:
    s, n = pair
    bound = wilson_lower(s, n)
    assert bound is not None
    p, z = s / n, float(Z)
    textbook = (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)
    assert float(bound) == pytest.approx(textbook, abs=1e-12)
    assert 0 <= bound <= Fraction(s, n)
    # The true bound solves n (share - b)^2 = z^2 b (1 - b); a bound below it leaves more on the left. Exact.
    assert n * (Fraction(s, n) - bound) ** 2 >= Z * Z * bound * (1 - bound)


@given(st.integers(1, 10**9))
def test_the_lower_bound_is_exact_where_all_or_none_succeeded(n: int) -> None:
    assert wilson_lower(0, n) == 0
    assert wilson_lower(n, n) == n / (n + Z * Z)


@given(st.integers(2, 10**9).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))))
def test_one_success_more_always_raises_the_lower_bound(pair: tuple[int, int]) -> None:
    s, n = pair
    more, fewer = wilson_lower(s, n), wilson_lower(s - 1, n)
    assert more is not None
    assert fewer is not None
    assert more > fewer


def test_a_lower_bound_of_nothing_is_none_and_of_the_impossible_an_error() -> None:
    assert wilson_lower(0, 0) is None
    for impossible in ((2, 1), (-1, 5)):
        with pytest.raises(ValueError, match="no share"):
            wilson_lower(*impossible)


@given(levels, weighings, st.booleans(), st.integers(0, 20))
def test_a_place_is_one_more_than_the_number_of_better_ranked_nodes(
    rows: list[tuple[int, Counts]], weights: Weights, wilson: bool, least: int
) -> None:
    scores = {key: score(counts, weights, wilson=wilson) for key, counts in rows if counts.ranked >= least}
    reached = [value for value in scores.values() if value is not None]
    places = rank(rows, weights, least, wilson=wilson)
    assert places.keys() == {key for key, _ in rows}
    for key, place in places.items():
        value = scores.get(key)
        assert place == (None if value is None else 1 + sum(other > value for other in reached))


@given(levels.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_rows_does_not_matter(orders: tuple[list[tuple[int, Counts]], list[tuple[int, Counts]]]) -> None:
    assert rank(orders[0]) == rank(orders[1])


@given(levels)
def test_places_begin_at_1_and_skip_exactly_the_ties(rows: list[tuple[int, Counts]]) -> None:
    places = sorted(place for place in rank(rows).values() if place is not None)
    assert places[:1] in ([], [1])
    for at, (before, after) in enumerate(pairwise(places), start=1):
        assert after in (before, at + 1)


@given(nodes(), weighings, st.integers(1, 9))
def test_only_the_proportions_of_weights_matter(counts: Counts, weights: Weights, times: int) -> None:
    scaled = Weights(
        *(times * w for w in (weights.acceptance, weights.reply, weights.completion, weights.satisfaction))
    )
    assert score(counts, scaled) == score(counts, weights)


@given(nodes(), weighings, st.booleans())
def test_a_score_lies_between_0_and_1(counts: Counts, weights: Weights, wilson: bool) -> None:
    value = score(counts, weights, wilson=wilson)
    assert value is None or 0 <= value <= 1


@given(levels.filter(bool), st.booleans())
def test_completing_what_was_overdue_never_costs_a_place(rows: list[tuple[int, Counts]], wilson: bool) -> None:
    key, counts = rows[0]
    if not counts.open_overdue:
        counts += Counts(open_overdue=1, ranked_accepted=1, ranked_replied=1)
    better = counts + Counts(completed=1, open_overdue=-1)
    before = rank([(key, counts), *rows[1:]], EQUAL, 1, wilson=wilson)[key]
    after = rank([(key, better), *rows[1:]], EQUAL, 1, wilson=wilson)[key]
    assert before is not None
    assert after is not None
    assert after <= before
