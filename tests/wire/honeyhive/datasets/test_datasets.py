"""Datasets through HoneyHive's own client."""

from __future__ import annotations

import asyncio
import uuid

import httpx
import pytest
from honeyhive import HoneyHive
from honeyhive._generated.api_config import HTTPException
from honeyhive.models import (
    AddDatapointsToDatasetRequest,
    CreateDatasetRequest,
    DatapointMapping,
    UpdateDatasetRequest,
)

from tests.wire.honeyhive.datasets.making import (
    fresh,
    make_datapoint,
    make_dataset,
    members,
    read_datapoint,
)


def refused(error: pytest.ExceptionInfo[HTTPException], status: int, *said: str) -> None:
    assert error.value.status_code == status, error.value.message
    for part in said:
        assert part in error.value.message


# -- one after the other -------------------------------------------------------------------------------------


def test_made_listed_changed_and_deleted(honeyhive: HoneyHive) -> None:
    name = fresh()
    made = make_dataset(honeyhive, name, description="words")
    for found in (honeyhive.datasets.list(dataset_id=made), honeyhive.datasets.list(name=name)):
        (shown,) = found.datasets
        assert (shown.id, shown.name, shown.description, shown.datapoints) == (made, name, "words", [])
        assert shown.created_at is not None
        assert shown.updated_at is not None
        assert shown.created_at.endswith("Z")
        assert shown.updated_at >= shown.created_at
    assert made in {each.id for each in honeyhive.datasets.list().datasets}
    changed = honeyhive.datasets.update(UpdateDatasetRequest(dataset_id=made, name=name + "!"))
    assert (changed.result.name, changed.result.description) == (name + "!", "words")
    assert honeyhive.datasets.list(name=name).datasets == []
    assert honeyhive.datasets.delete(made).result.id == made
    assert honeyhive.datasets.list(dataset_id=made).datasets == []


def test_asynchronously(honeyhive: HoneyHive) -> None:
    async def work() -> None:
        name = fresh()
        made = (await honeyhive.datasets.create_async(CreateDatasetRequest(name=name))).result.insertedId
        added = await honeyhive.datasets.add_datapoints_async(
            made, AddDatapointsToDatasetRequest(data=[{"q": 1}], mapping=DatapointMapping(inputs=["q"]))
        )
        (shown,) = (await honeyhive.datasets.list_async(name=name)).datasets
        assert shown.datapoints == added.datapoint_ids
        found = await honeyhive.datapoints.list_async(datapoint_ids=added.datapoint_ids)
        assert [each.inputs for each in found.datapoints] == [{"q": 1}]
        removed = await honeyhive.datasets.remove_datapoint_async(made, added.datapoint_ids[0])
        assert removed.dereferenced
        await honeyhive.datasets.delete_async(made)

    asyncio.run(work())


def test_unnamed_ones_are_numbered(honeyhive: HoneyHive) -> None:
    made = [honeyhive.datasets.create(CreateDatasetRequest()).result.insertedId for _ in range(2)]
    names = [honeyhive.datasets.list(dataset_id=each).datasets[0].name for each in made]
    assert all(name.startswith("Untitled Dataset") for name in names)
    assert len(set(names)) == 2


def test_a_name_is_taken_once(honeyhive: HoneyHive) -> None:
    name = fresh()
    make_dataset(honeyhive, name)
    with pytest.raises(HTTPException) as error:
        make_dataset(honeyhive, name)
    refused(error, 409, "already exists")
    other = make_dataset(honeyhive)
    with pytest.raises(HTTPException) as error:
        honeyhive.datasets.update(UpdateDatasetRequest(dataset_id=other, name=name))
    refused(error, 409, "already exists")


def test_ids_that_are_nothing_here(honeyhive: HoneyHive) -> None:
    """Clients keep datasets of their own, whose ids they make up."""
    for other in (str(uuid.uuid4()), "EXT-0123456789abcdef", "65c13dbbd65fb876b7886cdb"):
        assert honeyhive.datasets.list(dataset_id=other).datasets == []
        assert honeyhive.datapoints.list(datapoint_ids=[other]).datapoints == []
        for call in (
            lambda other=other: honeyhive.datapoints.get(other),
            lambda other=other: honeyhive.datapoints.delete(other),
            lambda other=other: honeyhive.datasets.delete(other),
            lambda other=other: make_datapoint(honeyhive, other),
            lambda other=other: make_dataset(honeyhive, datapoints=[other]),
        ):
            with pytest.raises(HTTPException) as error:
                call()
            refused(error, 404, "not found", other)


def test_a_dataset_that_could_not_be_filled_is_not_there(honeyhive: HoneyHive) -> None:
    name = fresh()
    with pytest.raises(HTTPException):
        make_dataset(honeyhive, name, datapoints=[make_datapoint(honeyhive), str(uuid.uuid4())])
    assert honeyhive.datasets.list(name=name).datasets == []


# -- what is in one ------------------------------------------------------------------------------------------


def test_its_list_of_datapoints_can_be_set(honeyhive: HoneyHive) -> None:
    first, second, third = (make_datapoint(honeyhive, inputs={"n": n}) for n in range(3))
    made = make_dataset(honeyhive, datapoints=[first, second])
    assert members(honeyhive, made) == [first, second]
    answer = honeyhive.datasets.update(
        UpdateDatasetRequest(dataset_id=made, datapoints=[second, third, third])
    )
    assert answer.result.datapoints == [second, third]
    assert read_datapoint(honeyhive, first)["linked_datasets"] == []
    assert read_datapoint(honeyhive, third)["linked_datasets"] == [made]
    answer = honeyhive.datasets.update(UpdateDatasetRequest(dataset_id=made, datapoints=[]))
    assert answer.result.datapoints == []
    assert [read_datapoint(honeyhive, each)["inputs"] for each in (first, second, third)] == [
        {"n": n} for n in range(3)
    ]


def test_a_change_that_fails_changes_nothing(honeyhive: HoneyHive) -> None:
    taken, name = fresh(), fresh()
    make_dataset(honeyhive, taken)
    datapoint = make_datapoint(honeyhive)
    made = make_dataset(honeyhive, name)
    for change in (
        {"name": taken, "datapoints": [datapoint]},
        {"name": fresh(), "datapoints": [datapoint, str(uuid.uuid4())]},
    ):
        with pytest.raises(HTTPException):
            honeyhive.datasets.update(UpdateDatasetRequest(dataset_id=made, **change))
        assert members(honeyhive, made) == []
        assert honeyhive.datasets.list(dataset_id=made).datasets[0].name == name
        assert read_datapoint(honeyhive, datapoint)["linked_datasets"] == []


def test_taken_out_of_one_it_stays_in_the_other_and_at_last_in_none(honeyhive: HoneyHive) -> None:
    first, second = make_dataset(honeyhive), make_dataset(honeyhive)
    datapoint = make_datapoint(honeyhive, first, second, inputs={"q": "?"}, history=[{"role": "user"}])
    assert honeyhive.datasets.remove_datapoint(first, datapoint).dereferenced
    assert (members(honeyhive, first), members(honeyhive, second)) == ([], [datapoint])
    assert honeyhive.datasets.remove_datapoint(second, datapoint).dereferenced
    assert members(honeyhive, second) == []
    found = read_datapoint(honeyhive, datapoint)
    assert (found["inputs"], found["history"], found["linked_datasets"]) == (
        {"q": "?"},
        [{"role": "user"}],
        [],
    )
    again = honeyhive.datasets.remove_datapoint(second, datapoint)
    assert not again.dereferenced
    assert again.message


def test_both_paths_of_removal(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    made = make_dataset(honeyhive)
    for age in ("/v1", ""):
        for word in ("", "/datapoints"):
            datapoint = make_datapoint(honeyhive, made)
            answer = hh.delete(f"{age}/datasets/{made}{word}/{datapoint}")
            assert answer.status_code == 200
            assert answer.json()["dereferenced"] is True
    assert members(honeyhive, made) == []


def test_datapoints_outlive_their_dataset(honeyhive: HoneyHive) -> None:
    made, other = make_dataset(honeyhive), make_dataset(honeyhive)
    alone, shared = make_datapoint(honeyhive, made), make_datapoint(honeyhive, made, other)
    honeyhive.datasets.delete(made)
    assert read_datapoint(honeyhive, alone)["linked_datasets"] == []
    assert read_datapoint(honeyhive, shared)["linked_datasets"] == [other]
    again = make_dataset(honeyhive, datapoints=[alone, shared])
    assert members(honeyhive, again) == [alone, shared]


def test_deleting_by_path_and_by_query(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    for age in ("/v1", ""):
        for in_path in (True, False):
            made = make_dataset(honeyhive)
            path, params = (f"/{made}", {}) if in_path else ("", {"dataset_id": made})
            answer = hh.delete(f"{age}/datasets{path}", params=params)
            assert (answer.status_code, answer.json()) == (200, {"result": {"id": made}})
            assert hh.delete(f"{age}/datasets{path}", params=params).status_code == 404
        assert hh.delete(f"{age}/datasets").status_code == 400


def test_without_their_datapoints(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    made = make_dataset(honeyhive)
    datapoint = make_datapoint(honeyhive, made)
    for said, listed in (("false", []), ("true", [datapoint])):
        params = {"dataset_id": made, "include_datapoints": said}
        (shown,) = hh.get("/v1/datasets", params=params).json()["datasets"]
        assert shown["datapoints"] == listed


# -- rows of a client's own ----------------------------------------------------------------------------------


def test_rows_are_mapped_and_nothing_of_them_is_lost(honeyhive: HoneyHive) -> None:
    made = make_dataset(honeyhive)
    rows = [
        {
            "question": "a",
            "chat": [{"role": "user"}],
            "last": {"role": "assistant"},
            "answer": {"x": 1},
            "id": 7,
        },
        {"question": "b", "context": None, "last": None, "note": [1.5, {"deep": None}]},
    ]
    mapping = DatapointMapping(
        inputs=["question", "context"], history=["chat", "last"], ground_truth=["answer"]
    )
    answer = honeyhive.datasets.add_datapoints(
        made, AddDatapointsToDatasetRequest(data=rows, mapping=mapping)
    )
    assert members(honeyhive, made) == answer.datapoint_ids
    first, second = (read_datapoint(honeyhive, each) for each in answer.datapoint_ids)
    assert first["inputs"] == {"question": "a"}
    assert first["history"] == [{"role": "user"}, {"role": "assistant"}]
    assert first["ground_truth"] == {"answer": {"x": 1}}
    assert first["metadata"] == {"id": 7}
    assert second["inputs"] == {"question": "b", "context": None}
    assert (second["history"], second["ground_truth"]) == ([], None)
    assert second["metadata"] == {"note": [1.5, {"deep": None}]}
    assert first["linked_datasets"] == second["linked_datasets"] == [made]


def test_a_mapping_may_be_empty(honeyhive: HoneyHive) -> None:
    made = make_dataset(honeyhive)
    answer = honeyhive.datasets.add_datapoints(
        made, AddDatapointsToDatasetRequest(data=[{"a": 1}, {}], mapping=DatapointMapping())
    )
    found = [read_datapoint(honeyhive, each) for each in answer.datapoint_ids]
    assert [(each["inputs"], each["metadata"]) for each in found] == [({}, {"a": 1}), ({}, {})]


def test_rows_are_taken_whole_or_not_at_all(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    made = make_dataset(honeyhive)
    for rows, place in (
        ([{"h": [{}]}, {"h": ["no message"]}], "data.1"),
        ([{"h": 5}], "data.0"),
        ([{"h": [{}]}, 5], "data[1]"),
        ([], "data"),
        (None, "data"),
    ):
        body = {"data": rows, "mapping": {"history": ["h"]}}
        answer = hh.post(f"/v1/datasets/{made}/datapoints", json=body)
        assert answer.status_code == 400, answer.text
        assert place.replace("[", ".[") in answer.json()["message"] or place in answer.json()["message"]
    assert members(honeyhive, made) == []


def test_ten_thousand_rows_in_one_request(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    made = make_dataset(honeyhive)
    rows = [{"n": n, "text": "word " * 20} for n in range(10_000)]
    body = {"data": rows, "mapping": {"inputs": ["n"]}}
    added = hh.post(f"/v1/datasets/{made}/datapoints", json=body).json()["datapoint_ids"]
    assert len(set(added)) == 10_000
    assert members(honeyhive, made) == added
    name = honeyhive.datasets.list(dataset_id=made).datasets[0].name
    found = hh.get("/v1/datapoints", params={"dataset_name": name}).json()["datapoints"]
    assert [each["inputs"]["n"] for each in found] == list(range(10_000))
    asked = honeyhive.datapoints.list(datapoint_ids=added[50:300]).datapoints
    assert [each.inputs["n"] for each in asked] == list(range(50, 300))
