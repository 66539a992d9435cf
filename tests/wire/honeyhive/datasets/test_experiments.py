"""Experiments over datasets whose datapoints are in other datasets too: the example that is meant is the dataset's."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from honeyhive import HoneyHive, evaluate
from langsmith import Client

from tests.wire.honeyhive.conftest import PREFIX
from tests.wire.honeyhive.datasets.making import fresh, make_datapoint, make_dataset


def test_a_session_answers_the_example_of_the_experiments_dataset(
    honeyhive: HoneyHive, hh: httpx.Client, client: Client
) -> None:
    first, second = make_dataset(honeyhive), make_dataset(honeyhive)
    datapoint = make_datapoint(honeyhive, first, second, inputs={"q": 1})
    for home in (first, second):
        (example,) = client.list_examples(dataset_id=home)
        run = hh.post("/v1/runs", json={"name": fresh("run"), "dataset_id": home}).json()["run_id"]
        session = {"session_name": "s", "metadata": {"run_id": run, "datapoint_id": datapoint}}
        assert hh.post("/session/start", json={"session": session}).status_code == 200
        (root,) = client.list_runs(project_id=run, is_root=True)
        assert root.reference_example_id == example.id
        rows = client.get_experiment_results(project_id=uuid.UUID(run))["examples_with_runs"]
        assert [(each.id, len(each.runs)) for each in rows] == [(example.id, 1)]


def test_the_clients_own_evaluate_over_a_second_dataset(
    honeyhive: HoneyHive, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_dataset(honeyhive)
    datapoints = [make_datapoint(honeyhive, first, inputs={"q": n}, ground_truth={"a": n}) for n in range(2)]
    second = make_dataset(honeyhive, datapoints=datapoints)
    asked: list[Any] = []

    def answer(datapoint: dict[str, Any]) -> dict[str, Any]:
        asked.append(datapoint["inputs"]["q"])
        return {"a": datapoint["inputs"]["q"]}

    url = str(honeyhive._api_config.base_path)
    assert url.endswith(PREFIX)
    monkeypatch.setenv("HH_API_URL", url)
    name = fresh("run")
    result = evaluate(
        function=answer, dataset_id=second, name=name, api_key="any", server_url=url, max_workers=1
    )
    assert sorted(asked) == [0, 1]
    examples = {example.id for example in client.list_examples(dataset_id=second)}
    roots = list(client.list_runs(project_id=result.run_id, is_root=True))
    assert {root.reference_example_id for root in roots} == examples
    assert examples.isdisjoint(uuid.UUID(each) for each in datapoints)
