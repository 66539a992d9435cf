"""Results and comparisons of experiments, from events with metrics."""

from __future__ import annotations

import statistics
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.experiments.aggregates import Aggregate
from stenograph.domain.experiments.judging import (
    MetricInfo,
    change,
    compare,
    judge,
)
from stenograph.domain.experiments.measured import BELOW, ROOT, TOP, MeasuredEvent, Measurement, measurements
from stenograph.domain.experiments.pairing import paired
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.evaluators import Threshold
from stenograph.model.feedback import Feedback

numbers = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50)


# -- aggregates ------------------------------------------------------------------------------------------


@given(numbers)
def test_aggregates_are_those_of_the_libraries(values: list[float]) -> None:
    close = pytest.approx
    assert Aggregate.AVERAGE.of(values) == close(statistics.fmean(values), abs=1e-6)
    assert Aggregate.MEDIAN.of(values) == close(statistics.median(values), abs=1e-6)
    for name, percent in (("p90", 90), ("p95", 95), ("p99", 99)):
        assert Aggregate(name).of(values) == close(float(np.percentile(values, percent)), abs=1e-4)
    assert (Aggregate.MIN.of(values), Aggregate.MAX.of(values)) == (min(values), max(values))
    assert Aggregate.SUM.of(values) == close(sum(values), abs=1e-3)
    assert Aggregate.COUNT.of(values) == len(values)


@pytest.mark.parametrize("function", Aggregate)
def test_nothing_comes_to_nothing(function: Aggregate) -> None:
    assert function.of([]) is None


def test_a_sum_beyond_a_double_is_not_known() -> None:
    assert Aggregate.SUM.of([1e308, 1e308]) is None
    assert Aggregate.AVERAGE.of([1e308, 1e308]) is None


# -- metrics ---------------------------------------------------------------------------------------------


def piece(key: str, at: int = 1, **said: Any) -> Feedback:
    return Feedback(
        workspace=DEFAULT_WORKSPACE,
        id=uuid4(),
        key=key,
        created_at=at,
        modified_at=at,
        run_id=uuid4(),
        **said,
    )


def test_metrics_are_scores_else_values_and_the_newest_counts() -> None:
    found = measurements(
        [
            piece("a", 2, score=0.5, raw_score=b"0.5"),
            piece("a", 1, score=0.9, raw_score=b"0.9"),
            piece("yes", score=1.0, raw_score=b"true"),
            piece("word", value=b'"good"'),
            piece("number", value=b"3"),
            piece("both", score=2.0, value=b'"x"'),
            piece("list", value=b"[1]"),
            piece("comment", comment="only words"),
            piece("person", score=1.0, source_type="app"),
            piece("said", score=1.0, source=b'{"type":"api","metadata":{"honeyhive":"feedback"}}'),
            piece("pair", score=1.0, comparative_experiment_id=uuid4()),
            piece("model", score=1.0, source_type="model"),
        ]
    )
    assert {key: (one.value, one.number) for key, one in found.items()} == {
        "a": (0.5, 0.5),
        "yes": (True, 1.0),
        "word": ("good", None),
        "number": (3, 3.0),
        "both": (2.0, 2.0),
        "model": (1.0, 1.0),
    }


def event(
    datapoint: str | None,
    depth: int = TOP,
    name: str = "answer",
    kind: str = "",
    session: UUID | None = None,
    at: int = 0,
    by: str = "api",
    **metrics: Any,
) -> MeasuredEvent:
    def measured(value: Any) -> Measurement:
        return Measurement(value, None if isinstance(value, str) else float(value), by)

    return MeasuredEvent(
        id=uuid4(),
        session=session or uuid4(),
        name=name,
        kind=kind or ("session" if depth == ROOT else "chain"),
        depth=depth,
        start_time=at,
        datapoint=datapoint,
        metrics={key: measured(value) for key, value in metrics.items()},
    )


def test_a_result_row_by_row() -> None:
    session = uuid4()
    events = [
        event("one", ROOT, "my run", session=session, overall=0.5),
        event("one", session=session, accuracy=1, valid=True, accuracy_note="fine"),
        event("one", BELOW, "retrieve", "tool", session=session, accuracy=0.25),
        event("two", accuracy=0, valid=False),
        event(None, accuracy=1),
    ]
    found = judge(events, {})
    assert [(row.metric, row.event_name, row.event_kind, row.values) for row in found.rows] == [
        ("overall", "my run", "session", [0.5]),
        ("accuracy", "answer", "chain", [1, 0, 1]),
        ("valid", "answer", "chain", [True, False]),
        ("accuracy", "retrieve", "tool", [0.25]),
    ]
    assert {row.kind for row in found.rows} == {"CLIENT_SIDE"}
    nameless = str(events[4].session)
    assert found.passed == ("one", "two", nameless)
    assert (found.failed, found.success) == ((), True)
    assert [len(each.scored) for each in found.sessions] == [4, 2, 1]
    assert found.events == (
        ("my run", "session"), ("answer", "chain"), ("retrieve", "tool"),
    )  # fmt: skip
    assert found.rows[1].datapoints(True) == ["one", "two", nameless]


def test_thresholds_fail_metrics_datapoints_and_the_experiment() -> None:
    rules = {
        "accuracy": MetricInfo("PYTHON", Threshold(min=0.5, max=1)),
        "valid": MetricInfo("LLM", Threshold(pass_when=True)),
        "tone": MetricInfo(None, Threshold(passing_categories=("kind", "neutral"))),
        "free": MetricInfo("HUMAN"),
    }
    events = [
        event("a", accuracy=0.5, valid=True, tone="kind", free=-1),
        event("b", accuracy=0.49, valid=True),
        event("c", accuracy=1, valid=False),
        event("d", tone="rude"),
        event("e", accuracy=1.01),
        event("a", accuracy=1),  # answered once more
        event("f", tone=1),
        event("g", accuracy="words"),
    ]
    found = judge(events, rules)
    assert found.passed == ("a",)
    assert found.failed == ("b", "c", "d", "e", "f", "g")
    assert not found.success
    rows = {row.metric: row for row in found.rows}
    assert rows["accuracy"].datapoints(True) == ["a", "c"]
    assert rows["accuracy"].datapoints(False) == ["b", "e", "g"]
    assert rows["accuracy"].values == [0.5, 0.49, 1, 1.01, 1]
    assert (rows["tone"].values, rows["tone"].datapoints(False)) == ([1], ["d", "f"])
    assert {name: row.kind for name, row in rows.items()} == {
        "accuracy": "PYTHON",
        "valid": "LLM",
        "tone": "CLIENT_SIDE",
        "free": "HUMAN",
    }


def test_a_model_that_judged_is_told_from_a_program() -> None:
    assert [row.kind for row in judge([event("a", by="model", x=1)], {}).rows] == ["LLM"]


def test_no_events_are_a_success() -> None:
    found = judge([], {})
    assert (found.success, found.rows, found.sessions) == (True, (), ())


# -- comparing -------------------------------------------------------------------------------------------


def test_a_comparison_counts_by_datapoint() -> None:
    old = judge([event(each, x=value) for each, value in zip("abcd", (0.5, 0.5, 0.5, 0.1), strict=True)], {})
    new = judge([event(each, x=value) for each, value in zip("abce", (0.9, 0.1, 0.5, 1), strict=True)], {})
    found = compare(new, old)
    (row,) = found.rows
    assert (row.improved, row.degraded, row.same, row.found) == (("a",), ("b",), ("c",), 3)
    assert found.common == ("a", "b", "c")
    assert found.events == (("answer", "chain", "both"),)
    assert compare(new, old, frozenset({"x"})).rows[0].improved == ("b",)


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.floats(-5, 5)),
    st.dictionaries(st.sampled_from("abcdef"), st.floats(-5, 5)),
)
def test_the_other_way_round_better_is_worse(one: dict[str, float], other: dict[str, float]) -> None:
    new, old = (judge([event(each, x=value) for each, value in said.items()], {}) for said in (one, other))
    there, back = compare(new, old), compare(old, new)
    assert set(there.common) == set(back.common) == one.keys() & other.keys()
    for left, right in zip(there.rows, back.rows, strict=True):
        assert set(left.improved) == set(right.degraded)
        assert set(left.same) == set(right.same)
        assert left.found == len(there.common)


def test_the_topmost_row_of_a_metric_comes_last() -> None:
    events = [event("a", ROOT, "run", x=1), event("a", BELOW, "deep", x=2), event("a", x=3)]
    found = compare(judge(events, {}), judge(events, {}))
    assert [row.row.event_name for row in found.rows] == ["deep", "answer", "run"]


def test_sessions_and_topmost_events_are_compared_whatever_they_are_called() -> None:
    old = judge(
        [event("a", ROOT, "run 1", x=0), event("a", name="ask_old", y=0), event("a", BELOW, "p", z=0)], {}
    )
    new = judge(
        [event("a", ROOT, "run 2", x=1), event("a", name="ask_new", y=1), event("a", BELOW, "q", z=1)], {}
    )
    rows = {(row.row.metric, row.row.event_name): row for row in compare(new, old).rows}
    assert rows["x", "run 2"].improved == ("a",)
    assert rows["y", "ask_new"].improved == ("a",)
    assert (rows["z", "p"].found, rows["z", "q"].found) == (0, 0)
    assert (rows["z", "p"].new, rows["z", "q"].old) == (None, None)


def test_two_candidates_are_not_guessed_at() -> None:
    old = judge([event("a", name="one", x=0), event("a", name="two", x=0)], {})
    new = judge([event("a", name="three", x=1)], {})
    assert all(row.found == 0 for row in compare(new, old).rows)


def test_sums_of_floats_that_should_be_equal_are() -> None:
    old, new = judge([event("a", x=0.3)], {}), judge([event("a", x=0.1 + 0.2)], {})
    assert compare(new, old).rows[0].same == ("a",)


def test_change_is_a_difference_and_a_percentage() -> None:
    assert change(None, 1) is None
    found = change(3, 2)
    assert found is not None
    assert (found.difference, found.percent) == (1, 50)
    nought = change(1, 0)
    assert nought is not None
    assert nought.percent is None
    below = change(-1, -2)
    assert below is not None
    assert below.percent == 50


# -- pairs -----------------------------------------------------------------------------------------------


def test_events_are_paired_by_datapoint_and_role() -> None:
    new = [
        event("a", ROOT, "run 2"), event("a", name="f2"),
        event("a", BELOW, "call", at=1), event("a", BELOW, "call", at=2),
        event("b", ROOT, "run 2"), event(None, ROOT, "run 2"),
    ]  # fmt: skip
    old = [
        event("a", ROOT, "run 1"), event("a", name="f1"), event("a", BELOW, "call"), event("a", BELOW, "other"),
        event("c", ROOT, "run 1"), event(None, ROOT, "run 1"),
    ]  # fmt: skip
    assert [(pair.datapoint, pair.new.name, pair.old.name) for pair in paired(new, old)] == [
        ("a", "run 2", "run 1"),
        ("a", "f2", "f1"),
        ("a", "call", "call"),
    ]
