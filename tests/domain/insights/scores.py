"""How well two labellings agree: the V-measure (Rosenberg and Hirschberg, 2007), and mutual information adjusted for
chance (Vinh et al., 2010) by its mean over shuffles."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np


def _table(one: Sequence[Hashable], other: Sequence[Hashable]) -> np.ndarray:
    rows = {label: place for place, label in enumerate(dict.fromkeys(one))}
    columns = {label: place for place, label in enumerate(dict.fromkeys(other))}
    found = np.zeros((len(rows), len(columns)))
    for left, right in zip(one, other, strict=True):
        found[rows[left], columns[right]] += 1
    return found


def _entropy(counts: np.ndarray) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _mutual(table: np.ndarray) -> float:
    return _entropy(table.sum(0)) + _entropy(table.sum(1)) - _entropy(table.ravel())


def v_measure(wanted: Sequence[Hashable], got: Sequence[Hashable]) -> float:
    table = _table(wanted, got)
    total = _entropy(table.sum(0)) + _entropy(table.sum(1))
    return 1.0 if total == 0 else 2 * _mutual(table) / total


def adjusted_mutual_information(wanted: Sequence[Hashable], got: Sequence[Hashable]) -> float:
    table = _table(wanted, got)
    draw = np.random.default_rng(0)
    by_chance = float(
        np.mean([_mutual(_table(wanted, [got[at] for at in draw.permutation(len(got))])) for _ in range(20)])
    )
    most = (_entropy(table.sum(0)) + _entropy(table.sum(1))) / 2
    span = max(most - by_chance, 1e-12)
    return (_mutual(table) - by_chance) / span
