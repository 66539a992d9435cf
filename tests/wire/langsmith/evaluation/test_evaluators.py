"""What evaluators may return, and what becomes of those that fail."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from langsmith import Client
from langsmith.evaluation import EvaluationResult, EvaluationResults, RunEvaluator, run_evaluator
from langsmith.schemas import Example, FeedbackConfig, Run

from tests.wire.langsmith.evaluation.questions import Questions, answer, evaluator, exact


@evaluator
def as_bool(outputs: dict[str, Any]) -> bool:
    return True


@evaluator
def as_number(outputs: dict[str, Any]) -> float:
    return 0.123456


@evaluator
def as_text(outputs: dict[str, Any]) -> str:
    return "good"


@evaluator
def as_dict(run: Run, example: Example) -> dict[str, Any]:
    return {"key": "dict", "score": 0.5, "comment": "half", "value": "medium"}


@evaluator
def as_list(run: Run, example: Example) -> list[dict[str, Any]]:
    return [{"key": "list_number", "score": 3}, {"key": "list_text", "value": "fine"}]


@evaluator
def as_result(run: Run, example: Example) -> EvaluationResult:
    config: FeedbackConfig = {"type": "continuous", "min": 0, "max": 10, "categories": None}
    return EvaluationResult(
        key="result",
        score=7,
        correction={"a": 1},
        evaluator_info={"judge": "me"},
        feedback_config=config,
        extra={"more": True},
    )


@evaluator
def as_results(run: Run, example: Example) -> EvaluationResults:
    return {
        "results": [EvaluationResult(key="results_1", score=1), EvaluationResult(key="results_2", score=0)]
    }


@run_evaluator
def decorated(run: Run, example: Example | None) -> dict[str, Any]:
    return {"key": "decorated", "score": run.outputs is not None}


class Judge(RunEvaluator):
    def evaluate_run(
        self, run: Run, example: Example | None = None, evaluator_run_id: uuid.UUID | None = None
    ) -> EvaluationResult:
        assert example is not None
        return EvaluationResult(key="class", score=float(run.inputs == {"inputs": example.inputs} or 1))


def test_everything_an_evaluator_may_return(asked: Questions, client: Client) -> None:
    judges: list[Any] = [
        as_bool,
        as_number,
        as_text,
        as_dict,
        as_list,
        as_result,
        as_results,
        decorated,
        Judge(),
    ]
    examples = client.list_examples(dataset_id=asked.id, limit=4)
    results = client.evaluate(answer, data=examples, evaluators=judges)
    session = asked.session(results.experiment_name)
    stats = session["feedback_stats"]
    assert {key: (stat["n"], stat["avg"], stat["values"]) for key, stat in stats.items()} == {
        "as_bool": (4, 1.0, {}),
        "as_number": (4, pytest.approx(0.1235), {}),
        "as_text": (0, None, {"good": 4}),
        "dict": (4, 0.5, {"medium": 4}),
        "list_number": (4, 3.0, {}),
        "list_text": (0, None, {"fine": 4}),
        "result": (4, 7.0, {}),
        "results_1": (4, 1.0, {}),
        "results_2": (4, 0.0, {}),
        "decorated": (4, 1.0, {}),
        "class": (4, 1.0, {}),
    }
    given = asked.feedback(session=session["id"], key="result")[0]
    assert given["correction"] == {"a": 1}
    assert given["extra"]["more"] is True
    assert given["feedback_source"]["metadata"]["judge"] == "me"
    (config,) = client.list_feedback_configs(feedback_key=["result"])
    assert config.feedback_config["max"] == 10


@evaluator
def failing(run: Run, example: Example) -> dict[str, Any]:
    if run.id:
        raise ValueError("the judge is ill")
    return {"key": "mood", "score": 1}


def test_an_evaluator_that_fails(asked: Questions, client: Client) -> None:
    results = client.evaluate(answer, data=asked.name, evaluators=[failing, exact])
    session = asked.session(results.experiment_name)
    stats = session["feedback_stats"]
    assert stats["exact"]["n"] == 20
    assert (stats["mood"]["n"], stats["mood"]["errors"]) == (0, 20)
    assert session["experiment_progress"]["evaluator_progress"]["mood"] == 1.0  # it has had its say
    assert session["error_rate"] == 0  # the runs themselves are in order
    for given in asked.feedback(session=session["id"], key="mood"):
        assert given["score"] is None
        assert given["comment"] == "ValueError('the judge is ill')"
        assert given["extra"] == {"error": True}
        judge = client.read_run(given["feedback_source"]["metadata"]["__run"]["run_id"])
        assert judge.error is not None
        assert "the judge is ill" in judge.error
    rows = asked.rows(session["id"])
    assert all(row["runs"][0]["feedback_stats"]["mood"]["errors"] == 1 for row in rows)
    ran = list(client.list_runs(project_id=session["id"], is_root=True, filter='eq(feedback_key, "mood")'))
    assert len(ran) == 20


def test_an_async_evaluator_that_fails(asked: Questions, client: Client) -> None:
    async def target(inputs: dict[str, Any]) -> dict[str, Any]:
        return answer(inputs)

    @evaluator
    async def gloomy(run: Run, example: Example) -> dict[str, Any]:
        raise ValueError("the judge is ill")

    async def everything() -> str:
        results = await client.aevaluate(
            target, data=asked.name, evaluators=[gloomy, exact], max_concurrency=4
        )
        return results.experiment_name

    stats = asked.session(asyncio.run(everything()))["feedback_stats"]
    assert stats["exact"]["n"] == 20
    assert (stats["gloomy"]["n"], stats["gloomy"]["errors"]) == (0, 20)


def test_summary_evaluators(asked: Questions, client: Client) -> None:
    @evaluator
    def by_runs(runs: list[Run], examples: list[Example]) -> dict[str, Any]:
        assert {run.reference_example_id for run in runs} == {example.id for example in examples}
        return {"key": "by_runs", "score": len(runs)}

    @evaluator
    def several(outputs: list[Any], reference_outputs: list[Any]) -> dict[str, Any]:
        return {"results": [{"key": "one", "score": 1}, {"key": "two", "value": "second"}]}

    @evaluator
    def plain(outputs: list[Any]) -> float:
        return 0.25

    @evaluator
    def ill(runs: list[Run], examples: list[Example]) -> dict[str, Any]:
        raise ValueError("no verdict")

    results = client.evaluate(
        answer, data=asked.name, evaluators=[exact], summary_evaluators=[by_runs, several, plain, ill]
    )
    session = asked.session(results.experiment_name)
    stats = session["session_feedback_stats"]
    assert {key: (stat["avg"], stat["values"]) for key, stat in stats.items()} == {
        "by_runs": (20.0, {}),
        "one": (1.0, {}),
        "two": (None, {"second": 1}),
        "plain": (0.25, {}),
    }
    (given,) = asked.feedback(session=session["id"], level="session", key="plain")
    assert given["run_id"] is None
    assert given["session_id"] == session["id"]
    assert set(session["feedback_stats"]) == {"exact"}
    found = client.get_experiment_results(name=results.experiment_name)
    assert found["feedback_stats"]["plain"]["avg"] == 0.25


def test_evaluators_without_traces(asked: Questions, client: Client) -> None:
    results = client.evaluate(answer, data=asked.name, evaluators=[exact], disable_evaluator_tracing=True)
    session = asked.session(results.experiment_name)
    assert session["feedback_stats"]["exact"]["n"] == 20
    given = asked.feedback(session=session["id"], key="exact")[0]
    assert "__run" not in (given["feedback_source"]["metadata"] or {})


def test_judging_one_run(asked: Questions, client: Client) -> None:
    """`evaluate_run` and `aevaluate_run`: of a run that is there already."""
    session = asked.session(client.evaluate(answer, data=asked.name).experiment_name)
    run = asked.roots(session["id"])[0]
    found = client.evaluate_run(run["id"], run_evaluator(as_dict))
    later = asyncio.run(client.aevaluate_run(run["id"], run_evaluator(as_result)))
    assert (found.key, later.key) == ("dict", "result")
    client.flush()
    assert {given["key"] for given in asked.feedback(run=run["id"])} == {"dict", "result"}
