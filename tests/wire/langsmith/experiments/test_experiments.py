"""LangSmith's own ways to evaluate, unmodified, from the dataset to the results."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.evaluation import aevaluate, evaluate, evaluate_comparative, evaluate_existing
from langsmith.schemas import Dataset, Example, Run

from tests.wire.langsmith.experiments.experimenting import bench, ok, session_of


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The client logs each failure of an evaluator."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def dataset(client: Client) -> Dataset:
    """Twenty questions, of which the targets below know most."""
    made = client.create_dataset(f"evaluated-{uuid.uuid4().hex[:12]}")
    client.create_examples(
        dataset_id=made.id,
        examples=[
            {
                "inputs": {"q": number},
                "outputs": {"a": 2 * number},
                "metadata": {"parity": "even" if number % 2 == 0 else "odd"},
            }
            for number in range(20)
        ],
    )
    return made


def test_runs_of_an_experiment_name_its_dataset(http: httpx.Client, project: str) -> None:
    """Their descendants too; and no other runs."""
    on = bench(http, 2)
    experiment = on.experiment()
    found = ok(http.post("/runs/query", json={"session": [experiment]}))["runs"]
    assert len(found) == 4
    assert {run["reference_dataset_id"] for run in found} == {on.dataset}
    assert ok(http.get(f"/runs/{on.run(experiment, 0)}"))["reference_dataset_id"] == on.dataset
    other = ok(http.post("/sessions", json={"name": project}))["id"]
    run = {"id": str(uuid.uuid4()), "name": "r", "run_type": "chain", "session_id": other, "inputs": {}}
    ok(http.post("/runs", json={**run, "start_time": "2026-01-01T00:00:00Z"}), 202)
    asked = {"session": [experiment, other], "is_root": True, "select": ["reference_dataset_id"]}
    both = ok(http.post("/runs/query", json=asked))["runs"]
    assert {run["id"]: run["reference_dataset_id"] for run in both} == {
        on.run(experiment, 0): on.dataset, on.run(experiment, 1): on.dataset, run["id"]: None
    }  # fmt: skip
    assert ok(http.get(f"/runs/{run['id']}"))["reference_dataset_id"] is None


def knows_all_but(divisor: int) -> Any:
    def target(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"a": 2 * inputs["q"] if inputs["q"] % divisor else None}

    return target


def correct(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> bool:
    return bool(outputs["a"] == reference_outputs["a"])


def broken(outputs: dict[str, Any]) -> bool:
    raise ValueError("out of order")


def share(runs: list[Run], examples: list[Example]) -> dict[str, Any]:
    return {
        "key": "share",
        "score": sum(run.outputs["a"] is not None for run in runs if run.outputs) / len(runs),
    }


EVALUATORS: list[Any] = [correct, broken]
SUMMARIES: list[Any] = [share]
"""The client's annotations know fewer signatures than it calls."""


def test_evaluate_and_read_the_results(client: Client, http: httpx.Client, dataset: Dataset) -> None:
    done = evaluate(
        knows_all_but(5),
        data=dataset.name,
        evaluators=EVALUATORS,
        summary_evaluators=SUMMARIES,
        client=client,
        experiment_prefix="first",
        metadata={"model": "m"},
        max_concurrency=4,
    )
    assert len(list(done)) == 20
    client.flush()
    project = client.read_project(project_name=done.experiment_name, include_stats=True)
    assert project.reference_dataset_id == dataset.id
    assert project.metadata["model"] == "m"
    assert client.read_dataset(dataset_id=dataset.id).modified_at is not None
    found = session_of(http, str(project.id))
    assert found["experiment_progress"] == {
        "expected_run_count": 20, "run_progress": 1.0, "evaluator_progress": {"correct": 1.0, "broken": 1.0}
    }  # fmt: skip
    assert (found["run_count"], found["test_run_number"], found["error_rate"]) == (20, 1, 0.0)
    assert found["feedback_stats"]["correct"]["avg"] == 0.8
    assert found["session_feedback_stats"]["share"]["avg"] == 0.8
    assert (found["feedback_stats"]["broken"]["n"], found["feedback_stats"]["broken"]["errors"]) == (0, 20)

    results = client.get_experiment_results(project_id=project.id)
    assert results["run_stats"]["run_count"] == 20
    assert set(results["feedback_stats"]) == {"correct", "broken", "share"}
    rows = list(results["examples_with_runs"])
    assert [row.inputs["q"] for row in rows] == list(range(20))
    for row in rows:
        (run,) = row.runs
        assert run.reference_example_id == row.id
        assert run.feedback_stats is not None
        assert run.feedback_stats["correct"]["avg"] == float(row.inputs["q"] % 5 != 0)
        assert run.feedback_stats["broken"]["comments"] == ["ValueError('out of order')"]
        assert run.metadata["ls_example_parity"] == ("odd" if row.inputs["q"] % 2 else "even")
    wrong = 'and(eq(feedback_key, "correct"), eq(feedback_score, 0))'
    few = client.get_experiment_results(name=done.experiment_name, filters={project.id: [wrong]})
    assert [row.inputs["q"] for row in few["examples_with_runs"]] == [0, 5, 10, 15]
    some = client.get_experiment_results(name=done.experiment_name, limit=3, preview=True)
    assert [row.inputs["q"] for row in some["examples_with_runs"]] == [0, 1, 2]


def test_evaluate_later_and_again_with_repetitions(
    client: Client, http: httpx.Client, dataset: Dataset
) -> None:
    async def answer(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"a": inputs["q"]}

    async def twice() -> Any:
        return await aevaluate(
            answer,
            data=client.list_examples(dataset_id=dataset.id, limit=3),
            client=client,
            num_repetitions=2,
        )

    done = asyncio.run(twice())
    client.flush()
    rows = list(client.get_experiment_results(name=done.experiment_name)["examples_with_runs"])
    assert [len(row.runs) for row in rows] == [2, 2, 2]
    evaluate_existing(done.experiment_name, evaluators=EVALUATORS[:1], client=client)
    client.flush()
    project = client.read_project(project_name=done.experiment_name, include_stats=True)
    assert project.feedback_stats is not None
    assert project.feedback_stats["correct"]["n"] == 6


def test_compare_two_experiments(client: Client, http: httpx.Client, dataset: Dataset) -> None:
    first, second = (
        evaluate(knows_all_but(n), data=dataset.name, evaluators=EVALUATORS[:1], client=client)
        for n in (5, 3)
    )

    def prefer(runs: Sequence[Run], example: Example | None) -> dict[str, Any]:
        return {"key": "preferred", "scores": {runs[0].id: 1, runs[1].id: 0}}

    client.flush()  # what is not sent yet would not be compared
    evaluate_comparative(
        (first.experiment_name, second.experiment_name), evaluators=[prefer], client=client, description="why"
    )
    client.flush()
    (found,) = ok(http.get(f"/datasets/{dataset.id}/comparative"))
    assert {each["name"] for each in found["experiments_info"]} == {
        first.experiment_name,
        second.experiment_name,
    }
    assert found["description"] == "why"
    assert (found["feedback_stats"]["preferred"]["n"], found["feedback_stats"]["preferred"]["avg"]) == (
        40,
        0.5,
    )
    results = client.get_experiment_results(name=first.experiment_name, comparative_experiment_id=found["id"])
    stats = [run.feedback_stats or {} for row in results["examples_with_runs"] for run in row.runs]
    assert [each["preferred"]["avg"] for each in stats] == [1.0] * 20
    assert all("correct" not in each for each in stats)


def test_a_name_that_is_taken(client: Client, http: httpx.Client, dataset: Dataset) -> None:
    """The client draws another suffix and tries again, so the first answer has to be a conflict."""
    taken = f"name-{uuid.uuid4()}"
    body = {"name": taken, "reference_dataset_id": str(dataset.id)}
    ok(http.post("/sessions", json=body))
    assert http.post("/sessions", json=body).status_code == 409
    experiment = client.create_project(f"{taken}-2", reference_dataset_id=dataset.id, metadata={"a": 1})
    client.update_project(experiment.id, metadata={"b": 1})
    found = session_of(http, str(experiment.id))
    assert (found["name"], found["extra"], found["test_run_number"]) == (
        f"{taken}-2",
        {"metadata": {"b": 1}},
        2,
    )
    client.update_project(experiment.id, description="said")
    found = session_of(http, str(experiment.id))
    assert (found["description"], found["extra"]) == ("said", {"metadata": {"b": 1}})


def test_numbers_are_given_once_each(http: httpx.Client) -> None:
    on = bench(http, 0)

    def create(number: int) -> str:
        body = {"name": f"{on.dataset} {number}", "reference_dataset_id": on.dataset}
        answer: str = ok(http.post("/sessions", json=body))["id"]
        return answer

    with ThreadPoolExecutor(8) as many:
        made = list(many.map(create, range(24)))
    numbers = [session_of(http, each)["test_run_number"] for each in made]
    assert sorted(numbers) == list(range(1, 25))


def test_lists_of_experiments(http: httpx.Client) -> None:
    on, other = bench(http, 1), bench(http, 1)
    one = on.experiment(extra={"metadata": {"dataset_version": "v1", "model": "a"}})
    two = on.experiment(extra={"metadata": {"dataset_version": "v2", "model": "a"}}, seconds=9)
    other.experiment()
    on.judge(one, "correct", {0: 1})
    on.judge(two, "correct", {0: 0})

    def listed(**params: Any) -> list[str]:
        page = ok(http.get("/sessions", params={"reference_dataset": on.dataset, **params}))
        return [each["id"] for each in page]

    assert set(listed()) == {one, two}
    assert listed(sort_by="feedback", sort_by_feedback_key="correct") == [one, two]
    assert listed(sort_by="latency_p50") == [two, one]
    assert listed(dataset_version="v2") == [two]
    assert listed(dataset_version="v2", metadata='{"model": "a"}') == [two]
    assert listed(dataset_version="v3") == []
    assert listed(reference_free="True") == []
    assert set(listed(reference_dataset=[on.dataset, str(uuid.uuid4())])) == {one, two}
    assert ok(http.get(f"/datasets/{on.dataset}"))["session_count"] == 2
