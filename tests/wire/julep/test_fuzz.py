"""Whatever is sent, the answer is Julep's: never a 5xx, and an error has its envelope."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from julep import Client

from tests.effort import tries

SETTINGS = settings(max_examples=tries(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
FIELDS = (
    "name", "about", "model", "instructions", "default_settings", "default_system_template", "metadata", "project",
    "canonical_name", "agent", "agents", "user", "users", "situation", "system_template", "render_templates",
    "token_budget", "context_overflow", "auto_run_tools", "recall_options", "type", "function", "integration",
    "system", "api_call", "computer_20241022", "description", "value", "content", "mime_type",
)  # fmt: skip

_text = st.text(max_size=8)
_leaf = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | _text
    | st.sampled_from(["", " ", "\0", "\ud800", "default", str(uuid.UUID(int=0)), "truncate", "function", "eA=="])
)  # fmt: skip
_value = st.recursive(
    _leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3)
)
_body = st.dictionaries(st.sampled_from(FIELDS), _value, max_size=6)
_query = st.dictionaries(
    st.sampled_from(["limit", "offset", "sort_by", "direction", "metadata_filter"])
    | _text.map(lambda text: f"metadata_filter.{text}"),
    st.text(max_size=12) | st.integers().map(str) | _value.map(json.dumps),
    max_size=4,
)


def proper(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert error["message"]
        assert error["code"] in (f"http_{answer.status_code}", "validation_error")
        assert len(answer.content) < 10_000


@pytest.fixture
def paths(julep: Client) -> dict[str, list[str]]:
    """Where bodies go, by method, on an agent, a user and a session that are there."""
    agent, user = julep.agents.create(name="x"), julep.users.create()
    session = julep.sessions.create(agent=agent.id)
    own = [f"/agents/{agent.id}", f"/users/{user.id}", f"/sessions/{session.id}"]
    return {
        "POST": [
            "/agents",
            "/users",
            "/projects",
            "/sessions",
            "/secrets",
            "/files",
            f"{own[0]}/tools",
            *own,
        ],
        "PUT": own,
        "PATCH": own,
    }


@given(sent=_body)
@SETTINGS
def test_bodies(raw: httpx.Client, paths: dict[str, list[str]], sent: dict[str, Any]) -> None:
    body = json.dumps(sent).encode()
    for method, places in paths.items():
        for path in places:
            proper(raw.request(method, path, content=body))


@given(sent=_value)
@SETTINGS
def test_values_that_are_nearly_right(raw: httpx.Client, paths: dict[str, list[str]], sent: Any) -> None:
    """One member is odd, and the rest as it has to be."""
    agent = paths["PUT"][0].rpartition("/")[2]
    right = {"name": "x", "agent": agent, "value": "v", "content": "eA==", "type": "function"}
    for path in paths["POST"]:
        for field in ("metadata", "recall_options", "function", "instructions", "project"):
            proper(raw.post(path, content=json.dumps({**right, field: sent}).encode()))


@given(query=_query)
@SETTINGS
def test_questions(raw: httpx.Client, query: dict[str, str]) -> None:
    clean = {key.encode(errors="replace").decode(): value for key, value in query.items()}
    for path in ("/agents", "/users", "/sessions", "/projects", "/secrets", "/files"):
        proper(raw.get(path, params={**clean, **({"limit": "1"} if path == "/files" else {})}))


@given(raw_body=st.binary(max_size=40))
@SETTINGS
def test_bytes(raw: httpx.Client, paths: dict[str, list[str]], raw_body: bytes) -> None:
    for path in paths["POST"]:
        proper(raw.post(path, content=raw_body))
