"""OpenLLMetry (Traceloop): workflows, tasks, agents and tools, and its association properties.

https://github.com/traceloop/openllmetry. Its model calls speak GenAI; see genai.py.
"""

from __future__ import annotations

from typing import Final

from stenograph.wire.otlp.conventions.draft import Draft, many, parsed

HEADS: Final = frozenset({"traceloop", "llm"})

_KINDS: Final = {"workflow": "chain", "task": "chain", "agent": "chain", "tool": "tool", "unknown": "chain"}
_REQUESTS: Final = {"chat": "llm", "completion": "llm", "embedding": "embedding", "rerank": "retriever"}


def read(draft: Draft) -> None:
    rest = draft.rest
    draft.be(_KINDS.get((draft.text("traceloop.span.kind") or "").lower()))
    draft.be(_REQUESTS.get((draft.text("llm.request.type") or "").lower()))
    draft.name = draft.name or draft.text("traceloop.entity.name")
    draft.give_inputs("traceloop.entity.input")
    draft.give_outputs("traceloop.entity.output")
    functions = draft.starting("llm.request.functions.")
    if functions and "tools" not in draft.params:
        draft.params["tools"] = [
            {"type": "function", "function": {**one, "parameters": parsed(one.get("parameters"))}}
            if type(one) is dict
            else one
            for one in many([(name, rest.pop(key)) for key, name in functions])
        ]
    for key, name in draft.starting("traceloop.association.properties."):
        if name not in draft.metadata and name not in rest:
            draft.metadata[name] = rest.pop(key)
