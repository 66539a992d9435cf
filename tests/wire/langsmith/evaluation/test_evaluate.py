"""`evaluate` and `aevaluate` of LangSmith's own client, and what their user sees of the experiment afterwards."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import langsmith
import pytest
from langsmith import Client
from langsmith.schemas import Dataset, Example

from tests.wire.langsmith.evaluation.questions import WRONG, Questions, answer, evaluator, exact
from tests.wire.langsmith.experiments.experimenting import ok


@evaluator
def concise(outputs: dict[str, Any]) -> dict[str, Any]:
    return {"key": "concise", "score": 0.5, "comment": "short enough"}


@evaluator
def share(outputs: list[dict[str, Any]], reference_outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """A summary evaluator."""
    right = sum(map(exact, outputs, reference_outputs))
    return {"key": "share", "score": right / len(outputs)}


def test_what_is_seen_of_an_experiment(asked: Questions, client: Client) -> None:
    results = langsmith.evaluate(
        answer,
        data=asked.name,
        evaluators=[exact, concise],
        summary_evaluators=[share],
        metadata={"model": "none"},
        experiment_prefix="first try",
        description="with nothing",
        num_repetitions=2,
        max_concurrency=4,
        client=client,
    )
    assert len(results) == 40
    assert results.experiment_name.startswith("first try-")
    session = asked.session(results.experiment_name)
    assert session["reference_dataset_id"] == str(asked.id)
    assert session["description"] == "with nothing"
    assert session["test_run_number"] == 1
    assert session["run_count"] == 40
    assert session["error_rate"] == 0
    assert session["end_time"] is None  # nothing in the client ever says that an experiment is over
    assert session["experiment_progress"] == {
        "expected_run_count": 40,
        "run_progress": 1.0,
        "evaluator_progress": {"exact": 1.0, "concise": 1.0},
    }
    assert session["feedback_stats"]["exact"]["n"] == 40
    assert session["feedback_stats"]["exact"]["avg"] == 0.8
    assert session["feedback_stats"]["concise"]["comments"][0] == "short enough"
    assert set(session["feedback_stats"]) == {"exact", "concise"}
    assert session["session_feedback_stats"]["share"]["avg"] == 0.8
    metadata = session["extra"]["metadata"]
    assert metadata["model"] == "none"
    assert metadata["num_repetitions"] == 2
    assert sorted(metadata["dataset_splits"]) == ["even", "odd"]
    (version,) = asked.versions()
    assert datetime.fromisoformat(metadata["dataset_version"]) == datetime.fromisoformat(version["as_of"])


def test_runs_know_their_example(asked: Questions, client: Client) -> None:
    results = client.evaluate(answer, data=asked.id, evaluators=[exact], metadata={"model": "none"})
    session = asked.session(results.experiment_name)
    examples = {str(example.id): example for example in client.list_examples(dataset_id=asked.id)}
    roots = asked.roots(session["id"])
    assert {run["reference_example_id"] for run in roots} == set(examples)
    for run in roots:
        example = examples[run["reference_example_id"]]
        metadata = run["extra"]["metadata"]
        assert run["inputs"] == example.inputs
        assert example.inputs is not None
        assert example.metadata is not None
        assert metadata["model"] == "none"
        assert metadata["ls_example_rest"] == example.metadata["rest"]
        assert metadata["ls_example_dataset_split"] == example.metadata["dataset_split"]
        assert "example_version" in metadata
        assert run["feedback_stats"]["exact"]["avg"] == float(example.inputs["q"] not in WRONG)


def test_the_table_of_results(asked: Questions, client: Client) -> None:
    results = client.evaluate(answer, data=asked.name, evaluators=[exact], num_repetitions=2)
    session = asked.session(results.experiment_name)
    rows = asked.rows(session["id"])
    assert len(rows) == 20
    for row in rows:
        assert len(row["runs"]) == 2
        for run in row["runs"]:
            assert run["session_id"] == session["id"]
            assert run["outputs"] == answer(row["inputs"])
            assert run["feedback_stats"]["exact"]["n"] == 1
    page = asked.rows(session["id"], limit=7, offset=14)
    assert [row["id"] for row in page] == [row["id"] for row in rows[14:]]
    found = client.get_experiment_results(name=results.experiment_name)
    assert found["run_stats"]["run_count"] == 40
    assert found["feedback_stats"]["exact"]["avg"] == 0.8
    seen = list(found["examples_with_runs"])
    assert [str(example.id) for example in seen] == [row["id"] for row in rows]
    assert all(len(example.runs) == 2 for example in seen)


def test_the_results_as_a_data_frame(asked: Questions, client: Client) -> None:
    pytest.importorskip("pandas")
    results = client.evaluate(answer, data=asked.name, evaluators=[exact])
    client.flush()
    frame = client.get_test_results(project_name=results.experiment_name)
    assert len(frame) == 20
    wrong = frame[frame["feedback.exact"] == 0]
    assert set(wrong["input.q"]) == WRONG
    assert set(wrong["outputs.a"]) == {-1}
    assert set(wrong["reference.a"]) == WRONG


def test_judges_have_a_project_of_their_own(asked: Questions, client: Client) -> None:
    results = client.evaluate(answer, data=asked.name, evaluators=[exact])
    session = asked.session(results.experiment_name)
    run = asked.roots(session["id"])[0]
    (given,) = asked.feedback(run=run["id"])
    assert given["session_id"] == session["id"]
    assert given["trace_id"] == run["id"]
    assert given["feedback_source"]["type"] == "model"
    judge = ok(asked.http.get(f"/runs/{given['feedback_source']['metadata']['__run']['run_id']}"))
    assert judge["name"] == "exact"
    assert judge["reference_example_id"] is None
    assert judge["extra"]["metadata"]["experiment"] == results.experiment_name
    assert judge["extra"]["metadata"]["reference_run_id"] == run["id"]
    project = ok(asked.http.get(f"/sessions/{judge['session_id']}"))
    assert project["name"] == "evaluators"
    assert project["reference_dataset_id"] is None


def test_experiments_are_counted(asked: Questions, client: Client) -> None:
    names = [client.evaluate(answer, data=asked.name).experiment_name for _ in range(3)]
    assert [asked.session(name)["test_run_number"] for name in names] == [1, 2, 3]
    dataset = client.read_dataset(dataset_id=asked.id)
    assert dataset.session_count == 3
    assert {project.name for project in client.list_projects(reference_dataset_id=asked.id)} == set(names)


def _newest(client: Client, dataset: Dataset, **options: Any) -> list[Example]:
    return list(client.list_examples(dataset_id=dataset.id, **options))


SOURCES: dict[str, tuple[Callable[[Client, Dataset], Any], int]] = {
    "name": (lambda client, dataset: dataset.name, 20),
    "id": (lambda client, dataset: dataset.id, 20),
    "id as text": (lambda client, dataset: str(dataset.id), 20),
    "dataset": (lambda client, dataset: dataset, 20),
    "iterator": (lambda client, dataset: client.list_examples(dataset_id=dataset.id, limit=5), 5),
    "list": (lambda client, dataset: _newest(client, dataset)[:3], 3),
    "splits": (lambda client, dataset: client.list_examples(dataset_id=dataset.id, splits=["odd"]), 10),
    "metadata": (
        lambda client, dataset: client.list_examples(dataset_id=dataset.id, metadata={"rest": 0}),
        7,
    ),
}


@pytest.mark.parametrize("source", SOURCES)
def test_where_examples_come_from(source: str, asked: Questions, client: Client) -> None:
    data, count = SOURCES[source]
    results = client.evaluate(answer, data=data(client, asked.dataset), evaluators=[exact])
    session = asked.session(results.experiment_name)
    assert session["run_count"] == session["feedback_stats"]["exact"]["n"] == count
    assert session["reference_dataset_id"] == str(asked.id)
    # How many examples an iterator holds nobody knows before its end.
    assert (session["experiment_progress"] is None) == (source in ("iterator", "splits", "metadata"))


def test_examples_as_they_were(asked: Questions, client: Client) -> None:
    (first,) = asked.versions()
    examples = _newest(client, asked.dataset)
    client.update_example(examples[0].id, inputs={"q": 1000}, dataset_id=asked.id)
    client.delete_example(examples[1].id)
    old = client.list_examples(dataset_id=asked.id, as_of=first["as_of"])
    session = asked.session(client.evaluate(answer, data=old, evaluators=[exact]).experiment_name)
    assert {run["inputs"]["q"] for run in asked.roots(session["id"])} == set(range(20))
    then = datetime.fromisoformat(session["extra"]["metadata"]["dataset_version"])
    assert then == datetime.fromisoformat(first["as_of"])
    new = asked.session(client.evaluate(answer, data=asked.name).experiment_name)
    assert new["run_count"] == 19
    assert datetime.fromisoformat(new["extra"]["metadata"]["dataset_version"]) > then


def test_no_examples_at_all(client: Client) -> None:
    dataset = client.create_dataset(f"empty {uuid.uuid4()}")
    with pytest.raises((ValueError, StopIteration)):
        client.evaluate(answer, data=dataset.name)
    assert client.read_dataset(dataset_id=dataset.id).session_count == 0


def test_an_experiment_goes_on(asked: Questions, client: Client) -> None:
    odd = client.list_examples(dataset_id=asked.id, splits=["odd"])
    results = client.evaluate(answer, data=odd, evaluators=[exact])
    even = client.list_examples(dataset_id=asked.id, splits=["even"])
    again = client.evaluate(answer, data=even, evaluators=[exact], experiment=results.experiment_name)
    assert again.experiment_name == results.experiment_name
    session = asked.session(results.experiment_name)
    assert session["run_count"] == 20
    assert session["test_run_number"] == 1
    by_id = client.evaluate(answer, data=asked.name, evaluators=[exact], experiment=uuid.UUID(session["id"]))
    assert asked.session(by_id.experiment_name)["run_count"] == 40


def test_not_waiting(asked: Questions, client: Client) -> None:
    results = client.evaluate(answer, data=asked.name, evaluators=[exact], blocking=False)
    assert sum(1 for _ in results) == 20
    results.wait()
    assert asked.session(results.experiment_name)["feedback_stats"]["exact"]["n"] == 20


def test_nothing_is_uploaded(asked: Questions, client: Client) -> None:
    count = client.read_dataset(dataset_id=asked.id).session_count
    results = client.evaluate(answer, data=asked.name, evaluators=[exact], upload_results=False)
    rows = list(results)
    assert len(rows) == 20
    assert rows[0]["evaluation_results"]["results"][0].key == "exact"
    client.flush()
    assert not ok(asked.http.get("/sessions", params={"name": results.experiment_name}))
    assert client.read_dataset(dataset_id=asked.id).session_count == count


@pytest.mark.parametrize(("handling", "runs"), [("log", 20), ("ignore", 16)])
def test_a_target_that_fails(handling: Any, runs: int, asked: Questions, client: Client) -> None:
    def stumbling(inputs: dict[str, Any]) -> dict[str, Any]:
        if inputs["q"] in WRONG:
            raise ValueError("too hard")
        return answer(inputs)

    @evaluator
    def answered(outputs: dict[str, Any] | None) -> bool:
        return bool(outputs)

    results = client.evaluate(stumbling, data=asked.name, evaluators=[answered], error_handling=handling)
    session = asked.session(results.experiment_name)
    bound = [run for run in asked.roots(session["id"]) if run["reference_example_id"]]
    assert len(bound) == runs
    failed = [run for run in bound if run["error"]]
    assert len(failed) == runs - 16
    for run in failed:
        assert run["status"] == "error"
        assert "too hard" in run["error"]
    assert session["feedback_stats"]["answered"]["n"] == 20
    assert len(asked.rows(session["id"])) == runs


def test_an_async_target(asked: Questions, client: Client) -> None:
    together = most = 0

    async def slow(inputs: dict[str, Any]) -> dict[str, Any]:
        nonlocal together, most
        together += 1
        most = max(most, together)
        await asyncio.sleep(0)
        together -= 1
        return answer(inputs)

    @evaluator
    async def judge(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> dict[str, Any]:
        return {"key": "judge", "score": exact(outputs, reference_outputs)}

    async def everything() -> tuple[str, int]:
        results = await langsmith.aevaluate(
            slow,
            data=asked.name,
            evaluators=[judge, exact],
            summary_evaluators=[share],
            max_concurrency=5,
            num_repetitions=2,
            client=client,
        )
        return results.experiment_name, len([row async for row in results])

    name, rows = asyncio.run(everything())
    assert rows == 40
    assert 1 <= most <= 5
    session = asked.session(name)
    assert session["run_count"] == 40
    assert session["feedback_stats"]["judge"]["avg"] == session["feedback_stats"]["exact"]["avg"] == 0.8
    assert session["session_feedback_stats"]["share"]["avg"] == 0.8
    assert session["experiment_progress"]["evaluator_progress"] == {"judge": 1.0, "exact": 1.0}


def test_names_that_are_taken(asked: Questions, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client puts a random word behind the prefix; when that is taken, another one."""
    fixed = [uuid.uuid4(), uuid.uuid4()]
    client.create_project(f"taken-{fixed[0].hex[:8]}")
    made = iter([fixed[0], fixed[1]])
    real = uuid.uuid4

    def next_id() -> uuid.UUID:
        return next(made, None) or real()

    with monkeypatch.context() as patched:
        patched.setattr("langsmith.evaluation._runner.uuid.uuid4", next_id)
        results = client.evaluate(answer, data=asked.name, experiment_prefix="taken")
    assert asked.session(results.experiment_name)["run_count"] == 20


def test_traces_below_the_target(asked: Questions, client: Client) -> None:
    @langsmith.traceable(run_type="llm")
    def model(question: int) -> dict[str, Any]:
        return {
            "a": question,
            "usage_metadata": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
        }

    def agent(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"a": model(inputs["q"])["a"]}

    began = time.time()
    results = client.evaluate(agent, data=asked.name, evaluators=[exact])
    session = asked.session(results.experiment_name)
    assert session["run_count"] == 20  # answers; the calls below them are not experiments' runs
    assert session["total_tokens"] == 300
    rows = asked.rows(session["id"])
    assert all(row["runs"][0]["total_tokens"] == 15 for row in rows)
    assert datetime.fromisoformat(session["last_run_start_time"] + "+00:00").timestamp() >= began - 1
