"""Datasets through LangSmith's own client: made, found, changed, copied, deleted; and what is refused."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.utils import LangSmithConflictError, LangSmithNotFoundError

from tests.conftest import Server

NOBODY = "00000000-0000-4000-8000-000000000009"
QA = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}


@pytest.fixture
def name() -> str:
    """A dataset's name that nobody else uses."""
    return f"dataset {uuid.uuid4().hex[:12]}"


def made(http: httpx.Client, name: str, **fields: Any) -> dict[str, Any]:
    answer = http.post("/datasets", json={"name": name, **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def added(http: httpx.Client, dataset: str, *inputs: dict[str, Any]) -> list[str]:
    """Ids of new examples with these inputs."""
    answer = http.post("/examples/bulk", json=[{"dataset_id": dataset, "inputs": each} for each in inputs])
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()]


def refused(answer: httpx.Response, status: int, where: str | None = None) -> str:
    """The message of a refusal, which has to be in the vendor's shape."""
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    if status != 422:
        assert isinstance(detail, str)
        return detail
    (first,) = detail
    assert set(first) == {"loc", "msg", "type"}
    assert where is None or where in [str(step) for step in first["loc"]], first
    message: str = first["msg"]
    return message


# -- the client ------------------------------------------------------------------------------------------


def test_a_dataset_is_made_read_and_deleted(client: Client, name: str) -> None:
    made = client.create_dataset(
        name, description="what it is", metadata={"team": "a"}, inputs_schema=QA, outputs_schema=QA
    )
    assert made.metadata is not None
    assert (made.name, made.description, made.metadata["team"]) == (name, "what it is", "a")
    assert "runtime" in made.metadata
    assert made.inputs_schema == made.outputs_schema == QA
    assert (made.example_count, made.session_count, made.last_session_start_time) == (0, 0, None)
    by_name, by_id = client.read_dataset(dataset_name=name), client.read_dataset(dataset_id=made.id)
    assert by_name.dict() == by_id.dict() == made.dict()
    assert client.has_dataset(dataset_name=name)
    assert client.has_dataset(dataset_id=made.id)
    client.delete_dataset(dataset_id=made.id)
    assert not client.has_dataset(dataset_name=name)
    assert not client.has_dataset(dataset_id=made.id)
    client.create_dataset(name)  # the name is free again
    client.delete_dataset(dataset_name=name)


def test_a_name_is_taken_once(client: Client, name: str) -> None:
    client.create_dataset(name)
    with pytest.raises(LangSmithConflictError, match="already exists"):
        client.create_dataset(name)
    with pytest.raises(LangSmithNotFoundError):
        client.read_dataset(dataset_id=NOBODY)


def test_listing(client: Client, name: str) -> None:
    ids = [
        client.create_dataset(f"{name} {n}", metadata={"n": n, "deep": {"list": [n, "x"]}}).id
        for n in range(3)
    ]

    def listed(**conditions: Any) -> list[str]:
        return [each.name.removeprefix(f"{name} ") for each in client.list_datasets(**conditions)]

    assert sorted(listed(dataset_name_contains=name.upper())) == ["0", "1", "2"]
    assert listed(dataset_name=f"{name} 1") == ["1"]
    assert listed(dataset_name=f"{name.upper()} 1") == []
    assert sorted(listed(dataset_ids=[ids[0], ids[2]])) == ["0", "2"]
    assert listed(dataset_ids=ids, metadata={"deep": {"list": ["x", 2]}}) == ["2"]
    assert listed(dataset_ids=ids, metadata={"n": "2"}) == []
    assert listed(dataset_ids=ids, data_type="chat") == []
    assert len(listed(dataset_ids=ids, limit=2)) == 2


def test_every_page_is_read(http: httpx.Client, client: Client, name: str) -> None:
    for n in range(103):
        made(http, f"{name} {n:03}")
    found = [each.name for each in client.list_datasets(dataset_name_contains=name)]
    assert sorted(found) == [f"{name} {n:03}" for n in range(103)]


# -- the shapes ------------------------------------------------------------------------------------------


def test_the_shape_of_a_dataset(http: httpx.Client, name: str) -> None:
    own = str(uuid.uuid4())
    sent = {
        "id": own,
        "data_type": "chat",
        "description": None,
        "created_at": "2024-01-31T09:30:00Z",
        "externally_managed": True,
        "transformations": [{"path": ["inputs"], "transformation_type": "remove_extra_fields"}],
        "extra": {"source": "sdk", "metadata": {"ü": [1.50]}},
        "unknown": 1,
    }
    found = made(http, name, **sent)
    assert found == http.get(f"/datasets/{own}").json() == http.get("/datasets", params={"id": own}).json()[0]
    modified_at = found.pop("modified_at")
    assert modified_at.endswith("+00:00")
    assert found == {
        "id": own,
        "tenant_id": http.get("/workspaces/current").json()["id"],
        "name": name,
        "description": None,
        "created_at": "2024-01-31T09:30:00.000000+00:00",
        "data_type": "chat",
        "inputs_schema_definition": None,
        "outputs_schema_definition": None,
        "transformations": sent["transformations"],
        "externally_managed": True,
        "example_count": 0,
        "session_count": 0,
        "last_session_start_time": None,
        "metadata": {"ü": [1.50]},
        "baseline_experiment_id": None,
    }


def test_ids_need_no_hyphens_and_paths_have_prefixes(http: httpx.Client, name: str) -> None:
    found = made(http, name)
    bare = found["id"].replace("-", "")
    for path in (f"/datasets/{bare}", f"/api/v1/datasets/{bare}", f"/api/datasets/{bare}/"):
        assert http.get(path).json() == found


def test_sorting_and_paging(http: httpx.Client, name: str) -> None:
    datasets = [made(http, f"{name} {each}") for each in ("b", "a", "C")]
    added(http, datasets[1]["id"], {"n": 1}, {"n": 2})
    added(http, datasets[2]["id"], {"n": 1})
    experiment = {"name": f"e {name}", "reference_dataset_id": datasets[0]["id"]}
    assert http.post("/sessions", json=experiment).status_code == 200

    def order(**params: Any) -> str:
        answer = http.get("/datasets", params={"name_contains": name, **params})
        assert answer.status_code == 200, answer.text
        return "".join(each["name"][-1] for each in answer.json())

    assert order() == "bCa"
    assert order(sort_by="name", sort_by_desc="False") == "Cab"
    assert order(sort_by="created_at", sort_by_desc="true") == "Cab"
    assert order(sort_by="modified_at") == "Cab"
    assert order(sort_by="example_count") == "aCb"
    assert order(sort_by="session_count", sort_by_desc="false")[2] == "b"
    assert order(sort_by="name", limit=1, offset=1) == "a"
    assert order(limit=1, offset=3) == ""
    assert order(data_type=["kv", "chat"]) == "bCa"
    assert order(tag_value_id=NOBODY) == ""
    assert order(exclude_corrections_datasets="True") == "bCa"
    without = http.get("/datasets", params={"name_contains": name, "exclude": "example_count"}).json()
    assert all("example_count" not in each for each in without)


def test_the_stream_is_the_list_as_json_patches(http: httpx.Client, name: str) -> None:
    for each in "ab":
        made(http, f"{name} {each}", inputs_schema_definition={"type": "object"})
    indented = '{\n"type":\r\n"object"}'
    raw = f'{{"name": "{name} c", "inputs_schema_definition": {indented}}}'
    assert http.post("/datasets", content=raw.encode()).status_code == 200
    params = {"name_contains": name, "sort_by": "name"}
    answer = http.get("/datasets/stream", params=params)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, last, rest = answer.text.split("\n\n")
    assert (last, rest) == ("event: end", "")
    found: Any = None
    for event in events:
        kind, data = event.split("\n")
        assert kind == "event: data"
        for step in json.loads(data.removeprefix("data: "))["patch"]:
            assert step["op"] == "add"
            if step["path"] == "":
                found = step["value"]
            else:
                assert step["path"] == "/-"
                found.append(step["value"])
    assert found == http.get("/datasets", params=params).json()
    assert len(found) == 3


# -- changing --------------------------------------------------------------------------------------------


def test_absent_stays_and_null_clears(http: httpx.Client, name: str) -> None:
    found = made(http, name, description="old", extra={"metadata": {"a": 1}}, inputs_schema_definition=QA)
    path = f"/datasets/{found['id']}"
    missing = {"__missing__": "__missing__"}
    short = http.patch(path, json={"description": "new", "metadata": missing, "name": None}).json()
    assert set(short) == {
        "id", "tenant_id", "name", "description", "created_at", "data_type", "inputs_schema_definition",
        "outputs_schema_definition", "transformations", "externally_managed",
    }  # fmt: skip
    now = http.get(path).json()
    assert now == {**found, "description": "new", "modified_at": now["modified_at"]}
    assert now["modified_at"] > found["modified_at"]
    cleared = {"description": None, "metadata": None, "inputs_schema_definition": None}
    assert http.patch(path, json={**cleared, "name": f"{name} 2"}).status_code == 200
    now = http.get(path).json()
    assert [now[each] for each in cleared] == [None] * 3
    assert now["name"] == f"{name} 2"
    assert http.get("/datasets", params={"name": name}).json() == []
    assert http.get(f"{path}/versions").json() == []  # none of this wrote an example


def test_only_an_object_of_that_one_member_means_absent(http: httpx.Client, name: str) -> None:
    found = made(http, name, extra={"metadata": {"a": 1}})
    path = f"/datasets/{found['id']}"
    for odd in ('["__missing__", {}]', '{"__missing__": 1e400}', '{"__missing__": "x", "b": 1}', "[[]]"):
        refused(http.patch(path, content=f'{{"name": {odd}}}'), 422, "name")
    assert http.patch(path, content='{"metadata": {"__missing__": "x", "b": 1}}').status_code == 200
    assert http.get(path).json()["metadata"] == {"__missing__": "x", "b": 1}
    assert http.patch(path, content='{"name": { "__missing__" : "" }}').json()["name"] == name


def test_a_refusal_does_not_repeat_a_long_value(http: httpx.Client, name: str) -> None:
    message = refused(
        http.post("/datasets", json={"name": name, "data_type": "x" * 100_000}), 422, "data_type"
    )
    assert len(message) < 1100


def test_a_baseline_is_an_experiment_over_this_dataset(http: httpx.Client, name: str) -> None:
    mine, other = made(http, f"{name} mine")["id"], made(http, f"{name} other")["id"]
    ids = [
        http.post("/sessions", json={"name": f"{name} {n}", "reference_dataset_id": dataset}).json()["id"]
        for n, dataset in enumerate((mine, other))
    ]
    path = f"/datasets/{mine}"
    for wrong in (ids[1], NOBODY):
        answer = http.patch(path, json={"baseline_experiment_id": wrong, "description": "lost"})
        refused(answer, 422, "baseline_experiment_id")
    assert http.patch(path, json={"baseline_experiment_id": ids[0]}).status_code == 200
    found = http.get(path).json()
    assert (found["baseline_experiment_id"], found["description"]) == (ids[0], None)
    assert found["session_count"] == 1
    assert http.patch(path, json={"baseline_experiment_id": None}).status_code == 200
    assert http.get(path).json()["baseline_experiment_id"] is None


def test_a_schema_and_the_examples_it_needs_change_together(http: httpx.Client, name: str) -> None:
    dataset = made(http, name)["id"]
    first, second = added(http, dataset, {"q": 1}, {"q": "fine"})
    path = f"/datasets/{dataset}"
    message = refused(http.patch(path, json={"inputs_schema_definition": QA}), 422)
    assert first in message
    assert second not in message
    assert http.get(path).json()["inputs_schema_definition"] is None
    patch = {first: {"inputs": {"q": "mended"}}}
    answer = http.patch(path, json={"inputs_schema_definition": QA, "patch_examples": patch})
    assert answer.status_code == 200, answer.text
    assert answer.json()["inputs_schema_definition"] == QA
    assert http.get(f"/examples/{first}").json()["inputs"] == {"q": "mended"}
    assert len(http.get(f"{path}/versions").json()) == 2
    wrong = {NOBODY: {"inputs": {"q": "x"}}}
    refused(http.patch(path, json={"description": "lost", "patch_examples": wrong}), 404)
    assert http.get(path).json()["description"] is None


# -- copying and deleting --------------------------------------------------------------------------------


def test_cloning(http: httpx.Client, name: str) -> None:
    source, target = made(http, f"{name} a")["id"], made(http, f"{name} b")["id"]
    rows = [
        {"dataset_id": source, "inputs": {"n": n}, "outputs": {"a": n}, "metadata": {"m": n}, "split": split}
        for n, split in enumerate(["train", "test", ["train", "test"]])
    ]
    ids = [each["id"] for each in http.post("/examples/bulk", json=rows).json()]
    before = http.get(f"/datasets/{source}").json()["modified_at"]
    added(http, source, {"n": 9})

    def cloned(**more: Any) -> list[int]:
        body = {"source_dataset_id": source, "target_dataset_id": target, **more}
        answer = http.post("/datasets/clone", json=body)
        assert answer.status_code == 200, answer.text
        copies = answer.json()
        assert {each["dataset_id"] for each in copies} <= {target}
        assert not {each["id"] for each in copies} & set(ids)
        return [each["inputs"]["n"] for each in copies]

    assert cloned() == [0, 1, 2, 9]
    assert cloned(as_of=before) == [0, 1, 2]
    assert cloned(split="train") == [0, 2]
    assert cloned(split=["test"], as_of=before) == [1, 2]
    assert cloned(examples=[ids[2], ids[0]]) == [0, 2]
    assert cloned(split="none") == []
    copy = http.get("/examples", params={"dataset": target, "metadata": '{"m": 1}'}).json()[0]
    assert (copy["outputs"], copy["metadata"]) == ({"a": 1}, {"m": 1, "dataset_split": ["test"]})
    assert len(http.get(f"/datasets/{target}/versions").json()) == 5
    assert http.get(f"/datasets/{source}").json()["example_count"] == 4
    for wrong in ({"source_dataset_id": NOBODY}, {"target_dataset_id": NOBODY}, {"as_of": "no such tag"}):
        refused(
            http.post(
                "/datasets/clone", json={"source_dataset_id": source, "target_dataset_id": target, **wrong}
            ),
            404,
        )


def test_deleting_many(http: httpx.Client, name: str) -> None:
    ids = [made(http, f"{name} {n}")["id"] for n in range(3)]
    (example,) = added(http, ids[0], {"n": 1})
    assert http.delete("/datasets", params={"dataset_ids": [ids[0], ids[1], NOBODY]}).status_code == 200
    assert [http.get(f"/datasets/{each}").status_code for each in ids] == [404, 404, 200]
    assert "not found" in refused(http.get(f"/examples/{example}"), 404)
    assert "not found" in refused(http.delete("/datasets", params={"dataset_ids": ids[:2]}), 404)
    refused(http.delete("/datasets"), 422, "dataset_ids")
    refused(http.delete("/datasets", params={"dataset_ids": [NOBODY] * 101}), 422, "dataset_ids")


# -- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body"),
        ({"name": ""}, "name"),
        ({"name": "x" * 1001}, "name"),
        ({"name": "🎉" * 1000}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x", "id": "no uuid"}, "id"),
        ({"name": "x", "data_type": "table"}, "data_type"),
        ({"name": "x", "description": "a\u0000b"}, "description"),
        ({"name": "x", "created_at": "yesterday"}, "created_at"),
        ({"name": "x", "inputs_schema_definition": [1]}, "inputs_schema_definition"),
        ({"name": "x", "inputs_schema_definition": {"type": "nonsense"}}, "inputs_schema_definition"),
        (
            {"name": "x", "outputs_schema_definition": {"$ref": "http://elsewhere/x"}},
            "outputs_schema_definition",
        ),
        ({"name": "x", "transformations": {}}, "transformations"),
        (
            {"name": "x", "transformations": [{"path": ["inputs"], "transformation_type": "?"}]},
            "transformations",
        ),
        ({"name": "x", "extra": []}, "extra"),
        ({"name": "x", "extra": {"metadata": [1]}}, "extra.metadata"),
        ({"name": "x", "extra": {"metadata": {"big": "x" * (1 << 20)}}}, "metadata"),
        ({"name": "x", "tag_value_ids": [NOBODY]}, "tag_value_ids"),
    ],
)
def test_what_is_no_dataset_is_refused_with_its_place(
    http: httpx.Client, name: str, body: dict[str, Any], where: str
) -> None:
    if body.get("name") == "x":
        body = {**body, "name": name}
    refused(http.post("/datasets", json=body), 422, where)
    assert http.get("/datasets", params={"name": name}).json() == []


def test_broken_bodies(http: httpx.Client, name: str) -> None:
    for raw in (b"{", b"[]", b"\xff", b'{"name": "\\ud800"}'[:-1], b"[" * 100_000):
        assert http.post("/datasets", content=raw).status_code in (413, 422)
    lone = http.post("/datasets", content=b'{"name": "lone \\ud800 %s"}' % name.encode()).json()
    assert lone["name"] == f"lone \ufffd {name}"
    huge = http.post("/datasets", content=b'{"name": "%s", "extra": {"metadata": {"n": 1%s}}}' % (
        name.encode(), b"0" * 200
    ))  # fmt: skip
    assert huge.status_code == 200
    assert http.get("/datasets", params={"name": name, "metadata": '{"n": 1%s}' % ("0" * 200)}).json()


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"offset": -1}, "offset"),
        ({"offset": 2**63}, "offset"),
        ({"id": "x"}, "id"),
        ({"data_type": "table"}, "data_type"),
        ({"sort_by": "color"}, "sort_by"),
        ({"sort_by_desc": "perhaps"}, "sort_by_desc"),
        ({"metadata": "[1]"}, "metadata"),
        ({"metadata": "{"}, "metadata"),
        ({"metadata": '{"a":' * 200 + "1" + "}" * 200}, "metadata"),
        ({"name_contains": "x" * 5001}, "name_contains"),
        ({"name_contains": "\u0390" * 5000}, "name_contains"),  # three characters each when folded
        ({"exclude": "name"}, "exclude"),
        ({"tag_value_id": "x"}, "tag_value_id"),
    ],
)
def test_what_cannot_be_listed_is_refused_with_its_place(
    http: httpx.Client, params: dict[str, Any], where: str
) -> None:
    for path in ("/datasets", "/datasets/stream"):
        refused(http.get(path, params=params), 422, where)


def test_a_number_beyond_reach_does_not_spoil_the_list_for_others(http: httpx.Client, name: str) -> None:
    sent = b'{"name": "%s", "extra": {"metadata": {"mark": "%s", "n": 1e400}}}' % (
        name.encode(),
        name.encode(),
    )
    found = http.post("/datasets", content=sent).json()
    assert found["metadata"] == {"mark": name, "n": None}
    listed = http.get("/datasets", params={"metadata": f'{{"mark": "{name}"}}'})
    assert [each["id"] for each in listed.json()] == [found["id"]]
    digits = b'{"name": "%s 2", "extra": {"metadata": {"n": %s}}}' % (name.encode(), b"9" * 5000)
    refused(http.post("/datasets", content=digits), 422, "extra")


def test_odd_names_are_found_or_not_and_never_an_error(http: httpx.Client) -> None:
    for odd in ("%", "_", "\\", "'", '"', "a\0b", "%ff%00"):
        for param in ("name", "name_contains", "metadata"):
            answer = http.get("/datasets", params={param: f"none{odd}"})
            assert answer.status_code in (200, 400, 422)
            assert answer.status_code != 200 or answer.json() == []
    assert http.get("/datasets?name=%ff%fe").status_code == 200


def test_unknown_ids(http: httpx.Client, name: str, server: Server) -> None:
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        *(("GET", f"/{each}") for each in ("csv", "jsonl", "openai", "openai_ft", "versions", "splits")),
        ("GET", "/version?tag=latest"),
        ("GET", "/versions/diff?from_version=2024-01-01&to_version=latest"),
    ):
        body = b"{}" if method == "PATCH" else None
        message = refused(http.request(method, f"/datasets/{NOBODY}{path}", content=body), 404)
        assert "dataset not found" in message
        refused(http.request(method, f"/datasets/nonsense{path}", content=body), 422, "dataset_id")
    dataset = made(http, name)["id"]
    for patch in ({"name": ""}, {"name": 1}, {"baseline_experiment_id": "x"}, {"metadata": 1}):
        refused(http.patch(f"/datasets/{dataset}", json=patch), 422, next(iter(patch)))
    refused(http.patch(f"/datasets/{dataset}", json={"patch_examples": {"x": {}}}), 422)
    taken = made(http, f"{name} 2")["name"]
    assert "already exists" in refused(http.patch(f"/datasets/{dataset}", json={"name": taken}), 409)
    assert "request failed" not in server.log
