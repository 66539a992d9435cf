"""Projects, tools and configurations through HoneyHive's own TypeScript client, every method that it has for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from honeyhive import HoneyHive

from tests.conftest import Server
from tests.javascript import report_of
from tests.wire.honeyhive.conftest import PREFIX

SCRIPT = Path(__file__).with_name("typescript.mjs")


@pytest.fixture(scope="module")
def name() -> str:
    return f"typescript {uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def report(server: Server, name: str) -> dict[str, Any]:
    return report_of(SCRIPT, f"{server.url}{PREFIX}", name)


def test_nothing_that_the_client_offers_is_forgotten(report: dict[str, Any]) -> None:
    for noun, methods in report["offered"].items():
        called = {method for method in methods if f"{noun}.{method}(" in SCRIPT.read_text()}
        assert called == set(methods) - {"constructor"}
        assert len(called) == 4


def test_projects(report: dict[str, Any], name: str) -> None:
    made = report["project"]
    assert (made["name"], made["description"]) == (name, "words")
    assert report["bare"]["description"] == ""
    assert report["found"] == [made]
    assert {name, f"{name}, bare", "default"} <= set(report["all"])
    assert report["updated"] == [{"id": made["id"], "name": f"{name}!", "description": "others"}]
    assert report["left"] == []
    assert report["taken"]["status"] == 409
    assert name in json.loads(report["taken"]["body"])["message"]
    assert report["gone"]["status"] == 404


def test_tools(report: dict[str, Any], name: str) -> None:
    tool, bare = report["tools"]
    assert tool == {
        "id": report["tool"]["result"]["insertedId"],
        "task": name,
        "name": name,
        "description": "words",
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
        "toolType": "tool",
    }
    assert bare == {
        "id": bare["id"],
        "task": name,
        "name": f"{name}, bare",
        "parameters": {},
        "toolType": "function",
    }
    assert report["updatedTools"] == [{**tool, "name": f"{name}!", "parameters": {"n": 1}}, bare]
    assert report["leftTools"] == [bare]
    assert report["goneTool"]["status"] == 404


def test_configurations(report: dict[str, Any], name: str) -> None:
    one, bare = report["configurations"]
    (function,) = one["parameters"]["selectedFunctions"]
    assert function["name"] == "search"
    assert function["id"]
    assert one["parameters"] == {
        "callType": "chat",
        "model": "gpt-4",
        "hyperparameters": {"temperature": 0},
        "selectedFunctions": [function],
        "functionCallParams": "none",
        "additionalProperties": {"template": [{"role": "user", "content": "{{q}}"}]},
    }
    assert (one["name"], one["provider"], one["env"], one["type"]) == (name, "openai", ["dev"], "LLM")
    assert one["userProperties"] == {"who": 1}
    assert one["project"] == bare["project"]
    assert "userProperties" not in bare
    assert report["byName"] == [one]
    assert report["byEnv"] == report["elsewhere"] == []
    (updated,) = report["updatedConfigurations"]
    assert (updated["id"], updated["provider"], updated["type"]) == (one["id"], "anthropic", "pipeline")
    assert updated["parameters"] == {"callType": "chat", "model": "claude"}
    assert [found["id"] for found in report["leftConfigurations"]] == [bare["id"]]
    assert report["goneConfiguration"]["status"] == 404


def test_pythons_client_reads_what_javascripts_has_written(
    report: dict[str, Any], honeyhive: HoneyHive, hh: Any, name: str
) -> None:
    """JavaScript's drops a response format's type, and functions need no id there; Python's refuses both."""
    parameters = {
        "call_type": "chat",
        "model": "m",
        "responseFormat": {},
        "selectedFunctions": [{"name": "f"}],
    }
    body = {"project": name, "name": name, "provider": "p", "parameters": parameters}
    made = hh.post("/configurations", json=body).json()["insertedId"]
    found = {each.id: each for each in honeyhive.configurations.list()}
    read = found[made].parameters.model_dump(exclude_none=True)
    assert [function["name"] for function in read["selectedFunctions"]] == ["f"]
    assert "responseFormat" not in read
