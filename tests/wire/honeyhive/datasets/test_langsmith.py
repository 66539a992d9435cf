"""What HoneyHive's clients write LangSmith's clients read, and the other way round."""

from __future__ import annotations

import uuid
from datetime import datetime

import pytest
from honeyhive import HoneyHive
from honeyhive.models import UpdateDatapointRequest, UpdateDatasetRequest
from langsmith import Client
from langsmith.schemas import Attachment, Example, ExampleCreate
from langsmith.utils import LangSmithError

from tests.wire.honeyhive.datasets.making import (
    fresh,
    make_datapoint,
    make_dataset,
    members,
    read_datapoint,
)


def examples(client: Client, dataset: str, as_of: datetime | None = None) -> list[Example]:
    return list(client.list_examples(dataset_id=dataset, as_of=as_of))


# -- from HoneyHive ------------------------------------------------------------------------------------------


def test_a_dataset_and_its_datapoints(honeyhive: HoneyHive, client: Client) -> None:
    name, event = fresh(), str(uuid.uuid4())
    made = make_dataset(honeyhive, name, description="words")
    datapoint = make_datapoint(
        honeyhive, made, inputs={"q": "?"}, ground_truth={"a": "!"}, metadata={"m": 1}, linked_event=event,
        history=[{"role": "user"}],
    )  # fmt: skip
    dataset = client.read_dataset(dataset_name=name)
    assert (str(dataset.id), dataset.description, dataset.example_count) == (made, "words", 1)
    (example,) = examples(client, made)
    assert (str(example.id), str(example.source_run_id)) == (datapoint, event)
    assert (example.inputs, example.outputs) == ({"q": "?"}, {"a": "!"})
    assert example.metadata == {
        "m": 1, "honeyhive": {"history": [{"role": "user"}]}, "dataset_split": ["base"],
    }  # fmt: skip


def test_every_dataset_has_a_copy(honeyhive: HoneyHive, client: Client) -> None:
    first, second = make_dataset(honeyhive), make_dataset(honeyhive)
    datapoint = make_datapoint(honeyhive, first, second, inputs={"n": 0})
    for change in ({"inputs": {"n": 1}}, {"ground_truth": {"a": 1}}, {"linked_event": str(uuid.uuid4())}):
        honeyhive.datapoints.update(datapoint, UpdateDatapointRequest(**change))
        shown = read_datapoint(honeyhive, datapoint)
        for home in (first, second):
            (example,) = examples(client, home)
            assert (example.inputs, example.outputs) == (shown["inputs"], shown["ground_truth"])
            assert str(example.source_run_id or "") == (shown["linked_event"] or "")
    assert {str(example.id) for home in (first, second) for example in examples(client, home)} > {datapoint}


def test_every_write_is_a_version(honeyhive: HoneyHive, client: Client) -> None:
    made = make_dataset(honeyhive)
    datapoint = make_datapoint(honeyhive, made, inputs={"n": 0})
    honeyhive.datapoints.update(datapoint, UpdateDatapointRequest(inputs={"n": 1}))
    honeyhive.datasets.remove_datapoint(made, datapoint)
    honeyhive.datasets.update(UpdateDatasetRequest(dataset_id=made, datapoints=[datapoint]))
    honeyhive.datapoints.delete(datapoint)
    moments = [each.as_of for each in client.list_dataset_versions(dataset_id=made)]
    found = [[example.inputs for example in examples(client, made, as_of)] for as_of in reversed(moments)]
    assert found == [[{"n": 0}], [{"n": 1}], [], [{"n": 1}], []]


def test_what_is_in_no_dataset_is_in_none(honeyhive: HoneyHive, client: Client) -> None:
    datapoint = make_datapoint(honeyhive)
    with pytest.raises(LangSmithError):
        client.read_example(datapoint)
    made = make_dataset(honeyhive, datapoints=[datapoint])
    assert str(client.read_example(datapoint).dataset_id) == made


def test_a_schema_holds_for_datapoints_too(honeyhive: HoneyHive, client: Client) -> None:
    needs_q = {"type": "object", "required": ["q"]}
    strict = str(client.create_dataset(fresh(), inputs_schema=needs_q).id)
    lax = make_dataset(honeyhive)
    for homes in ([strict], [lax, strict]):
        with pytest.raises(Exception, match="does not match"):
            make_datapoint(honeyhive, *homes, inputs={"other": 1})
    assert members(honeyhive, lax) == []
    datapoint = make_datapoint(honeyhive, lax, strict, inputs={"q": 1})
    with pytest.raises(Exception, match="does not match"):
        honeyhive.datapoints.update(datapoint, UpdateDatapointRequest(inputs={"other": 1}))
    assert read_datapoint(honeyhive, datapoint)["inputs"] == {"q": 1}
    other = make_datapoint(honeyhive, inputs={"other": 1})
    with pytest.raises(Exception, match="does not match"):
        honeyhive.datasets.update(UpdateDatasetRequest(dataset_id=strict, datapoints=[other]))
    assert members(honeyhive, strict) == [datapoint]


# -- from LangSmith ------------------------------------------------------------------------------------------


def test_an_example_is_a_datapoint(honeyhive: HoneyHive, client: Client) -> None:
    name, run = fresh(), uuid.uuid4()
    dataset = client.create_dataset(name, description="words")
    made = client.create_example(
        inputs={"q": "?"}, outputs={"a": "!"}, metadata={"m": 1}, dataset_id=dataset.id, source_run_id=run
    )
    client.create_example(inputs={"n": 2}, dataset_id=dataset.id, split=["test", "base"])
    (shown,) = honeyhive.datasets.list(name=name).datasets
    assert (shown.id, shown.description, shown.datapoints[0]) == (str(dataset.id), "words", str(made.id))
    first, second = (read_datapoint(honeyhive, each) for each in shown.datapoints)
    assert (first["inputs"], first["ground_truth"], first["metadata"]) == ({"q": "?"}, {"a": "!"}, {"m": 1})
    assert (first["linked_event"], first["history"]) == (str(run), [])
    assert first["linked_datasets"] == [str(dataset.id)]
    assert second["ground_truth"] is None
    assert second["metadata"] == {"dataset_split": ["test", "base"]}
    assert [each.id for each in honeyhive.datapoints.list(dataset_name=name).datapoints] == shown.datapoints


def test_a_change_of_a_copy_is_a_change_of_the_datapoint(honeyhive: HoneyHive, client: Client) -> None:
    """LangSmith's clients change one example; the next change by HoneyHive's makes the copies the same again."""
    first, second = make_dataset(honeyhive), make_dataset(honeyhive)
    datapoint = make_datapoint(honeyhive, first, second, inputs={"n": 0})
    (copy,) = examples(client, second)
    client.update_example(copy.id, inputs={"n": 1})
    assert read_datapoint(honeyhive, datapoint)["inputs"] == {"n": 1}
    assert [example.inputs for example in examples(client, first)] == [{"n": 0}]
    honeyhive.datapoints.update(datapoint, UpdateDatapointRequest(ground_truth={"a": 1}))
    for home in (first, second):
        assert [(each.inputs, each.outputs) for each in examples(client, home)] == [({"n": 1}, {"a": 1})]


def test_a_copy_can_be_named_by_the_examples_id(honeyhive: HoneyHive, client: Client) -> None:
    first, second = make_dataset(honeyhive), make_dataset(honeyhive)
    datapoint = make_datapoint(honeyhive, first, second)
    copies = {str(example.id) for home in (first, second) for example in examples(client, home)}
    for copy in copies:
        assert read_datapoint(honeyhive, copy)["id"] == datapoint
    assert len(honeyhive.datapoints.list(datapoint_ids=list(copies)).datapoints) == 1


def test_splits_stay_where_they_are(honeyhive: HoneyHive, client: Client) -> None:
    first, second = make_dataset(honeyhive), make_dataset(honeyhive)
    datapoint = make_datapoint(honeyhive, first, second, metadata={"m": 1})
    client.update_dataset_splits(
        dataset_id=second, split_name="test", example_ids=[examples(client, second)[0].id]
    )
    honeyhive.datapoints.update(datapoint, UpdateDatapointRequest(metadata={"m": 2}))
    for home, splits in ((first, {"base"}), (second, {"base", "test"})):
        (example,) = examples(client, home)
        assert example.metadata is not None
        assert (example.metadata["m"], set(example.metadata["dataset_split"])) == (2, splits)


def test_examples_deleted_there_are_gone_here(honeyhive: HoneyHive, client: Client) -> None:
    first, second = make_dataset(honeyhive), make_dataset(honeyhive)
    alone, shared = make_datapoint(honeyhive, first), make_datapoint(honeyhive, first, second)
    for example in examples(client, first):
        client.delete_example(example.id)
    assert honeyhive.datapoints.list(datapoint_ids=[alone, shared]).datapoints[0].id == shared
    assert read_datapoint(honeyhive, shared)["linked_datasets"] == [second]
    again = honeyhive.datasets.update(UpdateDatasetRequest(dataset_id=first, datapoints=[shared]))
    assert again.result.datapoints == [shared]
    client.delete_dataset(dataset_id=second)
    assert read_datapoint(honeyhive, shared)["linked_datasets"] == [first]


def test_files_go_along(honeyhive: HoneyHive, client: Client) -> None:
    """HoneyHive's clients know nothing of attachments, and lose none."""
    first = client.create_dataset(fresh())
    made = client.create_examples(
        dataset_id=first.id,
        examples=[ExampleCreate(inputs={}, attachments={"f": Attachment("text/plain", b"content")})],
    )["example_ids"][0]
    homes = [make_dataset(honeyhive, datapoints=[made]) for _ in range(2)]
    client.delete_dataset(dataset_id=first.id)
    honeyhive.datasets.remove_datapoint(homes[0], made)
    honeyhive.datapoints.update(made, UpdateDatapointRequest(linked_datasets=[]))
    for home in homes:
        honeyhive.datasets.delete(home)
    last = make_dataset(honeyhive, datapoints=[made])
    (example,) = client.list_examples(dataset_id=last, include_attachments=True)
    assert example.attachments is not None
    assert example.attachments["f"]["reader"].read() == b"content"
    honeyhive.datasets.delete(last)
    again = make_dataset(honeyhive, datapoints=[made])
    (example,) = client.list_examples(dataset_id=again, include_attachments=True)
    assert example.attachments is not None
    assert example.attachments["f"]["reader"].read() == b"content"
