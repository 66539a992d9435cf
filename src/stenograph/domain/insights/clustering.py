"""Vectors into levels of clusters: many small clusters, joined, cut at the wanted counts, the finest refined.

Spherical k-means makes the small ones, Ward's method joins them by size (the recurrence of Lance and Williams), and
k-means once more settles the finest level, whose centroids are joined in the same way into the levels above. Every
trace is in a cluster. The same vectors and seed give the same clusters, bit for bit, on one machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from stenograph.domain.insights.bags import Floats, unit

Labels: TypeAlias = npt.NDArray[np.int32]

_BLOCK: Final = 8192
_MICRO: Final = 480
_FINEST: Final = 120
_SAMPLED: Final = 20_000
"""Vectors that the small clusters are found on; the rest join the nearest."""

_NEIGHBOURS: Final = 3000
"""Vectors that are compared each with each, in search of those that say the same."""

ALIKE: Final = 0.97
"""Cosine from which two texts say the same."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Levels from the finest: `labels[0]` has a number for each vector, `labels[i + 1]` one for each cluster of level
    i. `centroids[i]` are of level i, each of length 1."""

    labels: tuple[Labels, ...]
    centroids: tuple[Floats, ...]

    def of_vectors(self, level: int) -> Labels:
        """The cluster of each vector on a level."""
        found = self.labels[0]
        for above in self.labels[1 : level + 1]:
            found = above[found]
        return found


def level_counts(distinct: int, wanted: Sequence[int] | None) -> list[int]:
    """How many clusters each level has at most, the finest first. `distinct` texts there are."""
    if wanted:
        counts = [min(count, distinct) for count in sorted(wanted, reverse=True)]
        return counts or [1]
    fine = int(np.clip(round(np.sqrt(distinct) / 1.2), 1, _FINEST))
    if distinct >= 12:
        fine = max(4, fine)
    counts = [min(fine, distinct)]
    if counts[0] >= 10:
        counts.append(max(3, round(counts[0] / 3.5)))
    if counts[-1] >= 15:
        counts.append(max(3, round(counts[-1] / 3)))
    return counts


def tree(vectors: Floats, weights: npt.NDArray[np.float64], counts: Sequence[int], seed: int) -> Tree:
    """Clusters of unit vectors, of which each stands for `weights` traces. Every count is met exactly where there are
    as many different vectors."""
    fine = min(counts[0], len(vectors))
    micro = min(len(vectors), max(4 * fine, min(_MICRO, len(vectors) // 12)))
    draw = np.random.default_rng(seed)
    sample = np.arange(len(vectors))
    if len(vectors) > _SAMPLED:
        sample = np.sort(draw.choice(len(vectors), _SAMPLED, replace=False))
    centers = means(vectors[sample], weights[sample], micro, draw)
    fine = min(fine, len(centers))
    small = nearest(vectors, centers)
    sizes = np.bincount(small, weights=weights, minlength=len(centers))
    joined = ward(centers, np.maximum(sizes, 1e-3), fine)
    middles = centroids(vectors, weights, joined[small], fine)
    labels = joined[small]
    for _ in range(8):
        moved = nearest(vectors, middles)
        if len(np.unique(moved)) < fine or np.array_equal(moved, labels):
            break
        labels = moved
        middles = centroids(vectors, weights, labels, fine)
    found, tables = [labels], [middles]
    for count in counts[1:]:
        below = tables[-1]
        sizes = np.bincount(_of_vectors(found), weights=weights, minlength=len(below))
        above = ward(below, np.maximum(sizes, 1e-3), min(count, len(below)))
        found.append(above)
        tables.append(centroids(vectors, weights, _of_vectors(found), int(above.max()) + 1))
    return Tree(tuple(found), tuple(tables))


def _of_vectors(labels: Sequence[Labels]) -> Labels:
    found = labels[0]
    for above in labels[1:]:
        found = above[found]
    return found


def nearest(vectors: Floats, centers: Floats) -> Labels:
    """The number of the center with the greatest cosine, for each vector."""
    found = np.empty(len(vectors), np.int32)
    for start in range(0, len(vectors), _BLOCK):
        found[start : start + _BLOCK] = np.argmax(vectors[start : start + _BLOCK] @ centers.T, axis=1)
    return found


def means(
    vectors: Floats, weights: npt.NDArray[np.float64], count: int, draw: np.random.Generator, rounds: int = 12
) -> Floats:
    """Centers of spherical k-means, seeded far from each other (k-means++, Arthur and Vassilvitskii, 2007).

    There may be fewer than `count`, when there are fewer different vectors.
    """
    centers = _seeded(vectors, weights, count, draw)
    labels = nearest(vectors, centers)
    for _ in range(rounds):
        updated = centroids(vectors, weights, labels, len(centers))
        lost = np.bincount(labels, minlength=len(centers)) == 0
        updated[lost] = centers[lost]
        centers = updated
        moved = nearest(vectors, centers)
        if np.array_equal(moved, labels):
            break
        labels = moved
    return centers[np.bincount(labels, minlength=len(centers)) > 0]


def _seeded(
    vectors: Floats, weights: npt.NDArray[np.float64], count: int, draw: np.random.Generator
) -> Floats:
    chosen = [int(draw.choice(len(vectors), p=weights / weights.sum()))]
    apart = np.maximum(1.0 - vectors @ vectors[chosen[0]], 0.0).astype(np.float64)
    while len(chosen) < count:
        chance = apart * weights
        chance[chance < 1e-6] = 0.0
        total = chance.sum()
        if total <= 0.0:
            break
        chosen.append(int(np.searchsorted(np.cumsum(chance), draw.random() * total)))
        chosen[-1] = min(chosen[-1], len(vectors) - 1)
        np.minimum(apart, np.maximum(1.0 - vectors @ vectors[chosen[-1]], 0.0), out=apart)
    return vectors[chosen].copy()


def centroids(vectors: Floats, weights: npt.NDArray[np.float64], labels: Labels, count: int) -> Floats:
    """Weighted means of length 1; of a cluster without vectors, nothing but zeros."""
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels, minlength=count)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    found = np.zeros((count, vectors.shape[1]), np.float32)
    for number in np.flatnonzero(sizes):
        rows = order[starts[number] : starts[number + 1]]
        found[number] = weights[rows].astype(np.float32) @ vectors[rows]
    return unit(found)


def ward(centers: Floats, sizes: npt.NDArray[np.float64], count: int) -> Labels:
    """Which of `count` groups each center is in: those two are joined whose joining costs least, again and again."""
    number = len(centers)
    labels = np.arange(number)
    if number <= count:
        return labels.astype(np.int32)
    weight = sizes.astype(np.float64).copy()
    squares = np.maximum(2.0 - 2.0 * (centers @ centers.T).astype(np.float64), 0.0)
    cost = squares * (weight[:, None] * weight[None, :]) / (weight[:, None] + weight[None, :])
    np.fill_diagonal(cost, np.inf)
    there = np.ones(number, bool)
    for _ in range(number - count):
        first, second = divmod(int(np.argmin(cost)), number)
        if first > second:
            first, second = second, first
        total = weight[first] + weight[second] + weight
        row = (
            (weight[first] + weight) * cost[first]
            + (weight[second] + weight) * cost[second]
            - weight * cost[first, second]
        ) / total
        row[~there] = np.inf
        row[first] = np.inf
        cost[first], cost[:, first] = row, row
        cost[second], cost[:, second] = np.inf, np.inf
        weight[first] += weight[second]
        there[second] = False
        labels[labels == second] = first
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)


def leaders(vectors: Floats, weights: npt.NDArray[np.float64], seed: int, alike: float = ALIKE) -> Labels:
    """For each vector the number of the vector that stands for it: itself, or one before it that says the same.

    Looked for among neighbours alone, so that it takes no longer than clustering: what says the same but fell into
    another bucket stays by itself.
    """
    found = np.arange(len(vectors), dtype=np.int32)
    if len(vectors) < 2:
        return found
    draw = np.random.default_rng(seed)
    sample = np.arange(len(vectors))
    if len(vectors) > _SAMPLED:
        sample = np.sort(draw.choice(len(vectors), _SAMPLED, replace=False))
    buckets = nearest(
        vectors, means(vectors[sample], weights[sample], max(1, len(vectors) // 400), draw, rounds=2)
    )
    order = np.argsort(buckets, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(buckets[order])) + 1):
        for start in range(0, len(rows), _NEIGHBOURS):
            _lead(vectors, rows[start : start + _NEIGHBOURS], found, alike)
    return found


def _lead(vectors: Floats, rows: npt.NDArray[np.int64], found: Labels, alike: float) -> None:
    waiting = rows
    while len(waiting):
        near = vectors[waiting] @ vectors[waiting[0]] >= alike
        near[0] = True
        found[waiting[near]] = waiting[0]
        waiting = waiting[~near]
