"""The four ways to send a trace end in the same record; and what single requests are answered."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from backports import zstd

Trace = list[tuple[dict[str, Any], dict[str, Any]]]
"""Each run as (create, update)."""

OUT_OF_BAND = ("inputs", "outputs", "events", "extra", "error", "serialized")


def make_trace(project: str) -> Trace:
    """A root and two children, the last failed; each created first and updated later."""
    stamps = ["20260102T030405000000Z", "20260102T030405100000Z", "20260102T030405200000Z"]
    ids = [uuid.uuid4() for _ in stamps]
    runs: Trace = []
    order = ""
    for index, (stamp, run_id) in enumerate(zip(stamps, ids, strict=True)):
        order = f"{stamp}{run_id}" if index == 0 else f"{stamps[0]}{ids[0]}.{stamp}{run_id}"
        create = {
            "id": str(run_id),
            "trace_id": str(ids[0]),
            "dotted_order": order,
            "parent_run_id": None if index == 0 else str(ids[0]),
            "name": f"step {index}",
            "run_type": ("chain", "llm", "tool")[index],
            "start_time": f"2026-01-02T03:04:05.{index}00000Z",
            "session_name": project,
            "inputs": {"question": f"número {index}", "nested": {"list": [1, 2.5, None, True]}},
            "extra": {"metadata": {"who": "tester", "n": index}, "runtime": {"sdk": "none"}},
            "tags": ["t", str(index)],
        }
        update = {
            "id": str(run_id),
            "trace_id": str(ids[0]),
            "dotted_order": order,
            "parent_run_id": None if index == 0 else str(ids[0]),
            "end_time": f"2026-01-02T03:04:06.{index}00000Z",
            "outputs": {"answer": index, "usage_metadata": {"input_tokens": 3, "output_tokens": 4}},
            "events": [{"name": "new_token", "time": "2026-01-02T03:04:05.500000Z"}],
        }
        if index == 2:
            update["error"] = "it broke\nTraceback …"
        runs.append((create, update))
    return runs


def one_by_one(http: httpx.Client, trace: Trace) -> None:
    for create, update in trace:
        assert http.post("/runs", json=create).status_code == 202
        assert http.patch(f"/runs/{update['id']}", json=update).status_code == 202


def batched(http: httpx.Client, trace: Trace) -> None:
    body = {"post": [create for create, _ in trace], "patch": [update for _, update in trace]}
    assert http.post("/runs/batch", json=body).status_code == 202


def multipart_body(trace: Trace, *, length: str) -> tuple[bytes, str]:
    """`length` tells how a part states its length: as a header, a parameter, or not at all."""
    boundary = uuid.uuid4().hex
    parts = []
    operations = [("post", create) for create, _ in trace] + [("patch", update) for _, update in trace]
    for operation, run in operations:
        main = {key: value for key, value in run.items() if key not in OUT_OF_BAND}
        fields = {key: run[key] for key in OUT_OF_BAND if key in run}
        named = [(f"{operation}.{run['id']}", main)]
        named += [(f"{operation}.{run['id']}.{key}", value) for key, value in fields.items()]
        for name, value in named:
            data = json.dumps(value).encode()
            head = f'Content-Disposition: form-data; name="{name}"\r\nContent-Type: application/json'
            head += {
                "header": f"\r\nContent-Length: {len(data)}",
                "parameter": f"; length={len(data)}",
                "none": "",
            }[length]
            parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def zstd_multipart(http: httpx.Client, trace: Trace) -> None:
    body, content_type = multipart_body(trace, length="header")
    headers = {"Content-Type": content_type, "Content-Encoding": "zstd"}
    answer = http.post("/runs/multipart", content=zstd.compress(body), headers=headers)
    assert answer.status_code == 202, answer.text


def gzip_chunked_multipart(http: httpx.Client, trace: Trace) -> None:
    body, content_type = multipart_body(trace, length="parameter")
    packed = gzip.compress(body)
    chunks = (packed[at : at + 100] for at in range(0, len(packed), 100))
    headers = {"Content-Type": content_type, "Content-Encoding": "gzip"}
    answer = http.post("/runs/multipart", content=chunks, headers=headers)
    assert answer.status_code == 202, answer.text


def plain_multipart(http: httpx.Client, trace: Trace) -> None:
    body, content_type = multipart_body(trace, length="none")
    answer = http.post("/runs/multipart", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 202, answer.text


WAYS: list[Callable[[httpx.Client, Trace], None]] = [
    one_by_one,
    batched,
    zstd_multipart,
    gzip_chunked_multipart,
    plain_multipart,
]


def read(http: httpx.Client, trace: Trace) -> list[dict[str, Any]]:
    """The trace as read back, with what differs by nature replaced: ids by their place in the trace."""
    ids = [create["id"] for create, _ in trace]
    body = {"trace": ids[0], "order": "asc"}
    runs = http.post("/runs/query", json=body).json()["runs"]
    text = json.dumps(runs)
    for index, run_id in enumerate(ids):
        text = text.replace(run_id, f"run-{index}")
    found: list[dict[str, Any]] = json.loads(text)
    for run in found:
        del run["session_id"], run["app_path"], run["trace_first_received_at"]
    return found


def test_all_ways_leave_the_same_record(http: httpx.Client, project: str) -> None:
    records = []
    for way in WAYS:
        trace = make_trace(f"{project}-{way.__name__}")
        way(http, trace)
        records.append(read(http, trace))
    first = records[0]
    assert [run["name"] for run in first] == ["step 0", "step 1", "step 2"]
    assert [run["status"] for run in first] == ["success", "success", "error"]
    assert first[1]["inputs"] == {"question": "número 1", "nested": {"list": [1, 2.5, None, True]}}
    assert first[1]["outputs"]["answer"] == 1
    assert first[1]["extra"]["metadata"] == {"who": "tester", "n": 1}
    assert first[1]["first_token_time"] == "2026-01-02T03:04:05.500000"
    assert first[1]["total_tokens"] == 7
    assert first[2]["error"] == "it broke\nTraceback …"
    assert first[2]["tags"] == ["t", "2"]
    assert first[2]["start_time"] == "2026-01-02T03:04:05.200000"
    for way, record in zip(WAYS[1:], records[1:], strict=True):
        assert record == first, way.__name__


def test_sending_everything_twice_changes_nothing(http: httpx.Client, project: str) -> None:
    trace = make_trace(project)
    zstd_multipart(http, trace)
    before = read(http, trace)
    zstd_multipart(http, trace)
    batched(http, trace)
    one_by_one(http, trace)
    assert read(http, trace) == before


@pytest.mark.parametrize("read_between", [False, True])
def test_updates_before_creates(http: httpx.Client, project: str, read_between: bool) -> None:
    trace = make_trace(project)
    expected_trace = make_trace(project + "-expected")
    batched(http, expected_trace)
    assert http.post("/runs/batch", json={"patch": [update for _, update in trace]}).status_code == 202
    if read_between:  # forces the updates into the run store, alone
        assert len(read(http, trace)) == 3
    assert http.post("/runs/batch", json={"post": [create for create, _ in trace]}).status_code == 202
    assert read(http, trace) == read(http, expected_trace)


def test_a_run_without_an_id_gets_one(http: httpx.Client, project: str) -> None:
    answer = http.post("/runs", json={"name": "x", "run_type": "chain", "session_name": project})
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456"),
        ("2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.123000"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000000"),
        ("2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05.000000"),
        (1767323045, "2026-01-02T03:04:05.000000"),
        (1767323045.5, "2026-01-02T03:04:05.500000"),
        (1767323045123, "2026-01-02T03:04:05.123000"),
    ],
)
def test_times_in_every_spelling(http: httpx.Client, project: str, sent: str | float, stored: str) -> None:
    run_id = uuid.uuid4()
    run = {"id": run_id.hex, "name": "t", "run_type": "chain", "session_name": project, "start_time": sent}
    assert http.post("/runs", json=run).status_code == 202
    assert http.get(f"/runs/{run_id}").json()["start_time"] == stored


def test_a_child_finds_its_parent_s_place(http: httpx.Client, project: str) -> None:
    parent, child = uuid.uuid4(), uuid.uuid4()
    common: dict[str, Any] = {"run_type": "chain", "session_name": project}
    http.post("/runs", json={"id": str(parent), "name": "p", "start_time": 1767323045, **common})
    http.post(
        "/runs",
        json={
            "id": str(child),
            "name": "c",
            "start_time": 1767323046,
            "parent_run_id": str(parent),
            **common,
        },
    )
    found = http.get(f"/runs/{child}").json()
    assert found["trace_id"] == str(parent)
    assert found["dotted_order"] == f"20260102T030405000000Z{parent}.20260102T030406000000Z{child}"
    assert found["parent_run_ids"] == [str(parent)]


BAD_RUNS: dict[str, tuple[dict[str, Any], str]] = {
    "run type": ({"run_type": "agent"}, "run_type"),
    "type of a field": ({"name": 7}, "name"),
    "time": ({"start_time": "yesterday"}, "start_time"),
    "inputs": ({"inputs": [1]}, "inputs"),
    "dotted order": ({"dotted_order": "nonsense"}, "dotted_order"),
    "parent": ({"parent_run_id": "x"}, "parent_run_id"),
    "name": ({"name": "n" * 5000}, "name"),
    "depth": ({"inputs": json.loads('{"a":' * 600 + "1" + "}" * 600)}, "STENOGRAPH_MAX_JSON_DEPTH"),
}


@pytest.mark.parametrize("case", BAD_RUNS)
def test_what_is_wrong_is_named(http: httpx.Client, project: str, case: str) -> None:
    change, named = BAD_RUNS[case]
    run_id = uuid.uuid4()
    run = {"id": str(run_id), "name": "x", "run_type": "chain", "session_name": project, **change}
    answer = http.post("/runs", json=run)
    assert answer.status_code in (413, 422)
    assert named in answer.json()["error"]
    assert str(run_id) in answer.json()["error"]
    assert http.get(f"/runs/{run_id}").status_code == 404


@pytest.mark.parametrize(
    "run_id",
    [
        "019bb2c1-e2a0-7{:03x}-8{:03x}-{:012x}",  # made a few days after the run started
        "00000000-0000-7{:03x}-8{:03x}-{:012x}",
        "ffffffff-ffff-7{:03x}-8{:03x}-{:012x}",
    ],
)
def test_a_run_is_found_whatever_time_its_id_claims(http: httpx.Client, project: str, run_id: str) -> None:
    noise = uuid.uuid4().int
    run_id = run_id.format(noise & 0xFFF, noise >> 12 & 0xFFF, noise >> 72 & 0xFFFFFFFFFFFF)
    assert http.get(f"/runs/{run_id}").status_code == 404
    create, _ = make_trace(project)[0]
    stamp = create["dotted_order"].partition("Z")[0]
    own = {"id": run_id, "trace_id": run_id, "dotted_order": f"{stamp}Z{run_id}"}
    assert http.post("/runs", json={**create, **own}).status_code == 202
    assert http.get(f"/runs/{run_id}").json()["name"] == "step 0"


def test_a_truncated_body_keeps_what_was_whole(http: httpx.Client, project: str) -> None:
    trace = make_trace(project)
    body, content_type = multipart_body([(create, create) for create, _ in trace], length="header")
    cut = body.index(b'name="patch.')
    answer = http.post("/runs/multipart", content=body[: cut + 40], headers={"Content-Type": content_type})
    assert answer.status_code == 422
    assert "cut short" in answer.json()["error"]
    assert len(read(http, trace)) == 3
