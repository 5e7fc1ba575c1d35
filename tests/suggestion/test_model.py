"""A model as its file, and its prediction beside scikit-learn's own."""

import io
import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from app.suggestion.features import READ, grams, whole
from app.suggestion.model import Model, ModelError, dumped, loaded
from app.suggestion.training import Example, train
from tests.suggestion.labelled import labelled

LEAVES = (("C0105", "路灯照明"), ("C0103", "垃圾清运与环卫保洁"))


@cache
def model() -> Model:
    examples = [Example(text, code) for text, code in labelled()]
    return replace(train(examples, lambda text: []).model, categories=LEAVES)


def test_characters_and_pairs_are_read_in_half_width_without_blanks() -> None:
    assert grams("Ａb 路\n灯") == ["a", "b", "路", "灯", "ab", "b路", "路灯"]
    assert len(grams("路" * (READ + 5))) == READ + READ - 1
    assert grams(" \n") == []


@pytest.mark.parametrize(
    ("title", "text", "read"),
    [
        ("", "路灯坏了", "路灯坏了"),
        ("路灯", "晚上很黑", "路灯\n晚上很黑"),
        ("路灯坏了", "路灯坏了，很黑", "路灯坏了，很黑"),
        ("路灯坏…", " 路灯坏了，很黑", " 路灯坏了，很黑"),
    ],
)
def test_a_title_that_is_the_beginning_of_the_text_is_read_once(title: str, text: str, read: str) -> None:
    assert whole(title, text) == read


def test_our_prediction_is_scikit_learns() -> None:
    texts, codes = zip(*labelled(), strict=True)
    vectors = TfidfVectorizer(analyzer=grams, sublinear_tf=True, min_df=2, norm="l2")
    machine = LinearSVC(C=1.0, class_weight="balanced", random_state=7).fit(vectors.fit_transform(texts), codes)
    unseen = ["开元路灯泡坏了很黑", "桶子满了", "没见过的字", "水压水压水压太小，灯泡坏了"]
    theirs = machine.decision_function(vectors.transform(unseen))
    assert list(machine.classes_) == list(model().labels)
    assert np.stack([model().scores(text) for text in unseen]) == pytest.approx(theirs, abs=1e-4)


def test_the_best_three_come_with_shares_and_the_pairs_that_speak_for_them() -> None:
    found = model().guesses("东八路灯泡坏了")
    assert found[0].label == "C0105"
    assert len(found) == 3
    assert found[0].confidence > 0.5
    assert found[0].confidence >= found[1].confidence >= found[2].confidence
    assert "灯泡" in found[0].grams
    assert all(len(gram) == 2 for guess in found for gram in guess.grams)


def test_a_text_of_which_nothing_was_seen_is_left_to_the_table() -> None:
    assert model().guesses("😀") == []
    assert model().guesses("") == []


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    found = model().guesses(text)
    assert sum(guess.confidence for guess in found) < 1.001


def test_a_model_is_the_same_after_it_was_written() -> None:
    again = loaded(dumped(model()))
    assert (again.labels, again.categories, again.figures) == (model().labels, LEAVES, model().figures)
    assert again.vocabulary == model().vocabulary
    assert again.guesses("桶子满了") == model().guesses("桶子满了")


def rewritten(**arrays: Any) -> bytes:
    """The model's file with some of its arrays replaced."""
    with np.load(io.BytesIO(dumped(model()))) as kept:
        whole_file = {name: kept[name] for name in kept.files} | arrays
    out = io.BytesIO()
    np.savez(out, **whole_file)
    return out.getvalue()


def about(**more: Any) -> Any:
    with np.load(io.BytesIO(dumped(model()))) as kept:
        told = json.loads(kept["about"].tobytes()) | more
    return np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 cut off",
        dumped(model())[:-100],
        rewritten(idf=np.zeros(3, dtype=np.float32)),
        rewritten(bias=np.full(4, np.nan, dtype=np.float32)),
        rewritten(weights=np.array([{"a": 1}], dtype=object)),
        rewritten(about=np.frombuffer(b"[]", dtype=np.uint8)),
        rewritten(about=about(format=2)),
        rewritten(about=about(temperature=0)),
        rewritten(about=about(labels=["C0105"])),
        rewritten(about=about(categories="C01")),
    ],
)
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        loaded(data)
