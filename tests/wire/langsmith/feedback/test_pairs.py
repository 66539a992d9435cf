"""Pairwise preferences: feedback that belongs to a group and to a comparison of experiments, on every way through."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.evaluation import evaluate, evaluate_comparative
from langsmith.schemas import Run

from tests.wire.langsmith.feedback.giving import give, key_name, listed, send_run, stats_of


@pytest.fixture
def pair(client: Client, project: str) -> tuple[Any, Any]:
    """Two runs to compare, each in a project of its own."""
    return send_run(client, project), send_run(client, f"{project}-b")


def marks(item: dict[str, Any]) -> tuple[Any, Any]:
    return item["feedback_group_id"], item["comparative_experiment_id"]


def test_a_pair_keeps_its_group_and_comparison(http: httpx.Client, pair: tuple[Any, Any]) -> None:
    """Given, read, listed, changed, and given again under its id."""
    group, comparison, key = str(uuid.uuid4()), str(uuid.uuid4()), key_name()
    given = [
        give(
            http,
            key=key,
            run_id=str(run.id),
            score=score,
            feedback_group_id=group,
            comparative_experiment_id=comparison,
        )
        for run, score in zip(pair, (1, 0), strict=True)
    ]
    assert [marks(item) for item in given] == [(group, comparison)] * 2
    for item in given:
        assert marks(http.get(f"/feedback/{item['id']}").json()) == (group, comparison)
        changed = http.patch(f"/feedback/{item['id']}", json={"comment": "because", "score": 0.5}).json()
        assert (marks(changed), changed["comment"]) == ((group, comparison), "because")
    found = listed(http, comparative_experiment_id=comparison)
    assert {item["id"] for item in found} == {item["id"] for item in given}
    assert [marks(item) for item in found] == [(group, comparison)] * 2
    assert [
        item["id"] for item in listed(http, comparative_experiment_id=comparison, run=str(pair[0].id))
    ] == [given[0]["id"]]
    assert listed(http, comparative_experiment_id=str(uuid.uuid4())) == []
    assert {item["session_id"] for item in found} == {str(run.session_id) for run in pair}
    other = str(uuid.uuid4())
    moved = give(
        http, id=given[0]["id"], key=key, run_id=str(pair[0].id), score=1, comparative_experiment_id=other
    )
    assert marks(moved) == (None, other)
    assert [item["id"] for item in listed(http, comparative_experiment_id=comparison)] == [given[1]["id"]]


def test_a_pair_travels_with_runs(http: httpx.Client, pair: tuple[Any, Any]) -> None:
    """As parts of /runs/multipart, where the Python client puts feedback that names its trace."""
    group, comparison, key = str(uuid.uuid4()), str(uuid.uuid4()), key_name()
    parts = []
    for run in pair:
        item = {
            "id": str(uuid.uuid4()), "run_id": str(run.id), "trace_id": str(run.id), "key": key, "score": 1,
            "feedback_group_id": group, "comparative_experiment_id": comparison,
        }  # fmt: skip
        parts.append((f"feedback.{item['id']}", (None, json.dumps(item).encode(), "application/json")))
    assert http.post("/runs/multipart", files=parts).status_code == 202
    found = listed(http, comparative_experiment_id=comparison)
    assert [marks(item) for item in found] == [(group, comparison)] * 2


def test_a_shared_run_shows_its_groups(http: httpx.Client, client: Client, pair: tuple[Any, Any]) -> None:
    group, comparison = str(uuid.uuid4()), str(uuid.uuid4())
    give(
        http,
        key=key_name(),
        run_id=str(pair[0].id),
        score=1,
        feedback_group_id=group,
        comparative_experiment_id=comparison,
    )
    token = client.share_run(pair[0].id).removesuffix("/r").rsplit("/", 1)[-1]
    (item,) = http.get(f"/public/{token}/feedbacks").json()
    assert marks(item) == (group, comparison)
    assert (item["session_id"], item["run_id"], item["is_root"]) == (None, str(pair[0].id), True)


def test_a_preference_is_feedback_on_its_run(http: httpx.Client, pair: tuple[Any, Any]) -> None:
    """It counts in the run's and the project's statistics as all that is said of the run does."""
    key = key_name()
    for comparison, score in ((str(uuid.uuid4()), 1), (str(uuid.uuid4()), 0), (None, 1)):
        give(http, key=key, run_id=str(pair[0].id), score=score, comparative_experiment_id=comparison)
    whole = http.get(f"/sessions/{pair[0].session_id}", params={"include_stats": "true"}).json()
    for stats in (stats_of(http, pair[0].id), whole["feedback_stats"]):
        assert (stats[key]["n"], stats[key]["avg"]) == (3, pytest.approx(2 / 3))


def test_two_experiments_are_compared(http: httpx.Client, client: Client) -> None:
    """evaluate_comparative, unmodified: a group a pair, and statistics of the comparison alone."""
    name, key = f"d-{uuid.uuid4().hex}", key_name()
    dataset = client.create_dataset(name)
    client.create_examples(dataset_id=dataset.id, examples=[{"inputs": {"x": n}} for n in range(3)])

    def experiment(answer: int) -> str:
        results = evaluate(
            lambda inputs: {"y": inputs["x"] * answer}, data=name, client=client, experiment_prefix="pair"
        )
        results.wait()
        return results.experiment_name

    def larger(runs: Sequence[Run], example: Any) -> dict[Any, Any]:
        answers = {run.id: (run.outputs or {})["y"] for run in runs}
        most = max(answers.values())
        return {"key": key, "scores": {run: float(answer == most) for run, answer in answers.items()}}

    names = (experiment(1), experiment(2))
    client.flush()
    evaluate_comparative(names, evaluators=[larger], client=client)
    client.flush()
    sessions = [client.read_project(project_name=each).id for each in names]
    (comparison,) = http.get(f"/datasets/{dataset.id}/comparative").json()
    found = listed(http, comparative_experiment_id=comparison["id"])
    assert len(found) == 6
    groups = {item["feedback_group_id"] for item in found}
    assert None not in groups
    assert len(groups) == 3
    assert {item["session_id"] for item in found} == {str(session) for session in sessions}
    assert comparison["feedback_stats"][key]["n"] == 6
    # x is 0, 1, 2: a tie, and two wins for the second
    for session, average in zip(sessions, (1 / 3, 1.0), strict=True):
        stats = http.get(f"/sessions/{session}", params={"include_stats": "true"}).json()["feedback_stats"]
        assert (stats[key]["n"], stats[key]["avg"]) == (3, pytest.approx(average))
