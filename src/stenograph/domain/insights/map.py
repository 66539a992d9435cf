"""Clusters on a plane: those about like things lie near each other, and each takes as much room as it has traces.

The two directions in which the middles of the finest clusters differ most are the axes (principal components; Pearson
1901, Hotelling 1933). Circles that would cover each other are then pushed apart, step by step, from where they are.
There is no chance in it: one report looks the same to everybody, at any time. Near is alike; distances are no measure.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from stenograph.model.insights import Cluster

Floats = npt.NDArray[np.float64]

HEIGHT: Final = 0.66
"""Of the map; it is 1 wide."""

FILLED: Final = 0.3
"""The share of the map that all circles take together."""

_LEAST: Final = 0.014
_LARGEST: Final = 0.2
_STEPS: Final = 240
_WORK: Final = 24_000
"""Steps times circles: of hundreds, which are small, some may overlap."""
_GAP: Final = 0.006
_KEPT: Final = 8
"""Maps of the reports looked at last."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A circle: x is within 0 and 1, y within 0 and HEIGHT, and so is all of it. Its area goes with the traces."""

    cluster_id: UUID
    x: float
    y: float
    radius: float


def drawn(clusters: Sequence[Cluster]) -> list[Spot]:
    """The finest clusters, in the order in which they come. Clusters without a middle lie in that of the map.

    Some hundred clusters take a second: to be called beside the event loop.
    """
    finest = [each for each in clusters if each.level == 0]
    if not finest:
        return []
    spots = _laid_out(tuple((max(1, each.runs), each.centroid) for each in finest))
    return [Spot(each.id, *spot) for each, spot in zip(finest, spots, strict=True)]


@functools.lru_cache(maxsize=_KEPT)
def _laid_out(clusters: tuple[tuple[int, bytes], ...]) -> tuple[tuple[float, float, float], ...]:
    """x, y and radius of each, by its traces and its middle: a report does not change, and is looked at often."""
    weights = np.array([runs for runs, _ in clusters], np.float64)
    radii = np.clip(np.sqrt(FILLED * HEIGHT * weights / weights.sum() / np.pi), _LEAST, _LARGEST)
    # Many small circles that are all drawn a little too large must still find room.
    radii *= min(1.0, float(np.sqrt(FILLED * HEIGHT / np.pi / np.square(radii).sum())))
    spots = _apart(_stretched(_plane([middle for _, middle in clusters], weights), radii), radii)
    return tuple(
        (round(float(x), 5), round(float(y), 5), round(float(radius), 5))
        for (x, y), radius in zip(spots, radii, strict=True)
    )


def _plane(centroids: Sequence[bytes], weights: Floats) -> Floats:
    """Two coordinates each, around 0. The sign of an axis, which the method leaves open, is such that the cluster that
    is farthest out lies on its positive side."""
    width = max(map(len, centroids))
    middles = np.zeros((len(centroids), max(1, width // 2)))
    for row, centroid in enumerate(centroids):
        if 0 < len(centroid) == width:
            middles[row] = np.frombuffer(centroid, "<f2", width // 2)
    np.nan_to_num(middles, copy=False, posinf=0.0, neginf=0.0)
    share = weights / weights.sum()
    middles -= share @ middles
    found = np.zeros((len(centroids), 2))
    axes = np.linalg.svd(middles * np.sqrt(share)[:, None], full_matrices=False)[2][:2]
    for at, axis in enumerate(axes):
        along = middles @ axis
        farthest = along[np.argmax(np.abs(along).round(9))]
        found[:, at] = along if farthest >= 0 else -along
    return found


def _stretched(plane: Floats, radii: Floats) -> Floats:
    """Onto the map, each axis to its whole length, with a margin for the circles."""
    size = np.array([1.0, HEIGHT])
    low, high = plane.min(axis=0), plane.max(axis=0)
    room = size - 2 * radii.max()
    length = high - low
    middle = np.broadcast_to(size / 2, plane.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread: Floats = radii.max() + (plane - low) / length * room
    return np.where(length > 1e-9, spread, middle)


def _apart(spots: Floats, radii: Floats) -> Floats:
    """Moved until none covers another, or as far as the steps go; always inside the map."""
    size = np.array([1.0, HEIGHT])
    edges = radii[:, None] + _GAP / 2
    wanted = radii[:, None] + radii[None, :] + _GAP
    np.fill_diagonal(wanted, 0.0)
    reach = np.square(wanted)
    order = np.arange(len(spots), dtype=np.float64)
    # Circles in one place have no direction to part in: each gets one of its own, around the clock.
    nudge = 1e-4 * np.stack([np.cos(2.4 * order), np.sin(2.4 * order)], axis=1)
    spots = np.clip(spots + nudge, edges, size - edges)
    for _ in range(min(_STEPS, _WORK // len(spots))):
        x, y = spots[:, 0], spots[:, 1]
        near = np.square(x[:, None] - x[None, :]) + np.square(y[:, None] - y[None, :]) < reach
        one, other = np.nonzero(near)
        between = spots[one] - spots[other]
        distance = np.maximum(np.sqrt(np.square(between).sum(axis=1)), 1e-9)
        overlap = wanted[one, other] - distance
        if not len(one) or overlap.max() < _GAP / 2:
            break
        push = between * (overlap / distance * 0.35)[:, None]
        moved = np.stack([np.bincount(one, push[:, axis], len(spots)) for axis in (0, 1)], axis=1)
        spots = np.clip(spots + moved, edges, size - edges)
    return spots
