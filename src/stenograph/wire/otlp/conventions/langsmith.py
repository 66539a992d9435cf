"""LangSmith's own attributes: those its documents name and its SDK's exporter writes. They win over all others."""

from __future__ import annotations

from base64 import b64decode
from typing import Any, Final

from stenograph.model.runs import RUN_TYPES, parse_dotted_order
from stenograph.wire.otlp.conventions.draft import Draft, as_uuid, parsed

HEADS: Final = frozenset({"langsmith"})

_COUNTS: Final = ("input_tokens", "output_tokens", "total_tokens", "input_cost", "output_cost", "total_cost")


def read(draft: Draft) -> None:
    rest = draft.rest
    draft.name = draft.text("langsmith.trace.name", "langsmith.span.name")
    kind = draft.text("langsmith.span.kind")
    if kind is not None and kind.lower() in RUN_TYPES:
        draft.be(kind.lower())
        del rest["langsmith.span.kind"]
    _place(draft)
    if (tags := rest.get("langsmith.span.tags")) is not None:
        found = tags.split(",") if type(tags) is str else tags
        if type(found) is list and all(type(tag) is str for tag in found):
            draft.tags += [tag.strip() for tag in found if tag.strip()]
            del rest["langsmith.span.tags"]
    for key, name in draft.starting("langsmith.metadata."):
        draft.metadata[name] = rest.pop(key)
    stated = parsed(rest.get("langsmith.usage_metadata"))
    if type(stated) is dict:
        del rest["langsmith.usage_metadata"]
    else:
        stated = parsed(draft.metadata.get("usage_metadata"))
    if type(stated) is dict:
        draft.metadata.pop("usage_metadata", None)
        _usage(draft, stated)
    _attachments(draft)


def _place(draft: Draft) -> None:
    """Ids that are given outright. What is no uuid stays where it was, as metadata."""
    rest = draft.rest
    draft.run_id = as_uuid(rest.get("langsmith.span.id"))
    draft.trace_id = as_uuid(rest.get("langsmith.trace.id"))
    draft.parent_id = as_uuid(rest.get("langsmith.span.parent_id"))
    order = draft.text("langsmith.span.dotted_order")
    if order is not None:
        try:
            path = [run for _, run in parse_dotted_order(order)]
        except ValueError:
            path = []
        if path and draft.run_id in (None, path[-1]) and draft.trace_id in (None, path[0]):
            draft.dotted_order, draft.run_id, draft.trace_id = order, path[-1], path[0]
            draft.parent_id = path[-2] if len(path) > 1 else None
    draft.project = draft.text("langsmith.trace.session_name")
    draft.project_id = as_uuid(rest.get("langsmith.trace.session_id"))


def _usage(draft: Draft, stated: dict[str, Any]) -> None:
    for name in _COUNTS:
        if stated.get(name) is not None:
            draft.usage[name] = stated[name]
    for details, into in (
        ("input_token_details", draft.input_details),
        ("output_token_details", draft.output_details),
    ):
        if type(found := parsed(stated.get(details))) is dict:
            into.update(found)
    for costs in ("input_cost_details", "output_cost_details"):
        if type(found := stated.get(costs)) is dict:
            draft.usage[costs] = found


def _attachments(draft: Draft) -> None:
    """A JSON list of {name, content in base64, mime_type}."""
    sent = parsed(draft.rest.get("langsmith.attachments"))
    if type(sent) is not list:
        return
    files: list[tuple[str, str, bytes]] = []
    for one in sent:
        name = one.get("name") if type(one) is dict else None
        content = one.get("content") if type(one) is dict else None
        if type(name) is not str or not 0 < len(name) <= 255 or "\0" in name or type(content) is not str:
            return
        mime = one.get("mime_type")
        try:
            data = b64decode(content, validate=True)
        except ValueError:
            return
        files.append((name, mime if type(mime) is str else "application/octet-stream", data))
    draft.files = files
    del draft.rest["langsmith.attachments"]
