"""What is asked of a model and what it answers, in the shapes of OpenAI's chat completions and embeddings.

Messages, tools and schemas are the caller's own JSON and go to the server as they are. Of an answer the parts that
the server itself works with are named; `body` has all of it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stenograph.errors import Invalid


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One chat completion. What is None is left to the model's server.

    `messages`, `tools`, `tool_choice` and `response_format` are JSON; `more` is a JSON object of further parameters,
    which win over those named here. `model` empty: the endpoint's.
    """

    messages: bytes
    model: str = ""
    tools: bytes | None = None
    tool_choice: bytes | None = None
    response_format: bytes | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    more: bytes | None = None

    def body(self, model: str, *, stream: bool = False) -> bytes:
        """The request as JSON. Invalid when `more` is no object."""
        found: dict[str, Any] = {"model": model, "messages": msgspec.Raw(self.messages)}
        for name in ("tools", "tool_choice", "response_format"):
            if (document := getattr(self, name)) is not None:
                found[name] = msgspec.Raw(document)
        for name in ("temperature", "top_p", "max_tokens", "stop", "seed"):
            if (value := getattr(self, name)) is not None:
                found[name] = value
        if self.more is not None:
            try:
                found |= _members(self.more)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise Invalid("further parameters of a model have to be a JSON object") from None
        if stream:
            found |= {"stream": True, "stream_options": {"include_usage": True}}
        return msgspec.json.encode(found)


_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Tokens(msgspec.Struct, frozen=True):
    """What a call has used, as the model's server counts it."""

    prompt: int = 0
    completion: int = 0
    total: int = 0


class ToolCall(msgspec.Struct, frozen=True):
    """A tool that the model wants called. `arguments` is text that the model wrote: mostly JSON, not always."""

    id: str
    name: str
    arguments: str


class Choice(msgspec.Struct, frozen=True):
    """One answer. `content` is None where there are only tool calls, or a refusal."""

    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    refusal: str | None = None


class ChatReply(msgspec.Struct, frozen=True):
    """A whole answer, of one choice at least. `tokens` is None where the server did not count."""

    body: bytes
    model: str
    choices: tuple[Choice, ...]
    tokens: Tokens | None = None

    @property
    def text(self) -> str:
        """The first choice's content, empty where it has none."""
        return self.choices[0].content or ""


class ToolCallDelta(msgspec.Struct, frozen=True):
    """A piece of a tool call: those of one `index` belong together, and their `arguments` join to one text."""

    index: int = 0
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class ChatChunk(msgspec.Struct, frozen=True):
    """A piece of a streamed answer. `index` is that of the choice; the piece with `tokens` may have nothing else."""

    body: bytes
    index: int = 0
    content: str | None = None
    tool_calls: tuple[ToolCallDelta, ...] = ()
    finish_reason: str | None = None
    tokens: Tokens | None = None


class Embeddings(msgspec.Struct, frozen=True):
    """A vector for each text, in the order of the texts."""

    model: str
    vectors: tuple[tuple[float, ...], ...]
    tokens: Tokens | None = None
