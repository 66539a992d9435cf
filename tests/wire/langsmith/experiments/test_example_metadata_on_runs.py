"""Runs carry their example's metadata, whichever of run, reference and example comes last."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.wire.langsmith.experiments.experimenting import Bench, bench, ok

STAMP = "20260101T000000000000Z"


def metadata_of(http: httpx.Client, run: str) -> dict[str, Any]:
    found: dict[str, Any] = ok(http.get(f"/runs/{run}"))["extra"].get("metadata", {})
    return found


def post(on: Bench, experiment: str, **fields: Any) -> str:
    run = str(uuid.uuid4())
    body = {
        "id": run,
        "trace_id": run,
        "dotted_order": STAMP + run,
        "name": "target",
        "run_type": "chain",
        "session_id": experiment,
        "start_time": "2026-01-01T00:00:00Z",
        "inputs": {},
        **fields,
    }
    ok(on.http.post("/runs", json=body), 202)
    return run


def example(on: Bench, example_id: str, **metadata: Any) -> None:
    body = {"id": example_id, "dataset_id": on.dataset, "inputs": {}, "metadata": metadata}
    ok(on.http.post("/examples", json=body))


def test_the_example_is_there_first(http: httpx.Client) -> None:
    on = bench(http, 2)
    experiment = on.experiment(0)
    expected = {"ls_example_parity": "even", "ls_example_dataset_split": ["base"]}
    assert metadata_of(http, on.run(experiment, 0)) == expected
    select = 'and(eq(metadata_key, "ls_example_parity"), eq(metadata_value, "even"))'
    found = ok(http.post("/runs/query", json={"session": [experiment], "filter": select}))["runs"]
    assert [run["id"] for run in found] == [on.run(experiment, 0)]


def test_the_reference_comes_with_the_update(http: httpx.Client) -> None:
    on = bench(http, 1)
    run = post(on, on.experiment(), extra={"metadata": {"mine": 1, "ls_example_parity": "said"}})
    assert metadata_of(http, run) == {"mine": 1, "ls_example_parity": "said"}
    end = {"end_time": "2026-01-01T00:00:01Z", "reference_example_id": on.examples[0]}
    ok(http.patch(f"/runs/{run}", json=end), 202)
    assert metadata_of(http, run) == {
        "mine": 1, "ls_example_parity": "said", "ls_example_dataset_split": ["base"]
    }  # fmt: skip


def test_the_example_comes_last(http: httpx.Client) -> None:
    on = bench(http, 0)
    experiment, late = on.experiment(), str(uuid.uuid4())
    ended = {"reference_example_id": late, "end_time": "2026-01-01T00:00:01Z", "outputs": {"a": 1}}
    finished = post(on, experiment, **ended, extra={"metadata": {"mine": 1}})
    waiting = post(on, experiment, reference_example_id=late)
    other = post(on, experiment, reference_example_id=str(uuid.uuid4()))
    assert metadata_of(http, finished) == {"mine": 1}
    example(on, late, topic="tea")
    expected = {"ls_example_topic": "tea", "ls_example_dataset_split": ["base"]}
    assert metadata_of(http, finished) == {"mine": 1, **expected}
    assert metadata_of(http, waiting) == expected
    assert ok(http.get(f"/runs/{other}"))["extra"] is None
    run = ok(http.get(f"/runs/{finished}"))
    assert (run["status"], run["outputs"], run["session_id"]) == ("success", {"a": 1}, experiment)
    # once there are others, the new example has nothing to do with them
    example(on, str(uuid.uuid4()), topic="coffee")
    assert metadata_of(http, finished) == {"mine": 1, **expected}


def test_the_multipart_way_of_making_examples(http: httpx.Client) -> None:
    on = bench(http, 0)
    late = str(uuid.uuid4())
    run = post(on, on.experiment(), reference_example_id=late)
    metadata_of_example = b'{"metadata":{"topic":"tea"},"split":["hard"]}'
    parts = [
        (late, (None, metadata_of_example, "application/json")),
        (f"{late}.inputs", (None, b"{}", "application/json")),
    ]
    ok(http.post(f"/v1/platform/datasets/{on.dataset}/examples", files=parts), 201)
    assert metadata_of(http, run) == {"ls_example_topic": "tea", "ls_example_dataset_split": ["hard"]}


def test_a_run_keeps_what_it_was_written_with(http: httpx.Client) -> None:
    on = bench(http, 1)
    run = on.run(on.experiment(0), 0)
    assert metadata_of(http, run)["ls_example_parity"] == "even"  # to read it is to have it written
    ok(http.patch(f"/examples/{on.examples[0]}", json={"metadata": {"parity": "none"}}))
    assert metadata_of(http, run)["ls_example_parity"] == "even"
    assert metadata_of(http, on.run(on.experiment(0), 0))["ls_example_parity"] == "none"


def test_a_deleted_example_is_still_known(http: httpx.Client) -> None:
    on = bench(http, 1)
    ok(http.delete(f"/examples/{on.examples[0]}"))
    experiment = on.experiment(0)
    assert metadata_of(http, on.run(experiment, 0))["ls_example_parity"] == "even"
