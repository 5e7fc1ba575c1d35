"""What a training makes of labelled texts, and what it says it is worth."""

from random import Random

import pytest

from app.suggestion.training import STEPS, Example, TooFewError, train
from tests.suggestion.labelled import SAID, labelled

CHARACTERS = [chr(0x4E00 + n) for n in range(400)]
EXAMPLES = [Example(text, code) for text, code in labelled()]


def always(code: str) -> list[tuple[str, float]]:
    return [(code, 0.5)]


def test_a_fifth_of_every_category_is_held_out() -> None:
    figures = train(EXAMPLES, lambda text: always("C0105")).figures
    assert (figures.rows, figures.held_out, figures.labels) == (120, 24, 4)


def test_the_model_is_measured_beside_the_table_on_the_same_rows() -> None:
    figures = train(EXAMPLES, lambda text: always("C0105")).figures
    assert figures.model.macro_f1 > 0.9
    # Right for a quarter of the rows: precision 1/4, recall 1, F1 0.4, and nothing for the three others.
    assert figures.table.macro_f1 == pytest.approx(0.1)
    assert (figures.table.right, figures.table.right_in_three, figures.table.brier) == (0.25, 0.25, 0.25)
    assert figures.better


def test_it_is_used_only_where_it_beats_the_table() -> None:
    known = dict(labelled())
    perfect = train(EXAMPLES, lambda text: [(known[text], 1.0)])
    assert perfect.figures.table.macro_f1 == 1.0
    assert not perfect.figures.better
    assert perfect.model.figures is not None
    assert perfect.model.figures["used"] is False


def test_a_text_that_comes_again_counts_once() -> None:
    again = [Example(f" {e.text}\n", "C0401") for e in EXAMPLES]
    assert train([*EXAMPLES, *again], lambda text: []).figures == train(EXAMPLES, lambda text: []).figures


def test_the_same_rows_make_the_same_model() -> None:
    first, second = train(EXAMPLES, lambda text: []), train(EXAMPLES, lambda text: [])
    assert first.figures == second.figures
    assert first.model.guesses("灯泡坏了") == second.model.guesses("灯泡坏了")


def test_every_row_is_held_out_in_one_of_five_turns() -> None:
    seen: list[str] = []
    for turn in range(5):
        train(EXAMPLES, lambda text: seen.append(text) or [], turn=turn)  # type: ignore[func-returns-value]
    assert sorted(seen) == sorted(e.text for e in EXAMPLES)


def test_what_is_held_out_is_not_learnt() -> None:
    """Labels that follow from nothing can only be known by heart."""
    rng = Random(7)
    noise = [Example("".join(rng.choices(CHARACTERS, k=30)), rng.choice(["C0105", "C0103"])) for _ in range(300)]
    trained = train(noise, lambda text: [])
    known = [trained.model.guesses(e.text)[0].label == e.label for e in noise]
    assert sum(known) > 290
    assert trained.figures.model.macro_f1 < 0.7


def test_a_rare_category_is_learnt_and_not_measured() -> None:
    rare = [Example(f"{place}有蛇出没", "C1008") for place in ("开元路", "东八路", "板仓路")]
    trained = train([*EXAMPLES, *rare], lambda text: [])
    assert trained.figures.held_out == 24
    assert trained.model.guesses("有蛇出没")[0].label == "C1008"


def test_two_categories_are_enough() -> None:
    two = [e for e in EXAMPLES if e.label in {"C0105", "C0103"}]
    more = [Example(f"再说一次，{e.text}", e.label) for e in two]
    trained = train([*two, *more], lambda text: [])
    assert trained.model.weights.shape[1] == 2
    assert trained.model.guesses("灯泡坏了")[0].label == "C0105"
    assert trained.model.guesses("桶子满了")[0].label == "C0103"


@pytest.mark.parametrize(
    "examples",
    [[], EXAMPLES[:99], [Example(f"第{n}条路灯", "C0105") for n in range(200)], [Example("同一句", "C0105")] * 500],
)
def test_too_little_is_refused(examples: list[Example]) -> None:
    with pytest.raises(TooFewError, match="至少要有 100 条不同的文字"):
        train(examples, lambda text: [])


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    train(EXAMPLES, lambda text: [], lambda done, total: told.append((done, total)))
    assert told == [(done, STEPS) for done in range(STEPS + 1)]


def test_the_invented_rows_are_what_these_tests_say() -> None:
    assert len({e.text for e in EXAMPLES}) == 120
    assert {e.label for e in EXAMPLES} == set(SAID)
