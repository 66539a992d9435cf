"""Spans of each convention against the runs they become: golden files, in every encoding.

A golden file has spans as `sending.Span` takes them, a parent given by the number of its span, and the runs.
UPDATE_GOLDEN=1 writes the runs anew.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.wire.otlp.conftest import Read
from tests.wire.otlp.sending import ENCODINGS, Encoding, Span, send, span_id, trace_id

GOLDEN: Final = Path(__file__).parents[2] / "golden" / "otlp"
CASES: Final = sorted(path.stem for path in GOLDEN.glob("*.json"))
SHOWN: Final = (
    "name", "run_type", "status", "error", "inputs", "outputs", "events", "extra", "tags", "thread_id",
    "prompt_tokens", "completion_tokens", "total_tokens", "prompt_token_details", "completion_token_details",
    "first_token_time", "end_time",
)  # fmt: skip


def spans_of(case: dict[str, Any], trace: str, session: str) -> list[Span]:
    ids = [span_id() for _ in case["spans"]]
    found = []
    for number, given in enumerate(json.loads(json.dumps(case["spans"]).replace("<session>", session))):
        fields = dict(given)
        parent = fields.pop("parent", None)
        above = None if parent is None else ids[parent]
        found.append(Span(trace, ids[number], above, start=number, end=number + 1, **fields))
    return found


def shown(run: dict[str, Any], spans: Sequence[Span], session: str) -> dict[str, Any]:
    """The run without what differs from one sending to the next."""
    found: dict[str, Any] = {field: run[field] for field in SHOWN if run[field] not in (None, [], 0)}
    if "extra" not in found:
        return found  # what stands in for a session is no span
    found = json.loads(json.dumps(found).replace(session, "<session>"))
    metadata = found["extra"]["metadata"]
    names = {span.span: number for number, span in enumerate(spans)}
    assert metadata.pop("otel.trace_id") == spans[0].trace
    metadata["otel.span_id"] = names[metadata["otel.span_id"]]
    if "otel.parent_span_id" in metadata:
        metadata["otel.parent_span_id"] = names[metadata["otel.parent_span_id"]]
    return found


def feedback(http: httpx.Client, runs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What was said of each run by key: what it was, then score, value and comment."""
    answer = http.get("/feedback", params={"run": list(runs), "limit": 100})
    found: dict[str, dict[str, Any]] = {}
    for item in sorted(answer.json(), key=lambda item: str(item["key"])):
        said = [item["feedback_source"]["metadata"], item["score"], item["value"], item["comment"]]
        found.setdefault(item["run_id"], {"feedback": {}})["feedback"][item["key"]] = said
    return found


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", CASES)
def test_golden(http: httpx.Client, runs: Read, project: str, name: str, encoding: Encoding) -> None:
    path = GOLDEN / f"{name}.json"
    case = json.loads(path.read_text())
    session = str(uuid.uuid4())
    spans = spans_of(case, trace_id(), session)
    answer = send(
        http, spans, encoding, project=project, resource=case.get("resource"), scope=case.get("scope")
    )
    assert answer.status_code == 200, answer.text
    assert answer.content in (b"", b"{}")
    stored = sorted(runs(project, select=["id", *SHOWN, "dotted_order"]), key=lambda run: run["dotted_order"])
    judged = feedback(http, [run["id"] for run in stored])
    made = [shown(run, spans, session) | judged.get(run["id"], {}) for run in stored]
    if os.environ.get("UPDATE_GOLDEN") and encoding == "json":
        path.write_text(json.dumps({**case, "runs": made}, indent=1, ensure_ascii=False) + "\n")
        case["runs"] = made
    assert made == case["runs"]


def test_there_are_cases() -> None:
    conventions = {name.partition("_")[0] for name in CASES}
    assert conventions == {
        "genai", "openinference", "openllmetry", "logfire", "langsmith", "honeyhive", "plain", "several",
    }  # fmt: skip
