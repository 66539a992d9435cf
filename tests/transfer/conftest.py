"""The command line against the shared server, and datasets to try it on."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commanding import Run, commands
from tests.conftest import Server


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, server: Server
) -> Run:
    """Runs one command line in a folder of the test's own, against the shared server."""
    for name in ("STENOGRAPH_API_KEY", "LANGSMITH_API_KEY", "LANGSMITH_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STENOGRAPH_URL", server.url)
    monkeypatch.chdir(tmp_path)
    return commands(monkeypatch, capsys)


@pytest.fixture
def name() -> str:
    """A name that no other dataset has."""
    return f"dataset-{uuid.uuid4().hex}"


def make(http: httpx.Client, name: str, *examples: dict[str, Any], **more: Any) -> str:
    """A dataset of this name with these examples; its id."""
    made = http.post("/datasets", json={"name": name, **more})
    assert made.status_code == 200, made.text
    dataset: str = made.json()["id"]
    add(http, dataset, *examples)
    return dataset


def add(http: httpx.Client, dataset: str, *examples: dict[str, Any]) -> list[str]:
    added = http.post("/examples/bulk", json=[{"dataset_id": dataset, **each} for each in examples])
    assert added.status_code == 200, added.text
    return [each["id"] for each in added.json()]


def stored(http: httpx.Client, dataset: str, **params: Any) -> list[dict[str, Any]]:
    """The examples of a dataset, in the order of their making."""
    asked = {"dataset": dataset, "order": "recently_created", "descending": "false", **params}
    found = http.get("/examples", params=asked)
    assert found.status_code == 200, found.text
    examples: list[dict[str, Any]] = found.json()
    return examples


def dataset_named(http: httpx.Client, name: str) -> str | None:
    """The id of the dataset of this name."""
    found = http.get("/datasets", params={"name": name}).json()
    return found[0]["id"] if found else None
