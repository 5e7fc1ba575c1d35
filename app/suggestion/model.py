"""A trained model as plain arrays: a linear classifier over TF-IDF, predicted here so that no scikit-learn is needed.

The file is a .npz without pickled objects (numpy.load refuses them): nothing in it can run.
"""

import io
import json
import math
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.suggestion.features import grams

FORMAT = 1
BEST = 3
MOST_BYTES = 512 * 1024 * 1024
"""Unpacked; what is larger is no model of ours."""
_SHOWN = 3
"""Pairs of characters that are given as the reason."""

Floats = NDArray[np.float32]


class ModelError(ValueError):
    """A file that is no model, or a broken one."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One label with its share of belief (0 to 1) and the pairs of characters that speak most for it."""

    label: str
    confidence: float
    grams: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """`weights`: a row for each gram of the vocabulary, a column for each label; `temperature` calibrates the scores;
    `categories`: the (code, name) of all leaves the county had; `figures`: what it was worth when it was trained."""

    labels: tuple[str, ...]
    vocabulary: Mapping[str, int]
    idf: Floats
    weights: Floats
    bias: Floats
    temperature: float = 1.0
    categories: tuple[tuple[str, str], ...] = ()
    figures: Mapping[str, Any] | None = None

    def scores(self, text: str) -> Floats:
        """One number for each label, before calibration."""
        _, rows, values = self._read(text)
        return self._scored(rows, values)

    def guesses(self, text: str) -> list[Guess]:
        """The best three labels; empty where the text has nothing that was seen in training."""
        found, rows, values = self._read(text)
        if not found:
            return []
        shares = shares_of(self._scored(rows, values), self.temperature)
        best = np.argsort(-shares, kind="stable")[:BEST]
        return [Guess(self.labels[i], float(shares[i]), self._reasons(found, rows, values, int(i))) for i in best]

    def _read(self, text: str) -> tuple[list[str], NDArray[np.int64], Floats]:
        """The known grams, their rows, and their weights in the text: sublinear TF-IDF of length 1."""
        counts = Counter(gram for gram in grams(text) if gram in self.vocabulary)
        found = list(counts)
        rows = np.array([self.vocabulary[gram] for gram in found], dtype=np.int64)
        often = np.array([1 + math.log(counts[gram]) for gram in found], dtype=np.float32)
        values = often * self.idf[rows]
        length = float(np.sqrt((values**2).sum()))
        return found, rows, values / np.float32(length) if length else values

    def _scored(self, rows: NDArray[np.int64], values: Floats) -> Floats:
        scored: Floats = values @ self.weights[rows] + self.bias
        return scored

    def _reasons(self, found: list[str], rows: NDArray[np.int64], values: Floats, label: int) -> tuple[str, ...]:
        given = values * self.weights[rows, label]
        ranked = (i for i in np.argsort(-given, kind="stable") if given[i] > 0 and len(found[i]) > 1)
        return tuple(found[i] for i, _ in zip(ranked, range(_SHOWN), strict=False))


def shares_of(scores: Floats, temperature: float) -> Floats:
    """The scores as shares that sum to 1 along the last axis."""
    scaled = (scores - scores.max(axis=-1, keepdims=True)) / np.float32(temperature)
    raised = np.exp(scaled)
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def dumped(model: Model) -> bytes:
    """The model as the bytes of its file."""
    about = {
        "format": FORMAT,
        "labels": model.labels,
        "temperature": model.temperature,
        "categories": model.categories,
        "figures": model.figures,
    }
    out = io.BytesIO()
    np.savez_compressed(
        out,
        about=_bytes(json.dumps(about, ensure_ascii=False)),
        vocabulary=_bytes("\n".join(sorted(model.vocabulary, key=model.vocabulary.__getitem__))),
        idf=model.idf,
        weights=model.weights,
        bias=model.bias,
    )
    return out.getvalue()


def loaded(data: bytes) -> Model:
    """The model of a file. Raises ModelError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise ModelError("too large")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return _checked({name: arrays[name] for name in ("about", "vocabulary", "idf", "weights", "bias")})
    except (KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile) as error:
        raise ModelError(str(error)) from error


def _checked(arrays: Mapping[str, NDArray[Any]]) -> Model:
    about = json.loads(arrays["about"].tobytes())
    vocabulary = arrays["vocabulary"].tobytes().decode().split("\n")
    labels = tuple(map(str, about["labels"]))
    idf, weights, bias = (arrays[name] for name in ("idf", "weights", "bias"))
    shapes = {"idf": (len(vocabulary),), "weights": (len(vocabulary), len(labels)), "bias": (len(labels),)}
    for name, array in (("idf", idf), ("weights", weights), ("bias", bias)):
        if array.dtype != np.float32 or array.shape != shapes[name] or not np.isfinite(array).all():
            raise ModelError(f"{name} is not what it should be")
    temperature = float(about["temperature"])
    if about["format"] != FORMAT or len(labels) < 2 or not 0 < temperature < math.inf:
        raise ModelError("not a model of this version")
    return Model(
        labels=labels,
        vocabulary={gram: row for row, gram in enumerate(vocabulary)},
        idf=idf,
        weights=weights,
        bias=bias,
        temperature=temperature,
        categories=tuple((str(code), str(name)) for code, name in about["categories"]),
        figures=about["figures"],
    )


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)
