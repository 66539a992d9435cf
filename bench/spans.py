"""The benchmark's runs as OpenTelemetry spans, and what it costs merely to read them.

Attributes are OpenInference's, 6 to 13 a span, with inputs and outputs as JSON text; ids are those of the runs. Bodies
are protobuf, 500 spans each, uncompressed: what OpenTelemetry's exporters send unless told otherwise.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from bench import bodies, data
from bench.bodies import Body
from bench.data import MadeRun, Span
from stenograph.wire.otlp import mapping, protobuf
from stenograph.wire.otlp.spans import Budget
from stenograph.wire.payloads import Payloads

SPANS: Final = 500
_KINDS: Final = {"llm": "LLM", "tool": "TOOL", "retriever": "RETRIEVER", "embedding": "EMBEDDING"}


def _pair(key: str, value: Any) -> KeyValue:
    found = AnyValue()
    if isinstance(value, int):
        found.int_value = value
    elif isinstance(value, list):
        found.array_value.values.extend([AnyValue(string_value=item) for item in value])
    else:
        found.string_value = value
    return KeyValue(key=key, value=found)


def _attributes(run: MadeRun) -> Iterator[tuple[str, Any]]:
    yield "openinference.span.kind", _KINDS.get(run.run_type, "CHAIN")
    yield "input.value", run.inputs.decode()
    yield "input.mime_type", "application/json"
    yield "output.value", run.outputs.decode()
    yield "output.mime_type", "application/json"
    yield "user.id", run.user
    yield "session.id", run.thread
    if run.run_type != "llm":
        return
    metadata = json.loads(run.extra).get("metadata", {})
    yield "llm.model_name", metadata.get("ls_model_name", "gpt-4o")
    yield "llm.provider", metadata.get("ls_provider", "openai")
    yield "llm.invocation_parameters", '{"temperature": 0.2, "max_tokens": 500}'
    yield "llm.token_count.prompt", len(run.inputs) // 4
    yield "llm.token_count.completion", len(run.outputs) // 4
    yield "llm.token_count.total", len(run.inputs) // 4 + len(run.outputs) // 4


def _body(runs: list[MadeRun]) -> Body:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    for key, value in (("service.name", "bench"), ("telemetry.sdk.language", "python")):
        resource.resource.attributes.append(_pair(key, value))
    scope = resource.scope_spans.add()
    scope.scope.name = "bench"
    for run in runs:
        span = scope.spans.add()
        span.trace_id, span.span_id = UUID(run.trace_id).bytes, UUID(run.id).bytes[8:]
        if run.parent_id is not None:
            span.parent_span_id = UUID(run.parent_id).bytes[8:]
        span.name, span.kind, span.flags = run.name, 1, 256
        span.start_time_unix_nano, span.end_time_unix_nano = run.start * 1000, run.end * 1000
        span.attributes.extend([_pair(key, value) for key, value in _attributes(run)])
        if run.error is not None:
            span.status.code, span.status.message = 2, run.error.decode()
    raw = request.SerializeToString()
    return Body(raw, len(raw), len(runs))


def _made(span: Span, batches: range) -> Iterator[Body]:
    runs = (run for batch in batches for trace in data.traces(span, batch) for run in trace)
    while part := list(islice(runs, SPANS)):
        yield _body(part)


def write(folder: Path, span: Span, senders: int) -> list[Path]:
    """Serialise a series for so many senders, each sender's bodies in a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{span.number}-spans-{sender}.bodies" for sender in range(senders)]
    with ProcessPoolExecutor(senders, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(_write_one, path, span, range(sender, span.batches, senders))
            for sender, path in enumerate(paths)
        ]
        for job in jobs:
            job.result()
    return paths


def _write_one(path: Path, span: Span, batches: range) -> None:
    bodies.save(path, _made(span, batches))


@dataclass(frozen=True, slots=True)
class Reading:
    """Microseconds of CPU a span, in this process alone; `bytes` of a span on the wire."""

    parse: float
    walk: float
    read: float
    mapped: float
    bytes: float


def reading(path: Path) -> Reading:
    """What it costs to read a body: protobuf's own parser alone; the same, and every attribute asked for; our
    reader; and with the mapping to runs."""
    body = max(bodies.read(path), key=lambda one: one.runs)
    payloads = Payloads(500)

    def parse() -> Any:
        return ExportTraceServiceRequest.FromString(body.data)

    def walk() -> None:
        for resource in parse().resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    {
                        pair.key: getattr(pair.value, pair.value.WhichOneof("value"))
                        for pair in span.attributes
                    }

    def read() -> Any:
        return protobuf.read(body.data, Budget(1_000_000, 10_000_000, 100))

    def mapped() -> None:
        for batch in read():
            shared = mapping.common(batch)
            for span in batch.spans:
                mapping.mapped(mapping.draft(span, payloads), shared)

    def cost(work: Callable[[], Any]) -> float:
        best = float("inf")
        for _ in range(20):
            began = time.process_time()
            work()
            best = min(best, time.process_time() - began)
        return best / body.runs * 1e6

    gc.collect()
    return Reading(cost(parse), cost(walk), cost(read), cost(mapped), body.inflated / body.runs)
