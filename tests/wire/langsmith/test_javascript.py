"""The real JavaScript client: traces, feedback, sharing and statistics through one program."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server

SCRIPT = Path(__file__).with_name("tracing.mjs")


@pytest.fixture(scope="module")
def report(server: Server) -> dict[str, Any]:
    done = subprocess.run(
        ["node", str(SCRIPT), server.url, f"javascript {uuid.uuid4()}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "rror" not in done.stderr, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def named(report: dict[str, Any], name: str) -> dict[str, Any]:
    (run,) = [run for run in report["runs"] if run["name"] == name]
    found: dict[str, Any] = run
    return found


def test_the_tree(report: dict[str, Any]) -> None:
    root, model, stream = (named(report, name) for name in ("agent", "model", "stream"))
    assert model["parent_run_id"] == stream["parent_run_id"] == root["id"]
    assert model["trace_id"] == root["id"]
    assert root["outputs"] == {"answer": "WHY?", "words": ["a", "b"]}
    assert root["tags"] == ["js"]
    assert root["extra"]["metadata"]["thread_id"] == "js-thread"
    assert root["status"] == "success"
    # the client compares digits with those of dotted_order
    stamp = root["dotted_order"].split("Z")[0].replace("T", "")
    digits = "".join(char for char in root["start_time"] if char.isdigit())
    assert digits.startswith(stamp[:17])


def test_errors(report: dict[str, Any]) -> None:
    broken = named(report, "broken")
    assert broken["status"] == "error"
    assert "out of paper" in broken["error"]


def test_usage_and_project_statistics(report: dict[str, Any]) -> None:
    assert named(report, "model")["total_tokens"] == 10
    assert named(report, "agent")["total_tokens"] == 10
    assert report["project"]["total_tokens"] == 10
    assert report["project"]["run_count"] == 5
    assert report["stats"]["run_count"] == 5


def test_feedback(report: dict[str, Any]) -> None:
    (feedback,) = report["feedback"]
    assert feedback["key"] == "quality"
    assert feedback["score"] == 0.75
    assert feedback["comment"] == "fine"


def test_attachments_open_without_a_key(report: dict[str, Any]) -> None:
    assert report["contents"] == "file contents"


def test_sharing(report: dict[str, Any]) -> None:
    assert report["sharedLink"] == report["link"]
    assert report["page"] == 200
