"""What clients get wrong: refused with a reason in HoneyHive's shape, and nothing of it is kept."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from honeyhive import HoneyHive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tests.wire.honeyhive.datasets.making import fresh, make_datapoint, make_dataset, members, read_datapoint

NOBODY = str(uuid.uuid4())


def refused(answer: httpx.Response, status: int, *said: str) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"message", "errorCode"}, body
    for part in said:
        assert part in body["message"], body


@pytest.mark.parametrize("age", ["/v1", ""])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"inputs": 5}, "inputs"),
        ({"inputs": [1]}, "inputs"),
        ({"history": {}}, "history"),
        ({"history": ["text"]}, "history"),
        ({"history": [None]}, "history"),
        ({"ground_truth": "text"}, "ground_truth"),
        ({"ground_truth": [1]}, "ground_truth"),
        ({"metadata": []}, "metadata"),
        ({"linked_event": 5}, "linked_event"),
        ({"linked_datasets": "text"}, "linked_datasets"),
        ({"linked_datasets": [5]}, "linked_datasets"),
    ],
)
def test_a_datapoint_of_wrong_types(
    hh: httpx.Client, honeyhive: HoneyHive, age: str, body: Any, said: str
) -> None:
    datapoint = make_datapoint(honeyhive)
    before = read_datapoint(honeyhive, datapoint)
    refused(hh.post(f"{age}/datapoints", json=body), 400, said)
    refused(hh.put(f"{age}/datapoints/{datapoint}", json=body), 400, said)
    assert read_datapoint(honeyhive, datapoint) == before


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": 5}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\0b"}, "NUL"),
        ({"description": 5}, "description"),
        ({"description": "a\0b"}, "NUL"),
        ({"datapoints": "text"}, "datapoints"),
        ({"datapoints": [None]}, "datapoints"),
    ],
)
def test_a_dataset_of_wrong_types(hh: httpx.Client, honeyhive: HoneyHive, body: Any, said: str) -> None:
    made = make_dataset(honeyhive)
    refused(hh.post("/v1/datasets", json={"name": fresh(), **body}), 400, said)
    refused(hh.put(f"/v1/datasets/{made}", json=body), 400, said)
    refused(hh.put("/v1/datasets", json={"dataset_id": made, **body}), 400, said)


def test_how_strict(hh: httpx.Client, honeyhive: HoneyHive) -> None:
    """One body alone is closed, by HoneyHive's own description of it; older clients may call things longer."""
    made = make_dataset(honeyhive)
    refused(hh.put(f"/v1/datasets/{made}", json={"unknown": 1}), 400, "unknown")
    assert hh.put("/v1/datasets", json={"dataset_id": made, "unknown": 1}).status_code == 200
    assert hh.post("/v1/datapoints", json={"unknown": 1}).status_code == 200
    long = fresh() + "x" * 300
    assert hh.put("/datasets", json={"dataset_id": made, "name": long}).status_code == 200
    assert hh.get("/v1/datasets", params={"name": long}).json()["datasets"][0]["id"] == made
    refused(hh.put("/datasets", json={"name": "no id"}), 400, "dataset_id")
    refused(hh.post("/datasets", json={"name": fresh(), "type": "other"}), 400, "type")
    refused(hh.get("/datasets", params={"type": "other"}), 400, "type")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/datasets"),
        ("PUT", "/datasets"),
        ("POST", "/datapoints"),
        ("PUT", "/datapoints/{datapoint}"),
        ("POST", "/datasets/{dataset}/datapoints"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"5", b'"text"', b"{]", b"\xff", b'{"inputs":' + b"[" * 5000, b"null"],
)
def test_bodies_that_are_none(
    hh: httpx.Client, honeyhive: HoneyHive, method: str, path: str, body: bytes
) -> None:
    path = path.format(datapoint=make_datapoint(honeyhive), dataset=make_dataset(honeyhive))
    for age in ("/v1", ""):
        answer = hh.request(method, age + path, content=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["message"]


def test_a_body_that_is_nested_too_deeply(hh: httpx.Client) -> None:
    deep = '{"inputs":{"a":' + "[" * 2000 + "]" * 2000 + "}}"
    refused(hh.post("/v1/datapoints", content=deep.encode()), 400, "deep")


def test_things_that_are_not_there(hh: httpx.Client, honeyhive: HoneyHive) -> None:
    dataset = make_dataset(honeyhive)
    datapoint = make_datapoint(honeyhive, dataset)
    before = read_datapoint(honeyhive, datapoint)
    rows = {"data": [{"a": 1}], "mapping": {"inputs": ["a"]}}
    for age in ("/v1", ""):
        for other in (NOBODY, "EXT-1", "x" * 500):
            for method, path, body in (
                ("POST", f"/datasets/{other}/datapoints", rows),
                ("DELETE", f"/datasets/{other}/{datapoint}", None),
                ("DELETE", f"/datasets/{dataset}/datapoints/{other}", None),
                ("PUT", f"/datapoints/{other}", {"inputs": {}}),
                ("PUT", f"/datapoints/{datapoint}", {"inputs": {"x": 1}, "linked_datasets": [other]}),
                ("PUT", "/datasets", {"dataset_id": other, "name": fresh()}),
                ("PUT", "/datasets", {"dataset_id": dataset, "datapoints": [datapoint, other]}),
                ("POST", "/datapoints", {"linked_datasets": [dataset, other]}),
            ):
                refused(hh.request(method, age + path, json=body), 404, "not found")
    assert read_datapoint(honeyhive, datapoint) == before
    assert members(honeyhive, dataset) == [datapoint]


def test_too_many(hh: httpx.Client) -> None:
    many = [str(uuid.uuid4()) for _ in range(101)]
    refused(hh.post("/v1/datapoints", json={"linked_datasets": many}), 400, "100")
    asked = "[" + ",".join(f'"{each}"' for each in range(5001)) + "]"
    refused(hh.get("/v1/datapoints", params={"datapoint_ids": asked}), 400, "5000")
    refused(hh.get("/v1/datapoints", params={"datapoint_ids": "[5]"}), 400, "datapoint_ids")


def test_values_that_no_table_or_reader_takes(hh: httpx.Client) -> None:
    """They come back as what JSON can hold; none of them breaks a list."""
    for written, read in (
        (b'{"a":"\\u0000"}', {"a": "\0"}),
        (b'{"a":"\\ud800"}', {"a": "�"}),
        (b'{"a":1e999}', {"a": None}),
        (b'{"a":NaN}', {"a": None}),
        (b'{"\\u0000":1}', {"\0": 1}),
    ):
        body = b'{"inputs":%s,"ground_truth":%s,"metadata":%s,"history":[%s]}' % ((written,) * 4)
        answer = hh.post("/v1/datapoints", content=body)
        if answer.status_code != 200:
            refused(answer, 400)
            continue
        made = answer.json()["result"]["insertedIds"][0]
        (found,) = hh.get(f"/v1/datapoints/{made}").json()["datapoint"]
        assert [found[name] for name in ("inputs", "ground_truth", "metadata")] == [read] * 3
        assert found["history"] == [read]
    json.loads(hh.get("/v1/datapoints").text)
    refused(hh.get("/v1/datasets", params={"name": "a\0"}), 400, "NUL")
    refused(hh.get("/v1/datapoints", params={"dataset_name": "a\0"}), 400, "NUL")


def test_wrong_methods_and_paths(hh: httpx.Client) -> None:
    for method, path, status in (
        ("PATCH", "/v1/datasets", 405),
        ("GET", f"/v1/datasets/{NOBODY}/x/y", 404),
        ("POST", f"/v1/datapoints/{NOBODY}", 405),
    ):
        answer = hh.request(method, path)
        assert answer.status_code == status
        assert answer.json()["message"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    [
        "inputs", "history", "ground_truth", "metadata", "linked_event", "linked_evals", "linked_datasets",
        "name", "description", "datapoints", "data", "mapping", "dataset_id", "type", "project", "saved",
        "pipeline_type", "events", "filters", "dateRange", "checkState", "selectAll",
    ]
)  # fmt: skip
OWN = st.dictionaries(st.sampled_from(["honeyhive", "dataset_split", "x"]), JSON, max_size=3)
BODIES = st.dictionaries(MEMBERS, JSON | OWN | st.lists(OWN, max_size=2), max_size=5)


@settings(max_examples=tries(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, route=st.integers(0, 6), age=st.sampled_from(["/v1", ""]))
def test_whatever_comes(hh: httpx.Client, body: Any, route: int, age: str) -> None:
    """Never the server's fault; and what was taken can be read, by every list."""
    dataset = _shared(hh)
    datapoint = hh.post("/v1/datapoints", json={"linked_datasets": [dataset]}).json()["result"]["insertedId"]
    method, path = [
        ("POST", "/datapoints"),
        ("PUT", f"/datapoints/{datapoint}"),
        ("POST", "/datasets"),
        ("PUT", "/datasets"),
        ("PUT", f"/datasets/{dataset}"),
        ("POST", f"/datasets/{dataset}/datapoints"),
        ("POST", "/datapoints/batch"),
    ][route]
    if route == 3:
        body = {"dataset_id": dataset, **body}
    if route == 5:
        body = {"mapping": {"inputs": ["inputs"], "history": ["history"]}, "data": [body], **body}
    answer = hh.request(method, age + path, content=json.dumps(body).encode(errors="surrogatepass"))
    assert answer.status_code < 500, f"{method} {age}{path} {body}: {answer.text}"
    assert answer.headers["content-type"] == "application/json"
    read = hh.get(f"{age}/datapoints/{datapoint}")
    assert read.status_code == 200
    (found,) = read.json()["datapoint"]
    assert isinstance(found["history"], list)


_datasets: dict[str, str] = {}


def _shared(hh: httpx.Client) -> str:
    """One dataset for all examples on one server."""
    server = str(hh.base_url)
    if server not in _datasets:
        made = hh.post("/v1/datasets", json={"name": fresh()}).json()["result"]["insertedId"]
        _datasets[server] = made
    return _datasets[server]
