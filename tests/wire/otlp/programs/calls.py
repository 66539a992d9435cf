"""A program that calls models through OpenAI's client, watched by the instrumentation that its argument names.

Where spans go, and everything else, stands in the environment, as for any program: OTEL_EXPORTER_OTLP_ENDPOINT.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def instrument(name: str) -> None:
    instrumentor: Any
    if name == "openinference":
        from openinference.instrumentation.openai import OpenAIInstrumentor as instrumentor
    elif name == "openllmetry":
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor as instrumentor
    else:
        from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor as instrumentor
    instrumentor().instrument()


def main() -> None:
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    instrument(sys.argv[1])
    client = OpenAI(api_key="any")
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    function: Any = {"name": "weather", "description": "Weather of a city", "parameters": parameters}
    tools: Any = [{"type": "function", "function": function}]
    asked: list[Any] = [{"role": "user", "content": "Weather in Paris?"}]
    with trace.get_tracer("program").start_as_current_span("program"):
        client.chat.completions.create(
            model="gpt-4o-mini",
            temperature=0.2,
            messages=[{"role": "system", "content": "Be brief."}, *asked],
        )
        options: Any = {"include_usage": True}
        list(
            client.chat.completions.create(
                model="gpt-4o-mini", messages=asked, stream=True, stream_options=options
            )
        )
        called = client.chat.completions.create(model="gpt-4o-mini", messages=asked, tools=tools)
        message: Any = called.choices[0].message.model_dump(exclude_none=True)
        result: Any = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
        client.chat.completions.create(model="gpt-4o-mini", messages=[*asked, message, result], tools=tools)
        client.embeddings.create(model="text-embedding-3-small", input="hello")
    provider.shutdown()


if __name__ == "__main__":
    assert os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
    main()
