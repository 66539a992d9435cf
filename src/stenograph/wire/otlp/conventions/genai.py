"""OpenTelemetry's GenAI semantic conventions, from the first to the latest, and the names that came before them.

https://opentelemetry.io/docs/specs/semconv/gen-ai/. Messages stand, newest first, in the attributes
gen_ai.input.messages and gen_ai.output.messages; in the same attributes of the event
gen_ai.client.inference.operation.details; in one event a message (gen_ai.user.message, gen_ai.choice); flattened in
gen_ai.prompt.N and gen_ai.completion.N; or whole in gen_ai.prompt and gen_ai.completion.
"""

from __future__ import annotations

from typing import Any, Final

from stenograph.wire.otlp.conventions.draft import Draft, many, parsed
from stenograph.wire.otlp.conventions.messages import normal, system, tool_call, usual
from stenograph.wire.otlp.spans import SpanEvent

HEADS: Final = frozenset({"gen_ai", "event", "operation", "llm"})

_OPERATIONS: Final = {
    "chat": "llm", "completion": "llm", "text_completion": "llm", "generate_content": "llm",
    "embeddings": "embedding", "embedding": "embedding", "execute_tool": "tool", "retrieval": "retriever",
    "invoke_agent": "chain", "create_agent": "chain", "invoke_workflow": "chain", "chain": "chain",
}  # fmt: skip
_PARAMS: Final = {"stop_sequences": "stop", "choice.count": "n"}
_OF_MODELS: Final = frozenset({"llm", "embedding"})
_DETAILS: Final = "gen_ai.client.inference.operation.details"
_ROLES: Final = {
    "gen_ai.system.message": "system", "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant", "gen_ai.tool.message": "tool",
}  # fmt: skip
_FIRST_TOKEN: Final = frozenset({"gen_ai.content.completion.chunk", "First Token Stream Event"})


def read(draft: Draft) -> None:
    rest = draft.rest
    operation = draft.text("gen_ai.operation.name")
    draft.be(_OPERATIONS.get(operation or ""))
    if (
        draft.run_type is None
        and operation is None
        and draft.text("gen_ai.request.model", "gen_ai.response.model")
    ):
        draft.be("llm" if draft.text("llm.request.type") is None else None)
    if model := draft.text("gen_ai.request.model", "gen_ai.response.model"):
        draft.metadata.setdefault("ls_model_name", model)
    if provider := draft.text("gen_ai.provider.name", "gen_ai.system"):
        draft.metadata.setdefault("ls_provider", provider)
    for key, name in draft.starting("gen_ai.request."):
        name = _PARAMS.get(name, name)
        if name == "model":
            draft.params.setdefault("model", rest[key])
        elif name not in draft.params:
            draft.params[name] = rest.pop(key)
    if "gen_ai.tool.definitions" in rest and "tools" not in draft.params:
        draft.params["tools"] = parsed(rest.pop("gen_ai.tool.definitions"))
    _messages(draft, rest)
    if draft.events:
        _events(draft)
    _older(draft)
    if draft.inputs is None:
        _ = draft.give_inputs("gen_ai.tool.call.arguments") or draft.give_inputs("gen_ai.prompt", "prompt")
    if draft.outputs is None:
        _ = draft.give_outputs("gen_ai.tool.call.result") or draft.give_outputs(
            "gen_ai.completion", "completion"
        )
    if draft.run_type in _OF_MODELS or (draft.run_type is None and "llm.request.type" in rest):
        _usage(draft)


def _messages(draft: Draft, holder: dict[str, Any]) -> None:
    """Messages in JSON: attributes of the span, or of the event that may carry them."""
    instructions = parsed(holder.get("gen_ai.system_instructions"))
    if draft.inputs is None and instructions is None and (made := usual(holder.get("gen_ai.input.messages"))):
        draft.inputs = made
        del holder["gen_ai.input.messages"]
    if draft.inputs is None and ("gen_ai.input.messages" in holder or instructions is not None):
        sent = normal(parsed(holder.pop("gen_ai.input.messages", [])))
        if instructions is not None:
            del holder["gen_ai.system_instructions"]
            sent.insert(0, system(instructions))
        draft.inputs = {"messages": sent}
    if draft.outputs is None and "gen_ai.output.messages" in holder:
        draft.outputs = usual(holder["gen_ai.output.messages"])
        if draft.outputs is not None:
            del holder["gen_ai.output.messages"]
            return
        draft.outputs = {"messages": normal(parsed(holder.pop("gen_ai.output.messages")))}


def _events(draft: Draft) -> None:
    """Take the events that carry messages, where nothing else has told them; the others stay events."""
    kept: list[SpanEvent] = []
    sent: list[Any] = []
    answered: list[Any] = []
    wants_inputs, wants_outputs = draft.inputs is None, draft.outputs is None
    for event in draft.events:
        name, attributes = event.name, event.attributes
        if name == _DETAILS:
            _messages(draft, attributes)
            for key, value in attributes.items():
                draft.rest.setdefault(key, value)
        elif name in _ROLES and (wants_outputs if name == "gen_ai.assistant.message" else wants_inputs):
            (answered if name == "gen_ai.assistant.message" else sent).append(_event_message(event))
        elif name == "gen_ai.choice" and wants_outputs:
            answered.append(_event_message(event))
        elif name == "gen_ai.content.prompt" and wants_inputs and "gen_ai.prompt" in attributes:
            draft.inputs = draft.inputs or draft.payload(attributes["gen_ai.prompt"], "prompt")
        elif name == "gen_ai.content.completion" and wants_outputs and "gen_ai.completion" in attributes:
            draft.outputs = draft.outputs or draft.payload(attributes["gen_ai.completion"], "completion")
        else:
            kept.append(event)
    if sent and draft.inputs is None:
        draft.inputs = {"messages": sent}
    if answered and draft.outputs is None:
        draft.outputs = {"messages": answered}
    draft.events = kept


def _event_message(event: SpanEvent) -> Any:
    """A message of its own event: its attributes, some as JSON, or all of it in `event_body` or `message`."""
    found: dict[str, Any] = {"role": _ROLES.get(event.name, "assistant"), "content": None}
    for key, value in event.attributes.items():
        value = parsed(value)
        if key in ("event_body", "message") and type(value) is dict:
            found.update(value)
        elif key not in ("gen_ai.system", "gen_ai.provider.name", "event.name"):
            found[key] = value
    if type(message := found.get("message")) is dict:
        del found["message"]
        found.update(message)
    return found


def _older(draft: Draft) -> None:
    """gen_ai.prompt.0.content and gen_ai.completion.0.content, and their tool calls."""
    flat = [pair for pair in draft.starting("gen_ai.prompt.") if pair[1][:1].isdecimal()]
    if flat and draft.inputs is None:
        sent = many([(name, draft.rest.pop(key)) for key, name in flat])
        draft.inputs = {"messages": [_flat_message(one) for one in sent]}
    flat = [pair for pair in draft.starting("gen_ai.completion.") if pair[1][:1].isdecimal()]
    if flat and draft.outputs is None:
        sent = many([(name, draft.rest.pop(key)) for key, name in flat])
        draft.outputs = {"messages": [_flat_message(one) for one in sent]}


def _flat_message(message: Any) -> Any:
    if type(message) is not dict:
        return {"role": None, "content": message}
    found: dict[str, Any] = {
        "role": message.pop("role", None),
        "content": parsed(message.pop("content", None)),
        **message,
    }
    if type(calls := found.get("tool_calls")) is list:
        found["tool_calls"] = [
            tool_call(one.get("id"), one.get("name"), one.get("arguments"))
            if type(one) is dict and one.keys() <= {"id", "name", "arguments"}
            else one
            for one in calls
        ]
    return found


def _usage(draft: Draft) -> None:
    usage = "gen_ai.usage."
    draft.count("input_tokens", usage + "input_tokens", usage + "prompt_tokens", "llm.usage.prompt_tokens")
    draft.count(
        "output_tokens", usage + "output_tokens", usage + "completion_tokens", "llm.usage.completion_tokens"
    )
    draft.count("total_tokens", usage + "total_tokens", "llm.usage.total_tokens")
    draft.count("total_cost", usage + "cost", usage + "total_cost", "operation.cost")
    draft.count_in(
        "cache_read", usage + "cache_read.input_tokens", usage + "cache_read_input_tokens",
        usage + "details.cache_read_tokens", usage + "details.cached_tokens", usage + "cached_tokens",
    )  # fmt: skip
    draft.count_in(
        "cache_creation", usage + "cache_creation.input_tokens", usage + "cache_creation_input_tokens",
        usage + "details.cache_write_tokens",
    )  # fmt: skip
    draft.count_out(
        "reasoning", usage + "reasoning.output_tokens", usage + "reasoning_tokens",
        usage + "details.reasoning_tokens",
    )  # fmt: skip
    for key, into in (
        ("input_token_details", draft.input_details),
        ("output_token_details", draft.output_details),
    ):
        if type(found := parsed(draft.rest.get(usage + key))) is dict and not into:
            del draft.rest[usage + key]
            into.update(found)
    if type(raw := parsed(draft.rest.get(usage + "raw"))) is dict:  # the provider's own, in OpenAI's words
        _raw(draft, raw)


def _raw(draft: Draft, raw: dict[str, Any]) -> None:
    for side, key, into, name in (
        ("prompt_tokens_details", "cached_tokens", draft.input_details, "cache_read"),
        ("input_tokens_details", "cached_tokens", draft.input_details, "cache_read"),
        ("completion_tokens_details", "reasoning_tokens", draft.output_details, "reasoning"),
        ("output_tokens_details", "reasoning_tokens", draft.output_details, "reasoning"),
    ):
        details = raw.get(side)
        if name not in into and type(details) is dict and type(count := details.get(key)) is int:
            into[name] = count


def first_token(events: list[SpanEvent]) -> SpanEvent | None:
    """The event that says when the first token came."""
    return next((event for event in events if event.name in _FIRST_TOKEN), None)
