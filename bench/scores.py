"""How well two labellings agree: the V-measure (Rosenberg and Hirschberg, 2007), and mutual information adjusted for
chance (Vinh et al., 2010) by its mean over shuffles."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]
_SHUFFLES: Final = 20


def v_measure(wanted: Sequence[Hashable], got: Sequence[Hashable]) -> float:
    """From 0 to 1: each cluster has one label, and each label one cluster."""
    table = _table(_numbers(wanted), _numbers(got))
    total = _entropy(table.sum(0)) + _entropy(table.sum(1))
    return 1.0 if total == 0 else 2 * _mutual(table) / total


def adjusted_mutual_information(wanted: Sequence[Hashable], got: Sequence[Hashable]) -> float:
    """0 where they agree as by chance, 1 where they are the same."""
    left, right = _numbers(wanted), _numbers(got)
    table = _table(left, right)
    draw = np.random.default_rng(0)
    by_chance = float(np.mean([_mutual(_table(left, draw.permutation(right))) for _ in range(_SHUFFLES)]))
    most = (_entropy(table.sum(0)) + _entropy(table.sum(1))) / 2
    return (_mutual(table) - by_chance) / max(most - by_chance, 1e-12)


def _numbers(labels: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    return np.array([places[label] for label in labels], np.int64)


def _table(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Table:
    columns = int(right.max()) + 1
    counts = np.bincount(left * columns + right, minlength=(int(left.max()) + 1) * columns)
    return counts.reshape(-1, columns).astype(np.float64)


def _entropy(counts: Table) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _mutual(table: Table) -> float:
    return _entropy(table.sum(0)) + _entropy(table.sum(1)) - _entropy(table.ravel())
