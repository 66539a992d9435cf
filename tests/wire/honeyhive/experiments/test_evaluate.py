"""`evaluate()` of HoneyHive's Python client, unmodified, and what LangSmith's client sees of it."""

from __future__ import annotations

import asyncio
import threading
import uuid
import warnings
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
from honeyhive import HoneyHive, HoneyHiveTracer
from honeyhive.experiments import compare_runs, evaluate, evaluator, get_run_metrics, get_run_result
from langsmith import Client

from tests.conftest import Server
from tests.wire.honeyhive.conftest import PREFIX
from tests.wire.honeyhive.experiments.experimenting import get

DATA = [
    {"inputs": {"q": "2+2"}, "ground_truth": {"a": "4"}},
    {"inputs": {"q": "3+3"}, "ground_truth": {"a": "6"}},
    {"inputs": {"q": "4+4"}, "ground_truth": {"a": "8"}},
]

Evaluate = Callable[..., Any]


@pytest.fixture
def run(server: Server, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """evaluate() against the tests' server."""
    monkeypatch.setenv("HH_API_KEY", "any")
    monkeypatch.setenv("HH_API_URL", server.url + PREFIX)

    def work(function: Callable[..., Any], **options: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it announces its own deprecations
            return evaluate(function=function, print_results=False, **options)

    return work


def answer(datapoint: dict[str, Any]) -> dict[str, Any]:
    """Adds up, and is wrong about the third."""
    left, right = datapoint["inputs"]["q"].split("+")
    return {"a": str(int(left) + int(right)) if left != "4" else "9"}


def correct(outputs: Any, inputs: Any, ground_truth: Any) -> float:
    return float(outputs["a"] == ground_truth["a"])


def explained(outputs: Any, inputs: Any, ground_truth: Any) -> dict[str, Any]:
    return {"score": len(outputs["a"]) == 1, "explanation": "one digit", "length": len(outputs["a"])}


def words(outputs: Any, inputs: Any, ground_truth: Any) -> str:
    return "good"


def row_of(found: Any, metric: str) -> Any:
    """The row that the client gives for a metric."""
    return found.metrics.get_metric(metric)


def test_a_list_is_evaluated_and_summed_up(run: Evaluate, honeyhive: HoneyHive) -> None:
    found = run(answer, dataset=DATA, evaluators=[correct, explained, words], name="adding")
    assert (found.status, found.success) == ("completed", True)
    assert len(found.passed) == 3
    assert all(each.startswith("EXT-") for each in found.passed)
    assert found.failed == []
    assert set(found.metrics.list_metrics()) == {"correct", "explained", "explained_length"}
    row = row_of(found, "correct")
    assert row.aggregate == pytest.approx(2 / 3)
    assert sorted(row.values) == [0, 1, 1]
    assert (row.metric_type, row.event_name, row.event_type) == ("CLIENT_SIDE", "answer", "chain")
    assert set(row.datapoints.passed) == set(found.passed)
    assert row_of(found, "explained").aggregate == 1
    assert len(found.datapoints) == 3
    each = found.datapoints[0]
    assert each.passed
    assert each.session_id
    assert {metric.name for metric in each.metrics} == {"correct", "explained", "explained_length"}
    read = honeyhive.experiments.get_run(found.run_id).evaluation
    assert (read.name, read.status) == ("adding", "completed")
    assert sorted(read.event_ids) == sorted(each.session_id for each in found.datapoints)
    assert read.configuration["evaluators"] == ["correct", "explained", "words"]
    assert read.metadata["offline_dataset_id"].startswith("EXT-")
    assert read.dataset_id is None


def test_sessions_have_what_evaluate_says_of_them(run: Evaluate, hh: httpx.Client) -> None:
    found = run(answer, dataset=DATA[:1], evaluators=[correct], name="told")
    (point,) = found.datapoints
    session = get(hh, f"/session/{point.session_id}")
    assert (session["event_name"], session["source"]) == ("told", "evaluation")
    assert (session["inputs"], session["outputs"]) == ({"q": "2+2"}, {"a": "4"})
    assert session["feedback"]["ground_truth"] == {"a": "4"}
    assert session["metadata"]["run_id"] == found.run_id
    assert session["metadata"]["datapoint_id"] == point.datapoint_id
    exported = hh.post(
        "/v1/events/export",
        json={
            "filters": [
                {"field": "metadata.run_id", "operator": "is", "value": found.run_id, "type": "string"}
            ]
        },
    ).json()
    assert {event["event_name"] for event in exported["events"]} == {"told", "answer"}
    chain = next(event for event in exported["events"] if event["event_name"] == "answer")
    assert chain["metrics"]["correct"] == 1


@pytest.mark.parametrize(
    ("function", "value"),
    [
        ("average", 2 / 3),
        ("sum", 2),
        ("min", 0),
        ("max", 1),
        ("median", 1),
        ("count", 3),
        ("p90", 1),
        ("p99", 1),
    ],
)
def test_every_aggregate_function(
    run: Evaluate, honeyhive: HoneyHive, shared_run: str, function: str, value: float
) -> None:
    found = get_run_result(honeyhive, shared_run, aggregate_function=function)
    assert found.metrics.aggregation_function == function
    assert row_of(found, "correct").aggregate == pytest.approx(value)


_shared: dict[str, str] = {}


@pytest.fixture
def shared_run(run: Evaluate, server: Server, hh: httpx.Client) -> str:
    """One evaluation for all questions about results; its run's id.

    The client sends spans once, and tells nobody when that fails: what has arrived is in the message.
    """
    if server.url not in _shared:
        found = run(answer, dataset=DATA, evaluators=[correct], name="shared")
        row = found.metrics.get_metric("correct")
        wanted = {"field": "metadata.run_id", "operator": "is", "value": found.run_id, "type": "string"}
        there = hh.post("/v1/events/export", json={"filters": [wanted]}).json()["events"]
        told = [(event["event_name"], event["inputs"], event["metrics"]) for event in there]
        assert row is not None, told
        assert sorted(row.values) == [0, 1, 1], told
        _shared[server.url] = found.run_id
    return _shared[server.url]


def test_raw_metrics_of_a_run(honeyhive: HoneyHive, shared_run: str) -> None:
    found = get_run_metrics(honeyhive, shared_run)
    assert [row["metric_name"] for row in found["metrics"]["details"]] == ["correct"]
    assert found["run_object"]["run_id"] == shared_run
    assert {(one["event_name"], one["event_type"]) for one in found["event_details"]} == {
        ("shared", "session"),
        ("answer", "chain"),
    }


def test_async_functions_and_evaluators_on_several_threads(run: Evaluate) -> None:
    threads: set[int] = set()
    together = threading.Barrier(3, timeout=60)

    async def slow(datapoint: dict[str, Any]) -> dict[str, Any]:
        await asyncio.to_thread(together.wait)
        threads.add(threading.get_ident())
        return answer(datapoint)

    async def judged(outputs: Any, inputs: Any, ground_truth: Any) -> bool:
        return bool(outputs["a"] == ground_truth["a"])

    found = run(slow, dataset=DATA, evaluators=[judged, correct], max_workers=3)
    assert len(threads) == 3
    assert sorted(row_of(found, "judged").values) == [False, True, True]
    assert row_of(found, "judged").aggregate == pytest.approx(2 / 3)
    assert len({point.session_id for point in found.datapoints}) == 3


def test_a_function_that_breaks_leaves_its_session(run: Evaluate, hh: httpx.Client) -> None:
    def breaks(datapoint: dict[str, Any]) -> dict[str, Any]:
        if datapoint["inputs"]["q"] == "3+3":
            raise ValueError("no idea")
        return answer(datapoint)

    found = run(breaks, dataset=DATA, evaluators=[correct])
    assert found.status == "completed"
    assert len(found.datapoints) == 3
    assert len(row_of(found, "correct").values) == 2
    silent = next(point for point in found.datapoints if not point.metrics)
    assert silent.passed


def test_spans_below_and_decorated_evaluators_are_found(run: Evaluate) -> None:
    @evaluator
    def decorated(outputs: Any, inputs: Any, ground_truth: Any) -> float:
        return 0.25

    def nested(datapoint: dict[str, Any], tracer: HoneyHiveTracer) -> dict[str, Any]:
        with tracer.start_span("deep") as span:
            assert span is not None
            tracer.enrich_span(metrics={"correct": 0.5})
        return answer(datapoint)

    found = run(nested, dataset=DATA[:1], evaluators=[decorated, correct])
    rows = {(row.metric_name, row.event_name): row.aggregate for row in found.metrics.details}
    assert rows["decorated", "nested"] == 0.25
    assert rows["correct", "nested"] == 1
    assert rows["correct", "deep"] == 0.5
    assert row_of(found, "correct").event_name == "nested"  # the topmost comes first


def test_the_project_of_the_environment_has_the_sessions(
    run: Evaluate, hh: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """evaluate() names no project for its run; its tracer names that of the environment for each session."""
    project = f"p {uuid.uuid4().hex}"
    monkeypatch.setenv("HH_PROJECT", project)
    found = run(answer, dataset=DATA[:1])
    [session] = get(hh, f"/v1/runs/{found.run_id}")["evaluation"]["event_ids"]

    def names(project: str) -> set[str]:
        wanted = {"field": "session_id", "operator": "is", "value": session, "type": "string"}
        events = hh.post("/events/export", json={"project": project, "filters": [wanted]}).json()["events"]
        return {each["event_name"] for each in events if each["event_type"] != "session"}

    assert names(project) == {"answer"}
    assert names(f"not {project}") == set()


def test_own_ids_are_kept(run: Evaluate) -> None:
    found = run(answer, dataset=[{**DATA[0], "id": "mine"}, {**DATA[1], "id": "EXT-yours"}])
    assert set(found.passed) == {"EXT-mine", "EXT-yours"}


def test_runs_are_compared(run: Evaluate, honeyhive: HoneyHive) -> None:
    def guess(datapoint: dict[str, Any]) -> dict[str, Any]:
        return {"a": {"2+2": "5", "3+3": "6", "4+4": "8"}[datapoint["inputs"]["q"]]}

    def length(outputs: Any, inputs: Any, ground_truth: Any) -> int:
        return len(outputs["a"])

    old = run(guess, dataset=DATA, evaluators=[correct, length], name="old")
    new = run(answer, dataset=DATA, evaluators=[correct, length], name="new")
    found = compare_runs(honeyhive, new.run_id, old.run_id)
    assert found.common_datapoints == 3
    assert found.list_improved_metrics() == ["correct"]
    assert found.list_degraded_metrics() == ["correct"]
    delta = found.get_metric_delta("correct")
    assert delta is not None
    points = {point.datapoint_id: point for point in new.datapoints}
    assert (delta["found_count"], delta["improved_count"], delta["degraded_count"]) == (3, 1, 1)
    assert (delta["same_count"], len(delta["same"])) == (1, 1)
    assert [points[each].metrics[0].value for each in delta["improved"]] == [1]
    assert delta["old_aggregate"] == delta["new_aggregate"] == pytest.approx(2 / 3)
    assert (sorted(delta["old_values"]), sorted(delta["new_values"])) == ([0, 1, 1], [0, 1, 1])
    same = found.get_metric_delta("length")
    assert same is not None
    assert (same["same_count"], same["improved"], same["degraded"]) == (3, [], [])
    whole = honeyhive.experiments.compare_runs(new.run_id, old.run_id, "sum")
    assert [whole["old_run"]["name"], whole["new_run"]["name"]] == ["old", "new"]
    assert {(one["event_name"], one["presence"]) for one in whole["event_details"]} == {
        ("old", "old"), ("new", "new"), ("guess", "old"), ("answer", "new"),
    }  # fmt: skip
    row = next(row for row in whole["metrics"] if row["metric_name"] == "length")
    assert (row["new_aggregate"], row["difference"], row["percentage_change"]) == (3, 0, 0)


def test_events_of_two_runs_side_by_side(run: Evaluate, honeyhive: HoneyHive) -> None:
    old = run(answer, dataset=DATA, evaluators=[correct], name="before")
    new = run(answer, dataset=DATA, evaluators=[correct], name="after")
    found = honeyhive.experiments.compare_run_events(new.run_id, old.run_id, event_type="session")
    assert found.totalEvents == 3
    assert {pair.datapoint_id for pair in found.events} == set(new.passed)
    for pair in found.events:
        assert (pair.event_1["event_name"], pair.event_2["event_name"]) == ("after", "before")
        assert pair.event_1["outputs"] == pair.event_2["outputs"]
        assert pair.event_1["metadata"]["run_id"] == new.run_id
    chains = honeyhive.experiments.compare_run_events(
        new.run_id, old.run_id, event_name="answer", event_type="chain", limit=2, page=2
    )
    assert (chains.totalEvents, len(chains.events)) == (3, 1)
    assert "correct" in chains.events[0].event_1["metrics"]
    wrong = {"field": "metrics.correct", "operator": "is", "value": "0", "type": "number"}
    only = honeyhive.experiments.compare_run_events(new.run_id, old.run_id, filter=wrong)
    assert [pair.event_1["metrics"]["correct"] for pair in only.events] == [0]


# -- managed datasets, and LangSmith ---------------------------------------------------------------------


def dataset(client: Client) -> tuple[str, list[str]]:
    made = client.create_dataset(f"adding {uuid.uuid4().hex[:8]}")
    examples = client.create_examples(
        dataset_id=made.id,
        examples=[{"inputs": each["inputs"], "reference_outputs": each["ground_truth"]} for each in DATA],
    )
    return str(made.id), [str(each) for each in examples["example_ids"]]


def test_a_managed_dataset_makes_an_experiment_of_langsmith(
    run: Evaluate, client: Client, honeyhive: HoneyHive
) -> None:
    dataset_id, examples = dataset(client)
    found = run(answer, dataset_id=dataset_id, evaluators=[correct, explained], name="managed")
    assert set(found.passed) == set(examples)
    read = honeyhive.experiments.get_run(found.run_id).evaluation
    assert read.dataset_id == dataset_id
    assert read.dataset_name == client.read_dataset(dataset_id=dataset_id).name
    # An experiment over the dataset, to LangSmith's client.
    project = client.read_project(project_id=found.run_id, include_stats=True)
    assert (str(project.reference_dataset_id), project.run_count) == (dataset_id, 3)
    assert project.name == f"managed-{found.run_id[:8]}"
    assert project.feedback_stats["correct"]["n"] == 3
    assert project.end_time is not None
    assert [str(each.id) for each in client.list_projects(reference_dataset_id=dataset_id)] == [found.run_id]
    roots = list(client.list_runs(project_id=found.run_id, is_root=True))
    assert {str(each.reference_example_id) for each in roots} == set(examples)
    assert {each.outputs["a"] for each in roots if each.outputs} == {"4", "6", "9"}
    assert {each.name for each in client.list_runs(project_id=found.run_id)} == {"managed", "answer"}
    results = client.get_experiment_results(project_id=uuid.UUID(found.run_id))
    rows = list(results["examples_with_runs"])
    assert {str(row.id) for row in rows} == set(examples)
    assert all(len(row.runs) == 1 and row.runs[0].outputs for row in rows)
    chain = next(each for each in client.list_runs(project_id=found.run_id) if each.name == "answer")
    given = {each.key: each for each in client.list_feedback(run_ids=[chain.id])}
    assert given["explained"].score in (1, True)
    assert given["explained"].comment == "one digit"


def test_what_langsmith_says_of_a_session_is_in_the_result(
    run: Evaluate, client: Client, honeyhive: HoneyHive, http: httpx.Client
) -> None:
    dataset_id, _ = dataset(client)
    found = run(answer, dataset_id=dataset_id, name="judged elsewhere")
    for number, point in enumerate(found.datapoints):
        client.create_feedback(point.session_id, "tone", score=number / 2, comment="why")
        person = {"run_id": point.session_id, "key": "thumbs", "score": 1, "feedback_source": {"type": "app"}}
        assert http.post("/feedback", json=person).status_code == 200
    client.flush()
    result = get_run_result(honeyhive, found.run_id)
    row = row_of(result, "tone")
    assert (row.event_type, sorted(row.values), row.aggregate) == ("session", [0, 0.5, 1], 0.5)
    assert result.metrics.list_metrics() == ["tone"]


def test_an_experiment_of_langsmith_is_a_run(client: Client, honeyhive: HoneyHive, hh: httpx.Client) -> None:
    dataset_id, examples = dataset(client)

    def target(inputs: dict[str, Any]) -> dict[str, Any]:
        return answer({"inputs": inputs})

    def exact(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> bool:
        return bool(outputs["a"] == reference_outputs["a"])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = client.evaluate(
            target,
            data=dataset_id,
            evaluators=[cast(Any, exact)],
            experiment_prefix="theirs",
            metadata={"model": "m"},
        )
    client.flush()
    project = client.read_project(project_name=made.experiment_name)
    run_id = str(project.id)
    read = honeyhive.experiments.get_run(run_id).evaluation
    assert (read.name, read.dataset_id) == (made.experiment_name, dataset_id)
    assert read.metadata["model"] == "m"
    assert len(read.event_ids) == 3
    listed = honeyhive.experiments.list_runs(dataset_id=dataset_id)
    assert [each.run_id for each in listed.evaluations] == [run_id]
    assert listed.metrics == ["exact"]
    result = get_run_result(honeyhive, run_id)
    assert set(result.passed) == set(examples)
    row = row_of(result, "exact")
    assert (row.aggregate, sorted(row.values)) == (pytest.approx(2 / 3), [False, True, True])
    assert {point.session_id for point in result.datapoints} == set(read.event_ids)
    # Said of it in HoneyHive's words, and kept beside what LangSmith knows.
    changed = hh.put(f"/v1/runs/{run_id}", json={"status": "failed", "results": {"verdict": "no"}}).json()
    assert (changed["evaluation"]["status"], changed["evaluation"]["results"]) == (
        "failed",
        {"verdict": "no"},
    )
    assert len(changed["evaluation"]["event_ids"]) == 3
    assert client.read_project(project_id=run_id).name == made.experiment_name


def test_experiments_of_both_are_compared(run: Evaluate, client: Client, honeyhive: HoneyHive) -> None:
    dataset_id, examples = dataset(client)

    def target(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"a": "8"}

    def exact(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> bool:
        return bool(outputs["a"] == reference_outputs["a"])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = client.evaluate(target, data=dataset_id, evaluators=[cast(Any, exact)])
    client.flush()
    theirs = str(client.read_project(project_name=made.experiment_name).id)
    mine = run(answer, dataset_id=dataset_id, name="mine")
    for point in mine.datapoints:
        client.create_feedback(point.session_id, "exact", score=point.datapoint_id != examples[2])
    client.flush()
    found = compare_runs(honeyhive, mine.run_id, theirs)
    delta = found.get_metric_delta("exact")
    assert delta is not None
    assert (set(delta["improved"]), delta["degraded"]) == (set(examples[:2]), [examples[2]])
    rows = list(client.get_experiment_results(project_id=uuid.UUID(mine.run_id))["examples_with_runs"])
    assert len(rows) == 3
