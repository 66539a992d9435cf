"""The client for models, against an OpenAI-compatible server that does what a script says."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from stenograph.errors import Invalid, ModelRefused, ModelUnavailable
from stenograph.llm.chat import ChatChunk, ChatRequest, Tokens, ToolCall
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint, of_operator
from stenograph.settings import Settings
from tests.openai_server import ANSWER, ModelServer, Reply, scripted

T = TypeVar("T")

QUESTION = ChatRequest(messages=b'[{"role":"user","content":"How is it?"}]', model="gpt-4o-mini")
TOOLS = b'[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]'


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with scripted() as server:
        yield server


def ask(
    model: ModelServer | None, use: Callable[[Models], Awaitable[T]], /, seconds: float = 60, **endpoint: Any
) -> T:
    async def run() -> T:
        where = None if model is None else Endpoint(model.url, "sk-secret", trusted=True)
        models = Models(replace(where, **endpoint) if where else None, seconds=seconds)
        try:
            return await use(models)
        finally:
            await models.close()

    return asyncio.run(run())


async def collect(models: Models, request: ChatRequest = QUESTION, retries: int = 2) -> list[ChatChunk]:
    return [piece async for piece in models.stream(request, retries=retries)]


# -- answers -------------------------------------------------------------------------------------------------


def test_a_whole_answer_with_its_tokens(model: ModelServer) -> None:
    found = ask(model, lambda models: models.chat(QUESTION))
    assert found.text == ANSWER
    assert found.choices[0].finish_reason == "stop"
    assert found.tokens == Tokens(30, 12, 42)
    assert json.loads(found.body)["usage"]["prompt_tokens_details"]["cached_tokens"] == 10
    (asked,) = model.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer sk-secret"
    assert asked.body == {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "How is it?"}]}


def test_what_is_asked_arrives_as_it_was_written(model: ModelServer) -> None:
    request = ChatRequest(
        messages='[{"role":"user","content":"déjà vu 🎈","name":"x"}]'.encode(),
        tools=TOOLS,
        tool_choice=b'"auto"',
        response_format=b'{"type":"json_object"}',
        temperature=0.5,
        top_p=0.9,
        max_tokens=7,
        stop=("a", "b"),
        seed=1,
        more=b'{"logit_bias":{"1":2},"temperature":0.1}',
    )
    ask(model, lambda models: models.chat(request), model="small")
    assert model.asked[0].body == {
        "model": "small",
        "messages": [{"role": "user", "content": "déjà vu 🎈", "name": "x"}],
        "tools": json.loads(TOOLS),
        "tool_choice": "auto",
        "response_format": {"type": "json_object"},
        "temperature": 0.1,
        "top_p": 0.9,
        "max_tokens": 7,
        "stop": ["a", "b"],
        "seed": 1,
        "logit_bias": {"1": 2},
    }


def test_tool_calls(model: ModelServer) -> None:
    wanted = ChatRequest(messages=QUESTION.messages, model="m", tools=TOOLS)
    found = ask(model, lambda models: models.chat(wanted))
    assert found.choices[0].content is None
    assert found.choices[0].tool_calls == (ToolCall("call_1", "weather", '{"city":"Paris"}'),)
    pieces = ask(model, lambda models: collect(models, wanted))
    calls = [call for piece in pieces for call in piece.tool_calls]
    assert "".join(call.arguments for call in calls) == '{"city":"Paris"}'
    assert (calls[0].id, calls[0].name) == ("call_1", "weather")


def test_a_stream_piece_by_piece_with_its_tokens_last(model: ModelServer) -> None:
    pieces = ask(model, collect)
    assert "".join(piece.content or "" for piece in pieces).strip() == ANSWER
    assert [piece.tokens for piece in pieces if piece.tokens] == [Tokens(30, 12, 42)]
    assert [piece.finish_reason for piece in pieces if piece.finish_reason] == ["stop"]
    assert model.asked[0].body["stream_options"] == {"include_usage": True}


def test_embeddings_in_the_order_of_the_texts(model: ModelServer) -> None:
    mixed = [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1.5]}]
    model.script.append(Reply(raw=json.dumps({"data": mixed, "usage": {"prompt_tokens": 3}}).encode()))
    found = ask(model, lambda models: models.embed(["a", "b"], "small"))
    assert (found.vectors, found.tokens, found.model) == (((1.5,), (2.0,)), Tokens(3, 0, 3), "small")
    assert model.asked[0].body == {"model": "small", "input": ["a", "b"], "encoding_format": "float"}


@pytest.mark.parametrize(
    "said",
    [
        {"choices": [{"message": {"content": "x"}}]},
        {
            "choices": [{"message": {"content": "x", "tool_calls": None}, "finish_reason": None}],
            "usage": None,
        },
        {"id": 7, "choices": [{"message": {"content": "x", "role": None}}], "usage": {"prompt_tokens": None}},
    ],
)
def test_servers_that_say_less(model: ModelServer, said: object) -> None:
    model.script.append(Reply(raw=json.dumps(said).encode()))
    found = ask(model, lambda models: models.chat(QUESTION))
    assert (found.text, found.model) == ("x", "gpt-4o-mini")
    assert found.tokens in (None, Tokens())


# -- failures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again(model: ModelServer, status: int) -> None:
    model.script.append(Reply(status=status, headers={"retry-after-ms": "1"}))
    assert ask(model, lambda models: models.chat(QUESTION)).text == ANSWER
    assert len(model.asked) == 2


def test_so_is_a_stream_that_has_not_begun(model: ModelServer) -> None:
    model.script.append(Reply(status=429, headers={"retry-after-ms": "1"}))
    assert len(ask(model, collect)) > 2
    assert len(model.asked) == 2


def test_retry_after_is_passed_on_when_it_is_over(model: ModelServer) -> None:
    model.script.append(Reply(status=429, text="slow down, sk-secret", headers={"retry-after": "17"}))
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1 answers 429: .*slow down, \*\*\*") as refused:
        ask(model, lambda models: models.chat(QUESTION, retries=0))
    assert refused.value.retry_after == 17


@pytest.mark.parametrize("after", ["nonsense", "1e999", "-5", "nan", ""])
def test_a_retry_after_that_is_none(model: ModelServer, after: str) -> None:
    model.script.append(Reply(status=503, headers={"retry-after": after}))
    with pytest.raises(ModelUnavailable) as refused:
        ask(model, lambda models: models.chat(QUESTION, retries=0))
    assert 1 <= refused.value.retry_after <= 3600


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_the_caller_has_to_change_is_not(model: ModelServer, status: int) -> None:
    model.script.append(Reply(status=status, text="no such model"))
    with pytest.raises(ModelRefused, match="no such model") as refused:
        ask(model, lambda models: models.chat(QUESTION))
    assert refused.value.status == status
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"<html>busy</html>", b"[]", b'{"choices":[]}', b'{"choices":null}', b"\xff\xfe", b"[" * 100_000,
        b'{"choices":[{"message":"x"}]}', b'{"error":"x"}',
    ],
)  # fmt: skip
def test_garbage_is_no_answer(model: ModelServer, raw: bytes) -> None:
    model.script.append(Reply(raw=raw))
    with pytest.raises(ModelUnavailable):
        ask(model, lambda models: models.chat(QUESTION, retries=0))


@pytest.mark.parametrize("vectors", [[], [{"embedding": [1]}] * 3, [{"index": 1, "embedding": [1]}] * 2])
def test_vectors_that_do_not_fit_the_texts(model: ModelServer, vectors: object) -> None:
    model.script.append(Reply(raw=json.dumps({"data": vectors}).encode()))
    with pytest.raises(ModelUnavailable):
        ask(model, lambda models: models.embed(["a", "b"], "small"))


@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_a_stream_that_breaks_off(model: ModelServer, pieces: int) -> None:
    model.script.append(Reply(pieces=pieces))
    seen: list[ChatChunk] = []

    async def read(models: Models) -> None:
        async for piece in models.stream(QUESTION):
            seen.append(piece)

    with pytest.raises(ModelUnavailable, match="broke off"):
        ask(model, read)
    assert len(seen) == pieces
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"data: {]\n\n",
        b'data: {"error":{"message":"overloaded"}}\n\n',
        b'data: {"choices":7}\n\n',
        b"data: 7\n\n",
    ],
)
def test_a_stream_of_garbage(model: ModelServer, raw: bytes) -> None:
    model.script.append(Reply(raw=raw, headers={"content-type": "text/event-stream"}))
    with pytest.raises(ModelUnavailable):
        ask(model, collect)


def test_a_reader_that_leaves_a_stream_frees_its_connection(model: ModelServer) -> None:
    async def first(models: Models) -> str | None:
        stream = models.stream(QUESTION)
        async for piece in stream:
            await stream.aclose()
            return piece.content
        return None

    assert ask(model, first) == ""


def test_a_slow_server_is_not_waited_for(model: ModelServer) -> None:
    gate = threading.Event()
    model.answer = lambda asked: Reply(gate=gate)
    try:
        for use in (lambda models: models.chat(QUESTION), collect, lambda models: models.embed(["a"], "m")):
            with pytest.raises(ModelUnavailable, match="in time"):
                ask(model, use, seconds=0.2)
    finally:
        gate.set()


def test_retries_do_not_take_longer_than_the_call_may(model: ModelServer) -> None:
    model.answer = lambda asked: Reply(status=429, headers={"retry-after": "60"})
    with pytest.raises(ModelUnavailable, match="in time"):
        ask(model, lambda models: models.chat(QUESTION), seconds=0.3)


def test_nobody_there() -> None:
    where = Endpoint("http://127.0.0.1:9/v1", trusted=True)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        ask(None, lambda models: models.chat(QUESTION, where, retries=0))


# -- where ---------------------------------------------------------------------------------------------------


def test_without_a_server_the_settings_are_named() -> None:
    with pytest.raises(ModelRefused, match="STENOGRAPH_LLM_BASE_URL") as refused:
        ask(None, lambda models: models.chat(QUESTION))
    assert refused.value.status is None


def test_without_a_model_the_setting_is_named(model: ModelServer) -> None:
    with pytest.raises(ModelRefused, match="STENOGRAPH_LLM_MODEL"):
        ask(model, lambda models: models.embed(["a"]))
    assert ask(model, lambda models: models.embed(["a"]), model="usual").model == "usual"


def test_without_a_key_none_is_sent(model: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    ask(model, lambda models: models.chat(QUESTION), api_key="")
    assert "authorization" not in model.asked[0].headers


def test_a_call_may_name_its_own_server(model: ModelServer) -> None:
    with scripted() as other:
        theirs = Endpoint(other.url, "sk-theirs", "their-model", trusted=True)
        found = ask(model, lambda models: models.chat(replace_model(""), theirs))
        assert found.text == ANSWER
        assert other.asked[0].body["model"] == "their-model"
        assert other.asked[0].headers["authorization"] == "Bearer sk-theirs"
    assert model.asked == []


def replace_model(name: str) -> ChatRequest:
    return ChatRequest(messages=QUESTION.messages, model=name)


def test_a_server_that_a_user_names_has_to_be_public(model: ModelServer) -> None:
    port = model.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "2130706433", "[::ffff:127.0.0.1]"):
        with pytest.raises(Invalid, match="not a public address|no host"):
            ask(model, lambda models, at=f"http://{host}:{port}": models.chat(QUESTION, Endpoint(at, "k")))  # type: ignore[misc]
    assert model.asked == []


def test_to_a_users_server_nothing_of_the_operators_goes(
    model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is checked where it is looked up: here the look-up says that the host is public."""

    async def found(host: str, port: int) -> str:
        assert host == "models.example.com"
        return "127.0.0.1"

    monkeypatch.setattr("stenograph.llm.transport.public_address", found)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-operator")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-secret: of-the-operator")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    port = model.url.split(":")[2].partition("/")[0]
    theirs = Endpoint(f"http://models.example.com:{port}/v1", "sk-theirs")
    assert ask(None, lambda models: models.chat(QUESTION, theirs)).text == ANSWER
    (asked,) = model.asked
    assert asked.headers["host"] == f"models.example.com:{port}"
    assert asked.headers["authorization"] == "Bearer sk-theirs"
    assert "of-the-operator" not in str(asked.headers)
    assert len(ask(None, lambda models: collect_from(models, theirs))) > 2


async def collect_from(models: Models, where: Endpoint) -> list[ChatChunk]:
    return [piece async for piece in models.stream(QUESTION, where)]


def test_a_users_server_cannot_send_without_end(model: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(host: str, port: int) -> str:
        return "127.0.0.1"

    monkeypatch.setattr("stenograph.llm.transport.public_address", found)
    monkeypatch.setattr("stenograph.llm.transport.MAX_ANSWER", 1000)
    theirs = Endpoint(model.url, "sk-theirs")
    model.script += [Reply(text="x" * 2000), Reply(headers={"content-encoding": "gzip"}, raw=b"x")]
    with pytest.raises(ModelUnavailable, match="more than 1000 bytes"):
        ask(None, lambda models: models.chat(QUESTION, theirs))
    with pytest.raises(ModelUnavailable, match="compresses"):
        ask(None, lambda models: models.chat(QUESTION, theirs))


@pytest.mark.parametrize(
    "url",
    ["", "x", "file:///etc/passwd", "http://", "https://[", "http://a:99999", "http://a\n.com", "ftp://a"],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(Invalid):
        Endpoint(url)
    with pytest.raises(Invalid):
        Endpoint("https://api.example.com", "sk-\nx")


def test_the_key_is_not_shown() -> None:
    assert "sk-secret" not in repr(Endpoint("https://api.example.com", "sk-secret"))


# -- settings ------------------------------------------------------------------------------------------------


def test_the_operators_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL"):
        monkeypatch.delenv(f"STENOGRAPH_{name}", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def where(**environment: str) -> Endpoint | None:
        with monkeypatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            return of_operator(Settings(data_dir=tmp_path))

    openai = "https://api.openai.com/v1"
    assert where() is None
    assert where(OPENAI_API_KEY="") is None
    assert where(OPENAI_API_KEY="o") == Endpoint(openai, "o", trusted=True)
    assert where(OPENAI_API_KEY="o", OPENAI_BASE_URL="http://o/v1") == Endpoint(
        "http://o/v1", "o", trusted=True
    )
    assert where(STENOGRAPH_LLM_API_KEY="s", STENOGRAPH_LLM_MODEL="m") == Endpoint(
        openai, "s", "m", trusted=True
    )
    local = where(STENOGRAPH_LLM_BASE_URL="http://localhost:11434/v1", OPENAI_API_KEY="o")
    assert local == Endpoint("http://localhost:11434/v1", "", trusted=True), (
        "OpenAI's key goes to OpenAI alone"
    )
    assert local.host == "localhost"


def test_the_package_is_loaded_when_a_model_is_asked() -> None:
    """It takes 40 MB and most of a second."""
    program = "import sys, stenograph.main, stenograph.llm.client; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
