"""Examples through the real JavaScript client: its bodies are forms of blobs, every part with a file name."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from tests.javascript import report_of

SCRIPT = Path(__file__).with_name("examples.mjs")


@pytest.fixture(scope="module")
def report(server: Server) -> dict[str, Any]:
    return report_of(SCRIPT, server.url, f"javascript {uuid.uuid4()}", silent=True)


def test_what_was_created_comes_back(report: dict[str, Any]) -> None:
    first, second, third = report["created"]
    assert (first["inputs"], first["outputs"]) == ({"q": "größe"}, {"a": None})
    assert first["metadata"] == {"k": [1], "dataset_split": ["train", "hard"]}
    assert first["created_at"].startswith("2025-06-07T08:09:10.123")
    assert (second["inputs"], second["outputs"]) == ({"q": 2}, None)
    assert second["metadata"] == {"dataset_split": ["test"]}
    assert third["inputs"] == {}
    assert third["metadata"] == {"dataset_split": ["base"]}
    assert report["single"]["metadata"] == {"one": 1, "dataset_split": ["only"]}


def test_answers_are_in_the_order_of_the_request(report: dict[str, Any]) -> None:
    assert report["places"] == list(range(200))
    assert report["uploaded"]["count"] == 2
    assert report["uploaded"]["inputs"] == [{"q": 4}, {"q": 5}]
    assert report["updated"]["example_ids"] == [report["second"]["id"], report["first"]["id"]]


def test_files(report: dict[str, Any]) -> None:
    assert report["before"]["files"] == {
        "picture.png": ["image/png", "\0\r\n--mark"],
        'say "hi" ☃.txt': ["text/plain", "quoted"],
    }
    assert report["first"]["files"] == {
        "renamed": ["image/png", "\0\r\n--mark"],
        "fresh": ["text/plain", "fresh"],
    }


def test_changes(report: dict[str, Any]) -> None:
    assert report["first"]["inputs"] == {"q": "new"}
    assert report["first"]["outputs"] == {"a": None}
    assert report["first"]["metadata"] == {"k": [1], "dataset_split": ["train", "hard"]}
    assert report["second"]["metadata"] == {"changed": True, "dataset_split": ["test"]}


def test_failures(report: dict[str, Any]) -> None:
    statuses = {name: status for name, (status, _) in report["failures"].items()}
    assert statuses == {"dataset": 404, "taken": 409, "unknown": 404}
    assert "dataset not found" in report["failures"]["dataset"][1]
