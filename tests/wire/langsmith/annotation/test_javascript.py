"""The life of an annotation queue with the real JavaScript client."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from tests.javascript import report_of

SCRIPT = Path(__file__).with_name("annotation_queues.mjs")


@pytest.fixture(scope="module")
def report(server: Server) -> dict[str, Any]:
    return report_of(SCRIPT, server.url, f"javascript queues {uuid.uuid4()}")


def test_queues(report: dict[str, Any]) -> None:
    created, read, updated = report["created"], report["read"], report["updated"]
    assert "rubric_items" not in created
    assert "rubric_instructions" not in created
    (item,) = read["rubric_items"]
    assert (item["feedback_key"], item["description"], item["is_required"]) == (
        "js-quality",
        "how good",
        True,
    )
    assert read["rubric_instructions"] == "Look."
    assert (updated["name"], updated["rubric_instructions"]) == (
        f"{created['name'].removesuffix(' queue')} renamed",
        "Look again.",
    )
    assert updated["description"] == "from JavaScript"
    assert updated["rubric_items"] == read["rubric_items"]
    assert report["found"] == [created["id"]]
    assert "404" in report["gone"] or "not found" in report["gone"]


def test_runs(report: dict[str, Any]) -> None:
    ids = report["ids"]
    assert report["size"] == {"size": 3}
    assert report["listed"] == ids
    assert report["names"] == ["run 0", "run 1", "run 2"]
    assert report["addedAt"]
    assert report["next"] == ids[1]
    assert "index 2" in report["past"]
    assert report["items"] == ids[1:]
