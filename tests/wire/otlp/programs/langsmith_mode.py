"""LangSmith's decorator, its client told by the environment to export through OpenTelemetry alone."""

from __future__ import annotations

import contextlib
from typing import Any

from langsmith import Client, traceable
from opentelemetry import trace

client = Client()


@traceable(run_type="llm", metadata={"ls_provider": "openai", "ls_model_name": "gpt-4o-mini"})
def model(question: str) -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    return {"role": "assistant", "content": "hi", "usage_metadata": usage}


@traceable(run_type="tool")
def broken() -> None:
    raise ValueError("boom")


@traceable(tags=["a", "b"], metadata={"session_id": "thread-1"})
def chain(question: str) -> str:
    model(question)
    with contextlib.suppress(ValueError):
        broken()
    return "done"


if __name__ == "__main__":
    chain("hello", langsmith_extra={"client": client})
    client.flush()
    provider: Any = trace.get_tracer_provider()
    provider.force_flush()
    provider.shutdown()
