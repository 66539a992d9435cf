"""HoneyHive's own TypeScript client keeps runs and evaluates."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from langsmith import Client

from tests.conftest import Server
from tests.javascript import report_of
from tests.wire.honeyhive.conftest import PREFIX
from tests.wire.honeyhive.experiments.experimenting import begin, event, get, session

SCRIPT = Path(__file__).with_name("typescript.cjs")


@pytest.fixture(scope="module")
def dataset(server: Server) -> tuple[str, list[str]]:
    """A dataset of LangSmith's, and its examples."""
    client = Client(api_url=server.url, api_key="any")
    made = client.create_dataset(f"typescript {uuid.uuid4().hex[:8]}")
    examples = client.create_examples(
        dataset_id=made.id, examples=[{"inputs": {"q": q}, "reference_outputs": {"a": 2 * q}} for q in (1, 2)]
    )
    client.close()
    return str(made.id), [str(each) for each in examples["example_ids"]]


@pytest.fixture(scope="module")
def project() -> str:
    return f"typescript-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def report(server: Server, dataset: tuple[str, list[str]], project: str) -> dict[str, Any]:
    return report_of(SCRIPT, server.url + PREFIX, project, dataset[0])


def test_runs_are_kept(report: dict[str, Any], project: str) -> None:
    found = report["runs"]
    name = f"by hand {project}"
    run_id = found["made"]["runId"]
    assert found["made"]["evaluation"]["status"] == "pending"
    assert found["changed"]["evaluation"]["status"] == "completed"
    read = found["read"]["evaluation"]
    assert (read["runId"], read["name"], read["status"]) == (run_id, name, "completed")
    assert (read["configuration"], read["metadata"]) == ({"model": "m"}, {"note": "n", "more": 1})
    assert name in found["listed"]
    assert found["deleted"] == {"id": run_id, "deleted": True}


def test_a_list_is_evaluated(report: dict[str, Any], hh: httpx.Client) -> None:
    assert report["redirected"] == ["datapoints", "datasets", "runs"]
    first, result = report["first"], report["result"]
    assert len(first["sessionIds"]) == 3
    assert first["datasetId"].startswith("EXT-")
    rows = {row["metricName"]: row for row in result["metrics"]["details"]}
    assert (rows["correct"]["aggregate"], sorted(rows["correct"]["values"])) == (2, [0, 1, 1])
    assert (rows["even"]["aggregate"], rows["even"]["eventType"]) == (3, "session")
    assert {point["sessionId"] for point in result["datapoints"]} == set(first["sessionIds"])
    assert len(result["passed"]) == 3
    read = get(hh, f"/runs/{first['runId']}")["evaluation"]
    assert (read["name"], read["status"]) == ("first", "completed")
    assert read["metadata"]["offline_dataset_id"] == first["datasetId"]
    assert "dataset_id" not in read


def test_runs_are_compared(report: dict[str, Any]) -> None:
    found = report["comparison"]
    rows = {row["metricName"]: row for row in found["metrics"]}
    assert (rows["correct"]["improvedCount"], rows["correct"]["degradedCount"]) == (1, 2)
    assert (rows["correct"]["foundCount"], rows["correct"]["sameCount"]) == (3, 0)
    assert rows["correct"]["oldAggregate"] == pytest.approx(2 / 3)
    assert len(found["commonDatapoints"]) == 3
    assert (found["newRun"]["name"], found["oldRun"]["name"]) == ("second", "first")


def test_a_managed_dataset_is_an_experiment_of_langsmith(
    report: dict[str, Any], dataset: tuple[str, list[str]], client: Client
) -> None:
    dataset_id, examples = dataset
    run_id = report["managed"]["runId"]
    assert set(report["managedResult"]["passed"]) == set(examples)
    project = client.read_project(project_id=run_id)
    assert str(project.reference_dataset_id) == dataset_id
    roots = list(client.list_runs(project_id=run_id, is_root=True))
    assert {str(each.reference_example_id) for each in roots} == set(examples)
    assert {str(each.id) for each in roots} == set(report["managed"]["sessionIds"])
    below = list(client.list_runs(project_id=run_id, is_root=False))
    assert {each.name for each in below} >= {"Evaluators", "correct", "even"}


def test_what_the_client_would_stumble_over_is_left_out(hh: httpx.Client) -> None:
    made = begin(hh, status="failed", evaluators=["one"], dataset_id="elsewhere")
    found = get(hh, f"/runs/{made['run_id']}")["evaluation"]
    assert "status" not in found
    assert "evaluators" not in found
    assert None not in found.values()
    assert (found["_id"], found["id"], found["dataset_id"]) == (made["id"], made["id"], "elsewhere")
    nameless = session(hh, made["run_id"])
    event(hh, nameless, metrics={"x": 1})
    (point,) = get(hh, f"/runs/{made['run_id']}/result", project_id="any")["datapoints"]
    assert "datapoint_id" not in point
    assert point["session_id"] == nameless
