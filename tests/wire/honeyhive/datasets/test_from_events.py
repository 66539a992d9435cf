"""Datapoints made of events: `POST /v1/datapoints/batch`, with HoneyHive's own client and by hand."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from honeyhive import HoneyHive
from honeyhive._generated.services.Datapoints_service import batchCreateDatapoints
from honeyhive.models import BatchCreateDatapointsRequest

from tests.conftest import Server
from tests.wire.honeyhive.conftest import PREFIX
from tests.wire.honeyhive.datasets.making import make_dataset, members, read_datapoint

START = 1_770_000_000_000


class Events:
    """Three events of a topic that nobody else has: milliseconds apart, each with inputs, outputs and feedback."""

    def __init__(self, hh: httpx.Client) -> None:
        self.topic = uuid.uuid4().hex
        self.ids: list[str] = []
        for n in range(3):
            event = {
                "event_type": "model", "event_name": "call", "inputs": {"q": n, "chat": [{"role": "user"}]},
                "outputs": {"a": n}, "metadata": {"topic": self.topic, "deep": {"n": n}},
                "start_time": START + n, "end_time": START + n + 1, "session_id": str(uuid.uuid4()),
            }  # fmt: skip
            answer = hh.post("/events", json={"event": event})
            assert answer.status_code == 200, answer.text
            self.ids.append(answer.json()["event_id"])

    @property
    def filters(self) -> list[dict[str, Any]]:
        return [{"field": "metadata.topic", "operator": "is", "value": self.topic, "type": "string"}]


@pytest.fixture(scope="module")
def events(server: Server) -> Events:
    with httpx.Client(base_url=server.url + PREFIX, timeout=60) as hh:
        return Events(hh)


def batch(hh: httpx.Client, **body: Any) -> list[str]:
    answer = hh.post("/v1/datapoints/batch", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["inserted"] is True
    found: list[str] = answer.json()["insertedIds"]
    return found


def linked(honeyhive: HoneyHive, datapoints: list[str]) -> list[str]:
    return [read_datapoint(honeyhive, each)["linked_event"] for each in datapoints]


def test_with_the_clients_own_function(honeyhive: HoneyHive, events: Events) -> None:
    dataset = make_dataset(honeyhive)
    request = BatchCreateDatapointsRequest(events=events.ids, dataset_id=dataset)
    answer = batchCreateDatapoints(honeyhive._api_config, data=request)
    assert members(honeyhive, dataset) == answer.insertedIds
    first = read_datapoint(honeyhive, answer.insertedIds[0])
    assert first["inputs"] == {"q": 0, "chat": [{"role": "user"}]}
    assert (first["ground_truth"], first["metadata"], first["history"]) == ({"a": 0}, {}, [])
    assert linked(honeyhive, answer.insertedIds) == events.ids


def test_without_a_dataset_in_the_order_named(honeyhive: HoneyHive, hh: httpx.Client, events: Events) -> None:
    wanted = [events.ids[2], events.ids[0], events.ids[2]]
    added = batch(hh, events=wanted)
    assert linked(honeyhive, added) == wanted[:2]
    assert read_datapoint(honeyhive, added[0])["linked_datasets"] == []


def test_mapped(honeyhive: HoneyHive, hh: httpx.Client, events: Events) -> None:
    mapping = {
        "inputs": ["q", "metadata.deep.n", "metadata.nothing", "nothing"],
        "ground_truth": ["outputs"],
        "history": ["inputs.chat"],
    }
    (added,) = batch(hh, events=events.ids[1:2], mapping=mapping)
    found = read_datapoint(honeyhive, added)
    assert (found["inputs"], found["ground_truth"]) == ({"q": 1, "n": 1}, {"a": 1})
    assert (found["history"], found["linked_event"]) == ([{"role": "user"}], events.ids[1])


def test_all_that_match(honeyhive: HoneyHive, hh: httpx.Client, events: Events) -> None:
    first, second, third = events.ids
    for more, expected in (
        ({}, [first, second, third]),
        ({"checkState": {second: False, third: True}}, [first, third]),
        ({"dateRange": {"$gte": "2026-02-02T02:40:00.001Z"}}, [second, third]),
        ({"filters": events.filters[0]}, [first, second, third]),
        ({"filters": [*events.filters, {"field": "inputs.q", "operator": "is", "value": 5}]}, []),
    ):
        added = batch(hh, **{"selectAll": True, "filters": events.filters, **more})
        assert linked(honeyhive, added) == expected, more


def test_those_that_are_checked(honeyhive: HoneyHive, hh: httpx.Client, events: Events) -> None:
    first, second, third = events.ids
    state = {first: True, second: False, third: True}
    assert linked(honeyhive, batch(hh, checkState=state)) == [first, third]
    narrowed = [{"field": "inputs.q", "operator": "is", "value": 2, "type": "number"}]
    assert linked(honeyhive, batch(hh, checkState=state, filters=narrowed)) == [third]


def test_feedback_knows_the_truth(honeyhive: HoneyHive, hh: httpx.Client, events: Events) -> None:
    session = str(uuid.uuid4())
    event = {"event_type": "tool", "inputs": {}, "outputs": {"a": 1}, "session_id": session}
    made = hh.post("/events", json={"event": event}).json()["event_id"]
    change = {"event_id": made, "feedback": {"ground_truth": {"a": 2}}}
    assert hh.put("/events", json=change).status_code == 200
    (added,) = batch(hh, events=[made])
    assert read_datapoint(honeyhive, added)["ground_truth"] == {"a": 2}


def test_refusals(honeyhive: HoneyHive, hh: httpx.Client, events: Events) -> None:
    dataset = make_dataset(honeyhive)
    for body, status, said in (
        ({}, 400, "name events"),
        ({"events": []}, 400, "name events"),
        ({"events": [events.ids[0], str(uuid.uuid4())]}, 404, "event not found"),
        ({"events": ["EXT-1"]}, 404, "event not found"),
        ({"events": events.ids, "dataset_id": str(uuid.uuid4())}, 404, "dataset not found"),
        ({"events": events.ids, "dataset_id": "EXT-1"}, 404, "dataset not found"),
        ({"events": [str(uuid.uuid4()) for _ in range(5001)]}, 400, "5000"),
        ({"events": 5}, 400, "events"),
        ({"selectAll": True, "filters": [{"field": "nothing"}]}, 400, "filters"),
        ({"selectAll": True, "filters": "all"}, 400, "filters"),
        ({"selectAll": True, "dateRange": {"$gte": "never"}}, 400, "dateRange"),
        ({"events": events.ids, "mapping": {"inputs": ["q", "metadata.q", "inputs"]}}, 400, "called 'q'"),
        ({"events": events.ids, "mapping": {"history": ["q"]}}, 400, "history"),
    ):
        answer = hh.post("/v1/datapoints/batch", json={"dataset_id": dataset, **body})
        assert answer.status_code == status, (body, answer.text)
        assert said in answer.json()["message"], (body, answer.text)
    assert members(honeyhive, dataset) == []
