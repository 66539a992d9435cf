"""Examples added and changed in multipart bodies: with LangSmith's own client, and with bodies written by hand."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.schemas import Attachment, AttachmentsOperations, Example, ExampleUpdate
from langsmith.schemas import ExampleCreate as NewExample
from langsmith.utils import LangSmithConflictError, LangSmithError, LangSmithNotFoundError

from stenograph.wire.uploads import IN_MEMORY
from tests.conftest import Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*deprecated.*")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\r\n--mark\r\n"
MARK = "mark"
OBJECT_WITH_Q = {
    "type": "object",
    "properties": {"q": {"type": "string"}},
    "required": ["q"],
}


@pytest.fixture
def dataset(http: httpx.Client) -> uuid.UUID:
    return made(http)


def made(http: httpx.Client, **more: Any) -> uuid.UUID:
    """A new dataset."""
    answer = http.post("/datasets", json={"name": f"dataset-{uuid.uuid4()}", **more})
    assert answer.status_code == 200, answer.text
    return uuid.UUID(answer.json()["id"])


def part(name: object, data: object = None, mime_type: str = "application/json", extra: str = "") -> bytes:
    """One part; anything but bytes is written as JSON. `extra` follows the name."""
    content = data if isinstance(data, bytes) else json.dumps({} if data is None else data).encode()
    head = f'--{MARK}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\nContent-Type: {mime_type}'
    return head.encode() + b"\r\n\r\n" + content + b"\r\n"


def send(
    http: httpx.Client, dataset: object, *parts: bytes, method: str = "POST", end: bytes = b"--mark--\r\n"
) -> httpx.Response:
    return http.request(
        method,
        f"/v1/platform/datasets/{dataset}/examples",
        content=b"".join(parts) + end,
        headers={"Content-Type": f"multipart/form-data; boundary={MARK}"},
    )


def add(http: httpx.Client, dataset: uuid.UUID, count: int = 1, **main: Any) -> list[uuid.UUID]:
    """So many examples with numbered inputs."""
    ids = [uuid.uuid4() for _ in range(count)]
    parts = [part(each, main) + part(f"{each}.inputs", {"q": place}) for place, each in enumerate(ids)]
    answer = send(http, dataset, *parts)
    assert answer.status_code == 201, answer.text
    return ids


def stored(http: httpx.Client, example: object, **params: Any) -> dict[str, Any]:
    answer = http.get(f"/examples/{example}", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids_in(http: httpx.Client, dataset: uuid.UUID) -> list[str]:
    answer = http.get("/examples", params={"dataset": str(dataset), "select": "id"})
    return [example["id"] for example in answer.json()]


def versions(http: httpx.Client, dataset: uuid.UUID) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get(f"/datasets/{dataset}/versions").json()
    return found


def files(http: httpx.Client, example: object) -> dict[str, tuple[str, bytes]]:
    """Name to type and content, fetched as clients do."""
    urls = stored(http, example)["attachment_urls"] or {}
    return {
        key.removeprefix("attachment."): (value["mime_type"], http.get(value["presigned_url"]).content)
        for key, value in urls.items()
    }


def refused(answer: httpx.Response, status: int, *texts: object) -> str:
    """The message of an error in the shape of that service."""
    assert answer.status_code == status, answer.text
    found = answer.json()
    assert set(found) <= {"error", "details"}
    for text in texts:
        assert str(text) in found["error"]
    if "details" in found:
        assert set(json.loads(found["details"])) == {"field", "reason"}
    message: str = found["error"]
    return message


def blobs(server: Server) -> set[Path]:
    return {path for path in (server.data_dir / "blobs").rglob("*") if path.is_file()}


# -- LangSmith's own client ------------------------------------------------------------------------------


def test_create_and_read_back(client: Client) -> None:
    dataset = client.create_dataset(f"dataset-{uuid.uuid4()}")
    source = uuid.uuid4()
    created_at = dt.datetime(2025, 6, 7, 8, 9, 10, 123456, tzinfo=dt.UTC)
    sent = [
        NewExample(
            id=uuid.uuid4(),
            inputs={"q": "what?", "n": 2**70, "e": "é"},
            reference_outputs={"a": None},
            metadata={"level": {"deep": [1]}},
            split=["train", "hard"],
            created_at=created_at,
            source_run_id=source,
            attachments={
                "picture.png": Attachment("image/png", PNG),
                "Ünï cödé 图.txt": {"mime_type": "text/plain", "data": b"text"},
                'say "hi"; name=x': {"mime_type": "text/plain", "data": b""},
            },
        ),
        NewExample(inputs={"q": 2}, split="test"),
        NewExample(inputs={}, metadata={"dataset_split": ["stated"]}),
    ]
    answer = client.create_examples(dataset_id=dataset.id, examples=sent)
    assert answer["count"] == 3
    as_of = dt.datetime.fromisoformat(str(answer["as_of"]))
    assert as_of.utcoffset() == dt.timedelta(0)
    assert len(str(answer["as_of"]).split(".")[1]) == len("123456+00:00")

    first, second, third = (client.read_example(each) for each in answer["example_ids"])
    assert first.id == sent[0].id
    assert first.inputs == {"q": "what?", "n": 2**70, "e": "é"}
    assert first.outputs == {"a": None}
    assert first.metadata == {"level": {"deep": [1]}, "dataset_split": ["train", "hard"]}
    assert first.created_at == created_at
    assert first.source_run_id == source
    assert first.modified_at == second.modified_at == third.modified_at == as_of
    assert attached(first) == {
        "picture.png": ("image/png", PNG),
        "Ünï cödé 图.txt": ("text/plain", b"text"),
        'say "hi"; name=x': ("text/plain", b""),
    }
    assert second.metadata == {"dataset_split": ["test"]}
    assert second.outputs is None
    assert third.inputs == {}
    assert third.metadata == {"dataset_split": ["stated"]}
    listed = list(client.list_examples(dataset_id=dataset.id, as_of=as_of))
    assert [example.id for example in listed] == [first.id, second.id, third.id]
    assert list(client.list_examples(dataset_id=dataset.id, as_of=as_of - dt.timedelta(microseconds=1))) == []


def attached(example: Example) -> dict[str, tuple[str | None, bytes]]:
    found = dict(example.attachments or {})
    return {name: (info["mime_type"], info["reader"].read()) for name, info in found.items()}


def test_create_example_by_example(client: Client) -> None:
    dataset = client.create_dataset(f"dataset-{uuid.uuid4()}")
    example = client.create_example(inputs={"q": 1}, outputs={"a": 1}, dataset_id=dataset.id, split="s")
    assert (example.inputs, example.outputs) == ({"q": 1}, {"a": 1})
    assert example.metadata == {"dataset_split": ["s"]}
    with pytest.raises(LangSmithConflictError):
        client.create_example(inputs={"q": 1}, dataset_id=dataset.id, example_id=example.id)


def test_update_and_read_back(client: Client) -> None:
    dataset = client.create_dataset(f"dataset-{uuid.uuid4()}")
    kept = {"a": Attachment("text/plain", b"a"), "b": Attachment("text/plain", b"b")}
    one = NewExample(
        inputs={"q": 1}, reference_outputs={"a": 1}, metadata={"k": 1}, split="s", attachments=kept
    )
    two = NewExample(inputs={"q": 2})
    created = client.create_examples(dataset_id=dataset.id, examples=[one, two])
    first, second = map(uuid.UUID, created["example_ids"])
    then = dt.datetime.fromisoformat(str(created["as_of"]))
    answer = client.update_examples(
        dataset_id=dataset.id,
        updates=[
            ExampleUpdate(id=second, outputs={"a": 2}, split=["x", "y"]),
            ExampleUpdate(
                id=first,
                metadata={"new": True},
                attachments_operations=AttachmentsOperations(rename={"a": "renamed"}, retain=["b"]),
                attachments={"b": Attachment("image/png", b"newer"), "c": Attachment("text/plain", b"c")},
            ),
        ],
    )
    assert answer["message"] == "2 examples updated"
    assert answer["example_ids"] == [str(second), str(first)]
    after = client.read_example(first)
    assert (after.inputs, after.outputs) == ({"q": 1}, {"a": 1})
    assert after.metadata == {"new": True, "dataset_split": ["s"]}
    assert after.created_at == client.read_example(first, as_of=then).created_at
    assert attached(after) == {
        "b": ("image/png", b"newer"),
        "renamed": ("text/plain", b"a"),
        "c": ("text/plain", b"c"),
    }
    other = client.read_example(second)
    assert (other.inputs, other.outputs) == ({"q": 2}, {"a": 2})
    assert other.metadata == {"dataset_split": ["x", "y"]}
    before = client.read_example(first, as_of=then)
    assert attached(before) == {"a": ("text/plain", b"a"), "b": ("text/plain", b"b")}

    client.update_example(first, inputs={"q": "alone"})
    assert client.read_example(first).inputs == {"q": "alone"}
    assert set(attached(client.read_example(first))) == {"b", "renamed", "c"}, "an update without files"


def test_the_old_upsert(client: Client, http: httpx.Client) -> None:
    from langsmith.schemas import ExampleUpsertWithAttachments as Upsert

    dataset = client.create_dataset(f"dataset-{uuid.uuid4()}").id
    (known,) = add(http, dataset, metadata={"k": 1}, split="s")
    new = uuid.uuid4()
    picture = {"picture": Attachment("image/png", PNG)}
    answer = client.upsert_examples_multipart(
        upserts=[
            Upsert(id=new, dataset_id=dataset, inputs={"q": "new"}, attachments=picture),
            Upsert(id=known, dataset_id=dataset, inputs={"q": "changed"}, outputs={"a": 1}),
        ]
    )
    assert answer["count"] == 2
    assert answer["example_ids"] == [str(new), str(known)]
    assert len(versions(http, dataset)) == 2, "one batch, one version"
    changed = stored(http, known)
    assert (changed["inputs"], changed["outputs"]) == ({"q": "changed"}, {"a": 1})
    assert changed["metadata"] == {"k": 1, "dataset_split": ["s"]}
    assert changed["modified_at"] == stored(http, new)["modified_at"]
    assert files(http, new) == {"picture": ("image/png", PNG)}

    with pytest.raises(LangSmithNotFoundError, match="dataset not found"):
        client.upsert_examples_multipart(upserts=[Upsert(dataset_id=uuid.uuid4(), inputs={"q": 1})])
    elsewhere = made(http)
    with pytest.raises(LangSmithConflictError):
        client.upsert_examples_multipart(upserts=[Upsert(id=known, dataset_id=elsewhere, inputs={"q": 1})])
    assert ids_in(http, elsewhere) == []


def test_the_clients_errors(client: Client) -> None:
    dataset, other = (client.create_dataset(f"dataset-{uuid.uuid4()}").id for _ in range(2))
    example = client.create_example(inputs={"q": 1}, dataset_id=dataset)
    with pytest.raises(LangSmithNotFoundError, match="dataset not found"):
        client.create_examples(dataset_id=uuid.uuid4(), examples=[NewExample(inputs={"q": 1})])
    for elsewhere in (dataset, other):
        with pytest.raises(LangSmithConflictError):
            client.create_examples(
                dataset_id=elsewhere, examples=[NewExample(id=example.id, inputs={"q": 1})]
            )
    with pytest.raises(LangSmithNotFoundError, match="example not found"):
        client.update_examples(dataset_id=dataset, updates=[ExampleUpdate(id=uuid.uuid4(), split="x")])
    with pytest.raises(LangSmithConflictError):
        client.update_examples(dataset_id=other, updates=[ExampleUpdate(id=example.id, split="x")])
    with pytest.raises(LangSmithError, match="retained or renamed"):
        client.update_example(
            example.id,
            dataset_id=dataset,
            attachments_operations=AttachmentsOperations(rename={"a": "b"}, retain=["a"]),
        )
    assert client.read_example(example.id).modified_at == example.modified_at


# -- examples from runs ----------------------------------------------------------------------------------


def recorded(http: httpx.Client, project: str, **more: Any) -> uuid.UUID:
    """A run with inputs, outputs and two files."""
    run = uuid.uuid4()
    stated = {
        "id": str(run), "trace_id": str(run), "dotted_order": f"20260101T000000000000Z{run}", "name": "source",
        "run_type": "chain", "session_name": project, "start_time": "2026-01-01T00:00:00Z",
        "inputs": {"q": "asked"}, "outputs": {"a": "answered"}, **more,
    }  # fmt: skip
    body = part(f"post.{run}", stated)
    for name in ("one", "two"):
        body += part(f"attachment.{run}.{name}", f"file {name}".encode(), "text/plain")
    answer = http.post(
        "/runs/multipart",
        content=body + b"--mark--\r\n",
        headers={"Content-Type": f"multipart/form-data; boundary={MARK}"},
    )
    assert answer.status_code == 202, answer.text
    return run


def test_inputs_outputs_and_files_of_a_run(http: httpx.Client, dataset: uuid.UUID, project: str) -> None:
    run = recorded(http, project)
    whole, stated, one = (uuid.uuid4() for _ in range(3))
    answer = send(
        http,
        dataset,
        part(whole, {"source_run_id": str(run), "use_source_run_io": True}),
        part(stated, {"source_run_id": str(run), "use_source_run_io": True}),
        part(f"{stated}.outputs", {"a": "better"}),
        part(f"{stated}.attachment.two", b"mine", "text/html"),
        part(one, {"source_run_id": str(run), "use_source_run_attachments": ["two", "none"]}),
        part(f"{one}.inputs", {"q": "own"}),
    )
    assert answer.status_code == 201, answer.text
    found = stored(http, whole)
    assert (found["inputs"], found["outputs"]) == ({"q": "asked"}, {"a": "answered"})
    assert found["source_run_id"] == str(run)
    assert files(http, whole) == {"one": ("text/plain", b"file one"), "two": ("text/plain", b"file two")}
    found = stored(http, stated)
    assert (found["inputs"], found["outputs"]) == ({"q": "asked"}, {"a": "better"})
    assert files(http, stated) == {"one": ("text/plain", b"file one"), "two": ("text/html", b"mine")}
    found = stored(http, one)
    assert (found["inputs"], found["outputs"]) == ({"q": "own"}, None)
    assert files(http, one) == {"two": ("text/plain", b"file two")}


def test_a_source_run_that_is_not_there(http: httpx.Client, dataset: uuid.UUID, server: Server) -> None:
    before = blobs(server)
    example, run = uuid.uuid4(), str(uuid.uuid4())
    main = part(example, {"source_run_id": run, "use_source_run_io": True})
    refused(send(http, dataset, main, part(f"{example}.attachment.f", b"x")), 404, run)
    assert blobs(server) == before
    # Named only, a run may come later, or have gone.
    answer = send(http, dataset, part(example, {"source_run_id": run}), part(f"{example}.inputs", {"q": 1}))
    assert answer.status_code == 201
    assert stored(http, example)["source_run_id"] == run


# -- bodies ----------------------------------------------------------------------------------------------


def test_parts_in_any_order_and_interleaved(http: httpx.Client, dataset: uuid.UUID) -> None:
    """Examples are answered, and listed, in the order of their first parts."""
    ids = [uuid.uuid4() for _ in range(5)]
    parts = []
    for place, each in enumerate(ids):
        parts += [
            (each, part(each, {"metadata": {"place": place}})),
            (each, part(f"{each}.inputs", {"q": place})),
            (each, part(f"{each}.outputs", {"a": place})),
            (each, part(f"{each}.attachment.f", str(place).encode(), "text/plain")),
        ]
    random.Random(7).shuffle(parts)
    answer = send(http, dataset, *(data for _, data in parts)).json()
    assert answer["example_ids"] == list(dict.fromkeys(str(each) for each, _ in parts))
    assert ids_in(http, dataset) == answer["example_ids"]
    for place, each in enumerate(ids):
        found = stored(http, each)
        assert (found["inputs"], found["outputs"]) == ({"q": place}, {"a": place})
        assert found["metadata"]["place"] == place
        assert files(http, each) == {"f": ("text/plain", str(place).encode())}


@pytest.mark.parametrize("extra", ["", '; filename="blob"', '; filename="x/y \\"z.json"'])
@pytest.mark.parametrize("stated", [False, True])
def test_parts_as_clients_write_them(
    http: httpx.Client, dataset: uuid.UUID, extra: str, stated: bool
) -> None:
    """With a file name and without; with the length of an attachment beside its type and without."""
    example = uuid.uuid4()
    length = f"; length={len(PNG[:-10])}" if stated else ""
    sent = [
        part(example, {"split": "s"}, extra=extra),
        part(f"{example}.inputs", {"q": 1}, extra=extra),
        part(f"{example}.attachment.p", PNG[:-10], f"image/png{length}", extra=extra),
    ]
    assert send(http, dataset, *sent).status_code == 201
    assert files(http, example) == {"p": ("image/png", PNG[:-10])}


NAMES = [
    "two words", "ünïcödé 图", "a/b", "../up", "..", ".", "50%", "50%25", "quo'te", "semi; length=3", "a\\b",
    "#frag?query=1&x", "=", "+plus+", "UPPER", "upper", "n" * 255, "é" * 255, "attachment.x", "inputs", "🦀",
]  # fmt: skip


def test_odd_names_of_attachments(http: httpx.Client, dataset: uuid.UUID) -> None:
    example = uuid.uuid4()
    sent = [
        part(f"{example}.{spelling}.{name}", name.encode(), "text/plain")
        for name, spelling in zip(NAMES, ["attachment", "attachments"] * len(NAMES), strict=False)
    ]
    answer = send(http, dataset, part(example), part(f"{example}.inputs", {}), *sent)
    assert answer.status_code == 201, answer.text
    assert files(http, example) == {name: ("text/plain", name.encode()) for name in NAMES}


def test_no_examples_make_no_version(client: Client, http: httpx.Client, dataset: uuid.UUID) -> None:
    before = http.get(f"/datasets/{dataset}").json()["modified_at"]
    for method in ("POST", "PATCH"):
        answer = send(http, dataset, method=method)
        assert answer.status_code == 201
        assert answer.json() == {"count": 0, "example_ids": [], "as_of": before}
    assert versions(http, dataset) == []


def test_one_batch_is_one_version(http: httpx.Client, dataset: uuid.UUID) -> None:
    ids = add(http, dataset, 500)
    (version,) = versions(http, dataset)
    found = stored(http, ids[-1])
    assert found["modified_at"] == version["as_of"] == http.get(f"/datasets/{dataset}").json()["modified_at"]
    answer = send(http, dataset, *(part(each, {"split": "x"}) for each in ids), method="PATCH")
    assert answer.json()["count"] == 500
    newest, _ = versions(http, dataset)
    assert newest["as_of"] == answer.json()["as_of"]
    assert {stored(http, each)["modified_at"] for each in (ids[0], ids[-1])} == {newest["as_of"]}


def test_a_body_on_disk(http: httpx.Client, server: Server, dataset: uuid.UUID) -> None:
    """Larger than what is kept in memory: it goes through a file, and so do the examples."""
    size = IN_MEMORY // 3
    ids = [uuid.uuid4() for _ in range(4)]
    text = "x" * size
    parts = [part(each) + part(f"{each}.inputs", {"q": text, "n": place}) for place, each in enumerate(ids)]
    before = blobs(server)
    data = bytes(range(256)) * (size // 256)
    parts.append(part(f"{ids[2]}.attachment.f", data, "application/octet-stream"))
    answer = send(http, dataset, *parts)
    assert answer.status_code == 201, answer.text
    assert stored(http, ids[3])["inputs"] == {"q": text, "n": 3}
    assert files(http, ids[2]) == {"f": ("application/octet-stream", data)}
    assert len(blobs(server) - before) == 1


def test_parallel_uploads(http: httpx.Client, dataset: uuid.UUID) -> None:
    with ThreadPoolExecutor(3) as senders:
        sent = list(senders.map(lambda _: add(http, dataset, 300), range(3)))
    assert http.get("/examples/count", params={"dataset": str(dataset)}).json() == 900
    assert len(versions(http, dataset)) == 3
    for ids in sent:
        assert len({stored(http, each)["modified_at"] for each in (ids[0], ids[150], ids[-1])}) == 1


# -- metadata, splits and files in changes ---------------------------------------------------------------


def patched(http: httpx.Client, dataset: uuid.UUID, *parts: bytes) -> None:
    answer = send(http, dataset, *parts, method="PATCH")
    assert answer.status_code == 201, answer.text


def test_metadata_and_splits_change_apart(http: httpx.Client, dataset: uuid.UUID) -> None:
    (example,) = add(http, dataset, metadata={"k": 1, "l": 2}, split=["a", "b"])

    def after(main: dict[str, Any]) -> Any:
        patched(http, dataset, part(example, main))
        found = stored(http, example)
        assert found["inputs"] == {"q": 0}
        return found["metadata"]

    assert after({"metadata": {"m": 3}}) == {"m": 3, "dataset_split": ["a", "b"]}
    assert after({"split": "c"}) == {"m": 3, "dataset_split": ["c"]}
    assert after({"split": ["d", "e", "d"]}) == {"m": 3, "dataset_split": ["d", "e"]}
    assert after({"metadata": {}}) == {"dataset_split": ["d", "e"]}
    assert after({"metadata": {"dataset_split": "f"}}) == {"dataset_split": ["f"]}
    assert after({"metadata": {"k": 1}, "split": []}) == {"k": 1, "dataset_split": ["base"]}
    assert after({}) == {"k": 1, "dataset_split": ["base"]}
    assert add(http, dataset, split=[])
    assert set(http.get(f"/datasets/{dataset}/splits").json()) == {"base"}


def test_what_becomes_of_files(http: httpx.Client, dataset: uuid.UUID) -> None:
    example = uuid.uuid4()
    sent = [part(f"{example}.attachment.{name}", name.encode(), "text/plain") for name in "abc"]
    assert send(http, dataset, part(example), part(f"{example}.inputs", {}), *sent).status_code == 201

    def after(operations: Any, **new: bytes) -> dict[str, bytes]:
        parts = [part(f"{example}.attachment.{name}", data, "text/plain") for name, data in new.items()]
        if operations is not None:
            parts.append(part(f"{example}.attachments_operations", operations))
        patched(http, dataset, part(example), *parts)
        return {name: data for name, (_, data) in files(http, example).items()}

    assert after(None) == {"a": b"a", "b": b"b", "c": b"c"}
    assert after({"rename": {"a": "b", "b": "a"}, "retain": ["c"]}) == {"a": b"b", "b": b"a", "c": b"c"}
    assert after({"retain": ["a", "c", "nobody"]}) == {"a": b"b", "c": b"c"}
    assert after({"rename": {"a": "d"}, "retain": ["c"]}, c=b"new", e=b"e") == {
        "c": b"new", "d": b"b", "e": b"e",
    }  # fmt: skip
    assert after(None, f=b"f") == {"f": b"f"}, "a new file without operations is all there is"
    assert after({}) == {}


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        ({"rename": {"a": "b"}, "retain": ["a"]}, "'a'"),
        ({"rename": {"a": "x"}, "retain": ["x"]}, "'x'"),
        ({"rename": {"nobody": "x"}}, "'nobody'"),
        ({"rename": {"a": "x", "b": "x"}}, "'x'"),
    ],
)
def test_contradictory_operations(
    http: httpx.Client, dataset: uuid.UUID, operations: Any, why: str, server: Server
) -> None:
    example, other = uuid.uuid4(), uuid.uuid4()
    sent = [part(f"{example}.attachment.{name}", name.encode()) for name in "ab"]
    inputs = [part(f"{each}.inputs", {}) for each in (example, other)]
    assert send(http, dataset, part(example), part(other), *inputs, *sent).status_code == 201
    before, modified = blobs(server), stored(http, other)["modified_at"]
    answer = send(
        http,
        dataset,
        part(other, {"split": "x"}),
        part(example),
        part(f"{example}.attachments_operations", operations),
        part(f"{example}.attachment.new", b"new"),
        method="PATCH",
    )
    refused(answer, 422, example, why)
    assert json.loads(answer.json()["details"])["field"] == f"{example}.attachments_operations"
    assert set(files(http, example)) == {"a", "b"}
    assert stored(http, other)["modified_at"] == modified, "all or none"
    assert blobs(server) == before


# -- refusals --------------------------------------------------------------------------------------------


def test_schemas_are_held_against_every_example(http: httpx.Client, server: Server) -> None:
    dataset = made(http, inputs_schema_definition=OBJECT_WITH_Q)
    good, bad, worse = (uuid.uuid4() for _ in range(3))
    before = blobs(server)
    answer = send(
        http,
        dataset,
        part(good) + part(f"{good}.inputs", {"q": "text"}) + part(f"{good}.attachment.f", b"file"),
        part(bad) + part(f"{bad}.inputs", {"q": 1}),
        part(worse) + part(f"{worse}.inputs", {}),
    )
    refused(answer, 422, f"{bad}: inputs.q", worse)
    assert json.loads(answer.json()["details"])["field"] == f"{bad}.inputs.q"
    assert ids_in(http, dataset) == []
    assert versions(http, dataset) == []
    assert blobs(server) == before
    assert send(http, dataset, part(good), part(f"{good}.inputs", {"q": "text"})).status_code == 201
    answer = send(http, dataset, part(good), part(f"{good}.inputs", {"q": 1}), method="PATCH")
    refused(answer, 422, f"{good}: inputs.q")
    assert stored(http, good)["inputs"] == {"q": "text"}
    patched(http, dataset, part(good, {"split": "x"}))


def test_taken_and_unknown_ids(http: httpx.Client, dataset: uuid.UUID, server: Server) -> None:
    (example,) = add(http, dataset)
    elsewhere, nowhere = made(http), uuid.uuid4()
    before = blobs(server)

    def sent(each: uuid.UUID) -> list[bytes]:
        return [part(each), part(f"{each}.inputs", {"q": 1}), part(f"{each}.attachment.f", b"file")]

    new = uuid.uuid4()
    for home in (dataset, elsewhere):
        refused(send(http, home, *sent(new), *sent(example)), 409, example)
    refused(send(http, dataset, *sent(new), *sent(new)), 409, new)
    refused(send(http, nowhere, *sent(new)), 404, "dataset not found", nowhere)
    refused(send(http, nowhere, *sent(new), method="PATCH"), 404, "dataset not found")
    refused(send(http, dataset, *sent(example), *sent(new), method="PATCH"), 404, "example not found", new)
    refused(send(http, elsewhere, *sent(example), method="PATCH"), 409, example)
    refused(send(http, dataset, *sent(example), *sent(example), method="PATCH"), 409, example)
    assert ids_in(http, dataset) == [str(example)]
    assert ids_in(http, elsewhere) == []
    assert stored(http, example)["inputs"] == {"q": 0}
    assert blobs(server) == before, "what a refused request stored is gone"


def test_a_deleted_id_may_be_used_again(http: httpx.Client, dataset: uuid.UUID) -> None:
    (example,) = add(http, dataset)
    assert http.delete(f"/examples/{example}").status_code == 200
    refused(send(http, dataset, part(example, {"split": "x"}), method="PATCH"), 404, example)
    elsewhere = made(http)
    assert send(http, elsewhere, part(example), part(f"{example}.inputs", {})).status_code == 201
    assert stored(http, example)["dataset_id"] == str(elsewhere)


def test_malformed_bodies(http: httpx.Client, dataset: uuid.UUID, server: Server) -> None:
    example = uuid.uuid4()
    good = [part(example), part(f"{example}.inputs", {"q": 1}), part(f"{example}.attachment.f", b"file")]
    before = blobs(server)
    refused(send(http, dataset, *good, end=b""), 400, "cut short")
    refused(send(http, dataset, *good, b"--mark\r\nContent-Disp", end=b""), 400, "cut short")
    refused(send(http, dataset, *good, b"--mark\r\nContent-Type: a/b\r\n\r\n\r\n"), 400, "no name")
    refused(send(http, dataset, end=b""), 400, "boundary")
    refused(send(http, dataset, *good, part("nobody", {})), 400, "'nobody'")
    refused(send(http, dataset, *good, part(f"{example}.what", {})), 400, f"{example}.what")
    orphan = uuid.uuid4()
    refused(send(http, dataset, *good, part(f"{orphan}.attachment.f", b"x")), 400, orphan)
    late = uuid.uuid4()
    mistake = part(f"{late}.inputs", b"{'q': 1}")
    refused(send(http, dataset, *good, part(late), mistake), 400, f"{late}.inputs", "JSON")
    refused(send(http, dataset, *good, part(late)), 400, f"{late}.inputs")
    for method in ("POST", "PATCH"):
        url = f"/platform/datasets/{dataset}/examples"
        refused(http.request(method, url, json={"inputs": {}}), 400, "multipart/form-data")
    assert ids_in(http, dataset) == []
    assert blobs(server) == before


def test_errors_have_the_shape_of_that_service(http: httpx.Client) -> None:
    """Its ErrorResponse: a message, and perhaps JSON in a text."""
    refused(send(http, "x"), 422, "not a uuid")
    refused(send(http, uuid.uuid4(), method="PATCH"), 404)
    answer = http.post("/v1/platform/examples/multipart", files={"x": b"{}"})
    refused(answer, 400, "'x'")
    assert "details" not in answer.json()
    # and the other services keep theirs
    assert set(http.get(f"/examples/{uuid.uuid4()}").json()) == {"detail"}


def test_payloads_are_kept_as_they_were_sent(http: httpx.Client, dataset: uuid.UUID) -> None:
    example = uuid.uuid4()
    document = b'{"big": 123456789012345678901234567890, "e": 1e3, "lone": "\\ud800", "nul": "\\u0000"}'
    assert send(http, dataset, part(example), part(f"{example}.inputs", document)).status_code == 201
    text = http.get(f"/examples/{example}").text
    assert '"big": 123456789012345678901234567890, "e": 1e3, "lone": "\ufffd", "nul": "\\u0000"' in text


def test_limits_are_named(own_server: Server) -> None:
    own_server.environment = {
        "STENOGRAPH_MAX_PARTS": "5",
        "STENOGRAPH_MAX_BODY_BYTES": "20KiB",
        "STENOGRAPH_MAX_INFLATED_BYTES": "20KiB",
        "STENOGRAPH_MAX_ATTACHMENT_BYTES": "1KiB",
        "STENOGRAPH_MAX_PART_HEADER_BYTES": "2KiB",
    }
    own_server.start()
    with httpx.Client(base_url=own_server.url) as http:
        dataset = made(http)
        ids = [uuid.uuid4() for _ in range(3)]

        def sent(count: int, *more: bytes) -> httpx.Response:
            parts = [part(each) + part(f"{each}.inputs", {}) for each in ids[:count]]
            return send(http, dataset, *parts, *more)

        refused(sent(3), 413, "STENOGRAPH_MAX_PARTS")
        refused(sent(1, part(f"{ids[0]}.outputs", b"x" * 30_000)), 413, "STENOGRAPH_MAX_BODY_BYTES")
        file = part(f"{ids[0]}.attachment.f", b"x" * 1025)
        refused(sent(1, file), 413, "STENOGRAPH_MAX_ATTACHMENT_BYTES", f"{ids[0]}.attachment.f")
        name = part(f"{ids[0]}.attachment.{'n' * 3000}", b"x")
        refused(sent(1, name), 413, "STENOGRAPH_MAX_PART_HEADER_BYTES")
        assert ids_in(http, dataset) == []
        assert sent(2).status_code == 201
        assert blobs(own_server) == set()


def test_an_upload_that_breaks_off_leaves_nothing(own_server: Server) -> None:
    """The client goes away in the middle of its body."""
    import socket

    own_server.start()
    with httpx.Client(base_url=own_server.url) as http:
        dataset, example = made(http), uuid.uuid4()
        body = part(example) + part(f"{example}.inputs", {}) + part(f"{example}.attachment.f", b"x" * 100_000)
        head = (
            f"POST /v1/platform/datasets/{dataset}/examples HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: multipart/form-data; boundary={MARK}\r\nContent-Length: {len(body) + 100}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", own_server.port)) as connection:
            connection.sendall(head.encode() + body)
        assert send(http, dataset, part(example), part(f"{example}.inputs", {})).status_code == 201
        assert files(http, example) == {}
    assert own_server.stop() == 0
    assert blobs(own_server) == set()
    assert "Traceback" not in own_server.log
