"""Versions, tags, differences and splits of datasets, through LangSmith's own client and by hand."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.utils import LangSmithNotFoundError

NOBODY = "00000000-0000-4000-8000-000000000009"


@pytest.fixture
def dataset(client: Client) -> uuid.UUID:
    return client.create_dataset(f"versions {uuid.uuid4().hex}").id


def add(client: Client, dataset: uuid.UUID, *numbers: int) -> list[uuid.UUID]:
    examples = [{"inputs": {"n": n}} for n in numbers]
    found = client.create_examples(dataset_id=dataset, examples=examples)
    return [uuid.UUID(each) for each in found["example_ids"]]


def newest(client: Client, dataset: uuid.UUID) -> dt.datetime:
    return client.read_dataset_version(dataset_id=dataset, tag="latest").as_of


def refused(answer: httpx.Response, status: int, where: str | None = None) -> str:
    """The message of a refusal by either of the vendor's services."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    if "error" in body:
        assert where is None or where in body["details"]
        text: str = body["error"]
        return text
    if status != 422:
        return str(body["detail"])
    (first,) = body["detail"]
    assert where is None or where in [str(step) for step in first["loc"]], first
    return str(first["msg"])


# -- versions and tags -----------------------------------------------------------------------------------


def test_every_write_makes_a_version(client: Client, http: httpx.Client, dataset: uuid.UUID) -> None:
    first, second = add(client, dataset, 1, 2)
    client.update_example(first, inputs={"n": 3}, dataset_id=dataset)
    client.update_dataset_splits(dataset_id=dataset, split_name="train", example_ids=[second])
    client.delete_example(first)
    versions = list(client.list_dataset_versions(dataset_id=dataset))
    moments = [each.as_of for each in versions]
    assert moments == sorted(moments, reverse=True)
    assert [each.tags for each in versions] == [["latest"], [], [], []]
    assert client.read_dataset(dataset_id=dataset).modified_at == moments[0]

    def seen(as_of: dt.datetime) -> list[tuple[int, str]]:
        found = client.list_examples(dataset_id=dataset, as_of=as_of)
        return sorted(
            ((each.inputs or {})["n"], ",".join((each.metadata or {})["dataset_split"])) for each in found
        )

    assert [seen(each) for each in moments] == [
        [(2, "base,train")],
        [(2, "base,train"), (3, "base")],
        [(2, "base"), (3, "base")],
        [(1, "base"), (2, "base")],
    ]
    just_before = [each - dt.timedelta(microseconds=1) for each in moments]
    assert [seen(each) for each in just_before] == [*(seen(each) for each in moments[1:]), []]
    of_first = http.get(f"/datasets/{dataset}/versions", params={"example": str(first)}).json()
    assert [dt.datetime.fromisoformat(each["as_of"]) for each in of_first] == [
        moments[0],
        moments[2],
        moments[3],
    ]
    page = http.get(f"/datasets/{dataset}/versions", params={"limit": 2, "offset": 1}).json()
    assert [dt.datetime.fromisoformat(each["as_of"]) for each in page] == moments[1:3]
    assert len(list(client.list_dataset_versions(dataset_id=dataset, limit=3))) == 3


def test_reading_one_version(client: Client, dataset: uuid.UUID) -> None:
    with pytest.raises(LangSmithNotFoundError):
        client.read_dataset_version(dataset_id=dataset, tag="latest")
    add(client, dataset, 1)
    first = newest(client, dataset)
    add(client, dataset, 2)
    second = newest(client, dataset)
    assert first < second
    for asked, found in ((first, first), (second - dt.timedelta(microseconds=1), first), (second, second)):
        version = client.read_dataset_version(dataset_id=dataset, as_of=asked)
        assert version.as_of == found
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    assert client.read_dataset_version(dataset_id=dataset, as_of=later).tags == ["latest"]
    with pytest.raises(LangSmithNotFoundError):
        client.read_dataset_version(dataset_id=dataset, as_of=dt.datetime(2001, 1, 1))
    with pytest.raises(LangSmithNotFoundError):
        client.read_dataset_version(dataset_id=dataset, tag="prod")


def test_tags_move(client: Client, http: httpx.Client, dataset: uuid.UUID) -> None:
    moments = []
    for n in range(3):
        add(client, dataset, n)
        moments.append(newest(client, dataset))
    client.update_dataset_tag(dataset_id=dataset, as_of=moments[0], tag="prod")
    client.update_dataset_tag(dataset_id=dataset, as_of=moments[0], tag="Größe 1")
    assert client.read_dataset_version(dataset_id=dataset, tag="prod").tags == ["Größe 1", "prod"]
    assert len(list(client.list_examples(dataset_id=dataset, as_of="prod"))) == 1
    client.update_dataset_tag(dataset_id=dataset, as_of=moments[1], tag="prod")
    assert client.read_dataset_version(dataset_id=dataset, tag="prod").as_of == moments[1]
    assert len(list(client.list_examples(dataset_id=dataset, as_of="prod"))) == 2
    found = list(client.list_dataset_versions(dataset_id=dataset, search="GRÖ"))
    assert [each.as_of for each in found] == [moments[0]]
    path = f"/datasets/{dataset}/tags"
    moved = http.put(path, json={"as_of": "prod", "tag": "next"}).json()
    assert moved == {"tags": ["next", "prod"], "as_of": moments[1].isoformat().replace("Z", "+00:00")}
    assert "latest" in http.put(path, json={"as_of": "latest", "tag": "next"}).json()["tags"]


def test_javascripts_times_name_the_version_they_were_cut_from(
    client: Client, http: httpx.Client, dataset: uuid.UUID
) -> None:
    add(client, dataset, 1)
    moment = newest(client, dataset)
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    path = f"/datasets/{dataset}/tags"
    text = cut.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert http.put(path, json={"as_of": text, "tag": "cut"}).status_code == 200
    assert client.read_dataset_version(dataset_id=dataset, tag="cut").as_of == moment
    assert http.patch(f"/datasets/{dataset}", json={"description": "new"}).status_code == 200
    changed = http.get(f"/datasets/{dataset}").json()["modified_at"]
    assert http.put(path, json={"as_of": changed, "tag": "modified"}).status_code == 200
    assert client.read_dataset_version(dataset_id=dataset, tag="modified").as_of == moment


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({"tag": "x"}, 422, None),
        ({"as_of": "latest"}, 422, None),
        ({"as_of": "latest", "tag": ""}, 422, "tag"),
        ({"as_of": "latest", "tag": "latest"}, 422, "tag"),
        ({"as_of": "latest", "tag": "2024-01-31"}, 422, "tag"),
        ({"as_of": "latest", "tag": "1700000000"}, 422, "tag"),
        ({"as_of": "latest", "tag": "x" * 201}, 422, "tag"),
        ({"as_of": "latest", "tag": "a\0b"}, 422, "tag"),
        ({"as_of": "2001-01-01", "tag": "x"}, 404, None),
        ({"as_of": "no such tag", "tag": "x"}, 404, None),
        ({"as_of": [1], "tag": "x"}, 422, None),
    ],
)
def test_tags_that_cannot_be_put(
    client: Client,
    http: httpx.Client,
    dataset: uuid.UUID,
    body: dict[str, Any],
    status: int,
    where: str | None,
) -> None:
    add(client, dataset, 1)
    refused(http.put(f"/datasets/{dataset}/tags", json=body), status, where)
    refused(http.put(f"/datasets/{NOBODY}/tags", json={"as_of": "latest", "tag": "x"}), 404)


def test_a_version_is_named_in_one_way(client: Client, http: httpx.Client, dataset: uuid.UUID) -> None:
    add(client, dataset, 1)
    path = f"/datasets/{dataset}/version"
    refused(http.get(path, params={"as_of": "2024-01-01", "tag": "x"}), 422, "tag")
    assert http.get(path).json() == http.get(path, params={"as_of": "latest"}).json()
    for params in ({"limit": 0}, {"limit": 101}, {"offset": -1}, {"example": "x"}):
        refused(http.get(f"{path}s", params=params), 422, next(iter(params)))


def test_differences(client: Client, http: httpx.Client, dataset: uuid.UUID) -> None:
    same, changed, gone = add(client, dataset, 1, 2, 3)
    before = newest(client, dataset)
    client.update_dataset_tag(dataset_id=dataset, as_of=before, tag="before")
    (fleeting,) = add(client, dataset, 4)
    (fresh,) = add(client, dataset, 5)
    client.update_example(changed, inputs={"n": 2}, dataset_id=dataset)  # equal content counts as modified
    client.update_example(gone, inputs={"n": 30}, dataset_id=dataset)
    client.delete_examples([gone, fleeting])
    for since, until in ((before, dt.datetime.now(dt.UTC)), ("before", "latest")):
        diff = client.diff_dataset_versions(dataset_id=dataset, from_version=since, to_version=until)
        assert diff.examples_added == [fresh]
        assert diff.examples_removed == [gone]
        assert diff.examples_modified == [changed]
    back = client.diff_dataset_versions(dataset_id=dataset, from_version="latest", to_version="before")
    assert (back.examples_added, back.examples_removed) == ([gone], [fresh])
    none = client.diff_dataset_versions(dataset_id=dataset, from_version="latest", to_version="latest")
    assert (none.examples_added, none.examples_removed, none.examples_modified) == ([], [], [])
    assert same not in [*diff.examples_added, *diff.examples_modified, *diff.examples_removed]
    path = f"/datasets/{dataset}/versions/diff"
    refused(http.get(path, params={"from_version": "latest"}), 422, "to_version")
    refused(http.get(path, params={"to_version": "latest"}), 422, "from_version")
    refused(http.get(path, params={"from_version": "no such tag", "to_version": "latest"}), 404)


# -- splits and metadata ---------------------------------------------------------------------------------


def test_splits(client: Client, dataset: uuid.UUID) -> None:
    first, second, third = add(client, dataset, 1, 2, 3)
    before = newest(client, dataset)
    assert client.list_dataset_splits(dataset_id=dataset) == ["base"]
    client.update_dataset_splits(dataset_id=dataset, split_name="train", example_ids=[first, second])
    client.update_dataset_splits(dataset_id=dataset, split_name="train", example_ids=[first, uuid.uuid4()])
    client.update_dataset_splits(
        dataset_id=dataset, split_name="base", example_ids=[second, third], remove=True
    )
    assert client.list_dataset_splits(dataset_id=dataset) == ["base", "train"]
    assert client.list_dataset_splits(dataset_id=dataset, as_of=before) == ["base"]
    splits = {
        each.id: (each.metadata or {})["dataset_split"] for each in client.list_examples(dataset_id=dataset)
    }
    assert splits == {first: ["base", "train"], second: ["train"], third: []}
    assert [each.id for each in client.list_examples(dataset_id=dataset, splits=["base"])] == [first]
    with pytest.raises(LangSmithNotFoundError, match="dataset not found"):
        client.update_dataset_splits(dataset_id=NOBODY, split_name="x", example_ids=[first])


def test_splits_in_the_older_way(client: Client, http: httpx.Client, dataset: uuid.UUID) -> None:
    first, second = (str(each) for each in add(client, dataset, 1, 2))
    path = f"/datasets/{dataset}/splits"
    body = {"split_name": "test", "examples": [second, NOBODY, first]}
    assert http.put(path, json=body).json() == [second, first]
    assert client.list_dataset_splits(dataset_id=dataset) == ["base", "test"]
    assert http.put(path, json={**body, "examples": [first], "remove": True}).json() == [first]
    assert http.put(path, json={**body, "examples": []}).json() == []
    assert len(list(client.list_dataset_versions(dataset_id=dataset))) == 3
    for wrong in ({"split_name": ""}, {"split_name": "ü" * 128}, {"examples": [NOBODY] * 10_001}):
        refused(http.put(path, json={**body, **wrong}), 422, next(iter(wrong)))
    refused(http.put(path, json={**body, "examples": ["x"]}), 422)
    assert "dataset not found" in refused(http.put(f"/datasets/{NOBODY}/splits", json=body), 404)
    refused(http.get(path, params={"as_of": "no such tag"}), 404)


def operation(key: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "operation": kind, **more}


def test_metadata_of_many_at_once(client: Client, http: httpx.Client, dataset: uuid.UUID) -> None:
    metadata = [{"list": ["a"], "keep": [1.50]}, {"list": "none"}, {}]
    examples = [{"inputs": {}, "metadata": each} for each in metadata]
    ids = client.create_examples(dataset_id=dataset, examples=examples)["example_ids"]
    path = f"/v1/platform/datasets/{dataset}/examples/metadata"
    body = {
        "example_ids": [ids[1], NOBODY, ids[0], ids[1]],
        "operations": [
            operation("list", "ARRAY_ADD", values=["b", "a", "b"]),
            operation("list", "array_remove", values=["a", "zz"]),
            operation("late", "array_add", values=["lost"]),
            operation("late", "SET", value={"deep": None}),
            operation("early", "SET", value=["x"]),
            operation("early", "ARRAY_ADD", values=["y"]),
            operation("nothing", "set", value=None),
            operation("dataset_split", "SET", value="train"),
        ],
    }
    answer = http.patch(path, json=body)
    assert answer.status_code == 207
    statuses = answer.json()["statuses"]
    assert [each["id"] for each in statuses] == body["example_ids"]
    assert [each["status"] for each in statuses] == ["UPDATED", "NOT_FOUND", "UPDATED", "UPDATED"]
    assert ["description" in each for each in statuses] == [False, True, False, False]
    made = {"late": {"deep": None}, "early": ["x", "y"], "nothing": None, "dataset_split": ["train"]}
    found = [http.get(f"/examples/{each}").json()["metadata"] for each in ids]
    assert found == [
        {"list": ["b"], "keep": [1.50], **made},
        {"list": ["b"], **made},
        {"dataset_split": ["base"]},
    ]
    assert len(list(client.list_dataset_versions(dataset_id=dataset))) == 2
    (gone,) = http.patch(path, json={**body, "example_ids": [NOBODY]}).json()["statuses"]
    assert gone["status"] == "NOT_FOUND"
    assert len(list(client.list_dataset_versions(dataset_id=dataset))) == 2


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"example_ids": []}, "example_ids"),
        ({"example_ids": [NOBODY] * 10_001}, "example_ids"),
        ({"example_ids": ["x"]}, None),
        ({"operations": []}, "operations"),
        ({"operations": [operation("k", "SET", value=1)] * 51}, "operations"),
        ({"operations": [operation("k", "ARRAY_ADD", values=["x"])] * 11}, "operations"),
        ({"operations": [operation("", "SET", value=1)]}, "operations.0.key"),
        ({"operations": [operation("ü" * 128, "SET", value=1)]}, "operations.0.key"),
        ({"operations": [operation("k", "DELETE")]}, "operations.0.operation"),
        ({"operations": [operation("k", "SET")]}, "operations.0.value"),
        ({"operations": [operation("k", "SET", value="x" * 65536)]}, "operations.0.value"),
        ({"operations": [operation("dataset_split", "SET", value=[1])]}, "operations.0.value"),
        ({"operations": [operation("k", "ARRAY_ADD")]}, "operations.0.values"),
        ({"operations": [operation("k", "ARRAY_ADD", values=["x"] * 1001)]}, "operations.0.values"),
        ({"operations": [operation("k", "ARRAY_ADD", values=["x", "ü" * 128])]}, "operations.0.values.1"),
        ({"operations": [operation("k", "ARRAY_ADD", values=[7])]}, None),
    ],
)
def test_what_cannot_be_changed_at_once(
    client: Client, http: httpx.Client, dataset: uuid.UUID, body: dict[str, Any], where: str | None
) -> None:
    (example,) = add(client, dataset, 1)
    sent = {"example_ids": [str(example)], "operations": [operation("k", "SET", value=1)], **body}
    refused(http.patch(f"/v1/platform/datasets/{dataset}/examples/metadata", json=sent), 422, where)
    assert len(list(client.list_dataset_versions(dataset_id=dataset))) == 1
