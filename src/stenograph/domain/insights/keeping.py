"""Which cluster of a report a text belongs to that came after it: the one whose middle is nearest, within reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from stenograph.domain.insights.bags import Floats
from stenograph.errors import Unsupported
from stenograph.model.insights import NOWHERE, Cluster

_BEYOND: Final = 2
"""Per cent of a report's own texts that would be too far from all middles."""

_LEAST: Final = 0.2
_MOST: Final = 0.5
"""Bounds of the reach. Texts on nothing in common have a cosine of 0 to 0.2 in this space; and where all that a report
has seen is alike, what is merely similar belongs to it as well."""

UNKNOWN: Final = 0.3
"""The reach of reports that know none of their own."""


def middles(clusters: Sequence[Cluster]) -> Floats:
    """Of the finest level, by number: a row each, and none where there are none."""
    finest = sorted((each for each in clusters if each.level == 0), key=lambda each: each.leaves)
    if not finest:
        return np.zeros((0, 0), np.float32)
    return np.stack([np.frombuffer(each.centroid, "<f2").astype(np.float32) for each in finest])


def reach(centers: Floats, sample: Floats) -> float:
    """The least cosine at which a text belongs to its nearest cluster, by texts of the report that the model read."""
    closest = (sample @ centers.T).max(axis=1)
    return round(float(np.clip(np.percentile(closest, _BEYOND), _LEAST, _MOST)), 4)


def nearest(centers: Floats, vectors: Floats, least: float) -> tuple[npt.NDArray[np.int64], Floats]:
    """The number of the nearest cluster of each, or NOWHERE; and the cosine to it."""
    if not len(centers):
        return np.full(len(vectors), NOWHERE), np.zeros(len(vectors), np.float32)
    if centers.shape[1] != vectors.shape[1]:
        raise Unsupported("the report was made with vectors of another model")
    alike = vectors @ centers.T
    numbers, closeness = alike.argmax(axis=1), alike.max(axis=1)
    return np.where(closeness >= least, numbers, NOWHERE), closeness
