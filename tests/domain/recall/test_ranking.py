"""Orders of candidates, against what the papers say of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.recall.ranking import fused, varied
from stenograph.domain.recall.words import telling, trigram_similarity


def test_what_leads_both_orders_scores_one() -> None:
    scores = fused([7, 8], [7, 9], 0.5)
    assert scores[7] == 1.0
    assert scores[8] == scores[9] < 0.5


@given(st.lists(st.integers(0, 30), unique=True), st.lists(st.integers(0, 30), unique=True), st.floats(0, 1))
def test_the_weight_decides_whose_order_counts(
    by_words: list[int], by_meaning: list[int], alpha: float
) -> None:
    scores = fused(by_words, by_meaning, alpha)
    assert all(0 <= score <= 1 + 1e-9 for score in scores.values())
    assert sorted(fused(by_words, by_meaning, 1.0), key=by_meaning.index) == by_meaning
    assert sorted(fused(by_words, by_meaning, 0.0), key=by_words.index) == by_words


def test_variety_passes_over_what_says_the_same_again() -> None:
    vectors = np.array([[1, 0], [1, 0], [0.6, 0.8]], np.float32)
    assert varied(vectors, [0.9, 0.89, 0.5], 2, 0.0) == [0, 1]
    assert varied(vectors, [0.9, 0.89, 0.5], 2, 0.5) == [0, 2]
    assert varied(vectors, [0.9, 0.89, 0.5], 9, 0.5) == [0, 2, 1]
    assert varied(np.empty((0, 2), np.float32), [], 3, 0.5) == []


def test_common_words_are_not_looked_for_unless_there_are_no_others() -> None:
    assert telling("Where is THE invoice, and the invoice's tax?") == ["invoice", "s", "tax"]
    assert telling("to be or not to be") == ["to", "be", "or", "not"]


def test_words_are_alike_by_their_trigrams() -> None:
    assert trigram_similarity("refund", "refund") == 1.0
    assert trigram_similarity("refund", "refnud") > trigram_similarity("refund", "receipt") > 0
    assert trigram_similarity("refund", "banana") == 0.0
