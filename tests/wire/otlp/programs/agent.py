"""An agent of Pydantic AI with one tool. Its model's address is in OPENAI_BASE_URL."""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel


def main() -> None:
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))  # each span in a request of its own
    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
    agent = Agent(OpenAIChatModel("gpt-4o-mini"), instructions="Be brief.", name="weatherman")

    @agent.tool_plain
    def weather(city: str) -> str:
        """Weather of a city."""
        return f"sunny in {city}"

    agent.run_sync("Weather in Paris?")
    provider.shutdown()


if __name__ == "__main__":
    main()
