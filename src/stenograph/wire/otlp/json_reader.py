"""ExportTraceServiceRequest from JSON, into spans.py: protobuf's canonical form, and what exporters make of it.

Taken beside the canonical form (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): enums by name,
null for what is absent, 64-bit numbers as numbers or text, ids in base64, field names in snake case, bare NaN.
HoneyHive's Python client sends several of these by default. A span that cannot be read is rejected alone; what
stands around spans has to be right.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any, Final

import msgspec

from stenograph.errors import Invalid
from stenograph.wire.otlp.spans import KINDS, Attributes, Batch, Budget, Span, SpanEvent, finite
from stenograph.wire.payloads import clean

_decode = msgspec.json.Decoder().decode
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_STATUS: Final = {"UNSET": 0, "OK": 1, "ERROR": 2}
_LARGEST: Final = 2**64 - 1


class _Fault(ValueError):
    """What is wrong with one span."""


def read(body: bytes, budget: Budget) -> list[Batch]:
    """All spans of a request. Invalid when the body is no such request, TooLarge over a limit."""
    # Counted before anything is built of them: brackets and commas in texts count too, which does no harm.
    budget.spend((body.count(b"{") + body.count(b"[")) // 4 + body.count(b",") // 8)
    request = _document(body)
    if type(request) is not dict:
        raise Invalid("the body is not a JSON object with resourceSpans")
    found: list[Batch] = []
    try:
        for entry in _list(request, "resourceSpans", "the body"):
            resource = _attributes(_object(entry, "resource", "resourceSpans"), budget)
            for scope_spans in _list(entry, "scopeSpans", "resourceSpans"):
                budget.take()
                scope = _object(scope_spans, "scope", "scopeSpans")
                batch = Batch(resource, _scope(scope, budget))
                for span in _list(scope_spans, "spans", "scopeSpans"):
                    budget.take()
                    batch.spans.append(_span(span, budget))
                found.append(batch)
    except _Fault as error:
        raise Invalid(str(error)) from None
    except RecursionError:
        raise Invalid("the body is nested too deeply") from None
    return found


def _document(body: bytes) -> Any:
    try:
        return _decode(clean(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)
    try:  # for writers that know NaN, or raw control characters
        return json.loads(body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        raise Invalid(f"the body is not valid JSON: {reason}") from None


def _get(value: dict[str, Any], name: str) -> Any:
    """A field by its JSON name, or by its name in the schema; None when absent."""
    found = value.get(name)
    return found if found is not None else value.get(_CAPITAL.sub(r"_\1", name).lower())


def _list(value: Any, name: str, where: str) -> list[Any]:
    if type(value) is not dict:
        raise _Fault(f"an entry of {where} is not an object")
    found = _get(value, name)
    if found is None:
        return []
    if type(found) is not list:
        raise _Fault(f"{name} is not a list")
    return found


def _object(value: Any, name: str, where: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise _Fault(f"an entry of {where} is not an object")
    found = _get(value, name)
    if found is None:
        return {}
    if type(found) is not dict:
        raise _Fault(f"{name} is not an object")
    return found


def _scope(scope: dict[str, Any], budget: Budget) -> Attributes:
    found: Attributes = {}
    if name := _text(scope, "name"):
        found["otel.scope.name"] = name
    if version := _text(scope, "version"):
        found["otel.scope.version"] = version
    return found | _attributes(scope, budget)


def _span(value: Any, budget: Budget) -> Span:
    span = Span()
    if type(value) is not dict:
        span.fault = "is not an object"
        return span
    try:
        span.span_id = _id(value, "spanId", 8)
        span.trace_id = _id(value, "traceId", 16)
        span.parent_id = _id(value, "parentSpanId", 8)
        span.name = _text(value, "name")
        span.start = _number(value, "startTimeUnixNano")
        span.end = _number(value, "endTimeUnixNano")
        span.kind = _kind(_get(value, "kind"))
        span.flags = _number(value, "flags")
        span.trace_state = _text(value, "traceState")
        span.attributes = _attributes(value, budget)
        for event in _list(value, "events", "spans"):
            budget.take()
            if type(event) is not dict:
                raise _Fault("an event is not an object")
            span.events.append(
                SpanEvent(_text(event, "name"), _number(event, "timeUnixNano"), _attributes(event, budget))
            )
        span.links = [_link(link, budget) for link in _list(value, "links", "spans")]
        span.dropped = sum(
            _number(value, f"dropped{what}Count") for what in ("Attributes", "Events", "Links")
        )
        status = _object(value, "status", "spans")
        span.status, span.status_message = _status(_get(status, "code")), _text(status, "message")
    except _Fault as error:
        span.fault = str(error)
    return span


def _link(link: Any, budget: Budget) -> Attributes:
    budget.take()
    if type(link) is not dict:
        raise _Fault("a link is not an object")
    found: Attributes = {
        "trace_id": _id(link, "traceId", 16).hex(),
        "span_id": _id(link, "spanId", 8).hex(),
    }
    if state := _text(link, "traceState"):
        found["trace_state"] = state
    if attributes := _attributes(link, budget):
        found["attributes"] = attributes
    return found


def _id(value: dict[str, Any], name: str, size: int) -> bytes:
    """An id of `size` bytes in hex, or base64 as protobuf's JSON has bytes elsewhere; empty when absent."""
    text = _get(value, name)
    if text is None or text == "":
        return b""
    if type(text) is str:
        try:
            if len(text) == 2 * size:
                return bytes.fromhex(text)
            if size < len(text) < 2 * size and len(found := b64decode(text, validate=True)) == size:
                return found
        except (ValueError, NotBase64):
            pass
    raise _Fault(f"{name} is not {2 * size} hexadecimal digits")


def _text(value: dict[str, Any], name: str) -> str:
    text = _get(value, name)
    if text is None:
        return ""
    if type(text) is not str:
        raise _Fault(f"{name} is not text")
    return text


def _number(value: dict[str, Any], name: str) -> int:
    """A number from 0 to 2⁶⁴-1, which may come as text; 0 when absent."""
    found = _get(value, name)
    if found is None:
        return 0
    number = _integer(found)
    if number is None or not 0 <= number <= _LARGEST:
        raise _Fault(f"{name} is not a whole number of 64 bits")
    return number


def _integer(value: Any) -> int | None:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is str and len(value) <= 20:
        try:
            return int(value)
        except ValueError:
            return None
    return None


def _kind(value: Any) -> int:
    """By number or by name; one that nobody knows counts as unspecified."""
    if type(value) is str and value.upper().startswith("SPAN_KIND_"):
        name = value[len("SPAN_KIND_") :].lower()
        return KINDS.index(name) if name in KINDS else 0
    return _integer(value) or 0


def _status(value: Any) -> int:
    if type(value) is str and value.upper().startswith("STATUS_CODE_"):
        return _STATUS.get(value[len("STATUS_CODE_") :].upper(), 0)
    return _integer(value) or 0


def _attributes(holder: dict[str, Any], budget: Budget) -> Attributes:
    return _map(_list(holder, "attributes", "attributes"), budget, 0)


def _map(entries: list[Any], budget: Budget, depth: int) -> Attributes:
    found: Attributes = {}
    for entry in entries:
        if type(entry) is not dict or type(key := entry.get("key")) is not str:
            raise _Fault("an attribute is not an object with a key")
        found[key] = _value(entry.get("value"), budget, depth)
    return found


def _value(value: Any, budget: Budget, depth: int) -> Any:
    """An AnyValue; null for one that has nothing in it."""
    if type(value) is not dict:
        if value is None:
            return None
        raise _Fault('an attribute\'s value is not an object such as {"stringValue": …}')
    for kind, found in value.items():
        if found is None:
            continue
        match kind:
            case "stringValue" | "string_value":
                return found if type(found) is str else _fault(kind)
            case "intValue" | "int_value":
                number = _integer(found)
                return number if number is not None and -(2**63) <= number < 2**64 else _fault(kind)
            case "boolValue" | "bool_value":
                return _flag(found)
            case "doubleValue" | "double_value":
                return _double(found)
            case "bytesValue" | "bytes_value":
                return found if type(found) is str else _fault(kind)
            case "arrayValue" | "array_value":
                budget.check_depth(depth + 1)
                return [_value(item, budget, depth + 1) for item in _list(found, "values", kind)]
            case "kvlistValue" | "kvlist_value":
                budget.check_depth(depth + 1)
                return _map(_list(found, "values", kind), budget, depth + 1)
            case _:
                continue  # a kind of value from a later version of the protocol
    return None


def _fault(kind: str) -> Any:
    raise _Fault(f"an attribute's {kind} is of another type")


def _flag(value: Any) -> bool:
    if type(value) is bool:
        return value
    if type(value) is str and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _Fault("an attribute's boolValue is neither true nor false")


def _double(value: Any) -> float | str:
    if type(value) is str:
        try:
            value = float(value)
        except ValueError:
            raise _Fault("an attribute's doubleValue is no number") from None
    if type(value) is int or type(value) is float:
        try:
            return finite(float(value))
        except OverflowError:
            pass
    raise _Fault("an attribute's doubleValue is no number")
