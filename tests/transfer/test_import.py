"""`stenograph import` into a real server: every row of a file or an error that names the row."""

from __future__ import annotations

import io
import json
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commanding import Run
from tests.conftest import Server
from tests.transfer.conftest import add, dataset_named, make, stored

MIXED: list[dict[str, Any]] = [
    {
        "inputs": {"q": "What\r\nnow?", "n": 1, "deep": {"a": [1, None, {"b": "é🎉"}]}},
        "outputs": {"a": "=1+1", "none": None, "empty": ""},
        "metadata": {"level": 1.5, "text": "1.5"},
        "split": ["train", "hard"],
    },
    {"inputs": {"q": "", "n": 2, "null": "null"}, "outputs": {}},
    {"inputs": {}, "outputs": None, "split": ["test"]},
    {"inputs": {"a.b": True, "": 0}, "outputs": {"a": "'=", "big": 2**70}},
]


def named(name: str, folder: Path, text: str) -> str:
    (folder / name).write_text(text)
    return name


def compared(examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What an import keeps of examples."""
    kept = ("id", "inputs", "outputs", "metadata", "created_at", "source_run_id")
    return [{field: each[field] for field in kept} for each in examples]


def versions(http: httpx.Client, dataset: str) -> int:
    return len(http.get(f"/datasets/{dataset}/versions").json())


# -- there and back --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_an_export_comes_back_identical(
    ending: str, run: Run, http: httpx.Client, name: str, issue_key: Callable[..., str]
) -> None:
    source = make(http, name, *MIXED)
    assert run("export", "dataset", name, "-o", f"x.{ending}").status == 0
    key = issue_key("elsewhere")
    told = run("import", "dataset", f"x.{ending}", "--name", name, "--api-key", key)
    assert (told.status, told.out) == (0, ""), told.err
    assert told.err == f"Imported 4 examples from x.{ending} into new dataset '{name}'.\n"
    before = compared(stored(http, source))
    http.headers["x-api-key"] = key
    target = dataset_named(http, name)
    assert target is not None
    assert compared(stored(http, target)) == before
    assert versions(http, target) == 1


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_attachments_come_back(
    ending: str, run: Run, http: httpx.Client, name: str, issue_key: Callable[..., str]
) -> None:
    dataset, example = make(http, name), str(uuid.uuid4())
    contents = {"a b.txt": b"text", 'q"%22/..': b"\r\n--mark\x00", "ünï": b""}
    files: list[tuple[str, tuple[str | None, bytes, str]]] = [
        (example, (None, b"{}", "application/json")),
        (f"{example}.inputs", (None, b'{"x":1}', "application/json")),
    ]
    files += [(f"{example}.attachment.{each}", (None, data, "image/png")) for each, data in contents.items()]
    http.post(f"/v1/platform/datasets/{dataset}/examples", files=files).raise_for_status()
    there = names_of(http, dataset)
    assert run("export", "dataset", name, "-o", f"x.{ending}", "--attachments", "files").status == 0
    told = run("import", "dataset", f"x.{ending}", "--name", name, "--api-key", issue_key("elsewhere"))
    assert told.status == 2
    assert "row has attachments: say with --attachments" in told.err
    told = run(
        "import", "dataset", f"x.{ending}", "--name", name, "--api-key", issue_key("elsewhere"),
        "--attachments", "files",
    )  # fmt: skip
    assert told.status == 0, told.err
    assert "1 example with 3 attachments" in told.err
    http.headers["x-api-key"] = issue_key("elsewhere")
    target = dataset_named(http, name)
    assert target is not None
    assert names_of(http, target) == there
    assert sorted(data for _, data in there.values()) == sorted(contents.values())


def names_of(http: httpx.Client, dataset: str) -> dict[str, tuple[str, bytes]]:
    """Name to type and content of the files of a dataset's only example."""
    (example,) = stored(http, dataset, select="attachment_urls")
    return {
        each: (link["mime_type"], http.get(link["presigned_url"]).content)
        for each, link in example["attachment_urls"].items()
    }


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "link/secret"])
def test_attachments_stay_in_their_folder(
    path: str, run: Run, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "link").symlink_to(tmp_path)
    row = json.dumps({"inputs": {}, "attachments": {"a": path}})
    named("x.jsonl", tmp_path, row)
    told = run("import", "dataset", "x.jsonl", "--name", name, "--attachments", "files")
    assert told.status == 2
    assert "x.jsonl, line 1: attachment 'a': " in told.err
    assert "leads out of the folder files" in told.err
    assert dataset_named(http, name) is None


# -- where to --------------------------------------------------------------------------------------------


def test_the_name_is_the_files(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    named(f"{name}.csv", tmp_path, "inputs.q,outputs.a\nx,y\n")
    assert run("import", "dataset", f"{name}.csv").status == 0
    dataset = dataset_named(http, name)
    assert dataset is not None
    (example,) = stored(http, dataset)
    assert (example["inputs"], example["outputs"]) == ({"q": "x"}, {"a": "y"})
    assert example["metadata"] == {"dataset_split": ["base"]}


def test_a_dataset_that_is_there_is_added_to_when_told_so(
    run: Run, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    dataset = make(http, name, {"inputs": {"q": 1}})
    named("x.csv", tmp_path, "inputs.q\n2\n")
    told = run("import", "dataset", "x.csv", "--name", name)
    assert told.status == 2
    assert f"there is a dataset '{name}' already, with 1 examples: --append adds to it" in told.err
    assert run("import", "dataset", "x.csv", "--name", dataset, "--append").status == 0
    assert [each["inputs"] for each in stored(http, dataset)] == [{"q": 1}, {"q": 2}]
    told = run("import", "dataset", "x.csv", "--name", f"{name}x", "--append")
    assert told.status == 2
    assert f"did you mean '{name}'" in told.err


def test_ids_that_are_taken(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    dataset = make(http, name, *MIXED)
    run("export", "dataset", name, "-o", "x.csv")
    for more in ([], ["--dry-run"]):
        told = run("import", "dataset", "x.csv", "--name", f"{name}-copy", *more)
        assert told.status == 2
        assert "x.csv, row " in told.err
        assert "already; --new-ids imports copies of examples" in told.err
    assert dataset_named(http, f"{name}-copy") is None
    assert run("import", "dataset", "x.csv", "--name", f"{name}-copy", "--new-ids").status == 0
    copy = dataset_named(http, f"{name}-copy")
    assert copy is not None
    originals, copies = stored(http, dataset), stored(http, copy)
    assert [each["inputs"] for each in copies] == [each["inputs"] for each in originals]
    assert not {each["id"] for each in copies} & {each["id"] for each in originals}


def test_an_id_that_occurs_twice(run: Run, name: str, tmp_path: Path) -> None:
    row = json.dumps({"id": str(uuid.uuid4()), "inputs": {}})
    named("x.jsonl", tmp_path, f"{row}\n\n{row}\n")
    told = run("import", "dataset", "x.jsonl", "--name", name)
    assert told.status == 2
    assert "x.jsonl, line 3: the id " in told.err


def test_splits_and_chosen_columns(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    named("x.csv", tmp_path, "Question,Answer,Year,Note\nHow many?,42,1999,x\n")
    told = run(
        "import", "dataset", "x.csv", "--name", name, "--input-key", "Question", "--output-key", "Answer",
        "--metadata-key", "Year", "--split", "test", "--split", "hard",
    )  # fmt: skip
    assert told.status == 0, told.err
    assert "Left out, since they are nothing of an example's: Note\n" in told.err
    dataset = dataset_named(http, name)
    assert dataset is not None
    (example,) = stored(http, dataset)
    assert (example["inputs"], example["outputs"]) == ({"Question": "How many?"}, {"Answer": "42"})
    assert example["metadata"] == {"Year": "1999", "dataset_split": ["test", "hard"]}
    assert (
        run(
            "import", "dataset", "x.csv", "--name", name, "--append", "--input-key", "Answer", "--json-cells"
        ).status
        == 0
    )
    assert stored(http, dataset)[1]["inputs"] == {"Answer": 42}


def test_standard_input(run: Run, http: httpx.Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"inputs.q\nx\n")))
    assert run("import", "dataset", "-", "--name", name, "--format", "csv").status == 0
    dataset = dataset_named(http, name)
    assert dataset is not None
    assert [each["inputs"] for each in stored(http, dataset)] == [{"q": "x"}]
    told = run("import", "dataset", "-", "--name", name)
    assert told.status == 2
    assert "say --name and --format" in told.err


def test_a_file_without_rows_is_a_dataset_without_examples(
    run: Run, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    named("x.csv", tmp_path, "id,split,created_at\n")
    assert run("import", "dataset", "x.csv", "--name", name).status == 0
    dataset = dataset_named(http, name)
    assert dataset is not None
    assert stored(http, dataset) == []


# -- what goes wrong -------------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    named("x.csv", tmp_path, "inputs.q\nx\ny\n")
    told = run("import", "dataset", "x.csv", "--name", name, "--dry-run")
    assert told.status == 0
    assert told.err == (
        f"Nothing is wrong: this would import 2 examples from x.csv into new dataset '{name}'.\n"
    )
    assert dataset_named(http, name) is None


def test_one_bad_row_and_nothing_is_written(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    named("x.jsonl", tmp_path, '{"inputs":{}}\n' * 500 + "{]\n")
    told = run("import", "dataset", "x.jsonl", "--name", name)
    assert told.status == 2
    assert "x.jsonl, line 501: this is not a JSON object" in told.err
    assert dataset_named(http, name) is None


def test_what_the_datasets_schema_does_not_allow(
    run: Run, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    schema = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
    dataset = make(http, name, inputs_schema_definition=schema)
    named("x.csv", tmp_path, "inputs.q\nx\ny\n3\n")
    for more in (["--dry-run"], []):
        told = run("import", "dataset", "x.csv", "--name", name, "--append", *more)
        assert told.status == 2
        assert "x.csv, row 3: " in told.err
        assert "inputs.q" in told.err
    assert stored(http, dataset) == []


def test_what_the_server_refuses_leaves_no_dataset(
    run: Run, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    named("x.csv", tmp_path, "inputs.q,created_at\nx,2026-01-01\ny,soon\n")
    told = run("import", "dataset", "x.csv", "--name", name)
    assert told.status == 2
    assert "x.csv, row 2: " in told.err
    assert "created_at 'soon' is not a time" in told.err
    assert dataset_named(http, name) is None


def test_a_key_that_may_only_read(run: Run, name: str, tmp_path: Path, issue_key: Callable[..., str]) -> None:
    named("x.csv", tmp_path, "inputs.q\nx\n")
    told = run("import", "dataset", "x.csv", "--name", name, "--api-key", issue_key("elsewhere", "read"))
    assert told.status == 2
    assert "role" in told.err


@pytest.mark.parametrize(
    ("file", "status", "words"),
    [
        ("nowhere.csv", 1, "cannot read nowhere.csv: No such file or directory"),
        (".", 2, "is a folder"),
        ("x.doc", 2, "the ending of 'x.doc' is not one of"),
    ],
)
def test_files_that_cannot_be_read(file: str, status: int, words: str, run: Run, name: str) -> None:
    told = run("import", "dataset", file, "--name", name)
    assert (told.status, told.out) == (status, "")
    assert words in told.err


# -- many ------------------------------------------------------------------------------------------------


def test_what_fits_into_one_request_is_one_version(
    run: Run, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    named("x.jsonl", tmp_path, "".join(f'{{"inputs":{{"n":{n}}}}}\n' for n in range(3000)))
    told = run("import", "dataset", "x.jsonl", "--name", name)
    assert told.status == 0, told.err
    assert told.err == f"Imported 3,000 examples from x.jsonl into new dataset '{name}'.\n"
    dataset = dataset_named(http, name)
    assert dataset is not None
    assert http.get("/examples/count", params={"dataset": dataset}).json() == 3000
    assert versions(http, dataset) == 1


def test_a_server_that_takes_less_at_a_time_gets_less(
    run: Run, own_server: Server, name: str, tmp_path: Path
) -> None:
    own_server.environment = {"STENOGRAPH_MAX_BODY_BYTES": "64KiB"}
    own_server.start()
    rows = [f'{{"inputs":{{"n":{n},"text":"{"x" * 100}"}}}}\n' for n in range(500)]
    named("x.jsonl", tmp_path, "".join(rows))
    told = run("import", "dataset", "x.jsonl", "--name", name, "--url", own_server.url)
    assert told.status == 0, told.err
    assert "Imported 500 examples" in told.err
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        dataset = dataset_named(http, name)
        assert dataset is not None
        assert http.get("/examples/count", params={"dataset": dataset}).json() == 500
        assert versions(http, dataset) > 1
        named("big.jsonl", tmp_path, "".join(rows) + json.dumps({"inputs": {"text": "x" * 100_000}}))
        told = run("import", "dataset", "big.jsonl", "--name", f"{name}-big", "--url", own_server.url)
        assert told.status == 2
        assert "big.jsonl, line 501: " in told.err
        assert "STENOGRAPH_MAX_BODY_BYTES" in told.err
        assert dataset_named(http, f"{name}-big") is None
        told = run("import", "dataset", "big.jsonl", "--name", name, "--append", "--url", own_server.url)
        assert told.status == 2
        assert f"(the 500 examples before it were added to '{name}')" in told.err


def test_rows_of_others_are_not_touched(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    dataset = make(http, name, *MIXED)
    before = stored(http, dataset)
    named("x.csv", tmp_path, "inputs.q\nnew\n")
    assert run("import", "dataset", "x.csv", "--name", name, "--append").status == 0
    assert stored(http, dataset)[:4] == before
    assert add(http, dataset, {"inputs": {}}) != []
