"""Tools in chats: what a model is offered, calls handed to the caller, and those that the server runs."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import Server
from tests.openai_server import ANSWER, ModelServer, Reply
from tests.wire.julep.conftest import client_of
from tests.wire.julep.test_chat import session, texts, user

WEATHER: Any = {
    "name": "weather",
    "type": "function",
    "description": "How it is",
    "function": {"parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
OFFERED = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "How it is",
        "parameters": WEATHER["function"]["parameters"],
    },
}


def with_tools(client: Any, *tools: dict[str, Any], **fields: Any) -> str:
    agent = client.agents.create(name="Ada").id
    for tool in tools:
        client.agents.tools.create(agent, **tool)
    return session(client, agent=agent, **fields)


def results(model: ModelServer) -> list[str]:
    """What the model was told of tools' results last."""
    return [each["content"] for each in model.asked[-1].body["messages"] if each["role"] == "tool"]


# -- the caller's tools --------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_is_handed_to_the_caller_and_its_result_taken(
    chatting: Any, model: ModelServer, stream: bool
) -> None:
    ident = with_tools(chatting, WEATHER)
    model.script.append(Reply(calls=[("call_a", "weather", '{"city":"Paris"}')]))
    if stream:
        *_, last = chatting.sessions.chat(ident, messages=[user("How is Paris?")], stream=True)
        calls, reason = last.choices[0].delta.tool_calls, last.choices[0].finish_reason
    else:
        whole = chatting.sessions.chat(ident, messages=[user("How is Paris?")])
        calls, reason = whole.choices[0].message.tool_calls, whole.choices[0].finish_reason
        assert whole.choices[0].message.content is None
    assert model.asked[0].body["tools"] == [OFFERED]
    assert reason == "tool_calls"
    assert calls is not None
    (call,) = calls
    assert (call.id, call.function.name, call.function.arguments) == ("call_a", "weather", '{"city":"Paris"}')
    answer = chatting.sessions.chat(
        ident, messages=[{"role": "tool", "tool_call_id": "call_a", "content": "sunny"}]
    )
    assert answer.choices[0].message.content == ANSWER
    said = model.asked[-1].body["messages"][1:]
    assert said[1]["tool_calls"] == [
        {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    ]
    assert said[2] == {"role": "tool", "content": "sunny", "tool_call_id": "call_a"}
    assert [role for role, _, _ in texts(chatting, ident)] == ["user", "assistant", "tool", "assistant"]


def test_tools_of_the_request_join_the_agents(chatting: Any, model: ModelServer) -> None:
    ident = with_tools(chatting, WEATHER)
    other = {"type": "function", "function": {"name": "other", "parameters": {"type": "object"}}}
    model.script.append(Reply(calls=()))
    chatting.sessions.chat(
        ident,
        messages=[user("x")],
        tools=[{**WEATHER, "description": "mine"}, {"name": "other", **other}],
        tool_choice={"function": {"name": "other"}},
    )
    asked = model.asked[0].body
    assert asked["tools"] == [OFFERED, other], "of one name, the agent's"
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "other"}}


def test_a_call_that_nobody_answered_is_not_told_again(chatting: Any, model: ModelServer) -> None:
    """Models' servers refuse calls without results."""
    ident = with_tools(chatting, WEATHER)
    model.script.append(Reply(calls=[("a", "weather", "{}"), ("b", "weather", "{}")]))
    chatting.sessions.chat(ident, messages=[user("one")])
    model.script.append(Reply(calls=()))
    chatting.sessions.chat(
        ident, messages=[user("never mind"), {"role": "tool", "tool_call_id": "b", "content": "rain"}]
    )
    said = model.asked[-1].body["messages"][1:]
    assert [each["role"] for each in said] == ["user", "assistant", "tool", "user"]
    assert [call["id"] for call in said[1]["tool_calls"]] == ["b"]
    model.script.append(Reply(calls=()))
    chatting.sessions.chat(ident, messages=[user("two")], recall_tools=False)
    said = model.asked[-1].body["messages"][1:]
    assert [each["content"] for each in said] == ["one", "never mind", ANSWER, "two"]


def test_results_as_anthropics_clients_send_them(chatting: Any, model: ModelServer) -> None:
    ident = with_tools(chatting, {"name": "shell", "type": "bash_20241022"})
    model.script.append(Reply(calls=[("a", "shell", '{"command":"ls"}')]))
    chatting.sessions.chat(ident, messages=[user("x")])
    assert set(model.asked[0].body["tools"][0]["function"]["parameters"]["properties"]) == {
        "command",
        "restart",
    }
    part = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "file"}]}
    chatting.sessions.chat(ident, messages=[{"role": "user", "content": [part]}])
    assert results(model) == ["file"]


# -- tools that the server runs ------------------------------------------------------------------------------


@dataclass
class Api:
    """Somebody's HTTP API, and what it was sent."""

    url: str
    host: str
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def served() -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nothing on the standard error."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.asked.append((self.command, self.path, headers, body))
            moved = self.path.startswith("/moved")
            out = self.path.startswith("/away")
            self.send_response(302 if moved or out else 500 if self.path.startswith("/broken") else 200)
            if moved or out:
                self.send_header("location", "http://127.0.0.1:9/secret" if out else "/there")
            answer = b'{"temperature": 21}' if not self.path.startswith("/text") else b"plain"
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    host = f"127.0.0.1:{server.server_address[1]}"
    made = Api(f"http://{host}", host)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def api(served: Api) -> Api:
    """The same, not asked anything yet."""
    served.asked.clear()
    return served


@pytest.fixture(scope="module")
def reaching_server(
    served: Api, answering: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that may call the API, and no other host of this machine."""
    environment = {
        "STENOGRAPH_LLM_BASE_URL": answering.url,
        "STENOGRAPH_LLM_MODEL": "small",
        "STENOGRAPH_PRIVATE_HOSTS": served.host,
    }
    running = Server(tmp_path_factory.mktemp("reaching") / "data", environment).start()
    yield running
    assert running.stop() == 0, running.log[-4000:]


@pytest.fixture
def reaching(reaching_server: Server, model: ModelServer, api: Api) -> Iterator[Any]:
    with client_of(reaching_server) as client:
        yield client


def call_of(api: Api, path: str = "/now", method: str = "GET", **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    call = {"method": method, "url": api.url + path, "params_schema": schema, **more}
    return {"name": "look", "type": "api_call", "api_call": call}


@pytest.mark.parametrize("stream", [False, True])
def test_api_calls_are_run_until_there_is_an_answer(
    reaching: Any, model: ModelServer, api: Api, stream: bool
) -> None:
    token = f"API_TOKEN_{uuid.uuid4().hex}"
    reaching.secrets.create(name=token, value="s3cret")
    look = call_of(
        api,
        headers={"Authorization": "Bearer {{ secrets.token }}"},
        params={"units": "c"},
        secrets={"token": {"name": token}},
    )
    ident = with_tools(reaching, look, WEATHER, auto_run_tools=True)
    model.script.append(Reply(calls=[("a", "look", '{"city":"Paris","units":"f"}')]))
    model.script.append(Reply(calls=()))
    if stream:
        pieces = list(reaching.sessions.chat(ident, messages=[user("How is Paris?")], stream=True))
        text = "".join(each.choices[0].delta.content or "" for each in pieces)
        usage = pieces[-1].usage
    else:
        whole = reaching.sessions.chat(ident, messages=[user("How is Paris?")])
        text, usage = str(whole.choices[0].message.content), whole.usage
    assert text.strip() == ANSWER
    assert usage is not None
    assert usage.total_tokens == 84, "both calls of the model"
    (asked,) = api.asked
    assert asked[:2] == ("GET", "/now?city=Paris&units=c"), "what the definition states stays"
    assert asked[2]["authorization"] == "Bearer s3cret"
    assert [json.loads(each) for each in results(model)] == [
        {"status_code": 200, "json": {"temperature": 21}}
    ]
    assert "s3cret" not in json.dumps([each.body for each in model.asked])
    assert [(role, source) for role, source, _ in texts(reaching, ident)] == [
        ("user", "api_request"),
        ("assistant", "tool_request"),
        ("tool", "tool_response"),
        ("assistant", "api_response"),
    ]
    model.script.append(Reply(calls=()))
    reaching.sessions.chat(ident, messages=[user("again")])
    assert [each["role"] for each in model.asked[-1].body["messages"]][1:] == [
        "user", "assistant", "tool", "assistant", "user"
    ]  # fmt: skip


def test_calls_in_every_form(reaching: Any, model: ModelServer, api: Api) -> None:
    for more, arguments, path, body in (
        ({"method": "POST", "json": {"a": 1}}, '{"city":"Paris"}', "/now", b'{"city":"Paris","a":1}'),
        ({"method": "POST", "params": "x=1"}, '{"params":{"y":2}}', "/now?x=1&y=2", b""),
        ({"method": "POST", "data": {"k": "v"}}, "{}", "/now", b"k=v"),
        ({"method": "POST", "content": "aGk="}, "{}", "/now", b"hi"),
        ({"cookies": {"c": "d"}}, "", "/now", b""),
    ):
        ident = with_tools(reaching, call_of(api, **more))
        model.script.extend([Reply(calls=[("a", "look", arguments)]), Reply(calls=())])
        reaching.sessions.chat(ident, messages=[user("x")], auto_run_tools=True)
        asked = api.asked.pop()
        assert (asked[1], asked[3].replace(b" ", b"")) == (path, body), results(model)
    assert asked[2]["cookie"] == "c=d"


@pytest.mark.parametrize(
    ("tool", "arguments", "result"),
    [
        ({"path": "/text"}, "{}", '{"status_code":200,"content":"plain"}'),
        ({"path": "/broken"}, "{}", '{"status_code":500,"json":{"temperature":21}}'),
        ({"include_response_content": False}, "{}", '{"status_code":200}'),
        ({"path": "/moved", "follow_redirects": True}, "{}", '{"status_code":200,"json":{"temperature":21}}'),
        ({"path": "/moved"}, "{}", '{"status_code":302,"json":{"temperature":21}}'),
        ({"path": "/away", "follow_redirects": True}, "{}", '{"status_code":302,"json":{"temperature":21}}'),
        ({"headers": {"a": "{{secrets.NOBODY}}"}}, "{}", "there is no secret 'NOBODY'"),
        ({"url": "http://127.0.0.1:9/"}, "{}", "not a public address"),
        ({"url": "http://169.254.169.254/latest"}, "{}", "not a public address"),
        ({"url": "file:///etc/passwd"}, "{}", "not an address of the web"),
        ({"method": "TRACE"}, "{}", "not made from here"),
        ({"files": {"a": "b"}}, "{}", "not made from here"),
        ({"content": "!"}, "{}", "not base64"),
        ({}, "[1]", "not a JSON object"),
        ({}, "{broken", "not a JSON object"),
    ],
)
def test_what_comes_of_calls_that_are_not_usual(
    reaching: Any, model: ModelServer, api: Api, tool: dict[str, Any], arguments: str, result: str
) -> None:
    definition = dict(tool)
    made = call_of(api, definition.pop("path", "/now"))
    if "content" in definition:
        definition["method"] = "POST"
    made["api_call"] |= definition
    ident = with_tools(reaching, made)
    model.script.extend([Reply(calls=[("a", "look", arguments)]), Reply(calls=())])
    answer = reaching.sessions.chat(ident, messages=[user("x")], auto_run_tools=True)
    assert answer.choices[0].message.content == ANSWER
    assert result in results(model)[0]


def test_a_function_among_the_calls_is_handed_back(reaching: Any, model: ModelServer, api: Api) -> None:
    ident = with_tools(reaching, call_of(api), WEATHER, auto_run_tools=True)
    model.script.append(Reply(calls=[("a", "look", "{}"), ("b", "weather", "{}")]))
    found = reaching.sessions.chat(ident, messages=[user("x")])
    calls = found.choices[0].message.tool_calls
    assert calls is not None
    assert [call.id for call in calls] == ["b"], "the other has been answered here"
    model.script.append(Reply(calls=()))
    reaching.sessions.chat(ident, messages=[{"role": "tool", "tool_call_id": "b", "content": "rain"}])
    assert results(model) == ['{"status_code":200,"json":{"temperature":21}}', "rain"]


def test_nothing_is_run_unless_that_is_said(reaching: Any, model: ModelServer, api: Api) -> None:
    ident = with_tools(reaching, call_of(api))
    model.script.append(Reply(calls=[("a", "look", "{}")]))
    found = reaching.sessions.chat(ident, messages=[user("x")])
    assert found.choices[0].finish_reason == "tool_calls"
    reaching.sessions.update(ident, auto_run_tools=True)
    model.script.append(Reply(calls=[("b", "look", "{}")]))
    found = reaching.sessions.chat(ident, messages=[user("x")], auto_run_tools=False)
    assert found.choices[0].finish_reason == "tool_calls"
    assert api.asked == []


def test_a_model_that_always_calls_is_stopped(chatting: Any, model: ModelServer) -> None:
    system = {"name": "me", "type": "system", "system": {"resource": "agent", "operation": "list"}}
    ident = with_tools(chatting, system, auto_run_tools=True)
    model.answer = lambda asked: Reply(calls=[("a", "me", "{}")])
    found = chatting.sessions.chat(ident, messages=[user("x")])
    assert len(model.asked) == 4, "three rounds by the settings, then an answer has to come"
    assert [each.body.get("tool_choice") for each in model.asked] == [None, None, None, "none"]
    assert found.choices[0].finish_reason == "tool_calls"


# -- the server's own operations -----------------------------------------------------------------------------


def test_operations_on_the_workspace(chatting: Any, model: ModelServer) -> None:
    bob = chatting.users.create(name="Bob", metadata={"a": 1})
    agent = chatting.agents.create(name="Ada")
    note = {"title": "Paris", "content": ["Paris is the capital of France."]}
    of_user = {"resource": "user", "resource_id": bob.id}
    of_docs = {"resource": "agent", "subresource": "doc", "resource_id": agent.id}
    steps: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        ({**of_user, "operation": "get"}, {}, '"name":"Bob"'),
        ({"resource": "user", "operation": "get"}, {"user_id": bob.id}, '"metadata":{"a":1}'),
        ({"resource": "user", "operation": "get"}, {}, "user_id is needed"),
        ({"resource": "user", "operation": "get"}, {"user_id": "x"}, "not a uuid"),
        ({**of_user, "operation": "update"}, {"about": "new"}, '"about":"new"'),
        ({"resource": "user", "operation": "list"}, {"limit": 0}, "limit is a whole number"),
        ({**of_docs, "subresource": None, "operation": "get"}, {"agent_id": bob.id}, '"name":"Ada"'),
        ({**of_docs, "operation": "create"}, note, "Paris"),
        ({**of_docs, "operation": "search"}, {"text": "capital"}, "France"),
        ({**of_docs, "operation": "list"}, {}, "Paris"),
        ({"resource": "session", "operation": "list"}, {"limit": 1}, '"kind":"single_agent_no_user"'),
        ({"resource": "session", "operation": "chat"}, {}, "not run from here"),
        ({"resource": "user", "operation": "create"}, {"name": 5}, "name has to be a text"),
    ]
    for definition, arguments, result in steps:
        ident = with_tools(chatting, {"name": "do", "type": "system", "system": definition})
        model.script.extend([Reply(calls=[("a", "do", json.dumps(arguments))]), Reply(calls=())])
        chatting.sessions.chat(ident, messages=[user("x")], auto_run_tools=True)
        assert result in results(model)[0], (definition, results(model))
        offered = model.asked[0].body["tools"][0]["function"]["parameters"]
        if "resource_id" in definition:
            assert f"{definition['resource']}_id" not in offered["properties"]
        model.asked.clear()
    history = {"resource": "session", "operation": "history"}
    ident = with_tools(chatting, {"name": "do", "type": "system", "system": history})
    model.script.extend([Reply(calls=[("a", "do", json.dumps({"session_id": ident}))]), Reply(calls=())])
    chatting.sessions.chat(ident, messages=[user("x")], auto_run_tools=True)
    assert json.loads(results(model)[0])["entries"] == [], "the turn is not in the history yet"
