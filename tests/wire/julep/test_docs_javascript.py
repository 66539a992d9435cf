"""Docs and searching them through Julep's JavaScript client."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stenograph.llm.embedding import LOCAL_DIMENSIONS
from tests.conftest import Server

SCRIPT = Path(__file__).with_name("docs_and_search.mjs")


@pytest.fixture(scope="module")
def report(server: Server) -> dict[str, Any]:
    done = subprocess.run(
        ["node", str(SCRIPT), f"{server.url}/julep"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("kind", ["agents", "users"])
def test_docs(report: dict[str, Any], kind: str) -> None:
    told = report[kind]
    made = told["made"]
    assert made["content"] == ["Refunds are paid within five days.", "They need a receipt."]
    assert told["plain"] == made
    assert [len(each) for each in told["read"]["embeddings"]] == [LOCAL_DIMENSIONS] * 2
    assert told["listed"] == ["Refunds", "Parking"]
    assert told["byMetadata"] == ["Refunds"]
    assert told["deleted"]["jobs"] == []
    assert [each["id"] for each in told["many"]] == [made["id"]]
    assert told["nothing"] == told["left"] == []


@pytest.mark.parametrize("kind", ["agents", "users"])
def test_searching(report: dict[str, Any], kind: str) -> None:
    told = report[kind]
    best = told["words"]["docs"][0]
    assert told["words"]["time"] > 0
    assert best["owner"] == {"id": told["owner"], "role": kind.removesuffix("s")}
    assert best["snippet"]["content"] == "Refunds are paid within five days."
    assert len(best["snippet"]["embedding"]) == LOCAL_DIMENSIONS
    assert told["meaning"] == ["Refunds", "Refunds", "Parking"]
    assert told["both"] == ["Parking"]
    assert told["sure"] == []
    assert told["varied"][0] == "Refunds"
    assert told["narrowed"] == ["Parking"]


@pytest.mark.parametrize("kind", ["agents", "users"])
def test_refusals(report: dict[str, Any], kind: str) -> None:
    assert report[kind]["refused"] == {
        "twice": {"status": 409, "name": "ConflictError"},
        "empty": {"status": 422, "name": "UnprocessableEntityError"},
        "short": {"status": 422, "name": "UnprocessableEntityError"},
        "gone": {"status": 404, "name": "NotFoundError"},
    }
