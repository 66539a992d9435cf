"""The page's routes of datasets and experiments: what mistakes in a request are told, and what comparisons say."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import httpx
import pytest

API = "/ui/api/datasets"
NOBODY = "00000000-0000-4000-8000-00000000dead"


def ok(answer: httpx.Response) -> Any:
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


@pytest.fixture
def dataset(http: httpx.Client) -> str:
    examples = [{"inputs": f'{{"n": {at}}}', "outputs": '{"a": 1}'} for at in range(3)]
    made: str = ok(http.post(API, json={"name": f"data {uuid.uuid4()}", "examples": examples}))["id"]
    return made


def examples_of(http: httpx.Client, dataset: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(http.get(f"{API}/{dataset}/examples", params=params))["examples"]
    return found


def refused(answer: httpx.Response, status: int, part: str) -> None:
    assert answer.status_code == status, answer.text
    assert part in answer.json()["message"], answer.text


def test_a_dataset_is_made_whole_or_not_at_all(http: httpx.Client) -> None:
    name = f"data {uuid.uuid4()}"
    for example, part in (
        ({"inputs": "[1]"}, "Example 2: inputs must be a JSON object"),
        ({"inputs": "{"}, "Example 2: inputs is not valid JSON"),
        ({"inputs": ""}, "Example 2: Inputs are needed"),
        ({"inputs": "{}", "metadata": "3"}, "Example 2: metadata must be a JSON object"),
        ({"inputs": '{"n": ' + "1" * 5000 + "}"}, "digits"),
        ({"inputs": "{}", "asRecorded": "yes"}, "bool"),
    ):
        refused(http.post(API, json={"name": name, "examples": [{"inputs": "{}"}, example]}), 400, part)
    refused(
        http.post(API, json={"name": name, "examples": [{"inputs": "{}", "sourceRun": NOBODY}]}),
        404,
        "not found",
    )
    refused(http.post(API, json={"name": " "}), 400, "name")
    refused(http.post(API, json={"name": "a\0b"}), 400, "NUL")
    refused(http.post(API, content=b'{"name": "x'), 400, "JSON")
    assert name not in http.get(API).text
    ok(http.post(API, json={"name": name}))
    refused(http.post(API, json={"name": name}), 409, name)


def test_what_is_sent_stays_as_it_was_written(http: httpx.Client, dataset: str) -> None:
    text = '{"n": 12345678901234567890, "t": "\\u0000 é", "f": 1.10}'
    made = ok(
        http.post(f"{API}/{dataset}/examples", json={"inputs": text, "outputs": " ", "metadata": '{"k": 1}'})
    )
    found = ok(http.get(f"{API}/{dataset}/examples/{made['id']}"))
    assert found["payloads"]["inputs"]["text"] == text
    assert found["payloads"]["outputs"] is None
    assert found["splits"] == ["base"]
    saved = http.get(f"{API}/{dataset}/examples/{made['id']}/inputs")
    assert saved.text == text
    assert "attachment" in saved.headers["content-disposition"]
    lone = http.post(f"{API}/{dataset}/examples", content=b'{"inputs": "{\\"a\\": \\"\\ud800\\"}"}')
    assert examples_of(http, dataset, q="\ufffd")[0]["id"] == ok(lone)["id"]


def test_versions_and_what_differs(http: httpx.Client, dataset: str) -> None:
    first, second, _ = examples_of(http, dataset)
    before = ok(http.get(f"{API}/{dataset}/versions"))["versions"][0]["asOf"]
    ok(http.patch(f"{API}/{dataset}/examples/{first['id']}", json={"metadata": '{"k": [1]}'}))
    ok(http.delete(f"{API}/{dataset}/examples/{second['id']}"))
    ok(http.put(f"{API}/{dataset}/tags", json={"tag": " old ", "asOf": before}))
    diff = ok(http.get(f"{API}/{dataset}/diff", params={"since": "old", "until": "latest"}))
    assert {kind: part["count"] for kind, part in diff.items()} == {"added": 0, "removed": 1, "changed": 1}
    assert diff["changed"]["examples"][0]["metadata"] == "k: [1]"
    assert diff["removed"]["examples"][0]["id"] == second["id"]
    assert len(examples_of(http, dataset)) == 2
    assert len(examples_of(http, dataset, as_of="old")) == len(examples_of(http, dataset, as_of=before)) == 3
    assert examples_of(http, dataset, as_of=0) == []
    assert (
        ok(http.get(f"{API}/{dataset}/examples/{second['id']}", params={"as_of": "old"}))["id"]
        == second["id"]
    )
    refused(http.get(f"{API}/{dataset}/examples/{second['id']}"), 404, "not found")


def test_mistakes_are_told(http: httpx.Client, dataset: str) -> None:
    (example, *_) = examples_of(http, dataset)
    one = f"{API}/{dataset}/examples/{example['id']}"
    refused(http.patch(one, json={"outputs": "null of it"}), 400, "outputs is not valid JSON")
    refused(http.patch(one, json={"inputs": 3}), 400, "str")
    refused(http.get(f"{one}/extra"), 404, "no payload")
    refused(http.get(f"{API}/{dataset}/examples", params={"as_of": "9" * 30}), 400, "not a time")
    refused(http.get(f"{API}/{dataset}/examples", params={"as_of": "nobody"}), 404, "nobody")
    refused(http.get(f"{API}/{dataset}/examples", params={"limit": "1000"}), 400, "within 1 and 200")
    refused(http.get(f"{API}/{dataset}/examples", params={"offset": "-1"}), 400, "within")
    refused(http.get(f"{API}/not-a-uuid"), 400, "not a uuid")
    refused(http.get(f"{API}/{NOBODY}"), 404, "dataset not found")
    for tag, part in (
        ("latest", "newest"),
        ("2024-01-01", "time"),
        ("1700000000", "number"),
        ("", "1 to 200"),
        ("a\0", "1 to 200"),
    ):
        refused(
            http.put(f"{API}/{dataset}/tags", json={"tag": tag, "asOf": 4_000_000_000_000_000}), 400, part
        )
    refused(http.put(f"{API}/{dataset}/tags", json={"tag": "x", "asOf": 10**30}), 400, "")
    refused(http.put(f"{API}/{dataset}/tags", json={"tag": "x", "asOf": 1}), 404, "none that early")
    refused(http.put(f"{API}/{dataset}/baseline", json={"experiment": NOBODY}), 400, "no experiment")
    refused(http.put(f"{API}/{dataset}/baseline", json={}), 400, "experiment")
    for asked, status in (
        ([], 400),
        ([NOBODY] * 5, 404),
        ([str(uuid.uuid4()) for _ in range(5)], 400),
        (["x"], 400),
    ):
        refused(http.post(f"{API}/{dataset}/comparison", json={"experiments": asked}), status, "")


def _experiment(http: httpx.Client, dataset: str, answers: dict[str, list[float | str | None]]) -> str:
    """An experiment with these scores by example: None fails, a text is a value without a number."""
    name = f"experiment {uuid.uuid4()}"
    experiment: str = ok(http.post("/sessions", json={"name": name, "reference_dataset_id": dataset}))["id"]
    start = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    for example, scores in answers.items():
        for at, score in enumerate(scores):
            run_id = str(uuid.uuid4())
            began = start + dt.timedelta(seconds=at)
            run = {
                "id": run_id, "trace_id": run_id, "name": "answer", "run_type": "chain", "session_id": experiment,
                "dotted_order": began.strftime("%Y%m%dT%H%M%S%fZ") + run_id, "start_time": began.isoformat(),
                "end_time": (began + dt.timedelta(seconds=1 + at)).isoformat(), "inputs": {},
                "outputs": {"answer": str(score)}, "reference_example_id": example,
                "error": "boom" if score is None else None,
            }  # fmt: skip
            ok(http.post("/runs/batch", json={"post": [run]}))
            if score is not None:
                given = {"value": score} if isinstance(score, str) else {"score": score}
                http.post("/feedback", json={"run_id": run_id, "key": "good", **given}).raise_for_status()
    return experiment


def test_a_comparison_has_means_labels_and_the_run_that_failed(http: httpx.Client, dataset: str) -> None:
    one, two, three = (each["id"] for each in examples_of(http, dataset))
    first = _experiment(http, dataset, {one: [1, 0], two: ["fine"], three: [1]})
    second = _experiment(http, dataset, {one: [0.25, None], three: [1]})
    ok(http.put(f"{API}/{dataset}/baseline", json={"experiment": first}))
    listed = ok(http.get(f"{API}/{dataset}/experiments"))["experiments"]
    assert [each["number"] for each in listed] == [2, 1]
    assert listed[0]["runs"] == 3
    assert listed[0]["errorRate"] == pytest.approx(1 / 3)
    assert ok(http.get(f"{API}/{dataset}"))["baseline"] == first
    found = ok(http.post(f"{API}/{dataset}/comparison", json={"experiments": [first, second]}))
    place = {example: at for at, example in enumerate(found["examples"]["id"])}
    assert found["total"] == 3
    assert found["keys"] == [{"key": "good", "lower": False}]
    left, right = found["columns"]
    assert left["scores"]["good"][place[one]] == 0.5
    assert left["latency"][place[one]] == 1.5
    assert left["runs"][place[one]] == 2
    assert left["labels"]["good"][place[two]] == "fine"
    assert left["scores"]["good"][place[two]] is None
    assert right["run"][place[two]] is None
    assert right["error"][place[one]] == "boom"
    assert right["scores"]["good"][place[one]] == 0.25
    other = ok(http.post(API, json={"name": f"other {uuid.uuid4()}"}))["id"]
    refused(
        http.post(f"{API}/{other}/comparison", json={"experiments": [first]}), 404, "experiment not found"
    )
    refused(
        http.post(f"{API}/{dataset}/comparison", json={"experiments": [first], "pairwise": NOBODY}),
        404,
        "comparison",
    )
