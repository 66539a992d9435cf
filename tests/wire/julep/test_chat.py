"""Whole conversations with Julep's own client: what the model is told, what the client gets, what history keeps."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from julep import APIError, BadRequestError, NotFoundError, UnprocessableEntityError

from tests.conftest import Server
from tests.openai_server import ANSWER, ModelServer, Reply
from tests.wire.julep.conftest import client_of


def user(text: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": text, **more}


def session(client: Any, **fields: Any) -> str:
    """A session of one agent, Ada, who has neither docs nor tools."""
    agent = fields.pop("agent", None) or client.agents.create(name="Ada").id
    return str(client.sessions.create(agent=agent, **fields).id)


def texts(client: Any, ident: str) -> list[tuple[str, str, str]]:
    """(role, source, text) of the history."""
    return [
        (entry.role, entry.source, "".join(part["text"] for part in json.loads(entry.to_json())["content"]))
        for entry in client.sessions.history(ident).entries
    ]


def told(model: ModelServer, number: int = -1) -> list[tuple[str, Any]]:
    """What the model was told, the system's prompt left out."""
    messages = model.asked[number].body["messages"]
    return [(each["role"], each["content"]) for each in messages if each["role"] != "system"]


# -- turns ---------------------------------------------------------------------------------------------------


def test_a_conversation(chatting: Any, model: ModelServer) -> None:
    agent = chatting.agents.create(
        name="Ada",
        about="a tutor",
        instructions=["Be brief", "Be kind"],
        model="gpt-4o",
        default_settings={"temperature": 0.25, "top_p": 0.5},
    )
    bob = chatting.users.create(name="Bob", about="a student")
    ident = session(chatting, agent=agent.id, user=bob.id, situation="first lesson")
    first = chatting.sessions.chat(ident, messages=[user("What is 2 + 2?")], top_p=0.75)
    body = model.asked[0].body
    assert model.asked[0].headers["authorization"] == "Bearer sk-server"
    assert body["messages"] == [
        {
            "role": "system",
            "content": "You are Ada. About you: a tutor. You are talking to a user  and their name is Bob. "
            "About the user: a student.\nSituation: first lesson\n\nInstructions:\n- Be brief\n- Be kind\n\n",
        },
        user("What is 2 + 2?"),
    ]
    assert (body["model"], body["temperature"], body["top_p"]) == ("gpt-4o", 0.25, 0.75)
    assert set(body) == {"model", "messages", "temperature", "top_p"}
    choice = first.choices[0]
    assert (choice.index, choice.finish_reason) == (0, "stop")
    assert (choice.message.role, choice.message.content, choice.message.name) == ("assistant", ANSWER, "Ada")
    assert first.usage is not None
    assert (first.usage.prompt_tokens, first.usage.completion_tokens, first.usage.total_tokens) == (
        30,
        12,
        42,
    )
    assert first.docs == []
    assert first.jobs == []

    model.script.append(Reply(text="Six."))
    second = chatting.sessions.chat(ident, messages=[user("And 3 + 3?")])
    assert second.id != first.id
    assert told(model) == [("user", "What is 2 + 2?"), ("assistant", ANSWER), ("user", "And 3 + 3?")]
    assert texts(chatting, ident) == [
        ("user", "api_request", "What is 2 + 2?"),
        ("assistant", "api_response", ANSWER),
        ("user", "api_request", "And 3 + 3?"),
        ("assistant", "api_response", "Six."),
    ]
    entries = chatting.sessions.history(ident).entries
    assert entries[1].id == choice.message.id
    assert [entry.token_count > 0 for entry in entries] == [True] * 4
    assert {entry.tokenizer for entry in entries} == {"o200k_base"}
    assert [entry.model for entry in entries] == [None, "gpt-4o", None, "gpt-4o"]


def test_a_stream_piece_by_piece(chatting: Any, model: ModelServer) -> None:
    ident = session(chatting)
    pieces = list(chatting.sessions.chat(ident, messages=[user("How is it?")], stream=True))
    assert "".join(each.choices[0].delta.content or "" for each in pieces).strip() == ANSWER
    assert len(pieces) == len(ANSWER.split()) + 1
    assert len({(each.id, each.created_at) for each in pieces}) == 1
    assert [each.choices[0].finish_reason for each in pieces] == [None, None, None, "stop"]
    assert [each.usage is None for each in pieces] == [True, True, True, False]
    assert texts(chatting, ident)[-1][2].strip() == ANSWER


def test_a_stream_on_the_wire(talk: httpx.Client, chatting: Any) -> None:
    """One object an event, none of them `[DONE]`, which the clients cannot read; 201 as for a whole answer."""
    with talk.stream(
        "POST", f"/sessions/{session(chatting)}/chat", json={"messages": [user("x")], "stream": True}
    ) as answer:
        assert answer.status_code == 201
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = answer.read().decode().split("\n\n")
    assert events[-1] == ""
    for event in events[:-1]:
        assert event.startswith("data: {")
        assert json.loads(event.removeprefix("data: "))["choices"][0]["delta"]["role"] == "assistant"


def test_what_is_not_saved_leaves_nothing(chatting: Any, model: ModelServer) -> None:
    ident = session(chatting)
    chatting.sessions.chat(ident, messages=[user("one")])
    chatting.sessions.chat(ident, messages=[user("two")], save=False)
    assert told(model) == [("user", "one"), ("assistant", ANSWER), ("user", "two")]
    assert [text for _, _, text in texts(chatting, ident)] == ["one", ANSWER]


def test_contents_of_every_form(chatting: Any, model: ModelServer) -> None:
    ident = session(chatting)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}
    chatting.sessions.chat(
        ident,
        messages=[
            user(["one", "two"]),
            user([{"type": "text", "text": "look"}, image]),
            {"role": "system", "content": "Be brief."},
            {"role": "assistant", "content": None},
        ],
    )
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    assert [each["content"] for each in model.asked[0].body["messages"][1:]] == [
        parts,
        [{"type": "text", "text": "look"}, image],
        "Be brief.",
        "",
    ]
    entries = chatting.sessions.history(ident).entries
    assert json.loads(entries[0].to_json())["content"] == parts
    assert [entry.role for entry in entries] == ["user", "user", "system", "assistant", "assistant"]


def test_settings_that_are_null_and_formats_of_answers(chatting: Any, model: ModelServer) -> None:
    agent = chatting.agents.create(name="Ada", model="small", default_settings={"temperature": 1, "junk": 2})
    ident = session(chatting, agent=agent.id)
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    for stated, sent in (
        ({"type": "json_object"}, {"type": "json_object"}),
        (
            {"json_schema": schema},
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": schema}},
            {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": schema}},
        ),
    ):
        chatting.sessions.chat(
            ident,
            messages=[user("x")],
            temperature=None,
            response_format=stated,
            stop=["a"],
            seed=7,
            logit_bias={"5": -1.5},
        )
        asked = model.asked[-1].body
        assert asked["response_format"] == sent
        assert (asked["stop"], asked["seed"], asked["logit_bias"]) == (["a"], 7, {"5": -1.5})
        assert "temperature" not in asked
        assert "junk" not in asked


# -- participants --------------------------------------------------------------------------------------------


def test_several_agents_and_users(chatting: Any, model: ModelServer) -> None:
    first = chatting.agents.create(name="Ada", model="small", default_settings={"temperature": 0.1})
    second = chatting.agents.create(name="Bea", model="large", default_system_template="I am {{agent.name}}.")
    bob, eve = chatting.users.create(name="Bob"), chatting.users.create(name="Eve")
    ident = chatting.sessions.create(agents=[first.id, second.id], users=[bob.id, eve.id]).id
    chatting.sessions.chat(ident, messages=[user("Hello.", name="Bob <x>")])
    answer = chatting.sessions.chat(ident, messages=[user("And you?", name="Eve")], agent=second.id)
    body = model.asked[-1].body
    assert (body["model"], "temperature" in body) == ("large", False), "what it is asked with is its own"
    assert body["messages"] == [
        {"role": "system", "content": "I am Bea."},
        {"role": "user", "content": "Hello.", "name": "Bob_x_"},
        {"role": "assistant", "content": ANSWER, "name": "Ada"},
        {"role": "user", "content": "And you?", "name": "Eve"},
    ]
    assert answer.choices[0].message.name == "Bea"
    names = [entry.name for entry in chatting.sessions.history(ident).entries]
    assert names == ["Bob <x>", "Ada", "Eve", "Bea"]
    stranger = chatting.agents.create(name="Cid")
    with pytest.raises(BadRequestError, match="does not take part"):
        chatting.sessions.chat(ident, messages=[user("x")], agent=stranger.id)


def test_a_session_whose_agent_is_gone(chatting: Any) -> None:
    agent = chatting.agents.create(name="Ada")
    ident = session(chatting, agent=agent.id)
    chatting.agents.delete(agent.id)
    with pytest.raises(BadRequestError, match="deleted"):
        chatting.sessions.chat(ident, messages=[user("x")])


# -- recall --------------------------------------------------------------------------------------------------


def test_docs_are_recalled_by_what_was_said(chatting: Any, model: ModelServer) -> None:
    agent, bob = chatting.agents.create(name="Ada"), chatting.users.create(name="Bob")
    paris = chatting.agents.docs.create(agent.id, title="Paris", content="Paris is the capital of France.")
    chatting.agents.docs.create(agent.id, title="Bread", content="Sourdough rises slowly in a cold kitchen.")
    cats = chatting.users.docs.create(bob.id, title="Cats", content="Bob has two cats, Tom and Kit.")
    ident = session(chatting, agent=agent.id, user=bob.id, recall_options={"mode": "vector", "limit": 1})
    first = chatting.sessions.chat(ident, messages=[user("Which city is the capital of France?")])
    assert first.docs is not None
    assert [each.id for each in first.docs] == [paris.id]
    assert first.docs[0].snippet.embedding is not None
    assert len(first.docs[0].snippet.embedding) == 384
    assert "Paris is the capital of France." in model.asked[-1].body["messages"][0]["content"]
    chatting.sessions.update(ident, recall_options={"mode": "vector", "limit": 1, "num_search_messages": 1})
    second = chatting.sessions.chat(ident, messages=[user("What are the names of my cats?")])
    assert second.docs is not None
    assert [each.id for each in second.docs] == [cats.id]
    silent = chatting.sessions.chat(ident, messages=[user("What are the names of my cats?")], recall=False)
    assert silent.docs == []
    assert "Tom and Kit" not in model.asked[-1].body["messages"][0]["content"]
    for options in ({"mode": "text"}, {"mode": "hybrid", "alpha": 0.5, "include_embeddings": False}):
        chatting.sessions.update(ident, recall_options={**options, "limit": 1, "num_search_messages": 1})
        found = chatting.sessions.render(ident, messages=[user("Tell me about sourdough in the kitchen")])
        assert [each.title for each in found.docs or []] == ["Bread"]
    assert found.docs is not None
    assert found.docs[0].snippet.embedding is None
    chatting.sessions.update(ident, recall_options={"mode": "vector", "confidence": 0.99})
    strict = chatting.sessions.render(ident, messages=[user("bread?")])
    assert strict.docs == [], "a confidence that is stated counts"


# -- budgets -------------------------------------------------------------------------------------------------


def test_a_prompt_that_is_too_long(chatting: Any, model: ModelServer) -> None:
    agent = chatting.agents.create(name="Ada", default_system_template="Be brief.")
    ident = session(chatting, agent=agent.id, token_budget=80)
    for number in range(4):
        model.script.append(Reply(text=f"answer {number} " + "word " * 8))
        chatting.sessions.update(ident, context_overflow="truncate")
        chatting.sessions.chat(ident, messages=[user(f"question {number}")])
    assert told(model) == [
        ("user", "question 1"),
        ("assistant", "answer 1 " + "word " * 8),
        ("user", "question 2"),
        ("assistant", "answer 2 " + "word " * 8),
        ("user", "question 3"),
    ], "whole turns, the oldest first"
    assert model.asked[-1].body["messages"][0]["content"] == "Be brief."
    assert len(texts(chatting, ident)) == 8, "history keeps all"
    chatting.sessions.update(ident, context_overflow=None)  # before a summary makes room
    for call in (chatting.sessions.chat, chatting.sessions.render):
        with pytest.raises(BadRequestError, match="prompt_too_big") as refused:
            call(ident, messages=[user("question 5")])
        assert "token_budget is 80" in str(refused.value)
    chatting.sessions.update(ident, context_overflow="adaptive")
    chatting.sessions.chat(ident, messages=[user("question 4")])
    assert told(model)[0] != ("user", "question 0")
    chatting.sessions.update(ident, context_overflow="truncate")
    with pytest.raises(BadRequestError, match="prompt_too_big"):
        chatting.sessions.chat(ident, messages=[user("word " * 200)])
    asked = [str(each.body) for each in model.asked]  # a summary may be among them
    assert not any("question 5" in body or "word " * 100 in body for body in asked), "no model is asked"


# -- render and models ---------------------------------------------------------------------------------------


def test_render_asks_nobody_and_keeps_nothing(chatting: Any, model: ModelServer) -> None:
    agent = chatting.agents.create(name="Ada")
    tool = {"name": "weather", "type": "function", "function": {"parameters": {"type": "object"}}}
    chatting.agents.tools.create(agent.id, **tool)
    ident = session(chatting, agent=agent.id)
    found = chatting.sessions.render(ident, messages=[user("x")], tool_choice="none")
    assert [(each.role, each.content) for each in found.messages] == [
        ("system", "You are Ada. \n\n\n"),
        ("user", "x"),
    ]
    assert found.tools is not None
    assert [(each.name, each.type) for each in found.tools] == [("weather", "function")]
    assert found.tool_choice == "none"
    assert model.asked == []
    assert texts(chatting, ident) == []


def test_models_are_listed(chatting: Any, model: ModelServer) -> None:
    assert [each.id for each in chatting.agents.list_models().models] == ["gpt-4o-mini", "small"]
    chatting.agents.list_models(x_custom_api_key="sk-mine")
    assert [each.headers["authorization"] for each in model.asked] == ["Bearer sk-server", "Bearer sk-mine"]
    model.script.append(Reply(status=404))
    assert [each.id for each in chatting.agents.list_models().models] == ["gpt-4o-mini"], "the one by default"


# -- whom a chat asks ----------------------------------------------------------------------------------------


def test_a_key_of_ones_own(chatting: Any, model: ModelServer) -> None:
    ident = session(chatting)
    chatting.sessions.chat(ident, messages=[user("x")], x_custom_api_key="sk-mine")
    chatting.sessions.chat(ident, messages=[user("x")])
    assert [each.headers["authorization"] for each in model.asked] == ["Bearer sk-mine", "Bearer sk-server"]


def test_without_a_model_the_settings_are_named(julep: Any, server: Server) -> None:
    ident = session(julep)
    for call in (
        lambda: julep.sessions.chat(ident, messages=[user("x")]),
        lambda: julep.sessions.chat(ident, messages=[user("x")], stream=True),
        julep.agents.list_models,
    ):
        with pytest.raises(BadRequestError, match="STENOGRAPH_LLM_BASE_URL") as refused:
            call()
        assert "llm_bad_request" in str(refused.value)
    assert texts(julep, ident) == []
    assert julep.sessions.render(ident, messages=[user("x")]).messages[-1].content == "x"


def test_a_workspaces_own_server(own_server: Server, model: ModelServer) -> None:
    """Secrets by the names of the settings. Only public hosts are asked, and those that the operator names."""
    own_server.environment |= {"STENOGRAPH_LLM_BASE_URL": model.url, "STENOGRAPH_LLM_MODEL": "small"}
    own_server.start()
    with client_of(own_server) as client:
        ident = session(client)
        key = client.secrets.create(name="STENOGRAPH_LLM_API_KEY", value="sk-workspace")
        client.sessions.chat(ident, messages=[user("x")])
        assert model.asked[-1].headers["authorization"] == "Bearer sk-workspace"
        client.secrets.create(name="STENOGRAPH_LLM_BASE_URL", value=model.url)
        with pytest.raises(APIError, match="not a public address"):
            client.sessions.chat(ident, messages=[user("x")], model="large")
        client.secrets.delete(key.id)
    own_server.stop()
    own_server.environment["STENOGRAPH_PRIVATE_HOSTS"] = model.url.removeprefix("http://").removesuffix("/v1")
    own_server.start()
    with client_of(own_server) as client:
        with pytest.raises(BadRequestError, match="no model is named"):
            client.sessions.chat(ident, messages=[user("x")])
        client.sessions.chat(ident, messages=[user("x")], model="large", x_custom_api_key="sk-call")
        assert model.asked[-1].headers["authorization"] == "Bearer sk-call"
        client.sessions.chat(ident, messages=[user("x")], model="large")
        assert "authorization" not in model.asked[-1].headers, "the operator's key is not sent there"


# -- mistakes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ""),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [user("x")], "stream": "true"}, "stream"),
        ({"messages": [user("x")], "temperature": 6}, "temperature"),
        ({"messages": [user("x")], "stop": ["a"] * 5}, "stop"),
        ({"messages": [user("x")], "seed": 2**70}, "seed"),
        ({"messages": [user("x")], "max_tokens": 0}, "max_tokens"),
        ({"messages": [user("x")], "model": "m" * 121}, "model"),
        ({"messages": [user("x")], "response_format": "json"}, "response_format"),
        (
            {"messages": [user("x")], "response_format": {"type": "json_schema"}},
            "response_format.json_schema",
        ),
        ({"messages": [user("x")], "logit_bias": {"1": 101}}, "logit_bias"),
        ({"messages": [user("x")], "agent": "x"}, "agent"),
        ({"messages": [user("x")], "metadata": []}, "metadata"),
        ({"messages": [user("x")], "tool_choice": {"function": {}}}, "tool_choice.function"),
        ({"messages": [user("x")], "tools": [{"type": "function", "name": "a b"}]}, "tools.0.name"),
        ({"messages": [user("x")], "tools": [{"type": "api_call", "name": "a"}]}, "tools.0.api_call"),
        ({"messages": [user("x"), {"role": "tool", "content": "x"}]}, "messages.1.tool_call_id"),
        ({"messages": [user("x", tool_calls=[{"function": {"name": "f"}}])]}, "messages.0.tool_calls"),
        ({"messages": [user([{"type": "video"}])]}, "messages.0.content.0"),
    ],
)
@pytest.mark.parametrize("route", ["chat", "render"])
def test_what_is_out_of_place_is_told_where(
    talk: httpx.Client, chatting: Any, body: Any, place: str, route: str
) -> None:
    answer = talk.post(f"/sessions/{session(chatting)}/{route}", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["details"][0]["loc"].startswith(place)


@pytest.mark.parametrize("route", ["chat", "render"])
def test_other_mistakes(talk: httpx.Client, chatting: Any, route: str) -> None:
    ident = session(chatting)
    for raw in (b"", b"{", b"[]", b"\xff", b'{"messages": [{"role": "user"', b"[" * 10_000):
        assert talk.post(f"/sessions/{ident}/{route}", content=raw).status_code == 422, raw[:20]
    odd = '{"messages": [{"role": "user", "content": "a\\ud800b"}]}'
    assert talk.post(f"/sessions/{ident}/{route}", content=odd).status_code in (200, 201)
    nul = talk.post(f"/sessions/{ident}/{route}", json={"messages": [user("a\0b")]})
    assert nul.status_code < 500
    orphan = {"role": "tool", "content": "x", "tool_call_id": "nobody"}
    assert talk.post(f"/sessions/{ident}/{route}", json={"messages": [orphan]}).status_code == 400
    assert talk.post(f"/sessions/{uuid.uuid4()}/{route}", json={"messages": [user("x")]}).status_code == 404
    assert talk.post(f"/sessions/x/{route}", json={"messages": [user("x")]}).status_code == 422


def test_unknown_sessions_and_bad_values_by_the_client(chatting: Any) -> None:
    with pytest.raises(NotFoundError):
        chatting.sessions.chat(str(uuid.uuid4()), messages=[user("x")])
    with pytest.raises(UnprocessableEntityError):
        chatting.sessions.chat(session(chatting), messages=[user("x")], temperature=9)
