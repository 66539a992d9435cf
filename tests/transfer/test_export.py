"""`stenograph export` against a real server: whole files or none, of what was asked for and nobody else's."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from tests.commanding import Run
from tests.conftest import Server, free_port
from tests.transfer.conftest import add, dataset_named, make, stored
from tests.wire.langsmith.feedback.giving import give
from tests.wire.langsmith.recorded import START, Trace, record

PARIS: dict[str, Any] = {
    "inputs": {"question": "Capital of France?", "options": ["Paris", "Nice"]},
    "outputs": {"answer": "Paris"},
    "metadata": {"level": 1},
    "split": ["test"],
}
EMPTY: dict[str, Any] = {"inputs": {}, "outputs": None}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# -- datasets --------------------------------------------------------------------------------------------


def test_a_dataset_by_name_or_id(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    dataset = make(http, name, PARIS, EMPTY)
    told = run("export", "dataset", name)
    assert (told.status, told.out) == (0, "")
    assert f"Exported 2 examples of dataset '{name}' (as of " in told.err
    assert told.err.endswith(f" to {name}.jsonl.\n")
    first, second = lines(tmp_path / f"{name}.jsonl")
    kept = stored(http, dataset)
    assert (first["id"], first["created_at"]) == (kept[0]["id"], kept[0]["created_at"])
    assert first["inputs"] == PARIS["inputs"]
    assert (first["outputs"], first["metadata"], first["split"]) == (
        {"answer": "Paris"},
        {"level": 1},
        ["test"],
    )
    assert (second["inputs"], second["outputs"], second["split"]) == ({}, None, ["base"])
    assert run("export", "dataset", dataset, "-o", "again.jsonl").status == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / f"{name}.jsonl").read_bytes()


def test_the_format_is_the_ending_unless_stated(
    run: Run, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    make(http, name, PARIS)
    assert run("export", "dataset", name, "-o", "a.csv").status == 0
    assert run("export", "dataset", name, "-o", "b.parquet").status == 0
    assert run("export", "dataset", name, "-o", "c.txt", "--format", "csv").status == 0
    with (tmp_path / "a.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["inputs.question"], row["outputs.answer"]) == ("Capital of France?", "Paris")
    assert (row["inputs.options"], row["metadata.level"], row["split"]) == ('["Paris","Nice"]', "1", "test")
    assert (tmp_path / "c.txt").read_bytes() == (tmp_path / "a.csv").read_bytes()
    frame = pd.read_parquet(tmp_path / "b.parquet")
    assert (frame["inputs.question"][0], frame["metadata.level"][0]) == ("Capital of France?", 1)


def test_standard_output_is_data_and_nothing_else(
    run: Run, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    make(http, name, PARIS)
    told = run("export", "dataset", name, "-o", "-")
    assert json.loads(told.out)["inputs"] == PARIS["inputs"]
    told = run("export", "dataset", name, "-o", "-", "--format", "csv")
    assert len(list(csv.reader(io.StringIO(told.out)))) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_version_by_tag_or_time(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    dataset = make(http, name, PARIS)
    before = http.get(f"/datasets/{dataset}").json()["modified_at"]
    http.put(f"/datasets/{dataset}/tags", json={"as_of": before, "tag": "first"}).raise_for_status()
    add(http, dataset, EMPTY)
    for as_of in ("first", before):
        assert run("export", "dataset", name, "-o", "x.jsonl", "--as-of", as_of, "--force").status == 0
        assert len(lines(tmp_path / "x.jsonl")) == 1
    assert run("export", "dataset", name, "-o", "x.jsonl", "--as-of", "latest", "--force").status == 0
    assert len(lines(tmp_path / "x.jsonl")) == 2
    for as_of in ("second", "2020-01-01T00:00:00Z"):
        told = run("export", "dataset", name, "-o", "y.jsonl", "--as-of", as_of)
        assert told.status == 2
        assert f"has no version of '{as_of}'" in told.err
    assert not (tmp_path / "y.jsonl").exists()


def test_splits(run: Run, http: httpx.Client, name: str) -> None:
    make(http, name, PARIS, EMPTY, {"inputs": {"n": 3}, "split": ["hard", "test"]})
    found = run("export", "dataset", name, "-o", "-", "--split", "test").out.splitlines()
    assert [json.loads(line)["split"] for line in found] == [["test"], ["hard", "test"]]
    found = run("export", "dataset", name, "-o", "-", "--split", "hard", "--split", "base").out.splitlines()
    assert len(found) == 2
    told = run("export", "dataset", name, "-o", "-", "--split", "easy")
    assert (told.status, told.out) == (2, "")
    assert "has no split 'easy'; there are base, hard, test" in told.err


def test_a_dataset_without_examples(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    make(http, name)
    for ending in ("csv", "jsonl", "parquet"):
        assert run("export", "dataset", name, "-o", f"x.{ending}").status == 0
    assert (tmp_path / "x.csv").read_bytes() == b"id,split,created_at\r\n"
    assert (tmp_path / "x.jsonl").read_text() == ""
    assert len(pd.read_parquet(tmp_path / "x.parquet")) == 0


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_10_000_examples(ending: str, run: Run, many: str, tmp_path: Path) -> None:
    assert run("export", "dataset", many, "-o", f"x.{ending}").status == 0
    path = tmp_path / f"x.{ending}"
    if ending == "parquet":
        numbers = list(pd.read_parquet(path)["inputs.n"])
    elif ending == "csv":
        with path.open(newline="") as file:
            numbers = [int(row["inputs.n"]) for row in csv.DictReader(file)]
    else:
        numbers = [row["inputs"]["n"] for row in lines(path)]
    assert numbers == list(range(10_000))


@pytest.fixture(scope="module")
def many(server: Server) -> str:
    """The name of a dataset of 10,000 examples."""
    name = f"dataset-{uuid.uuid4().hex}"
    with httpx.Client(base_url=server.url, timeout=120) as http:
        make(http, name, *({"inputs": {"n": n, "text": "x" * (n % 50)}} for n in range(10_000)))
    return name


# -- what is in the way ----------------------------------------------------------------------------------


def test_a_file_is_replaced_only_by_force(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    make(http, name, PARIS)
    path = tmp_path / "x.jsonl"
    path.write_text("precious")
    told = run("export", "dataset", name, "-o", "x.jsonl")
    assert told.status == 2
    assert "x.jsonl exists already: --force replaces it" in told.err
    assert path.read_text() == "precious"
    assert run("export", "dataset", name, "-o", "x.jsonl", "--force").status == 0
    assert len(lines(path)) == 1


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (".", "is a folder: name a file in it"),
        ("nowhere/x.csv", "there is no folder nowhere"),
        ("x.txt", "say --format csv|jsonl|parquet"),
    ],
)
def test_a_file_that_cannot_be(output: str, words: str, run: Run, http: httpx.Client, name: str) -> None:
    make(http, name)
    told = run("export", "dataset", name, "-o", output, *(["--format", "csv"] if output == "." else []))
    assert told.status == 2
    assert words in told.err


def test_a_link_to_a_file_stays_one(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    make(http, name, PARIS)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "x.jsonl").write_text("old")
    (tmp_path / "x.jsonl").symlink_to(tmp_path / "there" / "x.jsonl")
    assert run("export", "dataset", name, "-o", "x.jsonl", "--force").status == 0
    assert (tmp_path / "x.jsonl").is_symlink()
    assert len(lines(tmp_path / "there" / "x.jsonl")) == 1


def test_an_export_that_fails_leaves_nothing(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    make(http, name, {"inputs": {f"m{n}": 1 for n in range(2500)}})
    told = run("export", "dataset", name, "-o", "x.csv")
    assert told.status == 2
    assert "export them as jsonl" in told.err
    assert list(tmp_path.iterdir()) == []


# -- who asks, and whom ----------------------------------------------------------------------------------


def test_an_unknown_name_and_those_that_are_near(run: Run, http: httpx.Client, name: str) -> None:
    make(http, f"{name}-capitals")
    told = run("export", "dataset", f"{name}-Capital", "-o", "-")
    assert told.status == 2
    assert f"there is no dataset '{name}-Capital' at " in told.err
    assert f"did you mean '{name}-capitals'" in told.err
    unknown = str(uuid.uuid4())
    told = run("export", "dataset", unknown, "-o", "-")
    assert (told.status, told.out) == (2, "")
    assert unknown in told.err


def test_another_workspaces_dataset_is_unknown(
    run: Run, http: httpx.Client, name: str, issue_key: Callable[..., str]
) -> None:
    dataset = make(http, name, PARIS)
    key = issue_key("elsewhere")
    for wanted in (name, dataset):
        told = run("export", "dataset", wanted, "-o", "-", "--api-key", key)
        assert (told.status, told.out) == (2, "")
        assert f"there is no dataset '{wanted}'" in told.err
        assert f"'{name}'?" not in told.err


def test_the_key_says_whose_data_it_is(
    run: Run, http: httpx.Client, name: str, issue_key: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = issue_key("elsewhere")
    http.headers["x-api-key"] = key
    make(http, name, PARIS)
    assert run("export", "dataset", name, "-o", "-").status == 2
    for variable in ("STENOGRAPH_API_KEY", "LANGSMITH_API_KEY"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, f" {key}\n")
            assert run("export", "dataset", name, "-o", "-").status == 0


def test_a_key_that_is_not_known(run: Run, locked_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENOGRAPH_URL", locked_server.url)
    for key in ([], ["--api-key", "sk_wrong"]):
        told = run("export", "dataset", "x", "-o", "-", *key)
        assert told.status == 2
        assert "(--api-key, or STENOGRAPH_API_KEY)" in told.err
    told = run("export", "dataset", "x", "-o", "-", "--api-key", "clé")
    assert told.status == 2
    assert "characters that no key has" in told.err


def test_no_server_answers(run: Run, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    told = run("export", "dataset", "x", "--url", url)
    assert told.status == 1
    assert f"no server answers at {url}" in told.err
    assert "`stenograph serve`" in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["localhost:1984", "ftp://x", "http://", "http://x:port", "http://h/?q=1"])
def test_what_is_no_address(url: str, run: Run) -> None:
    told = run("export", "dataset", "x", "--url", url)
    assert told.status == 2
    assert "is no address of a server" in told.err


def test_a_client_that_may_only_write_runs_is_refused(
    run: Run, name: str, issue_key: Callable[..., str]
) -> None:
    told = run("export", "dataset", name, "-o", "-", "--api-key", issue_key("elsewhere", "ingest"))
    assert told.status == 2
    assert "role" in told.err


# -- attachments -----------------------------------------------------------------------------------------


def attach(http: httpx.Client, dataset: str, *names: str) -> str:
    """An example with a file of each name, whose content is the name; its id."""
    example = str(uuid.uuid4())
    files: list[tuple[str, tuple[str | None, bytes, str]]] = [
        (example, (None, b"{}", "application/json")),
        (f"{example}.inputs", (None, b'{"x":1}', "application/json")),
    ]
    files += [(f"{example}.attachment.{each}", (None, each.encode(), "text/plain")) for each in names]
    http.post(f"/v1/platform/datasets/{dataset}/examples", files=files).raise_for_status()
    return example


def test_attachments_lie_in_a_folder(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    dataset = make(http, name, EMPTY)
    names = ["a.txt", "A.TXT", "../../up", "x/y", "ünï.png", "..", "no ending"]
    example = attach(http, dataset, *names)
    told = run("export", "dataset", name, "-o", "x.jsonl", "--attachments", "files")
    assert told.status == 0, told.err
    assert "Exported 7 attachments to files." in told.err
    assert {path.name for path in tmp_path.iterdir()} == {"x.jsonl", "files"}
    plain, row = lines(tmp_path / "x.jsonl")
    assert "attachments" not in plain
    assert set(row["attachments"]) == set(names)
    for each, saved in row["attachments"].items():
        path = tmp_path / "files" / saved["path"]
        assert path.parent == tmp_path / "files" / example
        assert path.read_bytes() == each.encode()
        assert saved["mime_type"] == "text/plain"


def test_attachments_that_are_not_asked_for_are_told_of(
    run: Run, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    attach(http, make(http, name), "a.txt")
    told = run("export", "dataset", name, "-o", "x.jsonl")
    assert "1 example has attachments, which --attachments DIR exports too" in told.err
    assert "attachments" not in lines(tmp_path / "x.jsonl")[0]


def test_a_folder_that_is_not_empty_is_added_to_by_force(
    run: Run, http: httpx.Client, name: str, tmp_path: Path
) -> None:
    attach(http, make(http, name), "a.txt")
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "mine").write_text("mine")
    told = run("export", "dataset", name, "-o", "x.jsonl", "--attachments", "files")
    assert told.status == 2
    assert "files is not empty" in told.err
    assert run("export", "dataset", name, "-o", "x.jsonl", "--attachments", "files", "--force").status == 0
    assert (folder / "mine").read_text() == "mine"
    assert (folder / lines(tmp_path / "x.jsonl")[0]["attachments"]["a.txt"]["path"]).read_text() == "a.txt"
    assert {path.name for path in tmp_path.iterdir()} == {"x.jsonl", "files"}


# -- experiments -----------------------------------------------------------------------------------------


@pytest.fixture
def experiment(http: httpx.Client, name: str) -> str:
    """The name of an experiment: one example answered twice, another once and in vain."""
    dataset = make(http, name)
    first, second = add(http, dataset, PARIS, {"inputs": {"question": "?"}})
    called = f"experiment-{uuid.uuid4().hex}"
    http.post("/sessions", json={"name": called, "reference_dataset_id": dataset}).raise_for_status()
    trace = Trace(seconds=2, metadata={"model": "m"})
    runs = record(http, called, trace, trace, Trace(seconds=1, error="boom", cost=None))
    token = {"name": "new_token", "time": (START + timedelta(seconds=0.5)).isoformat()}
    patched = {"outputs": {"answer": "Paris"}, "events": [token]}
    for run_id, example in zip(runs, (first, first, second), strict=True):
        change = {"reference_example_id": example, **(patched if example == first else {})}
        http.patch(f"/runs/{run_id}", json=change).raise_for_status()
    give(http, run_id=str(runs[0]), key="right", score=1)
    give(http, run_id=str(runs[0]), key="right", score=0)
    give(http, run_id=str(runs[1]), key="tone", value="warm")
    return called


def test_an_experiment_is_a_row_a_run(run: Run, http: httpx.Client, experiment: str, tmp_path: Path) -> None:
    told = run("export", "experiment", experiment, "-o", "x.jsonl")
    assert (told.status, told.out) == (0, ""), told.err
    assert told.err == f"Exported 3 runs of experiment '{experiment}' to x.jsonl.\n"
    found = lines(tmp_path / "x.jsonl")
    good = [row for row in found if row["inputs"] == PARIS["inputs"]]
    (bad,) = [row for row in found if row not in good]
    assert len({row["run_id"] for row in found}) == 3
    assert [row["outputs"] for row in good] == [{"answer": "Paris"}] * 2
    assert good[0]["reference_outputs"] == {"answer": "Paris"}
    assert (good[0]["metadata"], good[0]["split"]) == ({"level": 1}, ["test"])
    assert good[0]["run_metadata"]["model"] == "m"
    assert (good[0]["latency"], good[0]["first_token"], good[0]["total_tokens"]) == (2, 0.5, 15)
    assert good[0]["total_cost"] == 0.75
    assert sorted((row["feedback"] for row in good), key=str) == [{"right": 0.5}, {"tone": "warm"}]
    assert (bad["error"], bad["status"], bad["outputs"], bad["feedback"]) == ("boom", "error", None, {})
    session = http.get("/sessions", params={"name": experiment}).json()[0]["id"]
    assert run("export", "experiment", session, "-o", "y.jsonl").status == 0
    assert (tmp_path / "y.jsonl").read_bytes() == (tmp_path / "x.jsonl").read_bytes()


def test_an_experiment_as_a_table(run: Run, experiment: str, tmp_path: Path) -> None:
    assert run("export", "experiment", experiment, "-o", "x.csv").status == 0
    assert run("export", "experiment", experiment, "-o", "x.parquet").status == 0
    table = pd.read_csv(tmp_path / "x.csv")
    frame = pd.read_parquet(tmp_path / "x.parquet")
    shared = [column for column in frame.columns if column != "nulls"]
    assert list(table.columns) == shared
    for found in (table, frame):
        assert found["feedback.right"].dropna().to_list() == [0.5]
        assert found["feedback.tone"].dropna().to_list() == ["warm"]
        assert found["error"].dropna().to_list() == ["boom"]
        assert sorted(found["latency"]) == [1, 2, 2]
        assert found["reference_outputs.answer"].dropna().to_list() == ["Paris", "Paris"]
        assert found["outputs.answer"].dropna().to_list() == ["Paris", "Paris"]


def test_experiments_of_many_pages(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    dataset = make(http, name)
    examples = add(http, dataset, *({"inputs": {"n": n}} for n in range(150)))
    called = f"experiment-{uuid.uuid4().hex}"
    http.post("/sessions", json={"name": called, "reference_dataset_id": dataset}).raise_for_status()
    runs = record(http, called, *(Trace() for _ in examples))
    changes = [
        {
            "id": str(each),
            "trace_id": str(each),
            "dotted_order": http.get(f"/runs/{each}").json()["dotted_order"],
            "reference_example_id": example,
        }
        for each, example in zip(runs, examples, strict=True)
    ]
    http.post("/runs/batch", json={"patch": changes}).raise_for_status()
    assert run("export", "experiment", called, "-o", "x.jsonl").status == 0
    found = lines(tmp_path / "x.jsonl")
    assert sorted(row["inputs"]["n"] for row in found) == list(range(150))


def test_what_is_no_experiment(
    run: Run, http: httpx.Client, experiment: str, project: str, issue_key: Callable[..., str]
) -> None:
    record(http, project, Trace())
    told = run("export", "experiment", project, "-o", "-")
    assert told.status == 2
    assert f"the project '{project}' is no experiment" in told.err
    told = run("export", "experiment", experiment[:-2], "-o", "-")
    assert told.status == 2
    assert f"did you mean '{experiment}'" in told.err
    told = run("export", "experiment", experiment, "-o", "-", "--api-key", issue_key("elsewhere"))
    assert told.status == 2
    assert f"there is no experiment '{experiment}'" in told.err


def test_exporting_changes_nothing(run: Run, http: httpx.Client, name: str) -> None:
    make(http, name, PARIS)
    before = http.get("/datasets", params={"name": name}).json()
    run("export", "dataset", name, "-o", "-")
    assert http.get("/datasets", params={"name": name}).json() == before
    assert dataset_named(http, name) == before[0]["id"]
