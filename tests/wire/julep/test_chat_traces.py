"""A chat as a trace: read back with LangSmith's client, and as HoneyHive's session."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import langsmith
import pytest

from tests.conftest import Server
from tests.openai_server import ANSWER, ModelServer, Reply
from tests.wire.julep.conftest import client_of
from tests.wire.julep.test_chat import session, user

pytestmark = pytest.mark.filterwarnings("ignore:list_runs:DeprecationWarning")


def runs_of(server: Server, **which: Any) -> list[Any]:
    client = langsmith.Client(api_url=server.url, api_key="any", auto_batch_tracing=False)
    found = list(client.list_runs(**which))
    return sorted(found, key=lambda run: str(run.dotted_order))


def test_a_chat_is_a_trace(chatting: Any, talking: Server, model: ModelServer) -> None:
    name = f"p_{uuid.uuid4().hex}"
    chatting.projects.create(name=name, canonical_name=name)
    agent = chatting.agents.create(name="Ada", project=name, model="gpt-4o-mini")
    chatting.agents.docs.create(agent.id, title="Paris", content="Paris is the capital of France.")
    tool = {"resource": "agent", "operation": "get", "resource_id": agent.id}
    chatting.agents.tools.create(agent.id, name="me", type="system", system=tool)
    ident = session(chatting, agent=agent.id, auto_run_tools=True)
    model.script.append(Reply(calls=[("a", "me", "{}")]))
    model.script.append(Reply(calls=()))
    answer = chatting.sessions.chat(ident, messages=[user("Which city?")], temperature=0.5)

    root, *steps = runs_of(talking, project_name=name)
    assert (str(root.id), root.name, root.run_type, root.status) == (answer.id, "Ada", "chain", "success")
    assert root.inputs == {"messages": [user("Which city?")]}
    assert root.outputs is not None
    assert root.outputs["messages"][0]["content"] == ANSWER
    assert [(run.run_type, run.name) for run in steps] == [
        ("retriever", "recall"),
        ("prompt", "template"),
        ("llm", "gpt-4o-mini"),
        ("tool", "me"),
        ("llm", "gpt-4o-mini"),
    ]
    assert {run.parent_run_id for run in steps} == {root.id}
    assert {run.extra["metadata"]["thread_id"] for run in (root, *steps)} == {ident}
    recall, template, asked, ran, _ = steps
    assert recall.inputs == {"query": "user: Which city?", "mode": "vector"}
    assert recall.outputs["documents"][0]["page_content"] == "Paris is the capital of France."
    assert "Paris is the capital" in template.outputs["messages"][0]["content"]
    assert asked.inputs["messages"][-1] == user("Which city?")
    assert asked.extra["invocation_params"] == {"model": "gpt-4o-mini", "temperature": 0.5}
    assert (asked.prompt_tokens, asked.completion_tokens, asked.total_tokens) == (30, 12, 42)
    assert asked.total_cost > 0
    assert (root.total_tokens, root.total_cost) == (84, 2 * asked.total_cost)
    assert '"name":"Ada"' in ran.outputs["output"]
    assert all(run.end_time >= run.start_time for run in (root, *steps))

    event = httpx.get(
        f"{talking.url}/honeyhive/session/{answer.id}", headers={"authorization": "Bearer x"}
    ).json()
    assert (event["event_id"], event["event_name"]) == (answer.id, "Ada")
    assert event["inputs"] == root.inputs
    tree = httpx.get(f"{talking.url}/honeyhive/v1/sessions/{answer.id}").json()
    assert [each["event_type"] for each in tree["children"]] == ["tool", "chain", "model", "tool", "model"]


def test_turns_of_a_session_are_a_thread(chatting: Any, talking: Server, model: ModelServer) -> None:
    ident = session(chatting)
    first = chatting.sessions.chat(ident, messages=[user("one")])
    *_, last = chatting.sessions.chat(ident, messages=[user("two")], stream=True)
    wanted = f'and(eq(metadata_key, "thread_id"), eq(metadata_value, "{ident}"))'
    roots = runs_of(talking, project_name="default", filter=wanted, is_root=True)
    assert [str(run.id) for run in roots] == [first.id, last.id]
    (asked,) = runs_of(talking, trace_id=last.id, run_type="llm")
    assert asked.first_token_time is not None
    assert asked.outputs["choices"][0]["message"]["content"].strip() == ANSWER
    assert asked.total_tokens == 42


def test_what_fails_is_recorded_too(chatting: Any, talking: Server, model: ModelServer) -> None:
    agent = chatting.agents.create(name=uuid.uuid4().hex)
    ident = session(chatting, agent=agent.id)
    model.script.append(Reply(text="not today", status=400))
    with pytest.raises(Exception, match="not today"):
        chatting.sessions.chat(ident, messages=[user("x")])
    root, *_, asked = runs_of(talking, project_name="default", filter=f'eq(metadata_value, "{ident}")')
    for run in (root, asked):
        assert run.status == "error"
        assert "not today" in run.error


def test_what_is_rendered_is_not_recorded(chatting: Any, talking: Server, model: ModelServer) -> None:
    ident = session(chatting)
    chatting.sessions.render(ident, messages=[user("x")])
    assert runs_of(talking, project_name="default", filter=f'eq(metadata_value, "{ident}")') == []


def test_recording_can_be_switched_off(own_server: Server, model: ModelServer) -> None:
    own_server.environment = {
        "STENOGRAPH_LLM_BASE_URL": model.url,
        "STENOGRAPH_LLM_MODEL": "small",
        "STENOGRAPH_RECORD_CHATS": "false",
    }
    own_server.start()
    with client_of(own_server) as client:
        answer = client.sessions.chat(session(client), messages=[user("x")])
    assert httpx.get(f"{own_server.url}/runs/{answer.id}").status_code == 404
