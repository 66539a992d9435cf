"""Experiments that were run elsewhere, taken in whole or not at all."""

from __future__ import annotations

import copy
import uuid
from typing import Any

import httpx
import pytest
from langsmith import Client

from tests.wire.langsmith.experiments.experimenting import bench, ok, session_of

AT = "2026-02-03T04:0{}:00Z"


def row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "inputs": {"q": number},
        "expected_outputs": {"a": number},
        "actual_outputs": {"a": number},
        "start_time": AT.format(1),
        "end_time": AT.format(2),
        **more,
    }


def upload(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "experiment_name": f"uploaded-{uuid.uuid4()}",
        "experiment_start_time": AT.format(0),
        "experiment_end_time": AT.format(9),
        "dataset_name": f"external-{uuid.uuid4()}",
        "results": list(rows or (row(0), row(1))),
        **more,
    }


def send(http: httpx.Client, body: dict[str, Any], status: int = 200) -> Any:
    return ok(http.post("/datasets/upload-experiment", json=body), status)


def results(http: httpx.Client, sent: Any) -> list[dict[str, Any]]:
    asked = {"session_ids": [sent["experiment"]["id"]], "limit": 100}
    found: list[dict[str, Any]] = ok(http.post(f"/datasets/{sent['dataset']['id']}/runs", json=asked))
    return found


def test_an_experiment_is_as_if_it_had_been_run_here(http: httpx.Client, client: Client) -> None:
    first = str(uuid.uuid4())
    body = upload(
        row(
            0,
            row_id=first,
            run_name="answer",
            run_metadata={"model": "m"},
            evaluation_scores=[
                {"key": "correct", "score": True, "comment": "yes"},
                {"key": "tone", "value": "dry", "feedback_config": {"type": "freeform"}},
            ],
        ),
        row(1, actual_outputs=None, error="out of paper"),
        experiment_description="from elsewhere",
        dataset_description="theirs",
        experiment_metadata={"model": "m", "deep": {"x": [1.50]}},
        summary_experiment_scores=[{"key": "overall", "score": 0.75}],
    )
    sent = send(http, body)
    dataset, experiment = sent["dataset"], sent["experiment"]
    assert (dataset["name"], dataset["description"]) == (body["dataset_name"], "theirs")
    assert (dataset["externally_managed"], dataset["example_count"], dataset["session_count"]) == (True, 2, 1)
    assert experiment["reference_dataset_id"] == dataset["id"]
    assert (experiment["name"], experiment["description"]) == (body["experiment_name"], "from elsewhere")
    assert experiment["start_time"].startswith("2026-02-03T04:00:00")
    assert experiment["end_time"].startswith("2026-02-03T04:09:00")
    assert experiment["extra"]["metadata"]["deep"] == {"x": [1.5]}
    assert experiment["extra"]["metadata"]["dataset_version"] == dataset["modified_at"]
    assert (experiment["run_count"], experiment["test_run_number"], experiment["error_rate"]) == (2, 1, 0.5)
    assert experiment["session_feedback_stats"]["overall"]["avg"] == 0.75
    good, bad = results(http, sent)
    assert good["id"] == first
    assert (good["inputs"], good["outputs"]) == ({"q": 0}, {"a": 0})
    (run,) = good["runs"]
    assert (run["name"], run["inputs"], run["outputs"]) == ("answer", {"q": 0}, {"a": 0})
    assert run["start_time"].startswith("2026-02-03T04:01:00")
    assert run["extra"]["metadata"] == {"model": "m", "ls_example_dataset_split": ["base"]}
    assert run["feedback_stats"]["correct"]["comments"] == ["yes"]
    assert run["feedback_stats"]["tone"]["values"] == {"dry": 1}
    (run,) = bad["runs"]
    assert (run["status"], run["error"], run["name"]) == ("error", "out of paper", body["experiment_name"])
    rows = list(client.get_experiment_results(name=body["experiment_name"])["examples_with_runs"])
    assert [example.inputs for example in rows] == [{"q": 0}, {"q": 1}]


def test_a_second_upload_finds_the_examples_of_the_first(http: httpx.Client) -> None:
    """By row_id, or by what the rows say; content that differs makes a new version."""
    known = str(uuid.uuid4())
    first = send(http, upload(row(0, row_id=known), row(1), row(1)))
    assert first["dataset"]["example_count"] == 2
    assert [len(each["runs"]) for each in results(http, first)] == [1, 2]  # equal rows are repetitions
    into = {"dataset_id": first["dataset"]["id"], "dataset_name": None}
    reordered = {"inputs": {"q": 1}, "expected_outputs": {"a": 1}}
    again = send(http, upload(row(0, row_id=known), row(1, **reordered), **into))
    assert again["dataset"]["example_count"] == 2
    assert again["dataset"]["modified_at"] == first["dataset"]["modified_at"]
    assert again["experiment"]["test_run_number"] == 2
    by_name = {"dataset_id": None, "dataset_name": first["dataset"]["name"]}
    changed = send(http, upload(row(7, row_id=known), row(8), **by_name))
    assert changed["dataset"]["id"] == first["dataset"]["id"]
    assert changed["dataset"]["example_count"] == 3
    assert {each["inputs"]["q"] for each in results(http, changed)} == {7, 8}
    assert {each["inputs"]["q"] for each in results(http, first)} == {0, 1}  # the first keeps its version
    silent = send(http, upload(row(9, row_id=known, inputs={"q": 7}, expected_outputs=None), **into))
    assert [each["outputs"] for each in results(http, silent)] == [{"a": 7}]


def test_a_dataset_under_an_id_of_the_clients_own(http: httpx.Client) -> None:
    chosen = str(uuid.uuid4())
    assert send(http, upload(dataset_id=chosen))["dataset"]["id"] == chosen
    unknown = upload(dataset_id=str(uuid.uuid4()))
    del unknown["dataset_name"]
    assert "not found" in send(http, unknown, 404)["detail"]


def test_other_datasets_are_left_alone(http: httpx.Client) -> None:
    on = bench(http, 1)
    refused = send(http, upload(dataset_id=on.dataset), 422)
    assert "externally" in str(refused)
    mine = send(http, upload())["dataset"]["id"]
    conflict = upload(row(0), row(1, row_id=on.examples[0]), dataset_id=mine)
    assert "results[1]" in send(http, conflict, 409)["detail"]
    assert ok(http.get("/sessions", params={"name": conflict["experiment_name"]})) == []


def test_a_taken_name(http: httpx.Client) -> None:
    body = upload()
    send(http, body)
    again = {**body, "dataset_name": f"external-{uuid.uuid4()}"}
    assert "already exists" in send(http, again, 409)["detail"]
    assert ok(http.get("/datasets", params={"name": again["dataset_name"]})) == []


def test_what_a_schema_does_not_allow(http: httpx.Client) -> None:
    sent = send(http, upload())
    dataset = sent["dataset"]["id"]
    schema = {"type": "object", "properties": {"q": {"type": "integer"}}}
    ok(http.patch(f"/datasets/{dataset}", json={"inputs_schema_definition": schema}))
    body = upload(row(2), row(3, inputs={"q": "three"}), dataset_id=dataset)
    refused = send(http, body, 422)
    assert refused["detail"][0]["loc"][:3] == ["body", "results", 1]
    assert ok(http.get(f"/datasets/{dataset}"))["example_count"] == 2
    assert ok(http.get("/sessions", params={"name": body["experiment_name"]})) == []


WRONG_ROWS: list[tuple[dict[str, Any], str]] = [
    ({"inputs": None}, "inputs"),
    ({"inputs": [1]}, "inputs"),
    ({"inputs": "x"}, "inputs"),
    ({"expected_outputs": 1}, "expected_outputs"),
    ({"actual_outputs": []}, "actual_outputs"),
    ({"run_metadata": "x"}, "run_metadata"),
    ({"start_time": None}, "start_time"),
    ({"start_time": "soon"}, "start_time"),
    ({"start_time": "2026-02-03T03:59:59Z"}, "start_time"),
    ({"end_time": "2026-02-03T04:09:01Z"}, "end_time"),
    ({"end_time": AT.format(0)}, "end_time"),
    ({"row_id": "x"}, "row_id"),
    ({"run_name": "x" * 4001}, "run_name"),
    ({"error": 1}, "error"),
    ({"evaluation_scores": [{"score": 1}]}, "key"),
    ({"evaluation_scores": [{"key": "", "score": 1}]}, "key"),
    ({"evaluation_scores": [{"key": "x\0", "score": 1}]}, "key"),
    ({"evaluation_scores": [{"key": "x", "score": "good"}]}, "score"),
    ({"evaluation_scores": [{"key": "x", "feedback_config": {"type": "mood"}}]}, "feedback_config"),
    ({"evaluation_scores": [{"key": "x", "feedback_config": {"type": "categorical"}}]}, "categories"),
]


@pytest.mark.parametrize(("wrong", "place"), WRONG_ROWS)
def test_a_row_that_cannot_be_is_named_and_nothing_is_written(
    http: httpx.Client, wrong: dict[str, Any], place: str
) -> None:
    body = upload(row(0), row(1, **wrong))
    detail = send(http, body, 422)["detail"][0]
    assert "1" in "".join(str(step) for step in detail["loc"])
    assert place in str(detail["loc"]) + detail["msg"]
    assert ok(http.get("/datasets", params={"name": body["dataset_name"]})) == []
    assert ok(http.get("/sessions", params={"name": body["experiment_name"]})) == []


WRONG: list[dict[str, Any]] = [
    {"experiment_name": ""},
    {"experiment_name": "x\0"},
    {"experiment_name": None},
    {"experiment_start_time": None},
    {"experiment_end_time": "2026-02-03T03:00:00Z"},
    {"results": []},
    {"results": None},
    {"dataset_name": None},
    {"dataset_name": "x\0"},
    {"dataset_name": "x" * 3000},
    {"dataset_id": "x"},
    {"dataset_description": "\0"},
    {"experiment_description": "\0"},
    {"experiment_metadata": [1]},
    {"summary_experiment_scores": [{"key": ""}]},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_an_upload_that_cannot_be(http: httpx.Client, wrong: dict[str, Any]) -> None:
    body = {**upload(), **wrong}
    send(http, body, 422)
    if isinstance(body["experiment_name"], str) and "\0" not in body["experiment_name"]:
        assert ok(http.get("/sessions", params={"name": body["experiment_name"] or "?"})) == []


def test_odd_numbers_and_texts(http: httpx.Client) -> None:
    """What JSON allows is kept as it was sent."""
    body = upload(row(0))
    text = httpx.Request("POST", "http://x", json=copy.deepcopy(body)).read().decode()
    odd = '{"q":1e400,"n":' + "9" * 4000 + ',"s":"\\ud800"}'
    text = text.replace('"inputs":{"q":0}', f'"inputs":{odd}')
    headers = {"content-type": "application/json"}
    sent = ok(http.post("/datasets/upload-experiment", content=text, headers=headers))
    assert sent["dataset"]["example_count"] == 1
    # and the same again, spelled otherwise, is the same example
    again = text.replace(odd, odd.replace(",", " , ")).replace(
        body["experiment_name"], "again " + str(uuid.uuid4())
    )
    sent = ok(http.post("/datasets/upload-experiment", content=again, headers=headers))
    assert sent["dataset"]["example_count"] == 1
    table = http.post(
        f"/datasets/{sent['dataset']['id']}/runs",
        params={"format": "csv"},
        json={"session_ids": [sent["experiment"]["id"]]},
    )
    assert "1e400" in table.text
    metadata = '{"n":1e400}'
    text = text.replace('"experiment_name":"', f'"experiment_metadata":{metadata},"experiment_name":"x')
    answer = http.post("/datasets/upload-experiment", content=text, headers=headers)
    assert answer.status_code == 422
    assert "experiment_metadata" in answer.text


def test_repetitions_of_one_row_id_say_the_same(http: httpx.Client) -> None:
    same = str(uuid.uuid4())
    sent = send(http, upload(row(0, row_id=same), row(0, row_id=same)))
    assert session_of(http, sent["experiment"]["id"])["run_count"] == 2
    refused = send(http, upload(row(0, row_id=same), row(1, row_id=same)), 422)
    assert refused["detail"][0]["loc"] == ["body", "results", 1, "row_id"]
