"""Orders of candidates: nearness, two orders in one, and variety."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from stenograph.llm.embedding import Vectors

RANK_OFFSET: Final = 60
"""Of reciprocal rank fusion: how little the first places count for more than the next (Cormack et al., SIGIR 2009)."""


def fused(by_words: Sequence[int], by_meaning: Sequence[int], alpha: float) -> Mapping[int, float]:
    """Two orders, best first, as one score for each member: 1 for what leads both, 0 for what is in neither.

    Reciprocal rank fusion, weighted: `alpha` for meaning, the rest for words. An order that weighs nothing adds none
    of its members.
    """
    scores: dict[int, float] = {}
    for weight, order in ((1.0 - alpha, by_words), (alpha, by_meaning)):
        if weight <= 0:
            continue
        for rank, number in enumerate(order):
            scores[number] = scores.get(number, 0.0) + weight * (RANK_OFFSET + 1) / (RANK_OFFSET + 1 + rank)
    return scores


def varied(vectors: Vectors, relevance: Sequence[float], limit: int, strength: float) -> list[int]:
    """Indexes of at most `limit` candidates by maximal marginal relevance, the most relevant first.

    Each next one has the most of (1 - strength) x relevance - strength x cosine to the nearest one already chosen
    (Carbonell & Goldstein, SIGIR 1998). `vectors` have a row of length 1 for each of `relevance`; a row of noughts is
    like nothing. Of equals the first wins.
    """
    if not len(relevance):
        return []
    worth = (1.0 - strength) * np.asarray(relevance, np.float32)
    nearest = np.full(len(worth), -np.inf, np.float32)
    left = np.ones(len(worth), bool)
    chosen = [int(np.argmax(worth))]
    while len(chosen) < min(limit, len(worth)):
        last = chosen[-1]
        left[last] = False
        nearest = np.maximum(nearest, vectors @ vectors[last])
        chosen.append(int(np.argmax(np.where(left, worth - strength * nearest, -np.inf))))
    return chosen
