"""Tools of agents through Julep's own client: every type, kept and judged."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from julep import Client, ConflictError, NotFoundError

DEFINITIONS: dict[str, dict[str, Any]] = {
    "function": {
        "name": "ignored",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
    "integration": {
        "provider": "brave",
        "method": "search",
        "setup": {"brave_api_key": "k"},
        "arguments": {"query": "x"},
    },
    "system": {"resource": "agent", "subresource": "doc", "operation": "search", "arguments": {"limit": 3}},
    "api_call": {
        "method": "POST",
        "url": "https://example.com/{{x}}",
        "headers": {"a": "b"},
        "params": {"q": 1},
        "params_schema": {
            "type": "object",
            "properties": {"q": {"type": "number"}},
            "additionalProperties": False,
        },
        "secrets": {"key": {"name": "KEY"}},
        "json": {"a": [1]},
        "timeout": 30,
        "follow_redirects": True,
        "include_response_content": False,
    },
    "computer_20241022": {
        "type": "computer_20241022",
        "name": "computer",
        "display_width_px": 800,
        "display_height_px": 600,
        "display_number": 2,
    },
    "text_editor_20241022": {"type": "text_editor_20241022", "name": "str_replace_editor"},
    "bash_20241022": {"type": "bash_20241022", "name": "bash"},
}


@pytest.fixture
def agent(julep: Client) -> str:
    return julep.agents.create(name="Ada").id


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_every_type_is_kept_as_it_was_sent(julep: Client, raw: httpx.Client, agent: str, kind: str) -> None:
    definition = DEFINITIONS[kind]
    stated: dict[str, Any] = {"name": "do_it", "type": kind, "description": "does it", kind: definition}
    made = julep.agents.tools.create(agent, **stated)
    (listed,) = raw.get(f"/agents/{agent}/tools").json()["items"]
    assert listed == {
        "id": made.id,
        "created_at": listed["created_at"],
        "updated_at": listed["created_at"],
        "name": "do_it",
        "type": kind,
        "description": "does it",
        kind: definition,
    }
    (again,) = julep.agents.tools.list(agent)
    assert again.model_dump() == made.model_dump()


def test_all_operations(julep: Client, agent: str) -> None:
    tools = julep.agents.tools
    made = tools.create(agent, name="a", type="function", function={"parameters": {"type": "object"}})
    other = tools.create(agent, name="b", type="bash_20241022")
    assert [each.id for each in tools.list(agent)] == [other.id, made.id]
    assert [each.id for each in tools.list(agent, direction="asc", limit=1)] == [made.id, other.id]
    changed = tools.update(made.id, agent_id=agent, description="new")
    assert (changed.name, changed.description) == ("a", "new")
    assert changed.function is not None
    assert changed.function.parameters == {"type": "object"}
    assert next(iter(tools.list(agent, sort_by="updated_at"))).id == made.id
    call = {"method": "GET", "url": "https://example.com"}
    reset = tools.reset(made.id, agent_id=agent, name="c", type="api_call", api_call=call)  # type: ignore[arg-type]
    assert (reset.name, reset.type, reset.description, reset.function) == ("c", "api_call", None, None)
    patched = tools.update(made.id, agent_id=agent, api_call={"timeout": 5})
    assert patched.api_call is not None
    assert (patched.api_call.url, patched.api_call.timeout) == ("https://example.com", 5)
    gone = tools.delete(made.id, agent_id=agent)
    assert (gone.id, gone.jobs) == (made.id, [])
    for attempt in (
        lambda: tools.delete(made.id, agent_id=agent),
        lambda: tools.update(made.id, agent_id=agent, name="x"),
        lambda: tools.reset(made.id, agent_id=agent, name="x", type="bash_20241022"),
        lambda: tools.create(str(uuid.uuid4()), name="x", type="bash_20241022"),
        lambda: tools.list(str(uuid.uuid4())),
        lambda: tools.delete(other.id, agent_id=julep.agents.create(name="another").id),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    julep.agents.delete(agent)
    with pytest.raises(NotFoundError):
        tools.list(agent)


def test_an_agent_has_a_name_once(julep: Client, agent: str) -> None:
    tools = julep.agents.tools
    tools.create(agent, name="a", type="bash_20241022")
    second = tools.create(agent, name="b", type="bash_20241022")
    for attempt in (
        lambda: tools.create(agent, name="a", type="function"),
        lambda: tools.update(second.id, agent_id=agent, name="a"),
        lambda: tools.reset(second.id, agent_id=agent, name="a", type="function"),
    ):
        with pytest.raises(ConflictError) as refused:
            attempt()
        assert refused.value.response.headers["x-should-retry"] == "false"
    elsewhere = julep.agents.create(name="another").id
    assert tools.create(elsewhere, name="a", type="function").name == "a"


def test_a_new_type_comes_with_its_definition(julep: Client, raw: httpx.Client, agent: str) -> None:
    made = julep.agents.tools.create(
        agent, name="a", type="function", function={"parameters": {"type": "object"}}
    )
    path = f"/agents/{agent}/tools/{made.id}"
    assert raw.patch(path, json={"type": "system"}).status_code == 422
    assert raw.patch(path, json={"system": DEFINITIONS["system"]}).status_code == 422
    found = raw.patch(path, json={"type": "system", "system": DEFINITIONS["system"]}).json()
    assert (found["type"], found["system"]) == ("system", DEFINITIONS["system"])
    assert "function" not in found
    nothing = {"name": None, "type": None, "description": None, "system": None, "function": None}
    assert raw.patch(path, json=nothing).json() == {
        **found,
        "updated_at": raw.get(f"/agents/{agent}/tools").json()["items"][0]["updated_at"],
    }


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, ""),
        ({"name": "a"}, ""),
        ({"name": "a", "type": "magic"}, "type"),
        ({"name": "a b", "type": "function"}, "name"),
        ({"name": "5a", "type": "function"}, "name"),
        ({"name": "", "type": "function"}, "name"),
        ({"name": "a" * 41, "type": "function"}, "name"),
        ({"name": "a", "type": "function", "description": 5}, "description"),
        ({"name": "a", "type": "function", "function": []}, "function"),
        ({"name": "a", "type": "function", "function": {"parameters": "x"}}, "function.parameters"),
        ({"name": "a", "type": "function", "system": DEFINITIONS["system"]}, "system"),
        ({"name": "a", "type": "system"}, "system"),
        ({"name": "a", "type": "system", "system": None}, "system"),
        ({"name": "a", "type": "system", "system": {"resource": "agent"}}, "system"),
        (
            {"name": "a", "type": "system", "system": {"resource": "moon", "operation": "get"}},
            "system.resource",
        ),
        (
            {
                "name": "a",
                "type": "system",
                "system": {"resource": "agent", "operation": "get", "resource_id": "x"},
            },
            "system.resource_id",
        ),
        ({"name": "a", "type": "integration"}, "integration"),
        ({"name": "a", "type": "integration", "integration": {"provider": "nobody"}}, "integration.provider"),
        (
            {"name": "a", "type": "integration", "integration": {"provider": "spider", "method": "fly"}},
            "integration.method",
        ),
        (
            {
                "name": "a",
                "type": "integration",
                "integration": {"provider": "email", "setup": {"host": "x"}},
            },
            "integration.setup",
        ),
        ({"name": "a", "type": "api_call", "api_call": {"method": "GET"}}, "api_call"),
        ({"name": "a", "type": "api_call", "api_call": {"method": "get", "url": "x"}}, "api_call.method"),
        ({"name": "a", "type": "api_call", "api_call": {"method": "GET", "url": ""}}, "api_call.url"),
        (
            {"name": "a", "type": "api_call", "api_call": {"method": "GET", "url": "x", "headers": {"a": 1}}},
            "api_call.headers",
        ),
        (
            {"name": "a", "type": "computer_20241022", "computer_20241022": {"display_width_px": 5}},
            "computer_20241022.display_width_px",
        ),
        ({"name": "a", "type": "bash_20241022", "bash_20241022": {"type": "sh"}}, "bash_20241022.type"),
    ],
)
def test_what_is_no_tool(raw: httpx.Client, agent: str, body: dict[str, Any], loc: str) -> None:
    answer = raw.post(f"/agents/{agent}/tools", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["details"][0]["loc"].startswith(loc), answer.text
    assert raw.get(f"/agents/{agent}/tools").json()["items"] == []


def test_tools_have_no_metadata(raw: httpx.Client, agent: str) -> None:
    assert raw.get(f"/agents/{agent}/tools", params={"metadata_filter.a": "1"}).status_code == 422
