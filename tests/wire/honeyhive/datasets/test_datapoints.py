"""Datapoints through HoneyHive's own client."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from honeyhive import HoneyHive
from honeyhive._generated.api_config import HTTPException
from honeyhive.models import CreateDatapointRequest, UpdateDatapointRequest

from tests.wire.honeyhive.datasets.making import (
    fresh,
    make_datapoint,
    make_dataset,
    members,
    read_datapoint,
)

WHOLE: dict[str, Any] = {
    "inputs": {"q": "?", "deep": {"list": [1, 2.5, None, "ü"]}},
    "history": [{"role": "user", "content": "hello"}, {"role": "assistant", "tool_calls": [{}]}],
    "ground_truth": {"a": {"b": [True]}},
    "metadata": {"m": 1, "honeyhive": {"own": 1}},
    "linked_event": "an event",
}


def update(honeyhive: HoneyHive, datapoint: str, **stated: Any) -> dict[str, Any]:
    answer = honeyhive.datapoints.update(datapoint, UpdateDatapointRequest(**stated))
    assert answer.updated
    assert answer.result.modifiedCount == 1
    return read_datapoint(honeyhive, datapoint)


@pytest.mark.parametrize("homes", [0, 1, 2])
def test_comes_back_as_it_was_sent(honeyhive: HoneyHive, homes: int) -> None:
    datasets = [make_dataset(honeyhive) for _ in range(homes)]
    made = make_datapoint(honeyhive, *datasets, **WHOLE)
    found = read_datapoint(honeyhive, made)
    assert found["id"] == made
    assert {name: found[name] for name in WHOLE} == WHOLE
    assert sorted(found["linked_datasets"]) == sorted(datasets)
    assert found["updated_at"] >= found["created_at"]
    for dataset in datasets:
        assert members(honeyhive, dataset) == [made]


def test_what_is_not_stated(honeyhive: HoneyHive) -> None:
    made = honeyhive.datapoints.create(CreateDatapointRequest()).result.insertedIds[0]
    found = read_datapoint(honeyhive, made)
    assert (found["inputs"], found["history"], found["metadata"]) == ({}, [], {})
    assert (found["ground_truth"], found["linked_event"], found["linked_datasets"]) == (None, None, [])


@pytest.mark.parametrize("homes", [0, 1, 2])
def test_a_change_leaves_what_it_does_not_state(honeyhive: HoneyHive, homes: int) -> None:
    made = make_datapoint(honeyhive, *(make_dataset(honeyhive) for _ in range(homes)), **WHOLE)
    expected = dict(WHOLE)
    changes: list[dict[str, Any]] = [
        {"inputs": {"new": 1}},
        {"ground_truth": {"new": 2}},
        {"history": [{"role": "system"}]},
        {"metadata": {"new": 3}},
        {"linked_event": str(uuid.uuid4())},
        {"linked_event": "a text again"},
        {"history": []},
        {"inputs": {}, "ground_truth": {}, "metadata": {}},
    ]
    for stated in changes:
        expected |= stated
        found = update(honeyhive, made, **stated)
        assert {name: found[name] for name in WHOLE} == expected, stated


def test_which_datasets_have_it_can_be_changed(honeyhive: HoneyHive) -> None:
    first, second, third = (make_dataset(honeyhive) for _ in range(3))
    made = make_datapoint(honeyhive, first, second, **WHOLE)
    for wanted in ([second, third], [third, first, first], [], [second]):
        found = update(honeyhive, made, linked_datasets=wanted)
        assert sorted(found["linked_datasets"]) == sorted(set(wanted))
        assert {name: found[name] for name in WHOLE} == WHOLE
        for each in (first, second, third):
            assert members(honeyhive, each) == ([made] if each in wanted else [])


def test_content_and_place_at_once(honeyhive: HoneyHive) -> None:
    first, second = make_dataset(honeyhive), make_dataset(honeyhive)
    made = make_datapoint(honeyhive, first)
    for n, wanted in enumerate(([first, second], [second], [], [first])):
        found = update(honeyhive, made, inputs={"n": n}, linked_datasets=wanted)
        assert found["inputs"] == {"n": n}
        assert sorted(found["linked_datasets"]) == sorted(wanted)


def test_deleted_everywhere(honeyhive: HoneyHive) -> None:
    datasets = [make_dataset(honeyhive) for _ in range(2)]
    for made in (make_datapoint(honeyhive), make_datapoint(honeyhive, *datasets)):
        assert honeyhive.datapoints.delete(made).deleted
        assert honeyhive.datapoints.list(datapoint_ids=[made]).datapoints == []
        for call in (
            lambda made=made: honeyhive.datapoints.get(made),
            lambda made=made: honeyhive.datapoints.delete(made),
            lambda made=made: update(honeyhive, made, inputs={}),
        ):
            with pytest.raises(HTTPException) as error:
                call()
            assert error.value.status_code == 404
            assert made in error.value.message
    assert [members(honeyhive, each) for each in datasets] == [[], []]


def test_listing(honeyhive: HoneyHive) -> None:
    name = fresh()
    dataset = make_dataset(honeyhive, name)
    inside, outside = make_datapoint(honeyhive, dataset), make_datapoint(honeyhive)
    everything = [each.id for each in honeyhive.datapoints.list().datapoints]
    assert everything.count(inside) == everything.count(outside) == 1
    found = honeyhive.datapoints.list(dataset_name=name).datapoints
    assert [each.id for each in found] == [inside]
    found = honeyhive.datapoints.list(datapoint_ids=[outside, inside, outside]).datapoints
    assert [each.id for each in found] == [outside, inside]
    found = honeyhive.datapoints.list(datapoint_ids=[outside, inside], dataset_name=name).datapoints
    assert [each.id for each in found] == [inside]
    assert honeyhive.datapoints.list(dataset_name=fresh()).datapoints == []


def test_fields_that_stand_in_the_metadata(honeyhive: HoneyHive) -> None:
    """`metadata.honeyhive` is where LangSmith's clients see them; stated there they are the same."""
    history = [{"role": "user"}]
    made = make_datapoint(honeyhive, metadata={"honeyhive": {"history": history, "x": 1}, "y": 2})
    found = read_datapoint(honeyhive, made)
    assert found["history"] == history
    assert found["metadata"] == {"honeyhive": {"x": 1}, "y": 2}
    for metadata, said in (
        ({"honeyhive": {"history": history}}, "history is in metadata.honeyhive too"),
        ({"honeyhive": "mine"}, "metadata.honeyhive"),
        ({"honeyhive": {"history": 5}}, "metadata.honeyhive.history"),
    ):
        with pytest.raises(HTTPException) as error:
            make_datapoint(honeyhive, metadata=metadata, history=history)
        assert error.value.status_code == 400
        assert said in error.value.message
    kept = make_datapoint(honeyhive, metadata={"honeyhive": "mine"})
    assert read_datapoint(honeyhive, kept)["metadata"] == {"honeyhive": "mine"}


def test_asynchronously(honeyhive: HoneyHive) -> None:
    async def work() -> None:
        made = (await honeyhive.datapoints.create_async(CreateDatapointRequest(**WHOLE))).result.insertedIds[
            0
        ]
        await honeyhive.datapoints.update_async(made, UpdateDatapointRequest(inputs={"n": 1}))
        (found,) = (await honeyhive.datapoints.get_async(made)).datapoint
        assert found.inputs == {"n": 1}
        assert (await honeyhive.datapoints.delete_async(made)).deleted

    asyncio.run(work())


def test_the_clients_older_names(honeyhive: HoneyHive) -> None:
    made = honeyhive.datapoints.create_datapoint(CreateDatapointRequest(inputs={"n": 1})).result.insertedIds[
        0
    ]
    honeyhive.datapoints.update_datapoint(made, UpdateDatapointRequest(inputs={"n": 2}))
    assert honeyhive.datapoints.get_datapoint(made).datapoint[0].inputs == {"n": 2}
    assert honeyhive.datapoints.list_datapoints(datapoint_ids=[made]).datapoints[0].id == made
    assert honeyhive.datapoints.delete_datapoint(made).deleted


def test_bytes_are_kept(hh: httpx.Client) -> None:
    """Numbers as they were written, and the order of members."""
    inputs = '{"z":1.10,"a":1e3,"big":12345678901234567890123,"é":"\\u00e9"}'
    body = '{"inputs":' + inputs + ',"ground_truth":{"x": 0.0}}'
    made = hh.post("/v1/datapoints", content=body.encode()).json()["result"]["insertedIds"][0]
    found = hh.get(f"/v1/datapoints/{made}").text
    assert '"inputs":{"z":1.10,"a":1e3,"big":12345678901234567890123,"é":"é"}' in found
    assert '"ground_truth":{"x": 0.0}' in found
