"""Datasets through the real JavaScript client, whose times have milliseconds."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from tests.javascript import report_of

SCRIPT = Path(__file__).with_name("datasets.mjs")


@pytest.fixture(scope="module")
def report(server: Server) -> dict[str, Any]:
    return report_of(SCRIPT, server.url, f"javascript datasets {uuid.uuid4()}")


def test_a_dataset_is_made_found_and_changed(report: dict[str, Any]) -> None:
    created = report["created"]
    assert created["inputs_schema_definition"]["properties"] == {"q": {"type": "number"}}
    assert created["metadata"] == {"team": "ü"}
    assert report["read"] == created
    assert report["listed"] == [created]
    assert report["missing"] is False
    assert "already exists" in report["taken"]
    assert report["updated"]["description"] == "changed"
    assert report["deleted"] is False


def test_a_time_cut_to_milliseconds_names_its_version(report: dict[str, Any]) -> None:
    assert report["version"]["tags"] == ["latest"]
    assert report["tagged"] == {"tags": ["first"], "as_of": report["version"]["as_of"]}
    assert report["byTime"]["tags"] == ["latest"]
    assert report["byTime"]["as_of"] > report["version"]["as_of"]


def test_differences(report: dict[str, Any]) -> None:
    first, second, third = report["ids"]
    assert report["diff"] == {
        "examples_added": [],
        "examples_removed": [third],
        "examples_modified": report["diff"]["examples_modified"],
    }
    assert set(report["diff"]["examples_modified"]) == {first, second}


def test_splits(report: dict[str, Any]) -> None:
    assert report["splits"] == ["base", "train"]
    assert report["splitsBefore"] == ["base"]
    assert "dataset not found" in report["unknownDataset"]


def test_lists_of_examples(report: dict[str, Any]) -> None:
    found = report["questions"]
    assert found["all"] == [1, 2]
    assert found["first"] == [1, 2, 3]
    assert found["early"] == []
    assert found["train"] == [1, 2]
    assert found["metadata"] == found["ids"] == [2]
    assert found["filter"] == [1]
    assert len(found["page"]) == 1
    assert [set(each) for each in report["bare"]] == [{"id", "outputs"}] * 2
    assert report["wiped"] == [3]


def test_uploads(report: dict[str, Any]) -> None:
    assert report["uploaded"]["description"] == "from a file"
    assert report["uploaded"]["example_count"] == 1
    (example,) = report["uploadedExamples"]
    assert (example["inputs"], example["outputs"]) == ({"q": 'one, "two"'}, {"a": "ü"})
    messages = [{"role": "user", "content": 'one, "two"'}, {"role": "assistant", "content": "ü"}]
    assert report["fineTuning"] == [{"messages": messages}]
