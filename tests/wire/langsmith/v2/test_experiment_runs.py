"""Results of experiments by the v2 API, read with the generated client."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith._client import Langsmith
from langsmith._exceptions import NotFoundError

NOBODYS = str(uuid.UUID(int=9))


def test_examples_come_in_pages_with_their_runs(client: Client, v2: Langsmith, http: httpx.Client) -> None:
    dataset = str(client.create_dataset(f"d {uuid.uuid4()}").id)
    client.create_examples(inputs=[{"q": n} for n in range(3)], dataset_id=dataset)
    examples = [each["id"] for each in http.get("/examples", params={"dataset": dataset}).json()]
    session = {"name": f"e {uuid.uuid4()}", "reference_dataset_id": dataset}
    experiment = http.post("/sessions", json=session).json()["id"]

    def answered(example: str, place: int) -> dict[str, Any]:
        run = str(uuid.uuid4())
        return {
            "id": run, "trace_id": run, "dotted_order": f"2024010{place}T000000000000Z{run}", "name": f"a{place}",
            "run_type": "chain", "session_id": experiment, "reference_example_id": example,
            "start_time": f"2024-01-0{place}T00:00:00Z", "end_time": f"2024-01-0{place}T00:00:01Z",
        }  # fmt: skip

    posted = [answered(each, place) for place, each in enumerate(examples, 1)]
    assert http.post("/runs/batch", json={"post": posted}).status_code == 202
    for place, run in enumerate(posted):
        given = {"run_id": run["id"], "key": "good", "score": place / 2}
        assert http.post("/feedback", json=given).status_code == 200

    asked = v2.datasets.experiment_runs.query(
        dataset, experiment_ids=[experiment], page_size=2, selects=["NAME", "STATUS", "FEEDBACK_STATS"]
    )
    found = list(asked)
    assert [each.id for each in found] == examples
    assert [(run.name, run.status) for each in found for run in each.runs or ()] == [
        ("a1", "SUCCESS"),
        ("a2", "SUCCESS"),
        ("a3", "SUCCESS"),
    ]
    first = (found[0].runs or [])[0]
    assert first.feedback_stats is not None
    assert first.feedback_stats["good"].avg == 0
    by_score = v2.datasets.experiment_runs.query(
        dataset, experiment_ids=[experiment], sort={"by": "good", "order": "DESC"}
    )
    assert [each.id for each in by_score] == examples[::-1]
    only = v2.datasets.experiment_runs.query(
        dataset, experiment_ids=[experiment], filters={experiment: ['eq(name, "a2")']}
    )
    assert [each.id for each in only] == [examples[1]]
    with pytest.raises(NotFoundError):
        v2.datasets.experiment_runs.query(dataset, experiment_ids=[NOBODYS])
    two = {"experiment_ids": [experiment, NOBODYS], "sort": {"by": "good"}}
    one = {"experiment_ids": [experiment]}
    wrong: list[dict[str, Any]] = [
        {},
        {"experiment_ids": []},
        two,
        {**one, "cursor": "x"},
        {**one, "page_size": 101},
    ]
    for body in wrong:
        answer = http.post(f"/api/v2/datasets/{dataset}/experiment-runs", json=body)
        assert (answer.status_code, answer.json()["status"]) == (422, 422), answer.text
