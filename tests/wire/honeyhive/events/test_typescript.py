"""The real TypeScript client: its tracer, its client and its LangChain tracer through one program."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from tests.javascript import report_of
from tests.wire.honeyhive.conftest import PREFIX

SCRIPT = Path(__file__).with_name("tracing.mjs")


@pytest.fixture(scope="module")
def report(server: Server) -> dict[str, Any]:
    return report_of(SCRIPT, server.url + PREFIX, f"typescript {uuid.uuid4()}")


def below(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {child["event_name"]: child for child in node["children"]}


def test_the_session(report: dict[str, Any]) -> None:
    """As the client's own validation lets it through."""
    session = report["session"]
    assert session["sessionId"] == session["eventId"] == report["sessionId"]
    assert (session["eventName"], session["eventType"], session["source"]) == (
        "a program",
        "session",
        "typescript",
    )
    assert session["inputs"] == {"question": "why?"}
    assert (session["metadata"]["early"], session["metadata"]["late"]) == (1, 2)
    assert (session["metrics"], session["userProperties"]) == ({"score": 1}, {"plan": "pro"})


def test_traced_functions(report: dict[str, Any]) -> None:
    tree = report["tree"]
    agent = below(tree)["agent"]
    call = below(agent)["model"]
    assert (agent["event_type"], call["event_type"]) == ("chain", "model")
    assert (call["metrics"], call["feedback"]) == ({"accuracy": 0.75}, {"rating": 4})
    assert call["config"]["model"] == "gpt-4o-mini"
    metadata = tree["metadata"]
    assert (metadata["num_events"], metadata["num_model_events"], metadata["has_feedback"]) == (4, 1, True)
    assert (metadata["cost"], metadata["total_tokens"]) == (0.5, 30)


def test_events(report: dict[str, Any]) -> None:
    event = below(report["tree"])["by hand"]
    assert event["event_id"] == report["created"]["eventId"]
    assert (event["outputs"], event["metrics"], event["duration"]) == ({"a": 3}, {"m": 0.5}, 20)
    assert (event["start_time"], event["end_time"]) == (1_750_000_000_000, 1_750_000_000_020)
    assert report["created"]["success"] is True
    call = report["modelEvent"]
    assert (call["event_type"], call["metadata"]["cost"], call["metadata"]["total_tokens"]) == (
        "model",
        0.25,
        7,
    )
    assert call["outputs"] == {"response": {"role": "assistant", "content": "hello"}}
    assert len(report["modelBatch"]["eventIds"]) == 1


def test_batches(report: dict[str, Any]) -> None:
    assert len(report["batch"]["eventIds"]) == 2
    assert report["batchTree"]["event_name"] == "of a batch"
    assert {child["event_id"] for child in report["batchTree"]["children"]} == set(
        report["batch"]["eventIds"]
    )
    assert len(report["partly"]["eventIds"]) == len(report["partly"]["errors"]) == 1
    assert "4000" in report["partly"]["errors"][0]


def test_langchain(report: dict[str, Any]) -> None:
    session = report["langchain"]
    assert (session["event_name"], session["metadata"]["chain"], session["feedback"]) == (
        "langchain",
        1,
        {"rating": 5},
    )
    chain = below(session)["Chain"]
    call = below(chain)["ChatOpenAI"]
    assert (call["event_type"], call["outputs"]) == ("model", {"generations": ["hello"]})
    assert call["config"]["provider"] == "openai"
    assert abs(chain["start_time"] - session["start_time"]) < 60_000
