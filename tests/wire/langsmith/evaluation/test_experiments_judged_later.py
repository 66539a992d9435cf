"""`evaluate_existing` and `evaluate_comparative`: judging what experiments recorded."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from langsmith import Client, aevaluate_existing, traceable
from langsmith.evaluation import evaluate_comparative, evaluate_existing
from langsmith.schemas import Example, Run

from tests.wire.langsmith.evaluation.questions import Questions, answer, evaluator, exact
from tests.wire.langsmith.experiments.experimenting import ok


def better(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"a": inputs["q"]}


@evaluator
def right(run: Run, example: Example) -> dict[str, Any]:
    assert example.outputs is not None
    return {"key": "right", "score": run.outputs == example.outputs}


@pytest.mark.parametrize("by", ["name", "id", "text", "project"])
def test_judged_afterwards(by: str, asked: Questions, client: Client) -> None:
    name = client.evaluate(answer, data=asked.name, evaluators=[exact]).experiment_name
    before = asked.session(name)
    project = client.read_project(project_name=name)
    experiment: Any = {"name": name, "id": project.id, "text": str(project.id), "project": project}[by]
    results = evaluate_existing(experiment, evaluators=[right], summary_evaluators=[_count], client=client)
    assert len(list(results)) == 20
    session = asked.session(name)
    assert session["run_count"] == 20
    assert session["feedback_stats"]["right"]["avg"] == session["feedback_stats"]["exact"]["avg"] == 0.8
    assert session["session_feedback_stats"]["count"]["avg"] == 20
    assert session["extra"] == before["extra"]


@evaluator
def _count(runs: list[Run], examples: list[Example]) -> dict[str, Any]:
    return {"key": "count", "score": len(runs)}


def test_judged_against_the_examples_of_then(asked: Questions, client: Client) -> None:
    name = client.evaluate(answer, data=asked.name).experiment_name
    client.flush()
    for example in list(client.list_examples(dataset_id=asked.id, limit=5)):
        client.update_example(example.id, outputs={"a": "changed"}, dataset_id=asked.id)
    gone = next(iter(client.list_examples(dataset_id=asked.id, splits=["odd"])))
    client.delete_example(gone.id)
    client.evaluate(name, evaluators=[right])
    stats = asked.session(name)["feedback_stats"]["right"]
    assert (stats["n"], stats["avg"]) == (20, 0.8)


def test_judged_with_the_runs_below(asked: Questions, client: Client) -> None:
    @traceable
    def step(question: int) -> int:
        return question

    @traceable
    def agent(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"a": step(inputs["q"])}

    @evaluator
    def steps(run: Run, example: Example) -> dict[str, Any]:
        return {"key": "steps", "score": len(run.child_runs or ())}

    name = client.evaluate(agent, data=asked.name).experiment_name
    client.flush()
    evaluate_existing(name, evaluators=[steps], load_nested=True, client=client)
    stats = asked.session(name)["feedback_stats"]["steps"]
    assert (stats["n"], stats["avg"]) == (20, 1.0)


def test_judged_afterwards_by_async_evaluators(asked: Questions, client: Client) -> None:
    name = client.evaluate(answer, data=asked.name).experiment_name
    client.flush()

    @evaluator
    async def slowly_right(run: Run, example: Example) -> dict[str, Any]:
        judged: dict[str, Any] = right(run, example)
        return judged

    async def judge() -> None:
        results = await aevaluate_existing(name, evaluators=[slowly_right], max_concurrency=4, client=client)
        assert len([row async for row in results]) == 20

    asyncio.run(judge())
    assert asked.session(name)["feedback_stats"]["right"]["avg"] == 0.8


# -- one against the other -------------------------------------------------------------------------------


@evaluator
def preferred(runs: list[Run], example: Example) -> dict[str, Any]:
    assert all(run.reference_example_id == example.id for run in runs)
    assert example.outputs is not None
    return {
        "key": "preferred",
        "scores": {run.id: int(run.outputs == example.outputs) for run in runs},
        "comment": "by the reference",
    }


@evaluator
def first_one(outputs: list[dict[str, Any]], reference_outputs: dict[str, Any]) -> list[float]:
    return [1, 0]


@pytest.mark.parametrize(("shuffled", "concurrency"), [(False, 0), (True, 4)])
def test_compared(
    shuffled: bool, concurrency: int, asked: Questions, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [client.evaluate(target, data=asked.name).experiment_name for target in (answer, better)]
    client.flush()
    with monkeypatch.context() as patched:
        patched.setattr(random, "shuffle", random.Random(7).shuffle)
        results = evaluate_comparative(
            (names[0], names[1]),
            evaluators=[preferred, first_one],
            experiment_prefix="which",
            description="one of them",
            metadata={"why": "curious"},
            randomize_order=shuffled,
            max_concurrency=concurrency,
            client=client,
        )
    assert len(list(results)) == 20
    first, second = (asked.session(name) for name in names)
    comparison = results.comparative_experiment
    assert comparison is not None
    (listed,) = ok(asked.http.get(f"/datasets/{asked.id}/comparative"))
    assert listed["id"] == str(comparison.id)
    assert listed["name"].startswith("which-")
    assert listed["description"] == "one of them"
    assert listed["extra"]["metadata"] == {"why": "curious"}
    assert {each["id"] for each in listed["experiments_info"]} == {first["id"], second["id"]}
    assert listed["feedback_stats"]["preferred"]["n"] == 40

    given = asked.feedback(comparative_experiment_id=str(comparison.id), key="preferred")
    assert len(given) == 40
    assert {each["comment"] for each in given} == {"by the reference"}
    by_group: dict[str, list[str]] = {}
    for each in given:
        by_group.setdefault(each["feedback_group_id"], []).append(each["session_id"])
        assert each["feedback_source"]["metadata"]["__run"]["run_id"]
    assert len(by_group) == 20
    assert all(set(pair) == {first["id"], second["id"]} for pair in by_group.values())
    wins = {
        session["id"]: sum(each["score"] for each in given if each["session_id"] == session["id"])
        for session in (first, second)
    }
    assert wins == {first["id"]: 16, second["id"]: 20}
    places = asked.feedback(comparative_experiment_id=str(comparison.id), key="first_one")
    won = {each["session_id"] for each in places if each["score"] == 1}
    assert len(won) == (2 if shuffled else 1)

    rows = asked.rows(first["id"], second["id"], comparative_experiment_id=str(comparison.id))
    assert len(rows) == 20
    for row in rows:
        assert {run["session_id"] for run in row["runs"]} == {first["id"], second["id"]}
        assert all(run["feedback_stats"]["preferred"]["n"] == 1 for run in row["runs"])
    found = client.get_experiment_results(name=names[0], comparative_experiment_id=comparison.id)
    assert len(list(found["examples_with_runs"])) == 20


def test_compared_where_both_have_answered(asked: Questions, client: Client) -> None:
    odd = client.list_examples(dataset_id=asked.id, splits=["odd"])
    one = client.evaluate(answer, data=odd).experiment_name
    other = client.evaluate(better, data=asked.name).experiment_name
    client.flush()
    results = client.evaluate((one, other), evaluators=[preferred])
    assert len(list(results)) == 10


def test_experiments_over_different_datasets_are_not_compared(asked: Questions, client: Client) -> None:
    """Whatever the client checks, the server refuses it too."""
    foreign = client.create_dataset(f"foreign {asked.id}")
    client.create_examples(dataset_id=foreign.id, examples=[{"inputs": {"q": 1}, "outputs": {"a": 1}}])
    names = [client.evaluate(answer, data=name).experiment_name for name in (asked.name, foreign.name)]
    ids = [asked.session(name)["id"] for name in names]
    refused = asked.http.post("/datasets/comparative", json={"experiment_ids": ids, "name": "no"})
    assert 400 <= refused.status_code < 500
    assert not ok(asked.http.get(f"/datasets/{asked.id}/comparative"))
