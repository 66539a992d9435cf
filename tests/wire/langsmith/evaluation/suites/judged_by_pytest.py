"""A suite as LangSmith's users write them for pytest. Collected only when it is named."""

from __future__ import annotations

import os

import pytest
from langsmith import testing as t
from langsmith import traceable


@traceable
def add(a: int, b: int) -> int:
    return a + b


@pytest.mark.langsmith
def test_right() -> None:
    t.log_inputs({"a": 1, "b": 2})
    t.log_reference_outputs({"sum": 3})
    found = add(1, 2)
    t.log_outputs({"sum": found})
    t.log_feedback(key="close", score=0.5)
    with t.trace_feedback():
        t.log_feedback(key="judged", score=int(found == 3))
    assert found == 3


@pytest.mark.langsmith(output_keys=["expected"])
@pytest.mark.parametrize(("a", "b", "expected"), [(2, 2, 4), (2, 3, 5)])
def test_several(a: int, b: int, expected: int) -> None:
    found = add(a, b)
    t.log_outputs({"sum": found})
    assert found == expected


@pytest.mark.langsmith(split=["hard", "rare"])
def test_wrong() -> None:
    t.log_inputs({"a": 5, "b": 5})
    assert add(5, 5) == 11


@pytest.mark.langsmith(metadata={"weight": float(os.environ.get("WEIGHT", "1"))})
def test_weighed() -> None:
    t.log_inputs({"a": 6, "b": 6})
    assert add(6, 6) == 12


@pytest.mark.langsmith
def test_skipped() -> None:
    t.log_inputs({"a": 9, "b": 9})
    pytest.skip("not today")


def test_of_no_concern() -> None:
    assert add(1, 1) == 2
