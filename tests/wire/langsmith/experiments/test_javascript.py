"""The real JavaScript client evaluates and compares."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server

SCRIPT = Path(__file__).with_name("experiments.mjs")


@pytest.fixture(scope="module")
def report(server: Server) -> dict[str, Any]:
    done = subprocess.run(
        ["node", str(SCRIPT), server.url, f"javascript-{uuid.uuid4().hex[:12]}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_experiments(report: dict[str, Any]) -> None:
    first, second = report["projects"]
    assert (first["run_count"], second["run_count"]) == (4, 4)
    assert (first["test_run_number"], second["test_run_number"]) == (1, 2)
    assert (first["feedback_stats"]["correct"]["avg"], second["feedback_stats"]["correct"]["avg"]) == (
        1,
        0.25,
    )


def test_results(report: dict[str, Any]) -> None:
    rows = sorted(report["results"], key=lambda row: row["inputs"]["q"])
    assert [row["inputs"]["q"] for row in rows] == [0, 1, 2, 3]
    assert [[run["outputs"]["a"] for run in row["runs"]] for row in rows] == [[0, 0], [2, 3], [4, 6], [6, 9]]
    assert rows[1]["runs"][0]["extra"]["metadata"]["ls_example_parity"] == "odd"


def test_a_comparison(report: dict[str, Any]) -> None:
    assert report["compared"] == 4
    (found,) = report["comparisons"]
    assert found["feedback_stats"]["preferred"]["n"] == 8
