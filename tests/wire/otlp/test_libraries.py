"""What real libraries export, read back: each in a program of its own, as its users would write it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from tests.openai_server import ANSWER, serving
from tests.wire.otlp.conftest import Read

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def models() -> Iterator[str]:
    with serving() as url:
        yield url


def run(server: Server, models: str, program: str, *arguments: str, **environment: str) -> None:
    """Run a program that exports to the server; it has ended, and so has exported all."""
    told = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL", "LANGSMITH"))}
    told |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OPENAI_BASE_URL": models,
        "OPENAI_API_KEY": "any",
        **environment,
    }
    command = [sys.executable, "-W", "ignore", str(PROGRAMS / f"{program}.py"), *arguments]
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Failed to export" not in done.stderr, done.stderr[-4000:]


def calls(
    server: Server, models: str, runs: Read, project: str, name: str, **more: str
) -> list[dict[str, Any]]:
    """The model calls of the program `calls`, in their order: plain, streamed, with a tool, its answer, embedding."""
    run(server, models, "calls", name, OTEL_SERVICE_NAME=project, **more)
    found = runs(project)
    root, *below = found
    assert (root["name"], root["run_type"], root["status"]) == ("program", "chain", "success")
    assert [one["run_type"] for one in below] == ["llm"] * 4 + ["embedding"]
    for one in below:
        assert one["parent_run_id"] == root["id"]
        assert one["dotted_order"].startswith(root["dotted_order"] + ".")
        assert one["extra"]["metadata"]["ls_provider"] == "openai"
        assert one["extra"]["metadata"]["service.name"] == project
        assert one["extra"]["metadata"]["otel.scope.name"]
    return below


def said(run: dict[str, Any]) -> Any:
    """What the model said, whether the outputs are a conversation or the provider's response."""
    outputs = run["outputs"]
    return outputs["messages"][0] if "messages" in outputs else outputs["choices"][0]["message"]


def check_conversations(found: list[dict[str, Any]]) -> None:
    plain, streamed, calling, answering, _ = found
    assert [message["role"] for message in plain["inputs"]["messages"]] == ["system", "user"]
    assert plain["inputs"]["messages"][1]["content"] == "Weather in Paris?"
    assert plain["extra"]["invocation_params"]["temperature"] == 0.2
    for one in (plain, streamed, answering):
        assert said(one)["content"].strip() == ANSWER
    [call] = said(calling)["tool_calls"]
    assert call["function"]["name"] == "weather"
    assert call["function"]["arguments"] == '{"city":"Paris"}'
    assert calling["extra"]["invocation_params"]["tools"][0]["type"] == "function"
    last = answering["inputs"]["messages"][-1]
    assert (last["role"], last["tool_call_id"], last["content"]) == ("tool", "call_1", "sunny")


def check_usage(run: dict[str, Any], *, reasoning: bool = True) -> None:
    assert (run["prompt_tokens"], run["completion_tokens"], run["total_tokens"]) == (30, 12, 42)
    assert run["prompt_token_details"] == {"cache_read": 10}
    assert run["completion_token_details"] == ({"reasoning": 4} if reasoning else None)
    assert float(run["total_cost"]) > 0


def test_openinference(server: Server, models: str, runs: Read, project: str) -> None:
    found = calls(server, models, runs, project, "openinference")
    check_conversations(found)
    for one in found[:4]:
        check_usage(one)
    assert found[1]["first_token_time"] is not None
    assert found[4]["inputs"]["input"] == "hello"
    assert found[4]["outputs"]["data"][0]["embedding"] == [0.1, 0.2, 0.3]
    assert found[4]["total_tokens"] == 5


def test_openllmetry(server: Server, models: str, runs: Read, project: str) -> None:
    found = calls(server, models, runs, project, "openllmetry", TRACELOOP_TRACE_CONTENT="true")
    check_conversations(found)
    for number, one in enumerate(found[:4]):
        check_usage(one, reasoning=number != 1)  # it does not read that from a stream
    assert found[1]["first_token_time"] is not None
    assert found[4]["total_tokens"] == 5


def test_genai(server: Server, models: str, runs: Read, project: str) -> None:
    """OpenTelemetry's own instrumentation: it sends what was said as logs, so spans have figures alone."""
    found = calls(server, models, runs, project, "genai")
    for one in found[:4]:
        assert (one["prompt_tokens"], one["completion_tokens"]) == (30, 12)
        assert one["extra"]["metadata"]["ls_model_name"] == "gpt-4o-mini"
        assert float(one["total_cost"]) > 0
    assert found[0]["extra"]["invocation_params"]["temperature"] == 0.2
    assert found[4]["prompt_tokens"] == 5


def test_pydantic_ai(server: Server, models: str, runs: Read, project: str) -> None:
    """Every span in a request of its own, children first."""
    run(server, models, "agent", OTEL_SERVICE_NAME=project)
    found = {one["dotted_order"]: one for one in runs(project)}
    agent, first, *rest = (found[order] for order in sorted(found))
    assert agent["run_type"] == "chain"
    assert agent["outputs"]["output"] == ANSWER
    assert [message["role"] for message in agent["inputs"]["messages"]] == ["system", "user"]
    assert agent["total_tokens"] == 84
    models_called = [one for one in (first, *rest) if one["run_type"] == "llm"]
    assert len(models_called) == 2
    for one in models_called:
        check_usage(one)
        assert one["parent_run_id"] == agent["id"]
    [tool] = [one for one in rest if one["run_type"] == "tool"]
    assert tool["inputs"] == {"city": "Paris"}
    assert tool["outputs"] == {"output": "sunny in Paris"}
    assert tool["dotted_order"].startswith(agent["dotted_order"] + ".")
    assert agent["thread_id"] == agent["extra"]["metadata"]["gen_ai.conversation.id"]


def test_langsmith_in_opentelemetry_mode(server: Server, models: str, runs: Read, project: str) -> None:
    run(
        server,
        models,
        "langsmith_mode",
        OTEL_EXPORTER_OTLP_ENDPOINT="",
        LANGSMITH_ENDPOINT=server.url,
        LANGSMITH_API_KEY="any",
        LANGSMITH_PROJECT=project,
        LANGSMITH_TRACING="true",
        LANGSMITH_OTEL_ENABLED="true",
        LANGSMITH_OTEL_ONLY="true",
    )
    named = {one["name"]: one for one in runs(project)}
    assert named.keys() == {"chain", "model", "broken"}
    root, model, broken = named["chain"], named["model"], named["broken"]
    assert root["id"] == root["trace_id"]
    assert (root["run_type"], model["run_type"], broken["run_type"]) == ("chain", "llm", "tool")
    assert (root["inputs"], root["outputs"]) == ({"question": "hello"}, {"output": "done"})
    assert sorted(root["tags"]) == ["a", "b"]
    assert root["thread_id"] == "thread-1"
    assert (model["prompt_tokens"], model["completion_tokens"]) == (3, 2)
    assert root["total_tokens"] == 5
    assert model["parent_run_id"] == broken["parent_run_id"] == root["id"]
    assert broken["status"] == "error"
    assert "ValueError('boom')" in broken["error"]
