"""HoneyHive's model events (`/events/model`) as events like any other.

Its description moves `response` to `outputs.response` and every other field of a model call to `inputs`. Beside that
they go where all other events have them, so that figures and prices see them: model and provider into `config`, tokens
and cost into `metadata`, error and duration stay the event's own. What the client says there itself comes first.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw

from stenograph.errors import Invalid
from stenograph.wire.http import decode

_TO_INPUTS: Final[tuple[str, ...]] = (
    "model", "model_version", "provider", "messages", "usage", "cost", "hyperparameters", "template", "template_inputs",
    "tools", "tool_choice", "response_format", "duration", "error",
)  # fmt: skip
_COUNTS: Final[tuple[str, ...]] = (
    "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens",
)  # fmt: skip
_STAYS: Final = frozenset({"error", "duration"})
_NULL: Final = b"null"
_encode = msgspec.json.Encoder().encode


def remapped(document: bytes) -> bytes:
    """A model event, a JSON object that has been checked, as the event that it stands for. Invalid without a name."""
    sent = {name: value for name, value in decode(document, dict[str, Raw]).items() if bytes(value) != _NULL}
    if "model_name" in sent:
        sent.setdefault("model", sent.pop("model_name"))
    if "model" not in sent and "event_name" not in sent:
        raise Invalid("model_name is missing: give it, or an event_name", ("model_name",))
    call = {name: sent[name] for name in _TO_INPUTS if name in sent}
    event = {name: value for name, value in sent.items() if name not in call or name in _STAYS}
    event.pop("response", None)
    event["event_type"] = Raw(b'"model"')
    if "event_name" not in event and "model" in call:
        event["event_name"] = call["model"]
    inputs = _joined(call, sent.get("inputs"))
    event["inputs"] = inputs if inputs is not None else Raw(b"{}")
    usage = _members(call.get("usage"))
    figures = {name: usage[name] for name in _COUNTS if name in usage}
    if "cost" in call:
        figures["cost"] = call["cost"]
    answer = {"response": sent["response"]} if "response" in sent else {}
    named: dict[str, Raw] = {name: call[name] for name in ("model", "provider") if name in call}
    for name, more in (("outputs", answer), ("config", named), ("metadata", figures)):
        joined = _joined(more, sent.get(name))
        if joined is not None:
            event[name] = joined
    return _encode(event)


def _members(document: Raw | None) -> dict[str, Raw]:
    if document is None or bytes(document)[:1] != b"{":
        return {}
    return decode(bytes(document), dict[str, Raw])


def _joined(more: dict[str, Raw], sent: Raw | None) -> Raw | None:
    """What was sent with more members, those that it has already kept; as it is when it is no object."""
    if sent is not None and bytes(sent)[:1] != b"{":
        return sent
    if not more:
        return sent
    return Raw(_encode({**more, **_members(sent)}))
