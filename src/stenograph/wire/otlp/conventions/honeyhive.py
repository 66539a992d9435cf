"""HoneyHive's own attributes, as its Python and TypeScript clients set them.

`honeyhive_inputs.a.b` and the like nest; everything else, look-alikes with a dot such as `honeyhive.inputs.x`
included, is an ordinary attribute. What runs have no field for (config, user properties, source, event type) stands
in `extra.honeyhive`; metrics and feedback are feedback of the run.
"""

from __future__ import annotations

from typing import Any, Final

from stenograph.domain.feedback.judgements import may_be_key
from stenograph.model.feedback import Shelf
from stenograph.wire.otlp.conventions.draft import Draft, as_uuid, nest, parsed

FIELDS: Final = ("inputs", "outputs", "config", "metadata", "metrics", "feedback", "user_properties")
HEADS: Final = frozenset(
    {
        "honeyhive", "honeyhive_event_type", "honeyhive_event_name", "honeyhive_event_id", "honeyhive_error",
        "traceloop", *(f"honeyhive_{field}" for field in FIELDS),
    }
)  # fmt: skip

_TYPES: Final = {"model": "llm", "tool": "tool", "chain": "chain", "session": "chain", "generic": "chain"}
_SHELVES: Final = frozenset(shelf.value for shelf in Shelf)
_ASSOCIATION: Final = "traceloop.association.properties."


def read(draft: Draft) -> None:
    rest = draft.rest
    marked = any(key.startswith("honeyhive") for key in rest)
    # HoneyHive's TypeScript client says all this in Traceloop's words alone, and always names its source.
    marked = marked or (_ASSOCIATION + "source" in rest and _ASSOCIATION + "project" in rest)
    if not marked:
        return
    draft.session = draft.text("honeyhive.session_id", _ASSOCIATION + "session_id", "session.id")
    draft.session_name = draft.text("honeyhive.session_name")
    draft.project = draft.project or draft.text("honeyhive.project", _ASSOCIATION + "project")
    draft.run_id = draft.run_id or as_uuid(rest.get("honeyhive_event_id"))
    draft.parent_id = draft.parent_id or as_uuid(rest.get("honeyhive.parent_id"))
    draft.name = draft.name or draft.text("honeyhive_event_name")
    kind = draft.text("honeyhive_event_type") or ""
    if kind in _TYPES:
        draft.be(_TYPES[kind])
        draft.aside["event_type"] = kind
    draft.error = draft.error or draft.text("honeyhive_error")
    if source := draft.text("honeyhive.source", _ASSOCIATION + "source"):
        draft.aside["source"] = source
    for field in FIELDS:
        _field(draft, field)
    draft.rephrased = draft.inputs is None, draft.outputs is None


def _field(draft: Draft, field: str) -> None:
    """One of HoneyHive's objects, from its flattened attributes and the one that may hold all of it as JSON."""
    rest = draft.rest
    whole = parsed(rest.get(f"honeyhive_{field}"))
    flat = [(name, rest.pop(key)) for key, name in draft.starting(f"honeyhive_{field}.")]
    if whole is not None:
        del rest[f"honeyhive_{field}"]
    if not flat and whole is None:
        return
    if field == "inputs":
        flat = [(name, parsed(value)) for name, value in flat]  # arguments that are objects come as JSON
    found: Any = nest(flat)
    if whole is not None:
        found = {**whole, **found} if type(whole) is dict else {"value": whole, **found}
    if field == "inputs" and draft.inputs is None:
        draft.inputs = found
    elif field == "outputs" and draft.outputs is None:
        draft.outputs = found
    elif field == "metadata":
        draft.metadata = {**found, **draft.metadata}
    elif field in _SHELVES:
        draft.judged[Shelf(field)] = {key: value for key, value in found.items() if may_be_key(key)}
        if rest_of_it := {key: value for key, value in found.items() if not may_be_key(key)}:
            draft.aside[field] = rest_of_it
    else:
        draft.aside[field] = found
    if field == "config":
        for name, key in (("model", "ls_model_name"), ("provider", "ls_provider")):
            if type(value := found.get(name)) is str:
                draft.metadata.setdefault(key, value)
