"""What OTLP answers: in the encoding of the request, ExportTraceServiceResponse or google.rpc.Status.

https://opentelemetry.io/docs/specs/otlp/#otlphttp-response. A request of which some spans were refused is still
a success (partial success): the sender must not send it again. HoneyHive's clients take nothing but 200 for one.
"""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.responses import Response

from stenograph import errors

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

_json = msgspec.json.Encoder().encode

_STATUS: Final[dict[type[errors.StenographError], tuple[int, int]]] = {
    errors.Invalid: (400, 3),
    errors.Unauthenticated: (401, 16),
    errors.Forbidden: (403, 7),
    errors.NotFound: (404, 5),
    errors.Conflict: (409, 6),
    errors.TooLarge: (413, 8),
    errors.Unsupported: (501, 12),
    errors.Overloaded: (503, 14),
}
"""The HTTP status of each of our errors, and its code in google.rpc.Status. Exporters try again at 429, 502, 503
and 504 only."""


def accepted(media_type: str, rejected: int, message: str) -> Response:
    """All spans were taken, or all but `rejected`, and why."""
    if media_type == JSON:
        body = {"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": message}}
        return Response(_json(body if rejected or message else {}), 200, media_type=JSON)
    partial = (b"\x08" + _varint(rejected) if rejected else b"") + (_field(2, message) if message else b"")
    return Response(b"\x0a" + _varint(len(partial)) + partial if partial else b"", 200, media_type=PROTOBUF)


def failed(media_type: str, error: errors.StenographError) -> Response:
    """Nothing was taken."""
    status, code = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), (500, 13))
    answer = _status(media_type, status, code, error.message)
    if isinstance(error, errors.Overloaded):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def unknown_type(content_type: str) -> Response:
    message = f"Content-Type {content_type[:100]!r} is neither {PROTOBUF} nor {JSON}"
    return _status(JSON, 415, 3, message)


def _status(media_type: str, status: int, code: int, message: str) -> Response:
    if media_type == JSON:
        return Response(_json({"code": code, "message": message}), status, media_type=JSON)
    return Response(b"\x08" + _varint(code) + _field(2, message), status, media_type=PROTOBUF)


def _field(number: int, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    return bytes([number << 3 | 2]) + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
