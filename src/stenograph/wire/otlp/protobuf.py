"""ExportTraceServiceRequest from protobuf's wire format, straight into spans.py.

Our own because a generated parser first builds a tree of messages, each field of which is then asked for through
Python: over all attributes that costs more than reading the bytes here, where one step takes a whole attribute
(docs/decisions/050). Field numbers are those of opentelemetry-proto 1.x; what is unknown is skipped, as
protobuf demands. Nothing here trusts a length: whatever does not fit raises Invalid.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Any, Final, TypeAlias

from stenograph.errors import Invalid
from stenograph.wire.otlp.spans import Attributes, Batch, Budget, Span, SpanEvent, finite

_fixed64: Final = Struct("<Q").unpack_from
_double: Final = Struct("<d").unpack_from
_fixed32: Final = Struct("<I").unpack_from


def read(body: bytes, budget: Budget) -> list[Batch]:
    """All spans of a request. Invalid when the bytes are no such request, TooLarge over a limit."""
    try:
        return list(_request(body, budget))
    except (IndexError, ValueError, OverflowError, RecursionError) as error:
        raise Invalid(f"the body is not an ExportTraceServiceRequest in protobuf: {error}") from None


class _Cut(ValueError):
    """A length points beyond the end of what contains it."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends."""
    byte = data[at]
    at += 1
    if byte < 0x80:
        return byte, at
    value, shift = byte & 0x7F, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
        if shift > 63:
            raise ValueError("a number has more than ten bytes")


def _fields(data: bytes, at: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """(field number, wire type, start, end) of everything in a message; a varint's value stands as its start."""
    while at < stop:
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 2:
            size, at = _varint(data, at)
            end = at + size
            if end > stop:
                raise _Cut("a field is longer than its message")
            yield tag >> 3, 2, at, end
            at = end
        elif kind == 0:
            value, at = _varint(data, at)
            yield tag >> 3, 0, value, at
        elif kind == 1 or kind == 5:
            end = at + (8 if kind == 1 else 4)
            if end > stop:
                raise _Cut("a number is cut short")
            yield tag >> 3, kind, at, end
            at = end
        else:
            raise ValueError(f"wire type {kind} is not in use")
        if tag >> 3 == 0:
            raise ValueError("there is no field 0")
    if at != stop:
        raise _Cut("a field is longer than its message")


def _request(body: bytes, budget: Budget) -> Iterator[Batch]:
    for number, kind, at, end in _fields(body, 0, len(body)):
        if number == 1 and kind == 2:
            yield from _resource_spans(body, at, end, budget)


def _resource_spans(data: bytes, at: int, stop: int, budget: Budget) -> Iterator[Batch]:
    resource: Attributes = {}
    scopes: list[tuple[int, int]] = []
    for number, kind, start, end in _fields(data, at, stop):
        if kind != 2:
            continue
        if number == 1:
            for inner, inner_kind, first, last in _fields(data, start, end):
                if inner == 1 and inner_kind == 2:
                    _attribute(data, first, last, resource, budget)
        elif number == 2:
            budget.take()
            scopes.append((start, end))
    for start, end in scopes:
        batch = Batch(resource)
        for number, kind, first, last in _fields(data, start, end):
            if kind != 2:
                continue
            if number == 1:
                _scope(data, first, last, batch.scope, budget)
            elif number == 2:
                budget.take()
                batch.spans.append(_span(data, first, last, budget))
        yield batch


def _scope(data: bytes, at: int, stop: int, scope: Attributes, budget: Budget) -> None:
    for number, kind, start, end in _fields(data, at, stop):
        if kind != 2:
            continue
        if number == 1 and end > start:
            scope["otel.scope.name"] = _text(data[start:end])
        elif number == 2 and end > start:
            scope["otel.scope.version"] = _text(data[start:end])
        elif number == 3:
            _attribute(data, start, end, scope, budget)


_HEAD: Final = re.compile(
    rb"\x0a\x10(.{16})\x12\x08(.{8})(?:\x1a\x00)?(?:\x22(?:\x00|\x08(.{8})))?\x2a([\x00-\x7f])", re.DOTALL
)
_TIMES: Final = re.compile(rb"\x30(.)\x39(.{8})\x41(.{8})", re.DOTALL)
"""How a span begins as exporters write it: ids, name; then kind and times."""


def _span(data: bytes, at: int, stop: int, budget: Budget) -> Span:
    span = Span()
    head = _HEAD.match(data, at, stop)
    if head is not None:
        span.trace_id, span.span_id, span.parent_id, length = head.groups(b"")
        at = head.end() + length[0]
        if at > stop:
            raise _Cut("a name is longer than its span")
        span.name = _text(data[head.end() : at])
        times = _TIMES.match(data, at, stop)
        if times is not None:
            span.kind = times[1][0]
            span.start, span.end = int.from_bytes(times[2], "little"), int.from_bytes(times[3], "little")
            at = times.end()
    attributes, most = span.attributes, budget.values
    while at < stop:
        if data[at] != 0x4A:
            at = _other(data, at, stop, span, budget)
            continue
        size, at = data[at + 1], at + 2
        if size > 0x7F:
            size, at = _varint(data, at - 1)
        end = at + size
        if end > stop:
            raise _Cut("an attribute is longer than its span")
        if not _plain(data, at, end, attributes):
            _attribute(data, at, end, attributes, budget)
        at = end
        if len(attributes) > most:
            break
    budget.spend(len(attributes))
    if at != stop:
        raise _Cut("a span is cut short")
    return span


_keys: dict[bytes, str] = {}
_MAX_KEYS: Final = 5000
"""Attribute keys by their bytes: instrumentations have a few hundred."""


def _key(raw: bytes) -> str:
    found = _keys.get(raw)
    if found is None:
        found = _text(raw)
        if len(_keys) < _MAX_KEYS:
            _keys[raw] = found
    return found


def _plain(data: bytes, at: int, end: int, into: Attributes) -> bool:
    """Read an attribute of the shape that nearly all have: a short key, then a text, a small whole number, or a real
    number, and nothing else. False, and nothing read, for any other."""
    size = data[at + 1]
    value = at + 2 + size
    if data[at] != 0x0A or size > 0x7F or value + 3 >= end or data[value] != 0x12:
        return False
    first = value + 2
    if data[first - 1] > 0x7F:
        first = _varint(data, first - 1)[1]
    tag = data[first]
    if tag == 0x0A:
        size, text = data[first + 1], first + 2
        if size > 0x7F:
            size, text = _varint(data, first + 1)
        if text + size != end:
            return False
        try:
            found: Any = data[text:end].decode()
        except UnicodeDecodeError:
            return False
    elif tag == 0x18:
        found = data[first + 1]
        if found > 0x7F:
            found += (data[first + 2] << 7) - 0x80
            first += 1
        if first + 2 != end or data[end - 1] > 0x7F:
            return False
    elif tag == 0x21 and first + 9 == end:
        found = finite(_double(data, first + 1)[0])
    else:
        return False
    raw = data[at + 2 : value]
    into[_keys.get(raw) or _key(raw)] = found
    return True


def _other(data: bytes, at: int, stop: int, span: Span, budget: Budget) -> int:
    """Read one field that is not an attribute; returns where it ends."""
    tag, at = _varint(data, at)
    kind = tag & 7
    if kind == 2:
        size, at = _varint(data, at)
        end = at + size
        if end > stop:
            raise _Cut("a field is longer than its span")
        read = _LENGTHS.get(tag >> 3)
        if read is not None:
            read(data, at, end, span, budget)
        return end
    if kind == 1:
        if at + 8 > stop:
            raise _Cut("a time is cut short")
        if tag == 0x39:
            span.start = _fixed64(data, at)[0]
        elif tag == 0x41:
            span.end = _fixed64(data, at)[0]
        return at + 8
    if kind == 0:
        value, at = _varint(data, at)
        if tag == 0x30:
            span.kind = value
        elif tag in (0x50, 0x60, 0x70):
            span.dropped += value
        return at
    if kind == 5:
        if at + 4 > stop:
            raise _Cut("a number is cut short")
        if tag == 0x85:
            span.flags = _fixed32(data, at)[0]
        return at + 4
    raise ValueError(f"wire type {kind} is not in use")


_Read: TypeAlias = Callable[[bytes, int, int, Span, Budget], None]


def _trace_id(data: bytes, at: int, end: int, span: Span, _: Budget) -> None:
    span.trace_id = data[at:end]


def _span_id(data: bytes, at: int, end: int, span: Span, _: Budget) -> None:
    span.span_id = data[at:end]


def _trace_state(data: bytes, at: int, end: int, span: Span, _: Budget) -> None:
    span.trace_state = _text(data[at:end])


def _parent_id(data: bytes, at: int, end: int, span: Span, _: Budget) -> None:
    span.parent_id = data[at:end]


def _name(data: bytes, at: int, end: int, span: Span, _: Budget) -> None:
    span.name = _text(data[at:end])


def _event(data: bytes, at: int, stop: int, span: Span, budget: Budget) -> None:
    budget.take()
    event = SpanEvent()
    for number, kind, start, end in _fields(data, at, stop):
        if number == 1 and kind == 1:
            event.time = _fixed64(data, start)[0]
        elif number == 2 and kind == 2:
            event.name = _text(data[start:end])
        elif number == 3 and kind == 2:
            _attribute(data, start, end, event.attributes, budget)
    span.events.append(event)


def _link(data: bytes, at: int, stop: int, span: Span, budget: Budget) -> None:
    budget.take()
    link: Attributes = {}
    attributes: Attributes = {}
    for number, kind, start, end in _fields(data, at, stop):
        if kind != 2:
            continue
        if number == 1:
            link["trace_id"] = data[start:end].hex()
        elif number == 2:
            link["span_id"] = data[start:end].hex()
        elif number == 3 and end > start:
            link["trace_state"] = _text(data[start:end])
        elif number == 4:
            _attribute(data, start, end, attributes, budget)
    if attributes:
        link["attributes"] = attributes
    span.links.append(link)


def _status(data: bytes, at: int, stop: int, span: Span, _: Budget) -> None:
    for number, kind, start, end in _fields(data, at, stop):
        if number == 2 and kind == 2:
            span.status_message = _text(data[start:end])
        elif number == 3 and kind == 0:
            span.status = start


_LENGTHS: Final[dict[int, _Read]] = {
    1: _trace_id, 2: _span_id, 3: _trace_state, 4: _parent_id, 5: _name, 11: _event, 13: _link, 15: _status,
}  # fmt: skip


def _attribute(data: bytes, at: int, stop: int, into: Attributes, budget: Budget, depth: int = 0) -> None:
    """Read a KeyValue into `into`."""
    budget.spend(1)
    key, value = "", None
    for number, kind, start, end in _fields(data, at, stop):
        if kind != 2:
            continue
        if number == 1:
            key = _text(data[start:end])
        elif number == 2 and end > start:
            value = _value(data, start, end, budget, depth)
    into[key] = value


def _value(data: bytes, at: int, stop: int, budget: Budget, depth: int) -> Any:
    """Read an AnyValue. The last of its fields counts; one with none is null."""
    if at + 2 + data[at + 1] == stop and data[at + 1] < 0x80 and data[at] == 0x0A:
        return str(data[at + 2 : stop], "utf-8", "replace")  # one short text: most members of lists
    found: Any = None
    for number, kind, start, end in _fields(data, at, stop):
        if kind == 2:
            if number == 1:
                found = _text(data[start:end])
            elif number == 5 or number == 6:
                budget.check_depth(depth + 1)
                found = (_array if number == 5 else _map)(data, start, end, budget, depth + 1)
            elif number == 7:
                found = b64encode(data[start:end]).decode()
        elif kind == 0:
            if number == 3:
                found = start - (1 << 64) if start >> 63 else start
            elif number == 2:
                found = start != 0
        elif kind == 1 and number == 4:
            found = finite(_double(data, start)[0])
    return found


def _array(data: bytes, at: int, stop: int, budget: Budget, depth: int) -> list[Any]:
    found: list[Any] = []
    for number, kind, start, end in _fields(data, at, stop):
        if number == 1 and kind == 2:
            budget.spend(1)
            found.append(_value(data, start, end, budget, depth) if end > start else None)
    return found


def _map(data: bytes, at: int, stop: int, budget: Budget, depth: int) -> Attributes:
    found: Attributes = {}
    for number, kind, start, end in _fields(data, at, stop):
        if number == 1 and kind == 2:
            _attribute(data, start, end, found, budget, depth)
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
