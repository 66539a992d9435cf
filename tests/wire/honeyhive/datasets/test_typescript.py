"""Datasets and datapoints through HoneyHive's own TypeScript client, which takes null for nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from tests.javascript import report_of
from tests.wire.honeyhive.datasets.making import fresh

SCRIPT = Path(__file__).with_name("typescript.mjs")


@pytest.fixture(scope="module")
def name() -> str:
    return fresh()


@pytest.fixture(scope="module")
def report(server: Server, name: str) -> dict[str, Any]:
    return report_of(SCRIPT, f"{server.url}/honeyhive", name)


def test_a_dataset_with_all_that_older_clients_say_of_one(report: dict[str, Any], name: str) -> None:
    assert report["created"] == {"inserted": True, "result": {"insertedId": report["dataset"]}}
    (found,) = report["listed"]
    assert found["createdAt"] <= found["updatedAt"]
    assert {key: value for key, value in found.items() if not key.endswith("At")} == {
        "project": "some project", "name": name, "description": "words", "type": "fine-tuning",
        "datapoints": [], "numPoints": 0, "linkedEvals": ["an eval"], "saved": True, "pipelineType": "session",
    }  # fmt: skip
    assert report["otherType"] == []


def test_a_datapoint(report: dict[str, Any]) -> None:
    (found,) = report["read"]
    assert found["id"] == report["first"]
    assert {key: value for key, value in found.items() if not key.endswith("At")} == {
        "id": report["first"], "inputs": {"q": "?"}, "history": [{"role": "user"}], "groundTruth": {"a": "!"},
        "metadata": {"m": 2}, "linkedEvent": "an event", "linkedDatasets": [report["dataset"]],
    }  # fmt: skip
    (bare,) = report["readBare"]
    assert "groundTruth" not in bare
    assert "linkedEvent" not in bare
    assert bare["linkedDatasets"] == []


def test_rows_and_lists(report: dict[str, Any]) -> None:
    added = report["added"]["datapointIds"]
    assert report["added"]["inserted"] is True
    assert [each["id"] for each in report["byName"]] == [report["first"], *added]
    assert [(each["inputs"], each.get("groundTruth"), each["metadata"]) for each in report["byName"][1:]] == [
        ({"question": "a"}, {"answer": "b"}, {"more": 1}),
        ({"question": "c"}, None, {}),
    ]
    assert [each["id"] for each in report["byIds"]] == [report["bare"], report["first"]]
    assert [each["id"] for each in report["byId"]] == [report["bare"]]


def test_changes(report: dict[str, Any], name: str) -> None:
    (updated,) = report["updated"]
    assert (updated["inputs"], updated["history"]) == ({"q": "new"}, [{"role": "user"}])
    assert updated["linkedEvals"] == ["an eval"]
    (changed,) = report["changed"]
    assert changed["name"] == f"{name}!"
    assert (changed["type"], changed["description"]) == ("fine-tuning", "words")
    assert changed["datapoints"] == [report["first"], report["bare"]]
    assert changed["numPoints"] == 2
    assert report["deleted"] == {"deleted": True}
    assert report["left"] == []


def test_refusals(report: dict[str, Any]) -> None:
    assert report["refused"]["status"] == 404
    assert json.loads(report["refused"]["body"])["message"].startswith("datapoint not found")
