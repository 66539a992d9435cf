"""An OpenAI-compatible server for tests: chat completions, streamed and not, with tools; embeddings."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nothing on the standard error."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/embeddings"):
            vector = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2, 0.3]}
            usage = {"prompt_tokens": 5, "total_tokens": 5}
            self._json({"object": "list", "model": body["model"], "data": [vector], "usage": usage})
        elif body.get("stream"):
            self._stream(body)
        else:
            self._json({**_BASE, "object": "chat.completion", "choices": [_choice(body)], "usage": USAGE})

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        words = [{"role": "assistant", "content": ""}, *({"content": f"{word} "} for word in ANSWER.split())]
        for delta in [*words, {}]:
            self._chunk([{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}])
        if (body.get("stream_options") or {}).get("include_usage"):
            self._chunk([], usage=USAGE)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _chunk(self, choices: list[Any], **more: Any) -> None:
        chunk = {**_BASE, "object": "chat.completion.chunk", "choices": choices, **more}
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")

    def _json(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _choice(body: dict[str, Any]) -> dict[str, Any]:
    """The tool is called first; its result is answered."""
    if body.get("tools") and not any(message["role"] == "tool" for message in body["messages"]):
        call = {"name": "weather", "arguments": '{"city":"Paris"}'}
        calls = [{"id": "call_1", "type": "function", "function": call}]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        return {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}


@contextmanager
def serving() -> Iterator[str]:
    """The base URL for clients."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
