"""POST /datasets/{id}/runs: which examples are listed, with which runs, in which order."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any

import httpx
import pytest

from tests.wire.langsmith.experiments.experimenting import bench, ok, session_of


def test_each_example_stands_beside_the_runs_that_answered_it(http: httpx.Client) -> None:
    on = bench(http, 3)
    first, second = on.experiment(times=2), on.experiment(0, 2)
    on.judge(first, "correct", {0: 1})
    rows = on.results(second, first)
    assert [row["inputs"] for row in rows] == [{"q": 0}, {"q": 1}, {"q": 2}]
    assert [row["outputs"] for row in rows] == [{"a": 0}, {"a": 1}, {"a": 2}]
    # in the order of the question, then by start
    assert [[run["session_id"] for run in row["runs"]] for row in rows] == [
        [second, first, first], [first, first], [second, first, first]
    ]  # fmt: skip
    assert [run["id"] for run in rows[1]["runs"]] == on.runs[first, on.examples[1]]
    run = rows[0]["runs"][1]
    assert run["id"] == on.run(first, 0)
    assert run["outputs"] == {"a": 0}
    assert run["reference_example_id"] == on.examples[0]
    assert run["trace_id"] == run["id"]
    assert run["dotted_order"].endswith(run["id"])
    assert (run["status"], run["run_type"], run["name"]) == ("success", "chain", "target")
    assert (run["total_tokens"], run["prompt_tokens"]) == (15, 10)  # those of its model call
    assert run["feedback_stats"]["correct"]["avg"] == 1
    assert rows[0]["runs"][0]["feedback_stats"] is None


def test_only_examples_that_were_answered_are_listed(http: httpx.Client) -> None:
    on = bench(http, 4)
    part, other = on.experiment(1, 3), on.experiment(0, 1)
    assert on.shown(part) == [1, 3]
    assert on.shown(part, other) == [0, 1, 3]
    assert on.shown(on.experiment(0), example_ids=on.examples[1:]) == []
    assert on.shown(part, example_ids=[on.examples[3], on.examples[0]]) == [3]
    assert on.shown(part, example_ids=[]) == []


def test_pages(http: httpx.Client) -> None:
    on = bench(http, 12)
    everything = on.experiment()
    assert on.shown(everything) == list(range(10))
    assert on.shown(everything, limit=None, offset=None) == list(range(10))
    assert on.shown(everything, limit=100) == list(range(12))
    assert on.shown(everything, offset=10) == [10, 11]
    assert on.shown(everything, offset=12) == []


def test_pages_join_without_gap_or_repeat(http: httpx.Client) -> None:
    """However they are asked for: with a filter, of some examples, and in an order they are read in another way."""
    on = bench(http, 7)
    first, second = on.experiment(0, 1, 2, 3, 5, times=2), on.experiment(6, 2, 1)
    on.judge(first, "correct", {0: 1, 1: 1, 3: 1})
    good = {first: ['and(eq(feedback_key, "correct"), eq(feedback_score, 1))']}
    for body, expected in (
        ({}, [0, 1, 2, 3, 5, 6]),
        ({"filters": good}, [0, 1, 3]),
        ({"example_ids": [on.examples[each] for each in (6, 4, 2, 0)]}, [0, 2, 6]),
        ({"sort_params": {"sort_by": "feedback.correct"}}, [0, 1, 3, 2, 5, 6]),
    ):
        asked: dict[str, Any] = body
        whole = on.results(first, second, **asked)
        assert [on.examples.index(row["id"]) for row in whole] == expected
        pages = [on.results(first, second, limit=2, offset=at, **asked) for at in range(0, 8, 2)]
        joined = [row for page in pages for row in page]
        assert [(row["id"], [run["id"] for run in row["runs"]]) for row in joined] == [
            (row["id"], [run["id"] for run in row["runs"]]) for row in whole
        ]


def test_an_old_experiment_keeps_its_examples(http: httpx.Client) -> None:
    """Changed ones as they were, deleted ones too; those that were wiped are gone."""
    on = bench(http, 4)
    version = ok(http.get(f"/datasets/{on.dataset}"))["modified_at"]
    experiment = on.experiment()
    patch = {"name": None, "description": None, "end_time": None}
    extra = {"metadata": {"dataset_version": version}}
    ok(http.patch(f"/sessions/{experiment}", json={**patch, "extra": extra}))
    ok(http.patch(f"/examples/{on.examples[1]}", json={"inputs": {"q": "changed"}}))
    ok(http.delete(f"/examples/{on.examples[2]}"))
    wiped = {"example_ids": [on.examples[3]], "hard_delete": True}
    ok(http.post("/v1/platform/datasets/examples/delete", json=wiped))
    assert {row["inputs"]["q"] for row in on.results(experiment)} == {0, 1, 2}
    # without a version, an experiment that began after the change sees it, and still what was deleted
    late = on.experiment(1, 2, start_time="2100-01-01T00:00:00Z")
    assert {row["inputs"]["q"] for row in on.results(late)} == {"changed", 2}
    # both together are read as of the later
    assert {row["inputs"]["q"] for row in on.results(experiment, late)} == {0, "changed", 2}


def test_a_version_cut_to_milliseconds_is_the_one_that_was_meant(http: httpx.Client) -> None:
    """JavaScript's clock has no microseconds: what it names lies just before the version."""
    on = bench(http, 1)
    ok(http.patch(f"/examples/{on.examples[0]}", json={"inputs": {"q": "second"}}))
    version = ok(http.get(f"/datasets/{on.dataset}"))["modified_at"]
    cut = version.replace("+00:00", "")[:-3] + "Z"
    experiment = on.experiment(extra={"metadata": {"dataset_version": cut}})
    ok(http.patch(f"/examples/{on.examples[0]}", json={"inputs": {"q": "third"}}))
    assert [row["inputs"]["q"] for row in on.results(experiment)] == ["second"]


def test_a_filter_chooses_among_the_runs_of_its_experiment(http: httpx.Client) -> None:
    on = bench(http, 4)
    first, second = on.experiment(), on.experiment()
    on.judge(first, "correct", {0: 1, 1: 0, 2: 1})
    on.judge(second, "correct", {0: 1, 1: 1, 2: 0})
    good = 'and(eq(feedback_key, "correct"), eq(feedback_score, 1))'
    bad = 'and(eq(feedback_key, "correct"), eq(feedback_score, 0))'
    assert on.shown(first, filters={first: [good]}) == [0, 2]
    assert on.shown(first, second, filters={first: [good]}) == [0, 2]
    assert on.shown(first, second, filters={first: [good], second: [bad]}) == [2]
    assert on.shown(first, filters={first: [good, bad]}) == []
    assert on.shown(first, filters={first: []}) == [0, 1, 2, 3]
    rows = on.results(first, second, filters={first: [good]})
    assert all([run["session_id"] for run in row["runs"]] == [first, second] for row in rows)


def test_orders(http: httpx.Client) -> None:
    on = bench(http, 4)
    experiment = on.experiment(0, 1)
    on.answer(experiment, 2, seconds=5)
    on.answer(experiment, 3, seconds=3)
    on.judge(experiment, "correct", {1: 0.5, 3: 0.9, 0: 0.1})

    def by(text: str, order: str | None = None) -> list[int]:
        return on.shown(experiment, sort_params={"sort_by": text, "sort_order": order})

    assert by("feedback.correct") == by("correct", "DESC") == [3, 1, 0, 2]  # those without a score come last
    assert by("feedback.correct", "ASC") == [0, 1, 3, 2]
    assert by("latency") == by("metrics.latency") == [2, 3, 0, 1]
    assert by("start_time") == [3, 2, 1, 0]
    assert by("total_tokens", "ASC") == [0, 1, 2, 3]
    assert by("total_cost") == [0, 1, 2, 3]
    on.judge(experiment, "latency", {1: 1})
    assert by("feedback.latency") == [1, 0, 2, 3]


def test_previews_instead_of_payloads(http: httpx.Client) -> None:
    on = bench(http, 1)
    (row,) = on.results(on.experiment(), preview=True)
    (run,) = row["runs"]
    assert run["inputs_preview"] == '{"q":0}'
    assert run["outputs_preview"] == '{"a":0}'
    assert "inputs" not in run
    assert "outputs" not in run
    assert row["inputs"] == {"q": 0}


def test_feedback_of_one_comparison(http: httpx.Client) -> None:
    on = bench(http, 1)
    experiment = on.experiment()
    compared = ok(http.post("/datasets/comparative", json={"experiment_ids": [experiment]}))["id"]
    on.judge(experiment, "correct", {0: 1})
    on.judge(experiment, "ranked", {0: 0.5}, comparative_experiment_id=compared)
    ((run,),) = (row["runs"] for row in on.results(experiment))
    assert set(run["feedback_stats"]) == {"correct", "ranked"}
    ((run,),) = (row["runs"] for row in on.results(experiment, comparative_experiment_id=compared))
    assert set(run["feedback_stats"]) == {"ranked"}
    assert (
        on.results(experiment, comparative_experiment_id=str(uuid.uuid4()))[0]["runs"][0]["feedback_stats"]
        is None
    )


def test_what_each_person_said(http: httpx.Client) -> None:
    on = bench(http, 1)
    experiment = on.experiment()
    person = {"type": "app", "user_id": "u-1", "user_name": "Ann"}
    on.judge(experiment, "tone", {0: 0.25}, feedback_source=person, comment="dry")
    on.judge(experiment, "tone", {0: 0.75})
    assert "annotators" not in on.results(experiment)[0]["runs"][0]["feedback_stats"]["tone"]
    (row,) = on.results(experiment, include_annotator_detail=True)
    stats = row["runs"][0]["feedback_stats"]["tone"]
    assert stats["avg"] == 0.5
    assert stats["annotators"] == [
        {"user_id": "u-1", "ls_user_id": None, "user_name": "Ann", "score": 0.25, "value": None, "comment": "dry"}
    ]  # fmt: skip


def test_as_csv(http: httpx.Client) -> None:
    on = bench(http, 150)
    experiment = on.experiment(name=f"comma, {uuid.uuid4()}")
    on.judge(experiment, "correct", {1: 0.5})
    path = f"/datasets/{on.dataset}/runs"
    answer = http.post(path, params={"format": "csv"}, json={"session_ids": [experiment]})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["example_id"] for row in rows] == on.examples
    assert rows[1]["run_id"] == on.run(experiment, 1)
    assert rows[1]["inputs"] == '{"q":1}'
    assert rows[1]["reference_outputs"] == rows[1]["outputs"] == '{"a":1}'
    assert (rows[1]["feedback.correct"], rows[2]["feedback.correct"]) == ("0.5", "")
    assert rows[1]["experiment"].startswith("comma, ")
    assert (float(rows[1]["latency"]), rows[1]["total_tokens"]) == (1.0, "15")
    asked = {"session_ids": [experiment], "offset": 149, "limit": 5}
    some = http.post(path, params={"format": "csv"}, json=asked)
    assert len(list(csv.DictReader(io.StringIO(some.text)))) == 1


def test_runs_that_are_not_roots_or_belong_elsewhere_do_not_count(http: httpx.Client) -> None:
    on, other = bench(http, 2), bench(http, 1)
    experiment = on.experiment(0)
    foreign = other.experiment()
    # a run of this experiment that refers to another dataset's example
    elsewhere: Any = {"reference_example_id": other.examples[0]}
    on.answer(experiment, 1, **elsewhere)
    assert on.shown(experiment) == [0]
    answer = http.post(f"/datasets/{on.dataset}/runs", json={"session_ids": [experiment, foreign]})
    assert answer.status_code == 404
    assert foreign in answer.json()["detail"]


def test_a_deleted_experiment_is_not_found(http: httpx.Client) -> None:
    on = bench(http, 1)
    experiment = on.experiment()
    assert http.delete(f"/sessions/{experiment}").status_code in (200, 202)
    answer = http.post(f"/datasets/{on.dataset}/runs", json={"session_ids": [experiment]})
    assert answer.status_code == 404


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "session_ids"),
    ({"session_ids": []}, "session_ids"),
    ({"session_ids": ["x"]}, "session_ids"),
    ({"session_ids": "all"}, "session_ids"),
    ({"limit": 0}, "limit"),
    ({"limit": 1001}, "limit"),
    ({"limit": 2**70}, "limit"),
    ({"offset": -1}, "offset"),
    ({"example_ids": [str(uuid.uuid4())] * 1001}, "example_ids"),
    ({"filters": {"x": []}}, "filters"),
    ({"filters": {str(uuid.uuid4()): ["eq(name, 'x')"]}}, "filters"),
    ({"sort_params": {"sort_by": "metrics.beauty"}}, "sort_by"),
    ({"sort_params": {"sort_by": ""}}, "sort_by"),
    ({"sort_params": {"sort_by": "x\0"}}, "sort_by"),
    ({"sort_params": {"sort_by": "x", "sort_order": "UP"}}, "sort_order"),
]


@pytest.mark.parametrize(("body", "place"), WRONG)
def test_what_makes_no_sense_is_refused(http: httpx.Client, body: dict[str, Any], place: str) -> None:
    on = bench(http, 1)
    whole = {"session_ids": [on.experiment()], **body} if body else body
    answer = http.post(f"/datasets/{on.dataset}/runs", json=whole)
    assert answer.status_code == 422, answer.text
    assert place in str(answer.json()["detail"])


def test_a_filter_that_cannot_be_read(http: httpx.Client) -> None:
    on = bench(http, 1)
    experiment = on.experiment()
    asked = {"session_ids": [experiment], "filters": {experiment: ["eq(name"]}}
    assert http.post(f"/datasets/{on.dataset}/runs", json=asked).status_code == 400
    unknown = f"/datasets/{uuid.uuid4()}/runs"
    assert http.post(unknown, json={"session_ids": [experiment]}).status_code == 404
    assert http.post("/datasets/x/runs", json={"session_ids": [experiment]}).status_code == 422
    path = f"/datasets/{on.dataset}/runs"
    asked = {"session_ids": [experiment]}
    assert http.post(path, params={"format": "xml"}, json=asked).status_code == 422


def test_progress(http: httpx.Client) -> None:
    """Shares of what the experiment said that it expects; not echoed otherwise."""
    on = bench(http, 4)
    expected: Any = {"num_examples": 4, "num_repetitions": 2, "evaluator_keys": ["correct", "tone"]}
    experiment = on.experiment(0, 1, 2, **expected)
    on.answer(experiment, 3, end_time=None, outputs=None)  # still running
    on.judge(experiment, "correct", {0: 1, 1: None})
    found = session_of(http, experiment)
    assert found["experiment_progress"] == {
        "expected_run_count": 8, "run_progress": 0.375, "evaluator_progress": {"correct": 0.25, "tone": 0.0}
    }  # fmt: skip
    assert found["test_run_number"] == 1
    assert not {"num_examples", "num_repetitions", "evaluator_keys"} & found.keys()
    # bounds of the statistics do not bound it
    bounded = session_of(http, experiment, stats_start_time="2100-01-01T00:00:00Z")
    assert bounded["run_count"] == 0
    assert bounded["experiment_progress"] == found["experiment_progress"]
    assert ok(http.get(f"/sessions/{experiment}"))["experiment_progress"] is None
    (listed,) = ok(http.get("/sessions", params={"id": experiment, "include_stats": True}))
    assert listed["experiment_progress"] == found["experiment_progress"]
    assert session_of(http, on.experiment())["experiment_progress"] is None


def test_progress_stays_within_bounds(http: httpx.Client) -> None:
    on = bench(http, 2)
    more = session_of(http, on.experiment(times=2, num_examples=2))["experiment_progress"]
    assert (more["expected_run_count"], more["run_progress"], more["evaluator_progress"]) == (2, 1.0, {})
    nothing = session_of(http, on.experiment(num_examples=0))["experiment_progress"]
    assert (nothing["expected_run_count"], nothing["run_progress"]) == (0, 1.0)
    most = {"num_examples": 2**31 - 1, "num_repetitions": 2**31 - 1}
    assert session_of(http, on.experiment(**most))["experiment_progress"]["run_progress"] < 1e-9


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_examples": -1}, {"num_examples": 2**31}, {"num_examples": 2**80}, {"num_repetitions": "2"},
        {"evaluator_keys": "correct"}, {"evaluator_keys": ["x\0"]}, {"evaluator_keys": ["x"] * 1001},
    ],
)  # fmt: skip
def test_expectations_that_cannot_be(http: httpx.Client, wrong: dict[str, Any]) -> None:
    body = {"name": f"p-{uuid.uuid4()}", "reference_dataset_id": str(uuid.uuid4()), **wrong}
    assert http.post("/sessions", json=body).status_code == 422
