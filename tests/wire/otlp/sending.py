"""Spans written down shortly, put on the wire in each of the encodings that exporters use."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

Encoding = Literal["protobuf", "json", "dialect"]
ENCODINGS: Final[tuple[Encoding, ...]] = ("protobuf", "json", "dialect")
"""`json` is the canonical form; `dialect` is what HoneyHive's Python client makes of it."""

START: Final = 1_767_225_600_000_000_000
"""The beginning of 2026 in nanoseconds: spans start there unless they say otherwise."""

_KINDS: Final = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_CODES: Final = ("UNSET", "OK", "ERROR")


def trace_id() -> str:
    """One that nobody else has, and that begins like no span id here."""
    return "fe" + os.urandom(15).hex()


def span_id() -> str:
    return os.urandom(8).hex()


@dataclass
class Span:
    """A span; `start` and `end` in seconds after START. Bytes among the attributes are bytes."""

    trace: str
    span: str
    parent: str | None = None
    name: str = "step"
    attributes: Mapping[str, Any] = field(default_factory=dict)
    start: float = 0
    end: float | None = 1
    kind: int = 1
    events: Sequence[Mapping[str, Any]] = ()
    links: Sequence[Mapping[str, Any]] = ()
    status: int = 0
    message: str = ""
    trace_state: str = ""
    flags: int = 0

    @property
    def times(self) -> tuple[int, int]:
        end = 0 if self.end is None else START + round(self.end * 1e9)
        return START + round(self.start * 1e9), end


def encoded(
    encoding: Encoding,
    spans: Sequence[Span],
    resource: Mapping[str, Any] | None = None,
    scope: Mapping[str, Any] | None = None,
) -> bytes:
    """An ExportTraceServiceRequest."""
    resource, scope = resource or {}, scope or {}
    if encoding == "protobuf":
        return _protobuf(spans, resource, scope)
    loose = encoding == "dialect"
    scope_json: dict[str, Any] = {key: scope[key] for key in ("name", "version") if key in scope}
    if scope.get("attributes"):
        scope_json["attributes"] = _pairs(scope["attributes"], loose)
    body = {
        "resourceSpans": [
            {
                "resource": {"attributes": _pairs(resource, loose)},
                "scopeSpans": [{"scope": scope_json, "spans": [_json(span, loose) for span in spans]}],
            }
        ]
    }
    return json.dumps(body).encode()


def send(
    http: httpx.Client,
    spans: Sequence[Span],
    encoding: Encoding = "protobuf",
    *,
    project: str | None = None,
    resource: Mapping[str, Any] | None = None,
    scope: Mapping[str, Any] | None = None,
    path: str = "/v1/traces",
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Export the spans; `project` goes into LangSmith's header."""
    kind = "application/x-protobuf" if encoding == "protobuf" else "application/json"
    sent = {"content-type": kind, **(headers or {})}
    if project is not None:
        sent["Langsmith-Project"] = project
    return http.post(path, content=encoded(encoding, spans, resource, scope), headers=sent)


# -- JSON ------------------------------------------------------------------------------------------------


def _json(span: Span, loose: bool) -> dict[str, Any]:
    start, end = span.times
    found: dict[str, Any] = {
        "traceId": span.trace,
        "spanId": span.span,
        "name": span.name,
        "kind": f"SPAN_KIND_{_KINDS[span.kind]}" if loose else span.kind,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
        "attributes": _pairs(span.attributes, loose),
        "events": [
            {
                "name": event["name"],
                "timeUnixNano": str(START + round(event.get("at", 0) * 1e9)),
                "attributes": _pairs(event.get("attributes", {}), loose),
            }
            for event in span.events
        ],
        "status": {"code": f"STATUS_CODE_{_CODES[span.status]}" if loose else span.status},
    }
    if span.message:
        found["status"]["message"] = span.message
    if span.parent is not None or loose:
        found["parentSpanId"] = span.parent
    if span.trace_state:
        found["traceState"] = span.trace_state
    if span.flags:
        found["flags"] = span.flags
    if span.links:
        found["links"] = [
            {
                "traceId": link["trace"],
                "spanId": link["span"],
                "attributes": _pairs(link.get("attributes", {}), loose),
            }
            for link in span.links
        ]
    return found


def _pairs(attributes: Mapping[str, Any], loose: bool) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value, loose)} for key, value in attributes.items()]


def _value(value: Any, loose: bool) -> dict[str, Any]:
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)}
        case float() if value != value or value in (float("inf"), float("-inf")):
            return {"doubleValue": "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"}
        case float():
            return {"doubleValue": str(value) if loose else value}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case list():
            return {"arrayValue": {"values": [_value(item, loose) for item in value]}}
        case _:
            return {"kvlistValue": {"values": _pairs(value, loose)}}


# -- protobuf --------------------------------------------------------------------------------------------


def _protobuf(spans: Sequence[Span], resource: Mapping[str, Any], scope: Mapping[str, Any]) -> bytes:
    request = ExportTraceServiceRequest()
    outer = request.resource_spans.add()
    outer.resource.attributes.extend(_keys(resource))
    inner = outer.scope_spans.add()
    inner.scope.name, inner.scope.version = scope.get("name", ""), scope.get("version", "")
    inner.scope.attributes.extend(_keys(scope.get("attributes", {})))
    for span in spans:
        made = inner.spans.add()
        made.trace_id, made.span_id = bytes.fromhex(span.trace), bytes.fromhex(span.span)
        made.parent_span_id = bytes.fromhex(span.parent or "")
        made.trace_state, made.flags = span.trace_state, span.flags
        made.name, made.kind = span.name, span.kind
        made.start_time_unix_nano, made.end_time_unix_nano = span.times
        made.attributes.extend(_keys(span.attributes))
        for event in span.events:
            moment = START + round(event.get("at", 0) * 1e9)
            added = made.events.add(name=event["name"], time_unix_nano=moment)
            added.attributes.extend(_keys(event.get("attributes", {})))
        for link in span.links:
            linked = made.links.add(
                trace_id=bytes.fromhex(link["trace"]), span_id=bytes.fromhex(link["span"])
            )
            linked.attributes.extend(_keys(link.get("attributes", {})))
        if span.status or span.message:
            made.status.CopyFrom(Status(code=span.status, message=span.message))  # type: ignore[arg-type]
    body: bytes = request.SerializeToString()
    return body


def _keys(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in attributes.items()]


def _any(value: Any) -> AnyValue:
    found = AnyValue()
    match value:
        case None:
            pass
        case bool():
            found.bool_value = value
        case str():
            found.string_value = value
        case int():
            found.int_value = value
        case float():
            found.double_value = value
        case bytes():
            found.bytes_value = value
        case list():
            found.array_value.values.extend([_any(item) for item in value])
            found.array_value.SetInParent()
        case _:
            found.kvlist_value.values.extend(_keys(value))
            found.kvlist_value.SetInParent()
    return found
