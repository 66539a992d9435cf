"""An OpenAI-compatible server for tests: chat completions, streamed and not, with tools; embeddings; and every way to
fail, by a script."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

USAGE: Final = {
    "prompt_tokens": 30,
    "completion_tokens": 12,
    "total_tokens": 42,
    "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 0},
}
ANSWER: Final = "Sunny in Paris."
_BASE: Final = {"id": "chatcmpl-1", "created": 1700000000, "model": "gpt-4o-mini-2024-07-18"}


@dataclass(frozen=True)
class Reply:
    """How one request is answered. `raw` goes out as it is, in the place of an answer; of a stream `pieces` are sent
    before the connection breaks. `gate` is waited for first, of a stream after `gate_after` pieces. `calls` are tools
    to call, as ids, names and arguments; None: one called weather, where there are tools."""

    text: str = ANSWER
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    pieces: int | None = None
    gate: threading.Event | None = None
    gate_after: int = 0
    calls: Sequence[tuple[str, str, str]] | None = None
    usage: Mapping[str, Any] | None = field(default_factory=lambda: USAGE)


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        """The last message's text."""
        return str(self.body["messages"][-1]["content"])


@dataclass
class ModelServer:
    """What a test tells the server, and what it was asked. Replies of the script come first, each once; then whatever
    `answer` makes of a request."""

    url: str = ""
    script: deque[Reply] = field(default_factory=deque)
    answer: Callable[[Asked], Reply] = lambda asked: Reply()
    asked: list[Asked] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def reply(self, asked: Asked) -> Reply:
        with self.came:
            self.asked.append(asked)
            self.came.notify_all()
            return self.script.popleft() if self.script else self.answer(asked)

    def wait_for(self, count: int, seconds: float = 120) -> None:
        """Until so many requests have come."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.asked) >= count, seconds), (
                f"asked {len(self.asked)} times"
            )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ModelServer

    def log_message(self, *_: Any) -> None:
        """Nothing on the standard error."""

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.model.reply(Asked(self.path, headers, {}))
        models = {"object": "list", "data": [{"id": "gpt-4o-mini"}, {"id": "small"}]}
        whole = json.dumps(models).encode() if reply.status == 200 else b"{}"
        self._send(whole if reply.raw is None else reply.raw, reply)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.model.reply(Asked(self.path, headers, body))
        if reply.gate is not None and not reply.gate_after:
            reply.gate.wait(60)
        with contextlib.suppress(ConnectionError):  # who has waited long enough hangs up
            self._answer(body, reply)

    def _answer(self, body: dict[str, Any], reply: Reply) -> None:
        if reply.raw is not None or reply.status != 200:
            error = {"error": {"message": reply.text, "type": "test", "code": None}}
            self._send(reply.raw if reply.raw is not None else json.dumps(error).encode(), reply)
        elif self.path.endswith("/embeddings"):
            texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
            vectors = [
                {"object": "embedding", "index": place, "embedding": [0.1, 0.2, 0.3]}
                for place, _ in enumerate(texts)
            ]
            usage = {"prompt_tokens": 5, "total_tokens": 5}
            found = {"object": "list", "model": body["model"], "data": vectors, "usage": usage}
            self._send(json.dumps(found).encode(), reply)
        elif body.get("stream"):
            self._stream(body, reply)
        else:
            choices = [_choice(body, reply)]
            whole = {**_BASE, "object": "chat.completion", "choices": choices, "usage": reply.usage}
            self._send(json.dumps(whole).encode(), reply)

    def _stream(self, body: dict[str, Any], reply: Reply) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        deltas = list(_deltas(body, reply))
        for place, delta in enumerate(deltas[: reply.pieces]):
            if reply.gate is not None and reply.gate_after and place == reply.gate_after:
                reply.gate.wait(60)
            finish = None if delta else "tool_calls" if reply.calls else "stop"
            self._chunk([{"index": 0, "delta": delta, "finish_reason": finish}])
        if reply.pieces is not None:
            return
        if (body.get("stream_options") or {}).get("include_usage"):
            self._chunk([], usage=reply.usage)
        self.wfile.write(b"data: [DONE]\n\n")

    def _chunk(self, choices: list[Any], **more: Any) -> None:
        chunk = {**_BASE, "object": "chat.completion.chunk", "choices": choices, **more}
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")

    def _send(self, data: bytes, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"content-type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _deltas(body: dict[str, Any], reply: Reply) -> Iterator[dict[str, Any]]:
    if reply.calls is not None:
        yield {"role": "assistant", "content": reply.text if not reply.calls else None}
        for place, (ident, name, arguments) in enumerate(reply.calls):
            function = {"name": name, "arguments": arguments[:3]}
            yield {"tool_calls": [{"index": place, "id": ident, "type": "function", "function": function}]}
            yield {"tool_calls": [{"index": place, "function": {"arguments": arguments[3:]}}]}
    elif _wants_tool(body):
        call = {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": ""},
        }
        yield {"role": "assistant", "content": None, "tool_calls": [call]}
        for part in ('{"city":', '"Paris"}'):
            yield {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}
    else:
        yield {"role": "assistant", "content": ""}
        for word in reply.text.split():
            yield {"content": f"{word} "}
    yield {}


def _wants_tool(body: dict[str, Any]) -> bool:
    """The tool is called first; its result is answered. Streams of the tests that record them have none."""
    tools = body.get("tools") and not any(message["role"] == "tool" for message in body["messages"])
    return bool(tools)


def _choice(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    if reply.calls:
        calls = [
            {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}
            for ident, name, arguments in reply.calls
        ]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        return {"index": 0, "message": message, "finish_reason": "tool_calls"}
    if reply.calls is None and _wants_tool(body):
        call = {"name": "weather", "arguments": '{"city":"Paris"}'}
        calls = [{"id": "call_1", "type": "function", "function": call}]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        return {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return {"index": 0, "message": {"role": "assistant", "content": reply.text}, "finish_reason": "stop"}


@contextmanager
def scripted() -> Iterator[ModelServer]:
    """A server of one test's own."""
    model = ModelServer()
    handler = type("Handler", (_Handler,), {"model": model})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def serving() -> Iterator[str]:
    """The base URL for clients that want plain answers."""
    with scripted() as model:
        yield model.url
