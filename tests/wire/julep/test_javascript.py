"""The real JavaScript client through every operation of these nouns, in one program."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from tests.javascript import report_of

SCRIPT = Path(__file__).with_name("every_operation.mjs")
TAG = uuid.uuid4().hex


@pytest.fixture(scope="module")
def report(server: Server) -> dict[str, Any]:
    return report_of(SCRIPT, f"{server.url}/julep/api", TAG)


def test_agents(report: dict[str, Any]) -> None:
    agent = report["agent"]
    assert (agent["name"], agent["about"], agent["instructions"]) == ("Ada", "a tutor", ["Be brief"])
    by = report["agentsBy"]
    own = [agent["id"]]
    assert by == {"number": own, "truth": own, "nested": own, "list": own, "other": []}
    assert report["agentChanged"] == {
        **agent,
        "about": "a teacher",
        "updated_at": report["agentChanged"]["updated_at"],
    }
    reset = report["agentReset"]
    assert (reset["name"], reset["about"], reset["canonical_name"]) == ("Bea", "", agent["canonical_name"])
    assert report["agentGone"]["id"] == agent["id"]


def test_tools(report: dict[str, Any]) -> None:
    assert report["tool"]["function"] == {"parameters": {}}
    assert report["toolChanged"]["description"] == "new"
    assert report["tools"] == [report["toolReset"]]
    assert (report["toolReset"]["name"], report["toolReset"]["type"]) == ("u", "bash_20241022")
    assert report["toolGone"]["id"] == report["tool"]["id"]


def test_users_and_projects(report: dict[str, Any]) -> None:
    assert report["userChanged"]["about"] == "x"
    assert (report["userReset"]["name"], report["userReset"]["about"]) == ("Bo", "")
    assert report["users"] == report["usersMade"]
    assert report["projects"] == [report["project"]["id"]]


def test_sessions(report: dict[str, Any]) -> None:
    session = report["session"]
    assert session["kind"] == "single_agent_single_user"
    assert report["sessionChanged"]["situation"] == "s"
    assert (report["sessionReset"]["situation"], report["sessionReset"]["token_budget"]) == (None, 7)
    assert report["upserted"]["kind"] == "single_agent_no_user"
    # its iterator ends after the first page
    assert report["sessions"] == report["sessionsMade"]
    assert report["history"]["entries"] == report["history"]["relations"] == []
    assert report["gone"] == {"status": 404, "name": "NotFoundError"}


def test_secrets_and_files(report: dict[str, Any]) -> None:
    assert [report["secret"]["id"], "ENCRYPTED"] in report["secrets"]
    assert report["secretChanged"]["name"] == f"T_{TAG}"
    assert report["fileRead"] == report["file"]
    assert base64.b64decode(report["file"]["content"]).decode() == TAG
    assert report["file"]["id"] in report["files"]
    for gone in ("secretGone", "fileGone", "sessionGone", "userGone"):
        assert report[gone]["jobs"] == []


def test_refusals_and_health(report: dict[str, Any]) -> None:
    assert report["refused"] == {
        "job": {"status": 404, "name": "NotFoundError"},
        "tasks": {"status": 501, "name": "InternalServerError"},
        "name": {"status": 422, "name": "UnprocessableEntityError"},
        "twice": {"status": 409, "name": "ConflictError"},
    }
    assert report["health"]["status"] == "ok"
