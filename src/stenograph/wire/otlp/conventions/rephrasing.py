"""What instrumentations say within HoneyHive's tracer, in HoneyHive's words.

Its clients read a model call's conversation in `inputs.chat_history`, the answer in `outputs.role` and
`outputs.content`, the model in `config.model`, and short names in the metadata, whatever convention the span speaks.
What the program itself gave as inputs and outputs (`honeyhive_inputs.…`) is left alone. Attributes stay under their own
keys in the metadata beside their short names.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw

from stenograph.wire.otlp.conventions.draft import Draft, Payload

_NAMES: Final = (
    ("gen_ai.response.model", "response_model"),
    ("gen_ai.system", "system"),
    ("gen_ai.operation.name", "operation_name"),
    ("gen_ai.response.finish_reasons", "finish_reasons"),
    ("gen_ai.tool.name", "tool_name"),
    ("gen_ai.tool.call.id", "tool_call_id"),
    ("gen_ai.agent.name", "agent_name"),
    ("gen_ai.agent.id", "agent_id"),
    ("gen_ai.conversation.id", "conversation_id"),
    ("llm.request.type", "request_type"),
    ("openinference.span.kind", "span_kind"),
    ("traceloop.span.kind", "span_kind"),
)
_OF_MODELS: Final = frozenset({"llm", "embedding"})

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
_USUAL: Final = b'{"messages":'


_objects = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def rephrase(draft: Draft, own: tuple[bool, bool]) -> None:
    """Put what was found into HoneyHive's words; `own` says of inputs and outputs whether others gave them."""
    if draft.run_type in _OF_MODELS:
        config = draft.aside.setdefault("config", {})
        for name, key in (("model", "ls_model_name"), ("provider", "ls_provider")):
            if key in draft.metadata:
                config.setdefault(name, draft.metadata[key])
        if not config:
            del draft.aside["config"]
        if own[0]:
            draft.inputs = _asked(draft, draft.inputs)
        if own[1]:
            draft.outputs = _answered(draft, draft.outputs)
        _count(draft)
    known = draft.metadata
    for key, name in _NAMES:
        if key in draft.rest and name not in known and name not in draft.rest:
            known[name] = draft.rest[key]


def _count(draft: Draft) -> None:
    found = {
        "model_name": draft.metadata.get("ls_model_name"),
        "provider": draft.metadata.get("ls_provider"),
        "input_tokens": draft.usage.get("input_tokens"),
        "output_tokens": draft.usage.get("output_tokens"),
        "cache_read_input_tokens": draft.input_details.get("cache_read"),
        "reasoning_tokens": draft.output_details.get("reasoning"),
    }
    for name, value in found.items():
        if value is not None and name not in draft.rest:
            draft.metadata.setdefault(name, value)


def _asked(draft: Draft, payload: Payload | None) -> Payload | None:
    """Inputs whose messages are the chat history, with the functions that the model may call."""
    if payload is None:
        return None
    tools = draft.params.get("tools")
    usual = type(payload) is bytes and payload.startswith(_USUAL) and payload.count(b'"messages"') == 1
    if usual and tools is None:
        assert type(payload) is bytes
        return b'{"chat_history":' + payload[len(_USUAL) :]
    top = payload if type(payload) is dict else _top(payload)
    found: dict[str, Any] = {
        "chat_history" if key == "messages" else key: value for key, value in top.items()
    }
    if not found:
        return payload
    if tools is not None and "tools" not in found:
        found.setdefault("functions", tools)
    return _like(draft, payload, found)


def _answered(draft: Draft, payload: Payload | None) -> Payload | None:
    """Outputs with the members of the answer at their top: the one message's, or those of the first of several choices,
    which stay beside it."""
    if payload is None:
        return None
    top = payload if type(payload) is dict else _top(payload)
    said: Any = top.get("messages", top.get("choices"))
    if type(said) is Raw:
        said = _several(said)
    if type(said) is not list or not said or type(said[0]) is not dict:
        return payload
    first = said[0] if "messages" in top else _object(said[0].get("message"))
    if type(first) is not dict:
        return payload
    alone = len(said) == 1 and "messages" in top
    return _like(
        draft, payload, {**first, **{k: v for k, v in top.items() if not (alone and k == "messages")}}
    )


def _like(draft: Draft, payload: Payload, found: dict[str, Any]) -> Payload:
    """What was written stays written: its members as they came, once more within the bounds of JSON."""
    if type(payload) is dict:
        return found
    try:
        written = _encode(found)
    except (UnicodeEncodeError, OverflowError, RecursionError):
        return payload
    draft.payloads.check_depth(written, "span")
    return written


def _top(payload: Payload) -> dict[str, Any]:
    """The members of a JSON object, as they are written; {} when they cannot be told apart."""
    assert type(payload) is bytes
    try:
        return dict(_members(payload))
    except _BROKEN:
        return {}


def _several(value: Raw) -> list[dict[str, Raw]] | None:
    try:
        return _objects(value)
    except _BROKEN:
        return None


def _object(value: Any) -> Any:
    if type(value) is not Raw:
        return value
    try:
        return _members(value)
    except _BROKEN:
        return None
