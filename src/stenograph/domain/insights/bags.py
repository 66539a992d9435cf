"""Texts as bags of terms, and the products of such bags with dense tables: what a sparse matrix would be used for.

A term's vector times its weight, summed up over a text's terms, is the text's vector. Latent semantic analysis
(Deerwester et al., 1990) finds the vectors by a randomised singular value decomposition (Halko et al., 2011).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from stenograph.domain.insights import words

Floats: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int32]

VOCABULARY: Final = 20_000
_LEAST_TEXTS: Final = 2
_GREATEST_SHARE: Final = 0.4
"""A term has to be in so many texts, and in no larger a share of them, to be in the vocabulary."""

_BLOCK: Final = 1 << 18
"""Terms that are gathered at once: with 384 dimensions 400 MB would be a lot, 100 MB is not noticed."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Terms by number, and how much each weighs (inverse document frequency, smoothed)."""

    numbers: dict[str, int]
    weights: Floats

    @property
    def single(self) -> list[tuple[str, int]]:
        """Those of one word, with their numbers, the most frequent first."""
        return [(term, number) for term, number in self.numbers.items() if " " not in term]

    @classmethod
    def of(cls, texts: Sequence[str], most: int = VOCABULARY) -> Vocabulary:
        """The most frequent terms of these texts; ties by the alphabet, so that the order of texts changes nothing."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(set(words.terms(text)))
        least = _LEAST_TEXTS if len(texts) > 20 else 1
        greatest = max(least, len(texts) * _GREATEST_SHARE) if len(texts) > 20 else len(texts)
        kept = sorted((-count, term) for term, count in counts.items() if least <= count <= greatest)[:most]
        weights = [math.log((1 + len(texts)) / (1 - count)) + 1 for count, _ in kept]
        return cls({term: number for number, (_, term) in enumerate(kept)}, np.array(weights, np.float32))


@dataclass(frozen=True, slots=True)
class Bags:
    """The terms of all texts one after the other: text i has those from starts[i] to starts[i + 1]."""

    terms: Ints
    weights: Floats
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, texts: Iterable[str], vocabulary: Vocabulary) -> Bags:
        """Each text's weights have length 1, if it has any term of the vocabulary."""
        known = vocabulary.numbers
        terms: list[npt.NDArray[np.int32]] = []
        starts = [0]
        for text in texts:
            found = {number for term in words.terms(text) if (number := known.get(term)) is not None}
            terms.append(np.fromiter(sorted(found), np.int32, len(found)))
            starts.append(starts[-1] + len(found))
        joined = np.concatenate(terms) if terms else np.empty(0, np.int32)
        bounds = np.array(starts, np.int64)
        weights = vocabulary.weights[joined]
        lengths = np.sqrt(_sums(weights**2, bounds))
        counts = np.diff(bounds)
        scale = np.repeat(np.maximum(lengths, 1e-9), counts).astype(np.float32)
        return cls(joined, (weights / scale).astype(np.float32), bounds)

    def some(self, rows: npt.NDArray[np.int64]) -> Bags:
        """Of these texts alone."""
        parts = [np.arange(self.starts[row], self.starts[row + 1]) for row in rows]
        chosen = np.concatenate(parts) if parts else np.empty(0, np.int64)
        starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
        return Bags(self.terms[chosen], self.weights[chosen], starts)

    def times(self, table: Floats) -> Floats:
        """(texts, columns of the table): the sums of the terms' rows, weighted."""
        found = np.zeros((len(self), table.shape[1]), np.float32)
        rows = max(1, _BLOCK * 128 // max(1, table.shape[1]) // max(1, self._longest()))
        for first in range(0, len(self), rows):
            bounds = self.starts[first : first + rows + 1]
            low, high = int(bounds[0]), int(bounds[-1])
            if low == high:
                continue
            gathered = table[self.terms[low:high]]
            gathered *= self.weights[low:high, None]
            there = np.flatnonzero(np.diff(bounds))
            found[first + there] = np.add.reduceat(gathered, bounds[:-1][there] - low, axis=0)
        return found

    def transposed_times(self, dense: Floats, size: int) -> Floats:
        """(size, columns): for each term the weighted sum of its texts' rows. `size` is that of the vocabulary."""
        order = np.argsort(self.terms, kind="stable")
        texts = np.repeat(np.arange(len(self)), np.diff(self.starts))[order]
        counts = np.bincount(self.terms, minlength=size)
        turned = Bags(texts.astype(np.int32), self.weights[order], np.concatenate([[0], np.cumsum(counts)]))
        return turned.times(dense)

    def _longest(self) -> int:
        return max(1, round(len(self.terms) / max(1, len(self)) * 2))


def _sums(values: Floats, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    found: npt.NDArray[np.float64] = total[starts[1:]] - total[starts[:-1]]
    return found


def latent(bags: Bags, size: int, dimensions: int, seed: int) -> Floats:
    """A table of term vectors (size, dimensions): the leading directions of the bags, those of high variance damped."""
    dimensions = min(dimensions, size, max(1, len(bags)))
    draw = np.random.default_rng(seed)
    over = min(dimensions + 12, size, max(1, len(bags)))
    seen = bags.times(draw.standard_normal((size, over)).astype(np.float32))
    for _ in range(2):
        basis, _ = np.linalg.qr(seen)
        seen = bags.times(bags.transposed_times(basis.astype(np.float32), size))
    basis, _ = np.linalg.qr(seen)
    small = bags.transposed_times(basis.astype(np.float32), size)
    left, strengths, _ = np.linalg.svd(small, full_matrices=False)
    found: Floats = left[:, :dimensions] / np.sqrt(np.maximum(strengths[:dimensions], 1e-6))
    return found.astype(np.float32)


def unit(vectors: Floats) -> Floats:
    """Rows of length 1; rows of nothing stay so."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Floats = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return found
