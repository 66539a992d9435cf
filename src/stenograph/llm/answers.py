"""Reading what a model's server answers: lenient in what does not matter, exact in what does.

Servers that call themselves compatible leave out ids, counts and roles, or write null. One of UNREADABLE is raised
when what they say is no answer.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from stenograph.llm.chat import ChatChunk, ChatReply, Choice, Embeddings, Tokens, ToolCall, ToolCallDelta

UNREADABLE: Final[tuple[type[Exception], ...]] = (msgspec.MsgspecError, ValueError, RecursionError)


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_Call] | None = None
    refusal: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    usage: _Usage | None = None


class _Delta(msgspec.Struct):
    delta: _Message | None = None
    finish_reason: str | None = None
    index: int = 0


class _Chunk(msgspec.Struct):
    choices: list[_Delta] | None = None
    usage: _Usage | None = None


class _Vector(msgspec.Struct):
    embedding: list[float]
    index: int | None = None


class _Vectors(msgspec.Struct):
    data: list[_Vector]
    model: str | None = None
    usage: _Usage | None = None


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


_model_list = msgspec.json.Decoder(_Models).decode
_completion = msgspec.json.Decoder(_Completion).decode
_vectors = msgspec.json.Decoder(_Vectors).decode


def completion(body: bytes, model: str) -> ChatReply:
    """A chat completion; `model` is what was asked, for servers that do not say."""
    found = _completion(body)
    if not found.choices:
        raise ValueError("it has no choices")
    choices = tuple(
        Choice(
            content=each.message.content,
            tool_calls=tuple(
                ToolCall(id=call.id or "", name=call.function.name or "", arguments=_arguments(call.function))
                for call in each.message.tool_calls or ()
                if call.function is not None
            ),
            finish_reason=each.finish_reason,
            refusal=each.message.refusal,
        )
        for each in found.choices
    )
    return ChatReply(body, found.model or model, choices, _tokens(found.usage))


def chunks(data: object) -> list[ChatChunk]:
    """A piece of a stream, decoded, as one value for each choice in it; or for its counts alone."""
    body, found = msgspec.json.encode(data), msgspec.convert(data, _Chunk)
    tokens = _tokens(found.usage)
    pieces = [
        ChatChunk(
            body,
            each.index,
            each.delta.content if each.delta is not None else None,
            tuple(
                ToolCallDelta(
                    call.index if call.index is not None else place,
                    call.id,
                    call.function.name if call.function is not None else None,
                    _arguments(call.function),
                )
                for place, call in enumerate(
                    (each.delta.tool_calls if each.delta is not None else None) or ()
                )
            ),
            each.finish_reason,
        )
        for each in found.choices or ()
    ]
    if tokens is None:
        return pieces
    if not pieces:
        return [ChatChunk(body, tokens=tokens)]
    return [*pieces[:-1], msgspec.structs.replace(pieces[-1], tokens=tokens)]


def embeddings(body: bytes, count: int, model: str) -> Embeddings:
    """The vectors of `count` texts, in their order."""
    found = _vectors(body)
    if len(found.data) != count:
        raise ValueError(f"it has {len(found.data)} vectors for {count} texts")
    places = [each.index if each.index is not None else place for place, each in enumerate(found.data)]
    if sorted(places) != list(range(count)):
        raise ValueError("its vectors do not say which texts they are for")
    ordered = sorted(zip(places, found.data, strict=True), key=lambda pair: pair[0])
    vectors = tuple(tuple(each.embedding) for _, each in ordered)
    return Embeddings(found.model or model, vectors, _tokens(found.usage))


def models(body: bytes) -> list[str]:
    """The names of models, in their order."""
    return [each.id for each in _model_list(body).data]


def _arguments(function: _Function | None) -> str:
    """As text: some servers decode them."""
    if function is None or function.arguments is None:
        return ""
    if isinstance(function.arguments, str):
        return function.arguments
    return msgspec.json.encode(function.arguments).decode()


def _tokens(usage: _Usage | None) -> Tokens | None:
    if usage is None:
        return None
    prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
    return Tokens(prompt, completion, usage.total_tokens or prompt + completion)
