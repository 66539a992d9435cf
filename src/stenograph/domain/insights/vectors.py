"""Texts into vectors whose cosine says how alike their subjects are: by the model where there are few texts; where
there are many, by a cheap student that learns on the spot from the model's vectors of a sample.

The student is a linear map (ridge regression) from word vectors of the model's own and latent semantic analysis to the
model's space. What is clustered is both: the map's result, and the features that it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from stenograph.domain.insights.bags import Bags, Floats, Vocabulary, latent, unit

TAUGHT: Final = 500
"""Texts that the model embeds itself."""

WORDS: Final = 600
"""Words that the model embeds, for the student to read by."""

_LATENT: Final = 160
_VOCABULARY_TEXTS: Final = 20_000
_LATENT_TEXTS: Final = 8_000
_FEATURE_WEIGHT: Final = 0.7
_PENALTY: Final = 1.0
_KEPT: Final = 128
_BLOCK: Final = 4096
_LEAST_AGREEMENT: Final = 0.5
"""Mean cosine of student and model on texts held out, below which the student is not believed."""

Rows: TypeAlias = npt.NDArray[np.int64]
Embed: TypeAlias = Callable[[Sequence[str]], Floats]
Report: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Embedded:
    """`clustered` rows are what is clustered; `model` rows are in the model's space (float16), or near it.

    `agreement` is the mean cosine of student and model on texts held out; None where the model read all. `sample` are
    the vectors of texts that the model read itself (float16), all or some.
    """

    clustered: Floats
    model: npt.NDArray[np.float16]
    agreement: float | None
    sample: npt.NDArray[np.float16]


def embedded(texts: Sequence[str], embed: Embed, seed: int, report: Report) -> Embedded:
    """The same texts and seed give the same vectors. `report` hears how many texts of how many the model has read."""
    draw = np.random.default_rng(seed)
    vocabulary = Vocabulary.of(_some(texts, _VOCABULARY_TEXTS, draw))
    bags = Bags.of(texts, vocabulary)
    features = _Features.over(bags, vocabulary, draw)
    taught = _rows(len(texts), TAUGHT, draw)
    words = vocabulary.single[:WORDS] if len(texts) > TAUGHT else []
    total = len(taught) + len(words)
    teacher = _embed(embed, [texts[row] for row in taught], report, 0, total)
    if len(taught) == len(texts):
        joined = unit(np.hstack([teacher, _FEATURE_WEIGHT * features.read(bags)]))
        read = teacher.astype(np.float16)
        return Embedded(_Narrow.of(joined).apply(joined), read, None, read)
    table = np.zeros((len(vocabulary.numbers), teacher.shape[1]), np.float32)
    table[[number for _, number in words]] = _embed(
        embed, [word for word, _ in words], report, len(taught), total
    )
    return _by_student(bags, _Features(features.latent, table), taught, teacher, draw)


def _by_student(
    bags: Bags, features: _Features, taught: Rows, teacher: Floats, draw: np.random.Generator
) -> Embedded:
    known = features.read(bags.some(taught))
    held = draw.permutation(len(taught))[: max(1, len(taught) // 5)]
    rest = np.setdiff1d(np.arange(len(taught)), held)
    trial = _Map.learnt(known[rest], teacher[rest])
    agreement = float(
        np.mean(np.sum(trial.apply(known[held]) * unit(teacher[held].astype(np.float32)), axis=1))
    )
    student = _Map.learnt(known, teacher)

    def read(rows: Rows) -> tuple[Floats, Floats]:
        plain = features.read(bags.some(rows))
        mapped = student.apply(plain)
        if agreement < _LEAST_AGREEMENT:
            return mapped, plain
        return mapped, unit(np.hstack([mapped, _FEATURE_WEIGHT * plain]))

    narrow = _Narrow.of(read(_rows(len(bags), _LATENT_TEXTS, draw))[1])
    clustered = np.empty((len(bags), narrow.axes.shape[1]), np.float32)
    model = np.empty((len(bags), teacher.shape[1]), np.float16)
    for start in range(0, len(bags), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(bags)))
        model[rows], whole = read(rows)
        clustered[rows] = narrow.apply(whole)
    return Embedded(clustered, model, agreement, teacher.astype(np.float16))


@dataclass(frozen=True, slots=True)
class _Features:
    """Tables of term vectors: latent ones, and those of the model's words where there are any."""

    latent: Floats
    words: Floats | None = None

    @classmethod
    def over(cls, bags: Bags, vocabulary: Vocabulary, draw: np.random.Generator) -> _Features:
        size = len(vocabulary.numbers)
        if not size:
            return cls(np.zeros((1, 1), np.float32))
        sample = bags.some(_rows(len(bags), _LATENT_TEXTS, draw))
        return cls(latent(sample, size, _LATENT, int(draw.integers(2**31))))

    def read(self, bags: Bags) -> Floats:
        found = unit(bags.times(self.latent))
        return found if self.words is None else unit(np.hstack([unit(bags.times(self.words)), found]))


@dataclass(frozen=True, slots=True)
class _Map:
    """A linear map with its offset, by ridge regression."""

    middle: Floats
    matrix: Floats
    offset: Floats

    @classmethod
    def learnt(cls, features: Floats, wanted: Floats) -> _Map:
        middle, offset = features.mean(axis=0), wanted.mean(axis=0)
        centered = (features - middle).astype(np.float64)
        square = centered.T @ centered + _PENALTY * np.eye(features.shape[1])
        matrix = np.linalg.solve(square, centered.T @ (wanted - offset))
        return cls(middle, matrix.astype(np.float32), offset)

    def apply(self, features: Floats) -> Floats:
        return unit(((features - self.middle) @ self.matrix + self.offset).astype(np.float32))


@dataclass(frozen=True, slots=True)
class _Narrow:
    """The directions that vectors differ in most. Those that hardly differ are left out: they would cost time."""

    axes: Floats

    @classmethod
    def of(cls, vectors: Floats) -> _Narrow:
        square = vectors.T.astype(np.float64) @ vectors
        _, axes = np.linalg.eigh(square)
        return cls(np.ascontiguousarray(axes[:, ::-1][:, :_KEPT]).astype(np.float32))

    def apply(self, vectors: Floats) -> Floats:
        return unit(vectors @ self.axes)


def _embed(embed: Embed, texts: Sequence[str], report: Report, before: int, total: int) -> Floats:
    """In small parts, the long texts with the long ones or not: a text's vector does not depend on its company."""
    parts: list[Floats] = []
    for start in range(0, len(texts), 16):
        parts.append(embed(texts[start : start + 16]))
        report(before + min(start + 16, len(texts)), total)
    return np.concatenate(parts)


def _rows(count: int, most: int, draw: np.random.Generator) -> Rows:
    """At most so many of the rows, in order."""
    if count <= most:
        return np.arange(count)
    return np.sort(draw.choice(count, most, replace=False))


def _some(texts: Sequence[str], most: int, draw: np.random.Generator) -> list[str]:
    return [texts[row] for row in _rows(len(texts), most, draw)]
