"""Logfire and Pydantic AI: what they say beside GenAI (genai.py).

https://ai.pydantic.dev/logfire/. A run of an agent has all its messages in one attribute: those up to the first
answer are its inputs, the rest its outputs.
"""

from __future__ import annotations

from typing import Any, Final

from stenograph.wire.otlp.conventions.draft import Draft, parsed
from stenograph.wire.otlp.conventions.messages import normal, system

HEADS: Final = frozenset(
    {
        "logfire", "pydantic_ai", "all_messages_events", "events", "tool_arguments", "tool_response", "prompt",
        "final_result", "agent_name", "tools", "request_data", "response_data",
    }
)  # fmt: skip


def read(draft: Draft) -> None:
    rest = draft.rest
    if "tool_arguments" in rest and ("gen_ai.tool.name" in rest or "logfire.msg" in rest):
        draft.be("tool")
        draft.give_inputs("tool_arguments")
        draft.give_outputs("tool_response")
    for key in ("pydantic_ai.all_messages", "all_messages_events", "events"):
        messages = parsed(rest.get(key))
        if type(messages) is list and all(type(one) is dict for one in messages):
            _conversation(draft, key, messages)
    if "final_result" in rest and not draft.has(draft.outputs, "output"):
        draft.outputs = draft.extend(draft.outputs, {"output": parsed(rest.pop("final_result"))})
    if "agent_name" in rest or "logfire.msg" in rest:
        draft.give_inputs("prompt", "prompt")
        draft.give_inputs("request_data")
        draft.give_outputs("response_data")
        if type(tools := parsed(rest.get("tools"))) is list and "tools" not in draft.params:
            del rest["tools"]
            draft.params["tools"] = tools
    tags = rest.get("logfire.tags")
    if type(tags) is list and all(type(tag) is str for tag in tags):
        del rest["logfire.tags"]
        draft.tags += tags


def _conversation(draft: Draft, key: str, messages: list[Any]) -> None:
    """Split a whole conversation. Instructions that GenAI's reader has made the inputs of come first."""
    made_of_instructions = (
        type(draft.inputs) is dict
        and len(draft.inputs.get("messages", ())) == 1
        and draft.inputs["messages"][0].get("role") == "system"
    )
    if draft.inputs is not None and not made_of_instructions:
        return
    shown = normal([_event(one) for one in messages])
    split = next(
        (at for at, one in enumerate(shown) if one.get("role") in ("assistant", "model")), len(shown)
    )
    above = draft.inputs["messages"] if made_of_instructions and type(draft.inputs) is dict else []
    draft.inputs = {"messages": [*above, *shown[:split]]}
    del draft.rest[key]
    if shown[split:]:
        draft.outputs = draft.extend(draft.outputs, {"messages": shown[split:]})


def _event(message: dict[str, Any]) -> dict[str, Any]:
    """Older versions wrote events: `event.name` tells the role where `role` does not; a choice wraps its message."""
    name = message.get("event.name")
    found = {
        key: value for key, value in message.items() if key not in ("event.name", "gen_ai.message.index")
    }
    if type(inner := found.pop("message", None)) is dict:
        found.update(inner)
    if "role" not in found and type(name) is str:
        found["role"] = (
            "assistant" if name == "gen_ai.choice" else name.split(".")[1] if "." in name else name
        )
    if found.get("role") == "system" and "parts" in found:
        return system(found["parts"])
    return found
