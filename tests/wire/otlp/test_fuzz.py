"""Whatever comes, in whatever order of bytes: 200 or a mistake of the client's, never a fault of ours."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from stenograph.errors import CallerError
from stenograph.wire.otlp import json_reader, mapping, protobuf
from stenograph.wire.otlp.spans import Batch, Budget
from stenograph.wire.payloads import Payloads
from tests.wire.otlp.sending import Encoding, Span, encoded

PAYLOADS = Payloads(500)
SLOWLY = settings(suppress_health_check=[HealthCheck.too_slow])

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.binary()
    | st.sampled_from(["[1,2", '{"a":1}', '[{"role":"user"}]', '{"parts":[]}']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
KEYS = st.text(max_size=20) | st.sampled_from(
    [
        "gen_ai.operation.name", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions",
        "gen_ai.tool.definitions", "gen_ai.prompt", "gen_ai.prompt.0.content", "gen_ai.prompt.0", "gen_ai.prompt.x",
        "gen_ai.completion.1.tool_calls.0.name", "gen_ai.completion.1.tool_calls", "gen_ai.usage.input_tokens",
        "gen_ai.usage.raw", "gen_ai.usage.input_token_details", "gen_ai.request.model", "gen_ai.request.stop_sequences",
        "llm.input_messages.0.message.role", "llm.input_messages.0.message.contents.0.message_content.type",
        "llm.input_messages.0.message.tool_calls.0.tool_call.function.name", "llm.input_messages.0", "llm.tools.0",
        "llm.input_messages.1.message.tool_calls.0.tool_call", "llm.invocation_parameters", "llm.model_name",
        "llm.request.functions.0.name", "openinference.span.kind", "input.value", "output.value", "metadata",
        "retrieval.documents.0.document.content", "retrieval.documents.0.document.metadata", "retrieval.documents.0",
        "embedding.embeddings.0.embedding.vector", "embedding.embeddings.0", "tag.tags", "session.id", "user.id",
        "langsmith.span.id", "langsmith.trace.id", "langsmith.span.parent_id", "langsmith.span.dotted_order",
        "langsmith.span.kind", "langsmith.span.tags", "langsmith.metadata.usage_metadata", "langsmith.usage_metadata",
        "langsmith.attachments", "langsmith.trace.name", "langsmith.metadata.x", "honeyhive.session_id",
        "honeyhive_inputs", "honeyhive_inputs.a", "honeyhive_inputs.a.b", "honeyhive_outputs.0",
        "honeyhive_metadata.0.x",
        "honeyhive_metadata", "honeyhive_config.model", "honeyhive_event_id", "honeyhive_event_type", "honeyhive_error",
        "traceloop.span.kind", "traceloop.entity.input", "traceloop.association.properties.session_id",
        "pydantic_ai.all_messages", "all_messages_events", "events", "final_result", "tool_arguments", "agent_name",
        "tools", "logfire.msg", "logfire.tags", "gen_ai.response.time_to_first_chunk",
    ]
)  # fmt: skip
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=8)
NAMES = st.sampled_from(
    [
        "exception", "gen_ai.choice", "gen_ai.user.message", "gen_ai.content.prompt", "x",
        "gen_ai.client.inference.operation.details", "First Token Stream Event",
    ]
)  # fmt: skip
SPANS = st.builds(
    Span,
    trace=st.binary(min_size=16, max_size=16).map(bytes.hex),
    span=st.binary(min_size=8, max_size=8).map(bytes.hex),
    parent=st.none() | st.binary(min_size=8, max_size=8).map(bytes.hex),
    name=st.text(),
    attributes=ATTRIBUTES,
    status=st.integers(0, 2),
    events=st.lists(st.fixed_dictionaries({"name": NAMES, "attributes": ATTRIBUTES}), max_size=3),
)


def take(batches: list[Batch]) -> list[Any]:
    """All that is done with spans, short of recording them; JSON that is not whole fails here."""
    found = []
    for batch in batches:
        shared = mapping.common(batch)
        for span in batch.spans:
            if span.fault is not None:
                continue
            try:
                run = mapping.mapped(mapping.draft(span, PAYLOADS), shared)
            except CallerError:
                continue
            for document in (run.inputs, run.outputs, run.events, run.extra):
                if document is not None:
                    found.append(json.loads(document))
    return found


@SLOWLY
@given(st.binary())
def test_any_bytes(body: bytes) -> None:
    for read in (protobuf.read, json_reader.read):
        with contextlib.suppress(CallerError):
            take(read(body, Budget(1000, 100_000, 100)))


CONVERSATIONS = st.sampled_from(
    [
        '{"messages":[{"role":"user","content":"hi"}]}', '{"messages":5,"choices":[{}]}', '{"messages":[]}', "[1]",
        "{}",
        '{"choices":[{"message":{"role":"a","content":1e999}},2]}', '{"choices":[{"message":5}]}', '{"choices":{}}',
        '{"messages":[{"messages":1}],"tools":1}', '[{"role":"user","parts":[{"type":"text","content":"\\ud800"}]}]',
        '[{"role":"user","parts":[{"type":"text","content":"hi"}],"messages":1}]',
        '{"messages":[1,{"role":"x"}],"n":1e999}',
        '{"messages":[{"role":"\\ud800"}]}', '{"a":' + "9" * 5000 + "}", '[{"type":"function","n":1e999}]', "{",
        "[" * 600 + "]" * 600, '{"messages":' + "[" * 499 + "]" * 499 + "}",
    ]
)  # fmt: skip


@SLOWLY
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions", "input.value",
                "output.value", "gen_ai.prompt", "gen_ai.completion", "llm.invocation_parameters", "honeyhive_config",
                "honeyhive_inputs", "honeyhive_outputs.result", "traceloop.entity.output", "gen_ai.agent.name",
            ]
        ),
        CONVERSATIONS | VALUES,
        max_size=5,
    )
)  # fmt: skip
def test_any_model_call_of_a_session(attributes: dict[str, Any]) -> None:
    marked = {"honeyhive.session_id": "s", "gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    span = Span("1" * 32, "2" * 16, None, "chat", marked | attributes)
    take(protobuf.read(encoded("protobuf", [span], {}), Budget(1000, 100_000, 100)))


@SLOWLY
@given(st.lists(SPANS, max_size=3), ATTRIBUTES, st.data())
def test_any_spans(spans: list[Span], resource: dict[str, Any], data: st.DataObject) -> None:
    """Spans of all sorts; then the same with a few bytes changed, or cut short."""
    body = encoded("protobuf", spans, resource)
    take(protobuf.read(body, Budget(1000, 100_000, 100)))
    take(json_reader.read(encoded("json", spans, resource), Budget(1000, 100_000, 100)))
    at = data.draw(st.integers(0, len(body)))
    for broken in (body[:at], body[:at] + data.draw(st.binary(max_size=3)) + body[at + 1 :]):
        with contextlib.suppress(CallerError):
            take(protobuf.read(broken, Budget(1000, 100_000, 100)))


@SLOWLY
@given(st.lists(SPANS, max_size=3), ATTRIBUTES)
def test_both_encodings_say_the_same(spans: list[Span], resource: dict[str, Any]) -> None:
    ways: list[tuple[Callable[[bytes, Budget], list[Batch]], Encoding]] = [
        (protobuf.read, "protobuf"), (json_reader.read, "json"), (json_reader.read, "dialect"),
    ]  # fmt: skip
    made = [
        [
            (span.trace_id, span.span_id, span.parent_id, span.name, span.start, span.end, span.attributes,
             [(event.name, event.attributes) for event in span.events], span.status)
            for batch in read(encoded(encoding, spans, resource), Budget(1000, 100_000, 100))
            for span in batch.spans
        ]
        for read, encoding in ways
    ]  # fmt: skip
    assert made[0] == made[1] == made[2]


@SLOWLY
@given(st.binary())
def test_what_protobufs_own_parser_takes_is_taken(body: bytes) -> None:
    try:
        ExportTraceServiceRequest.FromString(body)
    except Exception:
        return
    protobuf.read(body, Budget(1000, 100_000, 100))


@pytest.mark.parametrize("size", [127, 128, 16_383, 16_384, 3_000_000])
def test_long_texts(size: int) -> None:
    """Where lengths take one more byte."""
    span = Span("01" * 16, "02" * 8, attributes={"k" * min(size, 20_000): "v" * size, "n": size, "m": -size})
    [batch] = protobuf.read(encoded("protobuf", [span]), Budget(10, 100, 10))
    assert batch.spans[0].attributes == span.attributes
