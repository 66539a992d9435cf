"""What a formula comes to for one run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.model.feedback import FeedbackStat
from stenograph.model.feedback_formulas import Aggregation, Formula, FormulaPart, with_composites


def formula(aggregation: str, *parts: tuple[str, float], key: str = "overall") -> Formula:
    return Formula(
        key=key, aggregation=Aggregation(aggregation), parts=tuple(FormulaPart(*part) for part in parts)
    )


@pytest.mark.parametrize(
    ("wanted", "score"),
    [
        (formula("sum", ("a", 2), ("b", 0.5)), 2.0),
        (formula("avg", ("a", 2), ("b", 0.5)), 0.8),
        (formula("avg", ("a", 1), ("b", 1)), 1.25),
        (formula("sum", ("a", -1), ("b", 1)), 1.5),
        (formula("sum", ("a", 0), ("b", 1)), 2.0),
        (formula("avg", ("a", 3)), 0.5),
        (formula("sum", ("a", 1), ("a", 1)), 1.0),
        (formula("sum", ("a", 1), ("c", 1)), None),
        (formula("sum", ("a", 0), ("c", 0)), None),
        (formula("sum", ("b", 1e308), ("b", 1e308)), None),
    ],
)
def test_composites(wanted: Formula, score: float | None) -> None:
    assert wanted.of({"a": 0.5, "b": 2.0, "d": 9.0}) == score


@given(
    weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=5),
    scores=st.lists(st.floats(-100, 100), min_size=5, max_size=5),
)
def test_an_average_lies_among_its_scores(weights: list[float], scores: list[float]) -> None:
    parts = [(f"k{number}", weight) for number, weight in enumerate(weights)]
    used = scores[: len(weights)]
    found = formula("avg", *parts).of({f"k{number}": score for number, score in enumerate(scores)})
    assert found is not None
    assert min(used) - 1e-6 <= found <= max(used) + 1e-6


def test_a_composite_is_one_piece_of_feedback_more() -> None:
    given = {
        "a": FeedbackStat(count=2, n=2, avg=0.5, stdev=0.5, min=0.0, max=1.0),
        "note": FeedbackStat(count=1),
    }
    found = with_composites(given, [formula("sum", ("a", 2)), formula("sum", ("note", 1), key="never")])
    assert found == {
        **given,
        "overall": FeedbackStat(count=1, n=1, avg=1.0, stdev=0.0, min=1.0, max=1.0),
    }
    beside = with_composites(found, [formula("sum", ("a", 6))])
    assert (beside["overall"].n, beside["overall"].avg, beside["overall"].stdev) == (2, 2.0, 1.0)
    assert with_composites({}, [formula("sum", ("a", 2))]) == {}
