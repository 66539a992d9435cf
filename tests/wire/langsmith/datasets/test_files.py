"""Datasets as files: uploads of CSV and JSONL, downloads, and that what comes out goes in again."""

from __future__ import annotations

import csv
import io
import json
import random
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langsmith import Client
from langsmith.utils import LangSmithConflictError

from stenograph.wire.langsmith.examples.rows import Columns, csv_drafts
from stenograph.wire.payloads import Payloads
from stenograph.wire.uploads import IN_MEMORY
from tests.conftest import Server
from tests.effort import tries

NOBODY = "00000000-0000-4000-8000-000000000009"
QA = {"type": "object", "properties": {"q": {"type": "string", "maxLength": 3}}, "required": ["q"]}


@pytest.fixture
def name() -> str:
    return f"file {uuid.uuid4().hex[:12]}"


def upload(http: httpx.Client, file: bytes, filename: str = "f.csv", **fields: Any) -> httpx.Response:
    """POST /datasets/upload; `data` has the fields as a form has them."""
    kind = fields.pop("kind", "text/csv")
    path = fields.pop("path", "/datasets/upload")
    return http.post(path, data=fields, files={"file": (filename, file, kind)})


def uploaded(http: httpx.Client, file: bytes, filename: str = "f.csv", **fields: Any) -> str:
    answer = upload(http, file, filename, **fields)
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["id"]
    return found


def examples(http: httpx.Client, dataset: str, *names: str) -> list[Any]:
    """Inputs and outputs, or what is named, in the order of the file."""
    found: list[dict[str, Any]] = []
    while True:
        params: dict[str, str | int] = {"dataset": dataset, "offset": len(found)}
        page = http.get("/examples", params=params).json()
        if not page:
            break
        found += page
    return [tuple(each[name] for name in names or ("inputs", "outputs")) for each in found]


def refused(answer: httpx.Response, status: int, where: str | None = None) -> str:
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    if status != 422:
        return str(detail)
    (first,) = detail
    assert where is None or where in [str(step) for step in first["loc"]], first
    return str(first["msg"])


def table(*rows: list[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


# -- uploads ---------------------------------------------------------------------------------------------


def test_the_clients_upload(client: Client, http: httpx.Client, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_bytes('q,a,note\r\nwhat?,"that, and ""more""\nlines",x\r\n007,ü🎉,y\r\n'.encode())
    made = client.upload_csv(str(path), ["q"], ["a"], description="d", data_type=None)
    assert (made.name, made.description, made.example_count) == (f"{name}.csv", "d", 2)
    assert examples(http, str(made.id)) == [
        ({"q": "what?"}, {"a": 'that, and "more"\nlines'}),
        ({"q": "007"}, {"a": "ü🎉"}),
    ]
    again = client.upload_csv(("f.csv", io.BytesIO(path.read_bytes())), ["q", "note"], [], name=name)
    assert again.name == name
    assert examples(http, str(again.id))[0] == ({"q": "what?", "note": "x"}, None)
    assert len(list(client.list_dataset_versions(dataset_id=again.id))) == 1
    with pytest.raises(LangSmithConflictError, match="already exists"):
        client.upload_csv(("f.csv", io.BytesIO(path.read_bytes())), ["q"], ["a"], name=name)


class Frame:
    """What the client asks of a pandas.DataFrame."""

    def to_csv(self, file: io.BytesIO, index: bool) -> None:
        assert not index
        file.write(b"q,a\nx,1.5\n")


def test_a_frame_is_uploaded_as_csv(client: Client, http: httpx.Client, name: str) -> None:
    made = client.upload_dataframe(Frame(), name, input_keys=["q"], output_keys=["a"], description="d")
    assert (made.name, made.description) == (name, "d")
    assert examples(http, str(made.id)) == [({"q": "x"}, {"a": "1.5"})]


def test_every_field_of_an_upload(http: httpx.Client, name: str) -> None:
    own = str(uuid.uuid4())
    file = table(["q", "a", "m", "split"], ["x", "[1, {}]", "y", "train"], ["z", "[oops", "", '["a","b"]'])
    answer = upload(
        http, file, name=name, id=own, data_type="chat", description="d",
        input_keys="q", output_keys='["a"]', metadata_keys=["m", "split"],
        inputs_schema_definition='{"type": "object"}', outputs_schema_definition="",
        transformations='[{"path": ["inputs"], "transformation_type": "remove_extra_fields"}]',
        input_key_mappings='{"q": "question"}', metadata_key_mappings='{"split": "dataset_split"}',
    )  # fmt: skip
    found = answer.json()
    assert found == http.get(f"/datasets/{own}").json()
    assert (found["id"], found["name"], found["data_type"], found["description"]) == (own, name, "chat", "d")
    assert found["inputs_schema_definition"] == {"type": "object"}
    assert found["outputs_schema_definition"] is None
    assert found["transformations"][0]["transformation_type"] == "remove_extra_fields"
    assert examples(http, own, "inputs", "outputs", "metadata") == [
        ({"question": "x"}, {"a": [1, {}]}, {"m": "y", "dataset_split": ["train"]}),
        ({"question": "z"}, {"a": "[oops"}, {"m": "", "dataset_split": ["a", "b"]}),
    ]


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_how_spreadsheets_write_text(http: httpx.Client, name: str, coding: str) -> None:
    dataset = uploaded(http, "q\r\n\r\nGröße 🎉\r\n".encode(coding), name=name, input_keys="q")
    assert examples(http, dataset, "inputs") == [({"q": "Größe 🎉"},)]


def test_jsonl(http: httpx.Client, name: str) -> None:
    lines = [
        '{"q": 1.50, "a": {"deep": null}, "inputs": {"own": 1}}',
        "",
        '  {"a": [1], "q": "\\u00fc\\ud83c\\udf89", "m": true}\r',
        '{"q": null}',
    ]
    dataset = uploaded(
        http, "\n".join(lines).encode(), f"{name}.jsonl", input_keys="q", output_keys="a", metadata_keys="m",
        output_key_mappings='{"a": "answer"}',
    )  # fmt: skip
    assert http.get(f"/datasets/{dataset}").json()["name"] == f"{name}.jsonl"
    assert examples(http, dataset, "inputs", "outputs", "metadata") == [
        ({"q": 1.50}, {"answer": {"deep": None}}, {"dataset_split": ["base"]}),
        ({"q": "ü🎉"}, {"answer": [1]}, {"m": True, "dataset_split": ["base"]}),
        ({"q": None}, None, {"dataset_split": ["base"]}),
    ]
    by_type = uploaded(
        http, b'{"q": 1}\n', "rows", name=f"{name} 2", kind="application/jsonl", input_keys="q"
    )
    assert examples(http, by_type, "inputs") == [({"q": 1},)]


def test_an_upload_to_a_dataset_that_is_there(http: httpx.Client, name: str) -> None:
    dataset = http.post("/datasets", json={"name": name}).json()["id"]
    rows = [[str(n), f"a{n}"] for n in range(250)]
    path = f"/examples/upload/{dataset}"
    answer = upload(http, table(["q", "a"], *rows), path=path, input_keys="q", output_keys="a")
    assert answer.status_code == 200, answer.text
    assert [(each["inputs"], each["outputs"]) for each in answer.json()] == [
        ({"q": str(n)}, {"a": f"a{n}"}) for n in range(250)
    ]
    assert upload(http, table(["q"]), path=path, input_keys="q").json() == []
    assert len(http.get(f"/datasets/{dataset}/versions").json()) == 1
    wrong = upload(http, b"q\n1\n", path=f"/examples/upload/{NOBODY}", input_keys="q")
    assert "dataset not found" in refused(wrong, 404)
    refused(upload(http, b"q\n1\n", path=path, input_keys="nope"), 422, "input_keys")


@pytest.mark.parametrize(
    ("file", "fields", "where"),
    [
        (b"q\n1\n", {}, "input_keys"),
        (b"q\n1\n", {"input_keys": ""}, "input_keys"),
        (b"q\n1\n", {"input_keys": "nope"}, "input_keys"),
        (b"q\n1\n", {"input_keys": "q", "output_keys": "nope"}, "output_keys"),
        (b"q\n1\n", {"input_keys": "q", "metadata_keys": "nope"}, "metadata_keys"),
        (b"q\n1\n", {"input_keys": [str(n) for n in range(1001)]}, "input_keys"),
        (b"q\n1\n", {"input_keys": "q", "input_key_mappings": "[]"}, "input_key_mappings"),
        (b"q\n1\n", {"input_keys": "q", "input_key_mappings": '{"a": "b"}'}, "input_key_mappings"),
        (b"q,a\n1,2\n", {"input_keys": ["q", "a"], "input_key_mappings": '{"a": "q"}'}, "input_key_mappings"),
        (b"q\n1\n", {"input_keys": "q", "data_type": "table"}, "data_type"),
        (b"q\n1\n", {"input_keys": "q", "id": "x"}, "id"),
        (b"q\n1\n", {"input_keys": "q", "name": "a\0b"}, "name"),
        (b"q\n1\n", {"input_keys": "q", "inputs_schema_definition": "{"}, "inputs_schema_definition"),
        (b"q\n1\n", {"input_keys": "q", "inputs_schema_definition": "7"}, "inputs_schema_definition"),
        (b"q\n1\n", {"input_keys": "q", "transformations": "{}"}, "transformations"),
        (b"q\nfar too long\n", {"input_keys": "q", "inputs_schema_definition": json.dumps(QA)}, "q"),
        (b"q\n1\n2,3\n", {"input_keys": "q"}, "3"),
        (b"q,a\n1,2\n3\n", {"input_keys": "q"}, "3"),
        (b'q\n"1\n', {"input_keys": "q"}, "file"),
        (b'q\n"1"x\n', {"input_keys": "q"}, "file"),
        (b"q\n\xff\n", {"input_keys": "q"}, "file"),
        (b"q,q\n1,2\n", {"input_keys": "q"}, "file"),
        (b"", {"input_keys": "q"}, "file"),
    ],
)
def test_what_cannot_be_uploaded_leaves_nothing(
    http: httpx.Client, name: str, file: bytes, fields: dict[str, Any], where: str
) -> None:
    refused(upload(http, file, f"{name}.csv", **fields), 422, where)
    assert http.get("/datasets", params={"name_contains": name}).json() == []


@pytest.mark.parametrize(
    ("file", "fields", "where"),
    [
        (b'{"q": 1}\n{"a": 1}\n', {"input_keys": "q"}, "2"),
        (b'{"q": 1}\n[1]\n', {"input_keys": "q"}, "2"),
        (b'{"q": 1}\n{"q": \n', {"input_keys": "q"}, "2"),
        (b'{"q": 1}\n', {}, "1"),
        (b'{"inputs": {}, "outputs": 7}\n', {}, "1"),
        (b'{"q": "\xff"}\n', {"input_keys": "q"}, "file"),
    ],
)
def test_jsonl_that_cannot_be_uploaded_leaves_nothing(
    http: httpx.Client, name: str, file: bytes, fields: dict[str, Any], where: str
) -> None:
    refused(upload(http, file, f"{name}.jsonl", **fields), 422, where)
    assert http.get("/datasets", params={"name_contains": name}).json() == []


def test_bodies_that_are_no_upload(http: httpx.Client) -> None:
    refused(http.post("/datasets/upload", json={}), 400)
    refused(http.post("/datasets/upload", files={"input_keys": (None, "q")}), 422, "file")
    two = [("file", ("a", b"q\n1\n")), ("file", ("b", b"q\n1\n"))]
    refused(http.post("/datasets/upload", files=two, data={"input_keys": "q"}), 422, "file")
    nameless = {"file": (None, b"q\n1\n"), "input_keys": (None, b"q")}
    refused(http.post("/datasets/upload", files=nameless), 422, "name")
    bad = {"file": ("a", b"q\n1\n"), "input_keys": (None, b"\xff")}
    refused(http.post("/datasets/upload", files=bad), 422, "input_keys")
    cut = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(http.post("/datasets/upload", content=b"--x\r\nContent-Dis", headers=cut), 400)


def test_a_large_file_goes_through(http: httpx.Client, name: str) -> None:
    """Beyond what is kept in memory, compressed on the way, with a part in every place."""
    rows = [[f"q{n}", "lorem ipsum " * 200 + str(n)] for n in range(6_000)]
    file = table(["q", "a"], *rows)
    assert len(file) > IN_MEMORY
    dataset = uploaded(http, file, name=name, input_keys="q", output_keys="a")
    assert http.get(f"/datasets/{dataset}").json()["example_count"] == len(rows)
    params: dict[str, str | int] = {"dataset": dataset, "limit": 2, "offset": len(rows) - 1}
    (last,) = http.get("/examples", params=params).json()
    assert last["inputs"] == {"q": rows[-1][0]}
    assert last["outputs"] == {"a": rows[-1][1]}
    with http.stream("GET", f"/datasets/{dataset}/jsonl") as answer:
        lines = [json.loads(line) for line in answer.iter_lines()]
    assert [[each["inputs"]["q"], each["outputs"]["a"]] for each in lines] == rows


def peak(server: Server, *, anew: bool = False) -> int:
    """The most resident bytes of a server, mapped files too; `anew`: those of now, and the peak counts from here."""
    assert server.process is not None
    folder = Path(f"/proc/{server.process.pid}")
    if anew:
        (folder / "clear_refs").write_text("5")
    status = (folder / "status").read_text()
    found = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(found.split()[1]) * 1024


def test_a_file_of_100_megabytes_in_and_out_takes_little_memory(own_server: Server, tmp_path: Path) -> None:
    """The body lies on disk: what is mapped of it counts as resident, what else is taken is a part of it."""
    path = tmp_path / "large.jsonl"
    row = "lorem ipsum " * 85_000
    with path.open("w") as file:
        for number in range(108):
            file.write(json.dumps({"inputs": {"q": number}, "outputs": {"a": f"{number} {row}"}}) + "\n")
    size = path.stat().st_size
    assert size > 105 << 20
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=120) as http:
        before = peak(own_server, anew=True)
        with path.open("rb") as file:
            answer = http.post("/datasets/upload", files={"file": (path.name, file, "application/jsonl")})
        assert answer.status_code == 200, answer.text
        dataset = answer.json()
        assert dataset["example_count"] == 108
        assert peak(own_server) - before < 2 * size
        before = peak(own_server, anew=True)
        with http.stream("GET", f"/datasets/{dataset['id']}/jsonl") as sent:
            numbers = [json.loads(line)["inputs"]["q"] for line in sent.iter_lines()]
        assert numbers == list(range(108))
        assert peak(own_server) - before < size


def test_limits_are_those_of_every_body(own_server: Server) -> None:
    own_server.environment = {
        "STENOGRAPH_MAX_BODY_BYTES": "20000",
        "STENOGRAPH_MAX_INFLATED_BYTES": "30000",
        "STENOGRAPH_MAX_PARTS": "3",
    }
    with httpx.Client(base_url=own_server.start().url, timeout=60) as http:
        large = upload(http, b"q\n" + b"x" * 30_000, input_keys="q")
        assert "STENOGRAPH_MAX_BODY_BYTES" in refused(large, 413)
        many = upload(http, b"q\n1\n", input_keys=["q"] * 5)
        assert "STENOGRAPH_MAX_PARTS" in refused(many, 413)
        assert http.get("/datasets").json() == []
    assert own_server.stop() == 0


# -- downloads -------------------------------------------------------------------------------------------


def written(http: httpx.Client, name: str, *rows: dict[str, Any], **fields: Any) -> str:
    dataset: str = http.post("/datasets", json={"name": name, **fields}).json()["id"]
    body = [{"dataset_id": dataset, **each} for each in rows]
    assert http.post("/examples/bulk", json=body).status_code == 200
    return dataset


def test_csv(http: httpx.Client, name: str) -> None:
    dataset = written(
        http,
        f'{name} "ü"/',
        {"inputs": {"q": 'a "b"\n,c'}, "outputs": {"a": [1, {"x": None}]}, "metadata": {"m": -1}},
        {"inputs": {"n": 1.50, "b": True, "q": None}},
        {"inputs": {"q": "-1+1"}, "outputs": {"a": "'=x"}},
    )
    answer = http.get(f"/datasets/{dataset}/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    ids = [row.pop("id") for row in rows]
    assert len({uuid.UUID(each) for each in ids}) == 3
    split = '["base"]'
    assert rows == [
        {
            "inputs.q": 'a "b"\n,c', "inputs.n": "", "inputs.b": "", "outputs.a": '[1,{"x":null}]',
            "metadata.m": "-1", "metadata.dataset_split": split,
        },
        {
            "inputs.q": "", "inputs.n": "1.5", "inputs.b": "true", "outputs.a": "", "metadata.m": "",
            "metadata.dataset_split": split,
        },
        {
            "inputs.q": "'-1+1", "inputs.n": "", "inputs.b": "", "outputs.a": "''=x", "metadata.m": "",
            "metadata.dataset_split": split,
        },
    ]  # fmt: skip


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "'=", "''+"])
def test_no_cell_is_a_formula(http: httpx.Client, name: str, start: str) -> None:
    text = f"{start}HYPERLINK(\"http://x\")|' /C calc'!A0"
    dataset = written(http, name, {"inputs": {text: text}, "outputs": {"a": text}, "metadata": {"m": [text]}})
    file = http.get(f"/datasets/{dataset}/csv")
    for row in csv.reader(io.StringIO(file.text, newline="")):
        assert not any(cell[:1] in "=+-@\t\r\uff1d" for cell in row if cell), row
    again = uploaded(http, file.content, name=f"{name} 2", input_keys=json.dumps([text]), output_keys="a")
    assert examples(http, again) == [({text: text}, {"a": text})]


def test_what_was_downloaded_can_be_uploaded(http: httpx.Client, name: str) -> None:
    dataset = written(
        http,
        name,
        {
            "inputs": {"q": "x"},
            "outputs": {"a": ["y", 1.50]},
            "metadata": {"m": {"deep": 1}},
            "split": "train",
        },
        {"inputs": {"q": "line\nbreak", "n": 7}, "outputs": None, "split": ["a", "b"]},
        {"inputs": {"q": ""}, "outputs": {"a": "=1"}},
    )
    jsonl = http.get(f"/datasets/{dataset}/jsonl").content
    fields = ("inputs", "outputs", "metadata")
    whole = uploaded(http, jsonl, f"{name}.jsonl")
    assert examples(http, whole, *fields) == examples(http, dataset, *fields)
    chosen = uploaded(http, jsonl, f"{name} 2.jsonl", input_keys="q", output_keys="a")
    assert examples(http, chosen, "inputs") == [({"q": "x"},), ({"q": "line\nbreak"},), ({"q": ""},)]
    keys = {"input_keys": "q", "output_keys": "a", "metadata_keys": "dataset_split"}
    csv_file = http.get(f"/datasets/{dataset}/csv").content
    again = uploaded(http, csv_file, f"{name} 3.csv", **keys)
    assert examples(http, again, *fields) == [
        ({"q": "x"}, {"a": ["y", 1.50]}, {"dataset_split": ["train"]}),
        ({"q": "line\nbreak"}, {"a": ""}, {"dataset_split": ["a", "b"]}),
        ({"q": ""}, {"a": "=1"}, {"dataset_split": ["base"]}),
    ]


CELLS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["'", "'=", "=", "[", '["a"]', "{}x", ",", '"', "\r\n", "\ufeff"]
)


@settings(max_examples=tries(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["q", "ü", "=x", "a,b"]), CELLS, min_size=1), min_size=1)
)
def test_texts_survive_csv(http: httpx.Client, rows: list[dict[str, str]]) -> None:
    dataset = written(http, uuid.uuid4().hex, *({"inputs": each} for each in rows))
    file = http.get(f"/datasets/{dataset}/csv").content
    http.delete(f"/datasets/{dataset}")
    names = sorted({name for row in rows for name in row})
    drafts = csv_drafts(memoryview(file), Columns(inputs={name: name for name in names}), Payloads(500))
    found = [json.loads(draft.inputs or b"") for draft in drafts]
    wanted = [{name: row.get(name, "") for name in names} for row in rows]
    # a text that is JSON comes back as what it says: CSV has no types
    assert found == [
        {
            name: json.loads(text) if text[:1] in "[{" and _is_json(text) else text
            for name, text in row.items()
        }
        for row in wanted
    ]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_too_many_columns(http: httpx.Client, name: str) -> None:
    dataset = written(http, name, {"inputs": {f"k{n}": n for n in range(1001)}})
    assert "JSONL" in refused(http.get(f"/datasets/{dataset}/csv"), 400)
    assert http.get(f"/datasets/{dataset}/jsonl").status_code == 200


def test_jsonl_has_a_line_for_each_example(http: httpx.Client, name: str) -> None:
    dataset = http.post("/datasets", json={"name": name}).json()["id"]
    pretty = '{"dataset_id": "' + dataset + '", "inputs": {\r\n  "q":\n "two\\nlines"\n}, "outputs": null}'
    found = http.post("/examples", content=pretty.encode()).json()
    (line,) = http.get(f"/datasets/{dataset}/jsonl").text.splitlines()
    assert json.loads(line) == {
        name: found[name]
        for name in ("id", "inputs", "outputs", "metadata", "created_at", "modified_at", "source_run_id")
    }


def test_downloads_as_of_a_version(http: httpx.Client, name: str) -> None:
    dataset = written(http, name, {"inputs": {"n": 1}})
    http.put(f"/datasets/{dataset}/tags", json={"as_of": "latest", "tag": "first"})
    http.post("/examples", json={"dataset_id": dataset, "inputs": {"m": 2}})
    for kind in ("csv", "jsonl", "openai", "openai_ft"):
        path = f"/datasets/{dataset}/{kind}"
        first, now = http.get(path, params={"as_of": "first"}).text, http.get(path).text
        assert '"m"' not in first
        assert "inputs.m" not in first
        assert kind == "openai_ft" or len(first.splitlines()) < len(now.splitlines())
        assert http.get(path, params={"as_of": "no such tag"}).status_code == 404
        early = http.get(path, params={"as_of": "2001-01-01"})
        assert early.text == ("id\r\n" if kind == "csv" else "")


def test_pages_follow_one_another(http: httpx.Client, name: str) -> None:
    numbers = list(range(350))
    random.Random(7).shuffle(numbers)
    dataset = written(http, name, *({"inputs": {"n": n}} for n in numbers))
    lines = http.get(f"/datasets/{dataset}/jsonl").text.splitlines()
    assert [json.loads(line)["inputs"]["n"] for line in lines] == numbers
    rows = list(csv.DictReader(io.StringIO(http.get(f"/datasets/{dataset}/csv").text, newline="")))
    assert [int(row["inputs.n"]) for row in rows] == numbers


# -- OpenAI's forms --------------------------------------------------------------------------------------

USER = {"role": "user", "content": "hi"}
ANSWER = {"role": "assistant", "content": "hello"}


@pytest.mark.parametrize(
    ("inputs", "outputs", "messages"),
    [
        ({"messages": [USER]}, {"message": ANSWER}, [USER, ANSWER]),
        ({"input": [USER, ANSWER, USER]}, {"output": ANSWER}, [USER, ANSWER, USER, ANSWER]),
        ({"messages": [[USER]]}, {"messages": [ANSWER]}, [USER, ANSWER]),
        ({"messages": [{"type": "human", "data": {"content": "hi"}}]}, ANSWER, [USER, ANSWER]),
        (
            {"messages": [{"lc": 1, "type": "constructor", "id": ["x", "HumanMessage"], "kwargs": {"content": "hi"}}]},
            {"output": {"type": "ai", "content": "hello"}},
            [USER, ANSWER],
        ),
        ({"input": "hi"}, {"output": "hello"}, [USER, ANSWER]),
        ({"question": "hi"}, {"answer": "hello"}, [USER, ANSWER]),
        (
            {"a": 1, "b": [1.50]},
            {"x": {}},
            [{"role": "user", "content": '{"a":1,"b":[1.5]}'}, {"role": "assistant", "content": '{"x":{}}'}],
        ),
    ],
)  # fmt: skip
def test_openai(
    http: httpx.Client, client: Client, name: str, inputs: Any, outputs: Any, messages: list[Any]
) -> None:
    dataset = written(http, name, {"inputs": inputs, "outputs": outputs}, {"inputs": inputs})
    assert client.read_dataset_openai_finetuning(dataset_id=dataset) == [{"messages": messages}]
    lines = [json.loads(line) for line in http.get(f"/datasets/{dataset}/openai").text.splitlines()]
    ideal = messages[-1]["content"]
    assert lines == [{"input": messages[:-1], "ideal": ideal}, {"input": messages[:-1], "ideal": None}]


def test_openai_tools(http: httpx.Client, name: str) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    answer = {"role": "assistant", "content": None, "tool_calls": [call]}
    row = {"inputs": {"messages": [USER], "tools": [tool]}, "outputs": {"message": answer}}
    dataset = written(http, name, row)
    found = json.loads(http.get(f"/datasets/{dataset}/openai_ft").text)
    assert found == {"messages": [USER, answer], "tools": [tool]}
