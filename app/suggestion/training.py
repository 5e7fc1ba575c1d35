"""Trains a model and says what it is worth beside the keyword table: needs scikit-learn (`pip install .[suggestion]`).

A linear support vector machine over the TF-IDF of characters and their pairs: on 715 real labelled messages it was 2
points of macro-F1 above the same with triples, and 2 above logistic regression; bench/suggestion_on_messages.py.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from app.suggestion.features import grams
from app.suggestion.model import Floats, Model, shares_of

SEED = 7
HELD_OUT = 5
"""One row in so many is held out, of every category that has as many."""
LEAST_ROWS = 100
MOST_GRAMS = 60_000
"""The commonest: with 89 categories 21 MB."""
STEPS = 4
_TEMPERATURES = np.geomspace(0.02, 5.0, 60)

Table = Callable[[str], Sequence[tuple[str, float]]]
"""A text's best three labels by the keyword table, with their confidences."""
Progress = Callable[[int, int], None]


class TooFewError(ValueError):
    """Not enough to learn from; the text says what is missing, in Chinese."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text and the label that a person gave it."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Score:
    """On the held-out rows: macro-averaged F1, the shares right at first and among the first three, and the Brier score
    of the confidence (0 is best; always saying a half gives 0.25)."""

    macro_f1: float
    right: float
    right_in_three: float
    brier: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a training used, and what came of it."""

    rows: int
    held_out: int
    labels: int
    model: Score
    table: Score

    @property
    def better(self) -> bool:
        return self.model.macro_f1 > self.table.macro_f1


@dataclass(frozen=True, slots=True)
class Trained:
    model: Model
    figures: Figures


def train(
    examples: Sequence[Example], table: Table, progress: Progress = lambda done, total: None, *, turn: int = 0
) -> Trained:
    """Learns from four rows in five, is measured on the fifth beside the table, and then learns from all.

    A text that comes twice (copied petitions) counts once: it would stand on both sides. `turn` (0 to 4): which fifth.
    Raises TooFewError.
    """
    distinct = _distinct(examples)
    learnt, held = _split(distinct, turn)
    if len(distinct) < LEAST_ROWS or len({e.label for e in held}) < 2:
        raise TooFewError(
            f"至少要有 {LEAST_ROWS} 条不同的文字，其中至少两个分类各有 {HELD_OUT} 条以上，现有 {len(distinct)} 条"
        )
    progress(0, STEPS)
    rest, apart = _split(learnt)
    temperature = _temperature(_fit(rest), apart)
    progress(1, STEPS)
    measured = replace(_fit(learnt), temperature=temperature)
    progress(2, STEPS)
    figures = Figures(
        rows=len(distinct),
        held_out=len(held),
        labels=len({e.label for e in distinct}),
        model=_score(held, lambda text: [(guess.label, guess.confidence) for guess in measured.guesses(text)]),
        table=_score(held, table),
    )
    progress(3, STEPS)
    worth = asdict(figures) | {"used": figures.better}
    model = replace(_fit(distinct), temperature=temperature, figures=worth)
    progress(STEPS, STEPS)
    return Trained(model, figures)


def _distinct(examples: Sequence[Example]) -> list[Example]:
    first: dict[str, Example] = {}
    for example in examples:
        first.setdefault("".join(grams(example.text)), example)
    first.pop("", None)
    return list(first.values())


def _split(examples: Sequence[Example], turn: int = 0) -> tuple[list[Example], list[Example]]:
    """(what is learnt from, what is held out), the same in every run; a category with too few rows is only learnt."""
    by_label: dict[str, list[Example]] = {}
    for example in examples:
        by_label.setdefault(example.label, []).append(example)
    learnt: list[Example] = []
    held: list[Example] = []
    for label, own in sorted(by_label.items()):
        random.Random(f"{SEED} {label}").shuffle(own)  # noqa: S311 - the same in every run
        enough = len(own) >= HELD_OUT
        held += own[turn::HELD_OUT] if enough else []
        learnt += [one for at, one in enumerate(own) if not enough or at % HELD_OUT != turn]
    return learnt, held


def _fit(examples: Sequence[Example]) -> Model:
    vectors = TfidfVectorizer(
        analyzer=grams, sublinear_tf=True, min_df=2, max_features=MOST_GRAMS, dtype=np.float32, norm="l2"
    )
    seen = vectors.fit_transform([example.text for example in examples])
    machine = LinearSVC(C=1.0, class_weight="balanced", random_state=SEED)
    machine.fit(seen, [example.label for example in examples])
    weights, bias = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:
        # Of two classes one row says both.
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    vocabulary: Mapping[str, int] = {str(gram): int(row) for gram, row in vectors.vocabulary_.items()}
    return Model(
        labels=tuple(str(label) for label in machine.classes_),
        vocabulary=vocabulary,
        idf=np.asarray(vectors.idf_, dtype=np.float32),
        weights=np.ascontiguousarray(weights.T, dtype=np.float32),
        bias=np.asarray(bias, dtype=np.float32),
    )


def _temperature(model: Model, apart: Sequence[Example]) -> float:
    """By which the model's shares tell best how often it is right: the least log loss on rows it has not seen."""
    known = [e for e in apart if e.label in model.labels]
    if not known:
        return 1.0
    scores: Floats = np.stack([model.scores(e.text) for e in known])
    true: NDArray[np.int64] = np.array([model.labels.index(e.label) for e in known])
    rows = np.arange(len(known))
    losses = [-np.log(shares_of(scores, float(t))[rows, true] + 1e-9).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def _score(held: Sequence[Example], suggest: Table) -> Score:
    truth = [e.label for e in held]
    given = [suggest(e.text) for e in held]
    first = [found[0] if found else ("", 0.0) for found in given]
    right = [label == one for (label, _), one in zip(first, truth, strict=True)]
    within = [any(label == one for label, _ in found) for found, one in zip(given, truth, strict=True)]
    off = [(confidence - hit) ** 2 for (_, confidence), hit in zip(first, right, strict=True)]
    labels = sorted(set(truth))
    macro = f1_score(truth, [label for label, _ in first], labels=labels, average="macro", zero_division=0.0)
    means = (float(np.mean(values)) for values in (right, within, off))
    return Score(float(macro), *means)
