"""The protocol: encodings, compression, partial success, errors in their own shape."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from backports import zstd
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from stenograph.errors import TooLarge
from stenograph.wire.otlp import json_reader, protobuf
from stenograph.wire.otlp.spans import Budget
from tests.conftest import Server
from tests.keys import issue
from tests.wire.otlp.conftest import Read, as_id
from tests.wire.otlp.sending import ENCODINGS, Encoding, Span, encoded, send, span_id, trace_id

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json; charset=utf-8"}


def status_of(answer: httpx.Response) -> tuple[int, str]:
    """(code, message) of a google.rpc.Status: field 1 a number, field 2 text."""
    if answer.headers["content-type"].startswith("application/json"):
        body = answer.json()
        return body["code"], body["message"]
    raw = answer.content
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert (raw[0], raw[2]) == (0x08, 0x12)
    return raw[1], raw[-(raw[3] if raw[3] < 128 else (raw[3] & 127) + (raw[4] << 7)) :].decode()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/traces", "/v1/traces/", "/otel/v1/traces", "/opentelemetry/v1/traces", "/api/v1/traces",
        "/api/otel/v1/traces", "/api/v1/otel/v1/traces", "/langsmith/otel/v1/traces", "/langsmith/v1/traces",
        "/honeyhive/opentelemetry/v1/traces",
    ],
)  # fmt: skip
def test_every_address(http: httpx.Client, runs: Read, project: str, path: str) -> None:
    trace = trace_id()
    assert send(http, [Span(trace, span_id())], project=project, path=path).status_code == 200
    assert [run["id"] for run in runs(project)] == [as_id(trace)]


@pytest.mark.parametrize("coding", ["gzip", "zstd", "deflate"])
@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_compressed_and_chunked(
    http: httpx.Client, runs: Read, project: str, encoding: Encoding, coding: str
) -> None:
    squeezers: dict[str, Callable[[bytes], bytes]] = {
        "gzip": lambda raw: gzip.compress(raw),
        "zstd": lambda raw: zstd.compress(raw),
        "deflate": lambda raw: zlib.compress(raw),
    }
    squeeze = squeezers[coding]
    trace = trace_id()
    body = squeeze(encoded(encoding, [Span(trace, span_id(), name="squeezed")]))
    headers = {**(PROTOBUF if encoding == "protobuf" else JSON), "content-encoding": coding}

    def chunks() -> Iterator[bytes]:
        yield body[:10]
        yield body[10:]

    answer = http.post("/v1/traces", content=chunks(), headers={**headers, "Langsmith-Project": project})
    assert answer.status_code == 200
    assert [run["name"] for run in runs(project)] == ["squeezed"]


def test_an_empty_export(http: httpx.Client) -> None:
    answer = http.post("/v1/traces", content=b"", headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"
    answer = http.post("/v1/traces", content=b"{}", headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})


def test_values_that_json_has_no_name_for(http: httpx.Client, runs: Read, project: str) -> None:
    said = {
        "nan": float("nan"),
        "inf": float("inf"),
        "less": float("-inf"),
        "raw": b"\x00\xff",
        "nul": "a\x00b",
    }
    for encoding in ENCODINGS:
        send(http, [Span(trace_id(), span_id(), attributes=said)], encoding, project=project)
    for run in runs(project):
        kept = {key: run["extra"]["metadata"][key] for key in said}
        assert kept == {"nan": "NaN", "inf": "Infinity", "less": "-Infinity", "raw": "AP8=", "nul": "a\x00b"}


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_partial_success(http: httpx.Client, runs: Read, project: str, encoding: Encoding) -> None:
    trace, late = trace_id(), 9_999_999_999.0
    bad = span_id()
    answer = send(
        http,
        [
            Span(trace, span_id(), name="good"),
            Span(trace, bad, start=late, end=late + 1),
            Span("00" * 16, span_id()),
        ],
        encoding,
        project=project,
    )
    assert answer.status_code == 200
    if encoding == "protobuf":
        partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
        rejected, message = partial.rejected_spans, partial.error_message
    else:
        said = answer.json()["partialSuccess"]
        rejected, message = int(said["rejectedSpans"]), said["errorMessage"]
    assert rejected == 2
    assert bad in message
    assert "2299" in message
    assert "traceId" in message
    assert [run["name"] for run in runs(project)] == ["good"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"spanId": "xyz"}, "spanId"),
        ({"spanId": ""}, "spanId"),
        ({"traceId": 5}, "traceId"),
        ({"parentSpanId": "00"}, "parentSpanId"),
        ({"startTimeUnixNano": "soon"}, "startTimeUnixNano"),
        ({"startTimeUnixNano": 0, "endTimeUnixNano": 0}, "start"),
        ({"startTimeUnixNano": "18446744073709551615"}, "2299"),
        ({"attributes": {"a": 1}}, "attributes"),
        ({"attributes": [{"key": "a", "value": {"intValue": "many"}}]}, "intValue"),
        ({"attributes": [{"key": "a", "value": "bare"}]}, "stringValue"),
        ({"name": 7}, "name"),
        ({"events": [3]}, "event"),
    ],
)
def test_a_span_that_cannot_be_read_is_rejected_alone(
    http: httpx.Client, runs: Read, project: str, change: dict[str, Any], why: str
) -> None:
    body = json.loads(
        encoded("json", [Span(trace_id(), span_id(), name="good"), Span(trace_id(), span_id())])
    )
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][1].update(change)
    answer = http.post("/v1/traces", json=body, headers={"Langsmith-Project": project})
    assert answer.status_code == 200
    said = answer.json()["partialSuccess"]
    assert said["rejectedSpans"] == "1"
    assert why in said["errorMessage"]
    assert [run["name"] for run in runs(project)] == ["good"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (PROTOBUF, b"\x0a\x05"),
        (PROTOBUF, b"\xff" * 20),
        (PROTOBUF, b'{"resourceSpans":[]}'),
        ({**PROTOBUF, "content-encoding": "gzip"}, b"not gzip"),
        ({**PROTOBUF, "content-encoding": "br"}, b"x"),
        (JSON, b"[]"),
        (JSON, b"{"),
        (JSON, b'{"resourceSpans": 5}'),
        (JSON, b'{"resourceSpans": [5]}'),
        (JSON, b'{"resourceSpans": [{"scopeSpans": [{"spans": "x"}]}]}'),
    ],
)
def test_a_body_that_cannot_be_read(http: httpx.Client, headers: dict[str, str], body: bytes) -> None:
    answer = http.post("/v1/traces", content=body, headers=headers)
    assert answer.status_code == 400
    code, message = status_of(answer)
    assert code == 3  # INVALID_ARGUMENT
    assert len(message) > 15


@pytest.mark.parametrize("kind", ["text/plain", "application/grpc", ""])
def test_another_content_type(http: httpx.Client, kind: str) -> None:
    answer = http.post("/v1/traces", content=b"x", headers={"content-type": kind} if kind else {})
    assert answer.status_code == 415
    assert "application/x-protobuf" in answer.json()["message"]


def test_nesting_is_bounded(http: httpx.Client) -> None:
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]
    body = encoded("json", [Span(trace_id(), span_id())])
    value = '{"arrayValue":{"values":[' * 3000 + "]}}" * 3000
    hostile = body.replace(
        b'"attributes": []', b'"attributes": [{"key": "a", "value": %s}]' % value.encode(), 2
    )
    assert http.post("/v1/traces", content=hostile, headers=JSON).status_code in (400, 413)
    raw = b""
    for _ in range(3000):
        raw = b"\x0a" + _varint(len(raw)) + raw  # ArrayValue of one
        raw = b"\x2a" + _varint(len(raw)) + raw  # in an AnyValue
    attribute = b"\x0a\x01a\x12" + _varint(len(raw)) + raw
    span = b"\x4a" + _varint(len(attribute)) + attribute
    for tag in (b"\x12", b"\x12", b"\x0a"):  # in spans, scope spans, resource spans
        span = tag + _varint(len(span)) + span
    answer = http.post("/v1/traces", content=span, headers=PROTOBUF)
    assert answer.status_code == 413
    assert "nested" in status_of(answer)[1]


def test_the_number_of_spans_is_bounded(http: httpx.Client) -> None:
    spans = b"\x12\x00" * 300_000  # two bytes each
    scope = b"\x12" + _varint(len(spans)) + spans
    body = b"\x0a" + _varint(len(scope)) + scope
    answer = http.post("/v1/traces", content=body, headers=PROTOBUF)
    assert answer.status_code == 413
    assert status_of(answer)[0] == 8  # RESOURCE_EXHAUSTED


def test_the_number_of_attributes_is_bounded() -> None:
    many = {f"k{number}": "v" for number in range(50)}
    lists = {"list": list(range(50))}
    for attributes in (many, lists):
        spans = [Span(trace_id(), span_id(), attributes=attributes) for _ in range(3)]
        for read, encoding in ((protobuf.read, "protobuf"), (json_reader.read, "json")):
            assert len(read(encoded(encoding, spans), Budget(10, 400, 10))[0].spans) == 3  # type: ignore[arg-type]
            with pytest.raises(TooLarge):
                read(encoded(encoding, spans), Budget(10, 60, 10))  # type: ignore[arg-type]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def test_who_may(locked_server: Server) -> None:
    key = issue(locked_server.data_dir, role="ingest")
    with httpx.Client(base_url=locked_server.url) as http:
        answer = send(http, [Span(trace_id(), span_id())])
        assert answer.status_code == 401
        assert status_of(answer)[0] == 16  # UNAUTHENTICATED
        for header in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
            assert send(http, [Span(trace_id(), span_id())], "json", headers=header).status_code == 200


def test_a_full_inbox_says_come_back(own_server: Server) -> None:
    own_server.environment |= {
        "STENOGRAPH_INBOX_MAX_BYTES": "1MiB",
        "STENOGRAPH_INBOX_SEGMENT_BYTES": "64KiB",
        "STENOGRAPH_MAX_BODY_BYTES": "512KiB",
        "STENOGRAPH_MAX_INFLATED_BYTES": "1MiB",
        "STENOGRAPH_FLUSH_SECONDS": "3600",
    }
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        big = {"text": "x" * 100_000}
        for _ in range(200):
            answer = send(http, [Span(trace_id(), span_id(), attributes=big)])
            if answer.status_code != 200:
                break
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert status_of(answer)[0] == 14  # UNAVAILABLE


def test_projects(http: httpx.Client, runs: Read, project: str) -> None:
    """By header, else by attribute, else by service, else the default."""
    named = {"langsmith.trace.session_name": f"{project}-named"}
    service = {"service.name": f"{project}-service"}
    send(http, [Span(trace_id(), span_id(), attributes=named)], project=project, resource=service)
    assert len(runs(project)) == 1
    send(http, [Span(trace_id(), span_id(), attributes=named)], resource=service)
    [run] = runs(f"{project}-named")
    by_id = {"langsmith.trace.session_id": run["session_id"]}
    send(http, [Span(trace_id(), span_id(), attributes=by_id)], resource=service)
    assert len(runs(f"{project}-named")) == 2
    send(http, [Span(trace_id(), span_id())], resource=service)
    assert len(runs(f"{project}-service")) == 1
    trace = trace_id()
    send(http, [Span(trace, span_id())], resource={"service.name": "unknown_service:python"})
    [found] = runs("default", id=[as_id(trace)])
    assert found["trace_id"] == as_id(trace)


def test_attachments(http: httpx.Client, runs: Read, project: str) -> None:
    files = json.dumps([{"name": "note", "content": "aGVsbG8=", "mime_type": "text/plain"}])
    send(http, [Span(trace_id(), span_id(), attributes={"langsmith.attachments": files})], project=project)
    [run] = runs(project, select=["s3_urls", "extra"])
    url = run["s3_urls"]["attachment.note"]["presigned_url"]
    assert http.get(url).content == b"hello"
    assert "langsmith.attachments" not in run["extra"]["metadata"]
