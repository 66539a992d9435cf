"""Chats that go wrong: models that fail or hang, clients that leave or ask again, servers that are killed; and many
at once."""

from __future__ import annotations

import concurrent.futures
import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from julep import APIError, BadRequestError, InternalServerError

from tests.conftest import Server
from tests.openai_server import ANSWER, ModelServer, Reply
from tests.wire.julep.conftest import client_of
from tests.wire.julep.test_chat import session, texts, user
from tests.wire.julep.test_chat_tools import with_tools

QUICKLY = {"retry-after-ms": "1"}
REPEATED = {"x-stainless-retry-count": "1"}


@pytest.fixture
def opened() -> Iterator[threading.Event]:
    """A gate that is open once the test is over, come what may."""
    gate = threading.Event()
    yield gate
    gate.set()


def history_of(talk: httpx.Client, ident: str, count: int) -> list[dict[str, Any]]:
    """The history, once it has so many entries: what follows a client that has left is nobody's answer."""
    for _ in range(2000):
        entries: list[dict[str, Any]] = talk.get(f"/sessions/{ident}/history").json()["entries"]
        if len(entries) >= count:
            return entries
    raise AssertionError(f"there are {len(entries)} entries")


# -- models that fail ----------------------------------------------------------------------------------------


def test_a_model_that_is_busy_is_asked_again(chatting: Any, model: ModelServer) -> None:
    ident = session(chatting)
    model.script.extend([Reply(status=429, headers=QUICKLY), Reply(status=503, headers=QUICKLY)])
    assert chatting.sessions.chat(ident, messages=[user("x")]).choices[0].message.content == ANSWER
    assert len(model.asked) == 3


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_stays_busy(talk: httpx.Client, chatting: Any, model: ModelServer, stream: bool) -> None:
    ident = session(chatting)
    model.answer = lambda asked: Reply(text="slow down", status=429, headers=QUICKLY)
    answer = talk.post(f"/sessions/{ident}/chat", json={"messages": [user("x")], "stream": stream})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert "slow down" in answer.json()["error"]["message"]
    assert texts(chatting, ident) == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_refuses(chatting: Any, model: ModelServer, stream: bool) -> None:
    ident = session(chatting)
    model.script.append(Reply(text="no such model, sk-server", status=404))
    with pytest.raises(BadRequestError, match="no such model") as refused:
        chatting.sessions.chat(ident, messages=[user("x")], stream=stream)
    assert "llm_bad_request" in str(refused.value)
    assert "sk-server" not in str(refused.value)
    assert texts(chatting, ident) == []


def test_a_model_that_breaks_off(chatting: Any, model: ModelServer) -> None:
    """What was said is kept, and the client sees that it is not whole."""
    ident = session(chatting)
    model.script.append(Reply(pieces=3))
    heard = ""
    with pytest.raises((httpx.RemoteProtocolError, APIError)):
        for piece in chatting.sessions.chat(ident, messages=[user("x")], stream=True):
            heard += str(piece.choices[0].delta.content)
    assert heard == "Sunny in "
    assert [text for _, _, text in texts(chatting, ident)] == ["x", "Sunny in "]
    model.script.append(Reply(pieces=1))
    with pytest.raises(InternalServerError):
        chatting.sessions.chat(ident, messages=[user("y")], stream=True)
    assert len(texts(chatting, ident)) == 2, "of an answer that never began nothing is kept"


def test_a_model_that_fails_once_tools_have_run(
    chatting: Any, model: ModelServer, talk: httpx.Client
) -> None:
    tool = {"name": "look", "type": "system", "system": {"resource": "agent", "operation": "list"}}
    ident = with_tools(chatting, tool, auto_run_tools=True)
    model.script.append(Reply(calls=[("a", "look", "{}")]))
    model.script.extend([Reply(status=500, headers=QUICKLY)] * 3)
    answer = talk.post(f"/sessions/{ident}/chat", json={"messages": [user("x")]})
    assert (answer.status_code, answer.headers["x-should-retry"]) == (502, "false")
    assert "Tools had run" in answer.json()["error"]["message"]
    assert texts(chatting, ident) == []


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"choices": []}', b"\xff"])
def test_a_model_that_talks_nonsense(chatting: Any, model: ModelServer, raw: bytes) -> None:
    model.script.append(Reply(raw=raw))
    with pytest.raises(InternalServerError) as refused:
        chatting.sessions.chat(session(chatting), messages=[user("x")])
    assert refused.value.status_code == 503


def test_a_model_that_is_too_slow(own_server: Server, model: ModelServer, opened: threading.Event) -> None:
    own_server.environment = {
        "STENOGRAPH_LLM_BASE_URL": model.url,
        "STENOGRAPH_LLM_MODEL": "small",
        "STENOGRAPH_LLM_TIMEOUT_SECONDS": "0.5",
    }
    own_server.start()
    model.answer = lambda asked: Reply(gate=opened)
    with client_of(own_server) as client:
        ident = session(client)
        for stream in (False, True):
            with pytest.raises(InternalServerError, match="did not answer in time"):
                client.sessions.chat(ident, messages=[user("x")], stream=stream)
        assert texts(client, ident) == []


# -- clients that leave, or ask again ------------------------------------------------------------------------


def test_what_a_client_has_read_before_it_left_is_kept(
    chatting: Any, model: ModelServer, talk: httpx.Client, opened: threading.Event
) -> None:
    ident = session(chatting)
    model.script.append(Reply(gate=opened, gate_after=3))
    with chatting.sessions.chat(ident, messages=[user("x")], stream=True) as stream:
        pieces = iter(stream)
        assert next(pieces).choices[0].delta.content == "Sunny "
        assert next(pieces).choices[0].delta.content == "in "
    entries = history_of(talk, ident, 2)
    assert [each["content"][0]["text"] for each in entries] == ["x", "Sunny in "]
    # and the next turn begins, although the model is still at it
    assert chatting.sessions.chat(ident, messages=[user("y")]).choices[0].message.content == ANSWER


def test_a_client_that_left_before_the_answer_asks_again(
    chatting: Any, model: ModelServer, talk: httpx.Client, opened: threading.Event
) -> None:
    """Its request is under way still: the second waits for the first, and gets its answer."""
    ident = session(chatting)
    model.script.append(Reply(gate=opened))
    body = {"messages": [user("x")]}
    with pytest.raises(httpx.ReadTimeout):
        talk.post(f"/sessions/{ident}/chat", json=body, timeout=1)
    model.wait_for(1)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        again = threads.submit(talk.post, f"/sessions/{ident}/chat", json=body, headers=REPEATED)
        opened.set()
        answer = again.result(60)
    assert answer.json()["choices"][0]["message"]["content"] == ANSWER
    assert len(model.asked) == 1
    assert len(texts(chatting, ident)) == 2


def test_repeats_are_told_from_saying_the_same_again(
    chatting: Any, model: ModelServer, talk: httpx.Client
) -> None:
    ident = session(chatting)
    url, body = f"/sessions/{ident}/chat", {"messages": [user("yes")]}
    first = talk.post(url, json=body).json()
    second = talk.post(url, json=body).json()
    assert second["id"] != first["id"]
    third = talk.post(url, json=body, headers=REPEATED).json()
    assert third["id"] not in (first["id"], second["id"]), "those had arrived: this one is new"
    assert len(texts(chatting, ident)) == 6
    other = talk.post(url, json={**body, "temperature": 0.5}, headers=REPEATED).json()
    assert other["id"] != third["id"]


def test_the_second_attempt_of_the_client_makes_one_turn(
    chatting: Any, talking: Server, model: ModelServer, opened: threading.Event
) -> None:
    """Its first one times out; it sends the same again by itself."""
    ident = session(chatting)
    model.script.append(Reply(gate=opened))
    with (
        client_of(talking).with_options(max_retries=3, timeout=2) as patient,
        concurrent.futures.ThreadPoolExecutor(1) as threads,
    ):
        call = threads.submit(lambda: patient.sessions.chat(ident, messages=[user("x")]))
        model.wait_for(1)
        threading.Timer(3, opened.set).start()
        found = call.result(60)
    assert found.choices[0].message.content == ANSWER
    assert len(model.asked) == 1
    assert len(texts(chatting, ident)) == 2


def test_an_answer_outlives_its_server(
    own_server: Server, model: ModelServer, opened: threading.Event
) -> None:
    """Killed in the middle of a turn, it has nothing of it. Killed before its answer was read, it has all of it, and
    whoever asks again gets that."""
    own_server.environment = {"STENOGRAPH_LLM_BASE_URL": model.url, "STENOGRAPH_LLM_MODEL": "small"}
    own_server.start()
    with client_of(own_server) as client:
        ident = session(client)
        model.script.append(Reply(gate=opened))
        with concurrent.futures.ThreadPoolExecutor(1) as threads:
            lost = threads.submit(lambda: client.sessions.chat(ident, messages=[user("x")]))
            model.wait_for(1)
            own_server.kill()
            assert isinstance(lost.exception(60), APIError)
        opened.set()
        own_server.start()
        assert texts(client, ident) == []
        client.with_options(max_retries=2).sessions.chat(ident, messages=[user("x")])
        assert len(texts(client, ident)) == 2
        held = threading.Event()
        model.script.append(Reply(gate=held))
        url = f"{own_server.url}/julep/sessions/{ident}"
        body = {"messages": [user("y")]}
        try:
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{url}/chat", json=body, timeout=1)
        finally:
            held.set()
        with httpx.Client(base_url=f"{own_server.url}/julep") as http:
            history_of(http, ident, 4)
        own_server.kill()
        own_server.start()
        before = len(model.asked)
        again = httpx.post(f"{url}/chat", json=body, headers=REPEATED, timeout=60)
        assert again.json()["choices"][0]["message"]["content"] == ANSWER
        assert (len(model.asked), len(texts(client, ident))) == (before, 4)
        streamed = httpx.post(f"{url}/chat", json={**body, "stream": True}, headers=REPEATED, timeout=60)
        assert streamed.status_code == 201, "another request, and so another turn"
        assert len(texts(client, ident)) == 6


# -- many at once --------------------------------------------------------------------------------------------


def test_turns_of_one_session_follow_each_other(chatting: Any, model: ModelServer) -> None:
    ident, count = session(chatting), 24
    model.answer = lambda asked: Reply(text=f"re {asked.prompt}")

    def ask(number: int) -> str:
        messages = [user(f"question {number}")]
        if number % 2:
            return str(chatting.sessions.chat(ident, messages=messages).choices[0].message.content)
        pieces = chatting.sessions.chat(ident, messages=messages, stream=True)
        return "".join(str(each.choices[0].delta.content) for each in pieces).strip()

    with concurrent.futures.ThreadPoolExecutor(count) as threads:
        answers = list(threads.map(ask, range(count)))
    assert answers == [f"re question {number}" for number in range(count)]
    said = [text.strip() for _, _, text in texts(chatting, ident)]
    assert len(said) == 2 * count
    assert sorted(said[::2]) == sorted(f"question {number}" for number in range(count))
    assert [f"re {each}" for each in said[::2]] == said[1::2], "each question is followed by its answer"
    lengths = sorted(len(each.body["messages"]) for each in model.asked)
    assert lengths == [2 + 2 * number for number in range(count)], "each turn has heard all before it"


def test_sessions_do_not_wait_for_each_other(
    chatting: Any, model: ModelServer, opened: threading.Event
) -> None:
    slow, quick = session(chatting), session(chatting)
    model.answer = lambda asked: Reply(gate=opened if asked.prompt == "slow" else None)
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        waiting = threads.submit(lambda: chatting.sessions.chat(slow, messages=[user("slow")]))
        model.wait_for(1)
        chatting.sessions.chat(quick, messages=[user("quick")])
        assert not waiting.done()
        opened.set()
        waiting.result(60)


def test_a_session_that_is_deleted_meanwhile(
    chatting: Any, model: ModelServer, talk: httpx.Client, opened: threading.Event
) -> None:
    ident = session(chatting)
    model.script.append(Reply(gate=opened))
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        url, body = f"/sessions/{ident}/chat", {"messages": [user("x")]}
        waiting = threads.submit(talk.post, url, json=body)
        model.wait_for(1)
        chatting.sessions.delete(ident)
        opened.set()
        assert waiting.result(60).status_code == 404


def test_ids_of_requests_are_of_no_use_elsewhere(chatting: Any, talk: httpx.Client) -> None:
    """The same body to two sessions is two requests."""
    first, second = session(chatting), session(chatting)
    body = json.dumps({"messages": [user(uuid.uuid4().hex)]})
    answers = [
        talk.post(f"/sessions/{ident}/chat", content=body, headers=REPEATED).json()["id"]
        for ident in (first, second)
    ]
    assert answers[0] != answers[1]
    assert len(texts(chatting, second)) == 2
