"""A span as a run: what the conventions found in it, and everything else as metadata under its own key.

Nothing of a span is lost. Beside its attributes, those of its resource and its library, and what the protocol says of
every span (kind, status, links, trace state) are metadata, the latter under `otel.`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from stenograph.domain.recording.derive import THREAD_KEYS
from stenograph.domain.recording.ingest import MAX_NAME
from stenograph.errors import Invalid
from stenograph.model.feedback import Shelf
from stenograph.model.runs import Attachment, Micros
from stenograph.wire.otlp import conventions
from stenograph.wire.otlp.conventions.draft import Draft, Payload
from stenograph.wire.otlp.conventions.genai import first_token
from stenograph.wire.otlp.spans import ERROR, KINDS, UNSET, Attributes, Batch, Span, SpanEvent
from stenograph.wire.payloads import Payloads

_encode = msgspec.json.Encoder().encode
_EPOCH: Final = dt.datetime(1970, 1, 1)
_LATEST: Final = 10_413_792_000_000_000
"""The end of the year 2299, in microseconds: as far as the run store counts."""

_THREADS: Final = ("session.id", "gen_ai.conversation.id")
_USERS: Final = ("user.id", "enduser.id")


class Mapped(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a span says of its run, but for its place: payloads are JSON, fit to be stored, judgements JSON objects."""

    name: str
    run_type: str
    start: Micros
    end: Micros | None
    error: str | None
    inputs: bytes | None
    outputs: bytes | None
    events: bytes | None
    extra: bytes
    tags: list[str] | None
    files: list[Attachment] | None
    judged: list[tuple[Shelf, bytes]] | None = None


def draft(span: Span, payloads: Payloads) -> Draft:
    """What the conventions make of a span."""
    found = Draft(span, payloads)
    conventions.read(found)
    return found


def common(batch: Batch) -> Attributes:
    """Metadata that all runs of a batch share."""
    return batch.resource | batch.scope


def mapped(one: Draft, shared: Attributes) -> Mapped:
    """The run of a draft. Invalid or TooLarge when it may not be recorded."""
    span = one.span
    start, end = _time(span.start or span.end, "startTimeUnixNano"), _time(span.end, "endTimeUnixNano")
    if start is None:
        raise Invalid("has neither a start nor an end")
    error, stack_in_error = _error(one)
    events = _events(one, start, stack_in_error)
    extra: dict[str, Any] = {"metadata": _metadata(one, shared)}
    if one.params:
        extra["invocation_params"] = one.params
    if one.aside:
        extra["honeyhive"] = one.aside
    return Mapped(
        name=(one.name or span.name or "span")[:MAX_NAME],
        run_type=one.run_type or "chain",
        start=start,
        end=end,
        error=error,
        inputs=_payload(one, one.inputs, "inputs"),
        outputs=_payload(one, one.outputs, "outputs"),
        events=_json(one, events, "events") if events else None,
        extra=_json(one, extra, "extra"),
        tags=list(dict.fromkeys(one.tags)) if one.tags else None,
        files=[Attachment(name, mime, len(data)) for name, mime, data in one.files] or None,
        judged=[(shelf, _json(one, said, shelf.value)) for shelf, said in one.judged.items()] or None,
    )


def _payload(one: Draft, payload: Payload | None, what: str) -> bytes | None:
    if payload is None or type(payload) is bytes:
        return payload
    return _json(one, payload, what)


def _json(one: Draft, value: Any, what: str) -> bytes:
    """The value as a document that is fit to be stored."""
    try:
        written = _encode(value)
        one.payloads.check_depth(written, what)
        return written
    except (UnicodeEncodeError, OverflowError, RecursionError):
        pass
    try:  # lone surrogates, and whole numbers beyond 64 bits: Python's own writer takes both
        found = one.payloads.check(json.dumps(value).encode(), what)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"cannot be written as JSON: {error}") from None
    assert found is not None
    return found


def _time(nanoseconds: int, what: str) -> Micros | None:
    if not nanoseconds:
        return None
    micros = nanoseconds // 1000
    if micros >= _LATEST:
        raise Invalid(f"{what} {nanoseconds} lies beyond the year 2299; it is in nanoseconds since 1970")
    return micros


# -- metadata --------------------------------------------------------------------------------------------


def _metadata(one: Draft, shared: Attributes) -> Attributes:
    span, rest = one.span, one.rest
    found = shared | rest
    if len(found) < len(shared) + len(rest):
        for key in shared.keys() & rest.keys():
            if shared[key] != rest[key]:
                found[f"resource.{key}"] = shared[key]
    for key, value in one.metadata.items():
        if key in found and found[key] != value:
            found[f"attribute.{key}"] = found[key]
        found[key] = value
    if one.session is None and not _first(found, THREAD_KEYS) and (thread := _first(rest, _THREADS)):
        found["thread_id"] = thread
    if "user_id" not in found and (user := _first(rest, _USERS)):
        found["user_id"] = user
    if usage := _usage(one):
        found["usage_metadata"] = usage
    found["otel.trace_id"] = span.trace_id.hex()
    found["otel.span_id"] = span.span_id.hex()
    _of_the_protocol(one, found)
    return found


def _first(attributes: Attributes, keys: Iterable[str]) -> Any:
    """The first of these that says something."""
    for key in keys:
        if value := attributes.get(key):
            return value
    return None


def _of_the_protocol(one: Draft, found: Attributes) -> None:
    """What every span has beside its attributes, where it says something."""
    span = one.span
    if span.parent_id.strip(b"\0"):
        found["otel.parent_span_id"] = span.parent_id.hex()
    if span.name and (one.name or span.name)[:MAX_NAME] != span.name:
        found["otel.name"] = span.name
    if span.kind > 1:
        found["otel.kind"] = KINDS[span.kind] if span.kind < len(KINDS) else span.kind
    if span.status != UNSET:
        found["otel.status_code"] = {1: "OK", 2: "ERROR"}.get(span.status, span.status)
    if span.status_message:
        found["otel.status_message"] = span.status_message
    if span.trace_state:
        found["otel.trace_state"] = span.trace_state
    if span.links:
        found["otel.links"] = span.links
    if span.dropped:
        found["otel.dropped_count"] = span.dropped


def _usage(one: Draft) -> dict[str, Any]:
    """LangSmith's usage_metadata; details that are nought are left out."""
    usage = one.usage
    if not usage and not one.input_details and not one.output_details:
        return usage  # most spans are no model's call
    for key, details in (
        ("input_token_details", one.input_details),
        ("output_token_details", one.output_details),
    ):
        if said := {name: count for name, count in details.items() if count}:
            usage[key] = said
    if usage and "total_tokens" not in usage and "input_tokens" in usage:
        output = usage.get("output_tokens", 0)
        if type(usage["input_tokens"]) is int and type(output) is int:
            usage["total_tokens"] = usage["input_tokens"] + output
    return usage


# -- errors and events -----------------------------------------------------------------------------------


def _error(one: Draft) -> tuple[str | None, SpanEvent | None]:
    """The error with its stack, and the event that its stack came from."""
    span = one.span
    if span.status != ERROR and one.error is None:
        return None, None
    thrown = next((event for event in reversed(one.events) if event.name == "exception"), None)
    if thrown is None:
        return one.error or span.status_message or "error", None
    kind, message, stack = (
        str(thrown.attributes.get(f"exception.{part}") or "") for part in ("type", "message", "stacktrace")
    )
    said = (
        not kind or kind == "Exception" or message.startswith(kind)
    )  # LangSmith's exporter wraps in Exception
    text = one.error or (message if said and message else f"{kind}: {message}" if message else kind)
    text = text or span.status_message or "error"
    return (f"{text}\n\n{stack}", thrown) if stack else (text, None)


def _events(one: Draft, start: Micros, stack_in_error: SpanEvent | None) -> list[dict[str, Any]]:
    """Events in LangSmith's shape: name, time, and what else there is to say."""
    found: list[dict[str, Any]] = []
    if one.events:
        first = first_token(one.events)
        if first is not None:
            found.append({"name": "new_token", "time": _iso(first.time // 1000)})
        for event in one.events:
            attributes = event.attributes
            if event is stack_in_error:
                attributes = {key: attributes[key] for key in attributes if key != "exception.stacktrace"}
            shown: dict[str, Any] = {"name": event.name, "time": _iso(event.time // 1000)}
            if attributes:
                shown["attributes"] = attributes
            found.append(shown)
    else:
        first = None
    wait = one.rest.get("gen_ai.response.time_to_first_chunk")
    if first is None and (type(wait) is float or type(wait) is int) and 0 <= wait < 86_400:
        found.append({"name": "new_token", "time": _iso(start + round(wait * 1e6))})
    return found


def _iso(moment: Micros) -> str | None:
    if not 0 < moment < _LATEST:
        return None
    return (_EPOCH + dt.timedelta(microseconds=moment)).isoformat(timespec="microseconds") + "Z"
