"""Ranking within a level (domain.md, 5, Ranking): exact, so that a tie is a tie on every machine."""

from collections.abc import Hashable, Sequence
from dataclasses import astuple, dataclass
from fractions import Fraction
from math import isqrt
from typing import TypeVar

from app.domain.counting import Counts
from app.domain.errors import Invalid
from app.domain.rates import share

K = TypeVar("K", bound=Hashable)

LEAST = 10
"""Tickets completed or open past due below which a node is listed, not ranked."""

Z = Fraction(196, 100)
"""Standard deviations: the bound that holds in 95 of 100 cases."""

# Fixed digits in place of a float's: the root is irrational, and no rounding may depend on the machine. Near no
# successes the bounds of s and s + 1 of n lie about 1 / n**2 apart, so these tell a billion tickets apart.
_DIGITS = 10**24


@dataclass(frozen=True, slots=True)
class Weights:
    """What each of the four rates weighs against the others. Raises Invalid where one is negative or all are 0."""

    acceptance: int | Fraction = 1
    reply: int | Fraction = 1
    completion: int | Fraction = 1
    satisfaction: int | Fraction = 1

    def __post_init__(self) -> None:
        each = astuple(self)
        if min(each) < 0 or not any(each):
            raise Invalid.field("ranking.weights", "weights", "排名权重不能为负，且至少有一项大于零")


EQUAL = Weights()


def rank(
    rows: Sequence[tuple[K, Counts]], weights: Weights = EQUAL, least: int = LEAST, *, wilson: bool = False
) -> dict[K, int | None]:
    """The place of each row among these, best first; ties share a place: 1, 1, 3. Rows are of one level.

    None: fewer than `least` tickets completed or open past due, or no rate with a weight has a value. `wilson` ranks
    by the lower bounds of the rates, so that one of one doesn't beat 480 of 500. Raises ValueError on a repeated key.
    """
    scores = {key: score(counts, weights, wilson=wilson) if counts.ranked >= least else None for key, counts in rows}
    if len(scores) != len(rows):
        raise ValueError("a row is ranked once")
    places: dict[Fraction, int] = {}
    for place, reached in enumerate(sorted((s for s in scores.values() if s is not None), reverse=True), start=1):
        places.setdefault(reached, place)
    return {key: None if reached is None else places[reached] for key, reached in scores.items()}


def score(counts: Counts, weights: Weights = EQUAL, *, wilson: bool = False) -> Fraction | None:
    """The weighted mean (0 to 1) of the four rates, all over the tickets completed or open past due.

    The weight of a rate without a value is shared among the rest in their proportion; None where no weight is left.
    """
    c = counts
    pairs = (
        (c.ranked_accepted, c.ranked),
        (c.ranked_replied, c.ranked),
        (c.completed, c.ranked),
        (c.ranked_likes, c.ranked_likes + c.ranked_dislikes),
    )
    rate = wilson_lower if wilson else share
    valued = [
        (weight, value)
        for weight, pair in zip(astuple(weights), pairs, strict=True)
        if (value := rate(*pair)) is not None
    ]
    total = sum((Fraction(weight) for weight, _ in valued), Fraction())
    return sum((weight * value for weight, value in valued), Fraction()) / total if total else None


def wilson_lower(successes: int, n: int, z: Fraction = Z) -> Fraction | None:
    """The lower bound of Wilson's score interval, below the true bound by less than 1e-24; None where `n` is 0.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212.
    Raises ValueError unless 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    if not n:
        return None
    radicand = z * z + Fraction(4 * successes * (n - successes), n)
    root = _root_above(radicand)
    return (2 * successes + z * z - z * root) / (2 * (n + z * z))


def _root_above(square: Fraction) -> Fraction:
    """The square root: exact where it is rational, else the next multiple of 1 / (denominator x digits) above it."""
    scaled = square.numerator * square.denominator * _DIGITS**2
    root = isqrt(scaled)
    return Fraction(root + (root * root < scaled), square.denominator * _DIGITS)
