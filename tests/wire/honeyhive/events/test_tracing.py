"""Programs traced with HoneyHive's own Python tracer: sessions, spans, what enriches them before and after."""

from __future__ import annotations

import asyncio
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from honeyhive import HoneyHive, HoneyHiveTracer, trace
from langsmith import Client

Make = Callable[..., HoneyHiveTracer]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The tracer announces deprecations of its own as it works."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def tree(hh: httpx.Client, tracer: HoneyHiveTracer) -> dict[str, Any]:
    """The session as it was recorded, once everything has been sent."""
    assert tracer.force_flush()
    answer = hh.get(f"/v1/sessions/{tracer.session_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def below(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {child["event_name"]: child for child in node["children"]}


def test_a_traced_program(tracer: Make, hh: httpx.Client, client: Client, project: str) -> None:
    own = tracer(session_name="a program", source="test", inputs={"question": "why?"})

    @trace(event_type="model", event_name="model", tracer=own)
    def model(prompt: str, options: dict[str, Any]) -> dict[str, Any]:
        own.enrich_span(
            metadata={
                "total_tokens": 30,
                "prompt_tokens": 10,
                "completion_tokens": 20,
                "cost": 0.5,
                "n": {"x": 1},
            },
            metrics={"accuracy": 0.75, "accuracy_explanation": "mostly"},
            feedback={"rating": 4},
            config={"model": "gpt-4o-mini", "temperature": 0},
            user_properties={"plan": "pro"},
        )
        return {"content": prompt.upper()}

    @trace(event_type="chain", event_name="agent", tracer=own)
    def agent(question: str) -> str:
        content: str = model(question, {"k": [1]})["content"]
        return content

    assert agent("why?") == "WHY?"
    session = tree(hh, own)
    assert (session["event_name"], session["source"], session["event_type"]) == (
        "a program",
        "test",
        "session",
    )
    assert session["inputs"] == {"question": "why?"}
    assert session["session_id"] == own.session_id
    agents = below(session)
    assert set(agents) == {"agent"}
    assert agents["agent"]["event_type"] == "chain"
    call = below(agents["agent"])["model"]
    assert (call["event_type"], call["parent_id"]) == ("model", agents["agent"]["event_id"])
    assert call["inputs"] == {"prompt": "why?", "options": {"k": [1]}}
    assert call["config"] == {"model": "gpt-4o-mini", "temperature": 0}
    assert call["metrics"] == {"accuracy": 0.75, "accuracy_explanation": "mostly"}
    assert call["feedback"] == {"rating": 4}
    assert call["user_properties"] == {"plan": "pro"}
    assert call["metadata"]["n"] == {"x": 1}
    rollup = {
        "num_events": 2, "num_model_events": 1, "has_feedback": True, "cost": 0.5, "total_tokens": 30,
        "prompt_tokens": 10, "completion_tokens": 20,
    }  # fmt: skip
    assert {key: session["metadata"][key] for key in rollup} == rollup
    assert client.read_project(project_id=session["project_id"]).name == project
    run = client.read_run(call["event_id"])
    assert (run.run_type, run.total_tokens, float(run.total_cost or 0)) == ("llm", 30, 0.5)
    [score] = client.list_feedback(run_ids=[run.id], feedback_key=["accuracy"])
    assert (score.score, score.comment) == (0.75, "mostly")
    root = client.read_run(own.session_id or "")
    assert (root.total_tokens, root.name) == (30, "a program")


def test_a_session_is_enriched_before_and_after_its_spans(tracer: Make, hh: httpx.Client) -> None:
    own = tracer(session_name="enriched")
    own.enrich_session(
        metadata={"first": 1, "both": {"a": 1}}, metrics={"score": 0.1}, feedback={"rating": 1}
    )

    @trace(tracer=own, event_type="tool")
    def work() -> int:
        own.enrich_session(metadata={"during": 2, "both": {"b": 2}}, user_properties={"user": "u1"})
        return 1

    work()
    own.enrich_session(
        inputs={"moved": True},
        outputs={"done": True},
        metrics={"score": 0.9},
        config={"model": "m"},
        unknown="kept",
    )
    session = tree(hh, own)
    metadata = session["metadata"]
    assert {key: metadata[key] for key in ("first", "during", "both", "inputs", "unknown")} == {
        "first": 1, "during": 2, "both": {"a": 1, "b": 2}, "inputs": {"moved": True}, "unknown": "kept",
    }  # fmt: skip
    assert (session["outputs"], session["config"]) == ({"done": True}, {"model": "m"})
    assert (session["metrics"], session["feedback"]) == ({"score": 0.9}, {"rating": 1})
    assert session["user_properties"] == {"user": "u1"}
    assert (metadata["num_events"], metadata["has_feedback"]) == (1, True)


def test_a_span_is_enriched_before_it_is_sent(tracer: Make, honeyhive: HoneyHive, hh: httpx.Client) -> None:
    """By its event id, from outside: the update is there first, and nothing of it is lost."""
    own, event_id = tracer(session_name="early"), str(uuid.uuid4())
    with own.start_span("step") as span:
        assert span is not None
        span.set_attribute("honeyhive_event_id", event_id)
        span.set_attribute("honeyhive_metadata.of_span", 1)
        own.enrich_span(event_id=event_id, metadata={"of_update": 2}, metrics={"m": 1}, outputs={"o": 1})
        assert hh.get(f"/v1/events/{event_id}").json()["event"]["metadata"]["of_update"] == 2
    step = below(tree(hh, own))["step"]
    assert step["event_id"] == event_id
    assert (step["metadata"]["of_span"], step["metadata"]["of_update"]) == (1, 2)
    assert (step["metrics"], step["outputs"]) == ({"m": 1}, {"o": 1})


def test_errors(tracer: Make, hh: httpx.Client) -> None:
    own = tracer(session_name="broken")

    @trace(tracer=own, event_type="tool", event_name="broken")
    def broken() -> None:
        raise ValueError("out of paper")

    with pytest.raises(ValueError, match="paper"):
        broken()
    found = below(tree(hh, own))
    assert "out of paper" in found["broken"]["error"]


def test_create_event(tracer: Make, hh: httpx.Client) -> None:
    own = tracer(session_name="events")
    event_id = own.create_event(
        "by hand", event_type="model", inputs={"q": 1}, outputs={"a": 2}, duration=12.5, metadata={"k": 1},
        metrics={"m": 0.5}, config={"model": "m"},
    )  # fmt: skip
    event = below(tree(hh, own))["by hand"]
    assert event["event_id"] == event_id
    assert (event["event_type"], event["inputs"], event["outputs"]) == ("model", {"q": 1}, {"a": 2})
    assert (event["duration"], event["metrics"], event["metadata"]["k"]) == (12.5, {"m": 0.5}, 1)
    assert event["project_id"] == tree(hh, own)["project_id"]


def test_sessions_of_threads_do_not_mix(tracer: Make, hh: httpx.Client) -> None:
    own = tracer(session_name="threads")

    @trace(tracer=own, event_type="tool", event_name="step")
    def step(number: int) -> int:
        return number

    @trace(tracer=own, event_type="chain", event_name="task")
    def task(number: int) -> int:
        return step(number)

    sessions: dict[int, str] = {}

    def request(number: int) -> None:
        sessions[number] = own.create_session(session_name=f"request {number}", inputs={"n": number}) or ""
        for _ in range(3):
            task(number)
        own.enrich_session(metadata={"n": number}, session_id=sessions[number])

    threads = [threading.Thread(target=request, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert own.force_flush()
    assert len(set(sessions.values())) == 4
    for number, session_id in sessions.items():
        session = hh.get(f"/v1/sessions/{session_id}").json()
        assert (session["event_name"], session["metadata"]["n"]) == (f"request {number}", number)
        assert [child["event_name"] for child in session["children"]] == ["task"] * 3
        for child in session["children"]:
            assert [one["inputs"] for one in child["children"]] == [{"number": number}]


def test_asyncio(tracer: Make, hh: httpx.Client) -> None:
    own = tracer(session_name="asyncio")

    @trace(tracer=own, event_type="tool", event_name="step")
    async def step(number: int) -> int:
        await asyncio.sleep(0)
        own.enrich_span(metadata={"number": number})
        return number

    @trace(tracer=own, event_type="chain", event_name="all")
    async def all_of_them() -> list[int]:
        return list(await asyncio.gather(*(step(number) for number in range(10))))

    assert asyncio.run(all_of_them()) == list(range(10))
    session = tree(hh, own)
    steps = below(session)["all"]["children"]
    assert {one["inputs"]["number"] for one in steps} == set(range(10))
    assert all(one["metadata"]["number"] == one["inputs"]["number"] for one in steps)
    assert session["metadata"]["num_events"] == 11


def test_a_session_that_the_server_has_never_heard_of(tracer: Make, hh: httpx.Client) -> None:
    """The tracer makes its session's id itself when it cannot reach the server, and goes on with it."""
    own = tracer(session_name="first")
    session_id = str(uuid.uuid4())
    with own.start_span("step") as span:
        assert span is not None
        span.set_attribute("honeyhive.session_id", session_id)
    own.enrich_session(session_id=session_id, metadata={"k": 1})
    assert own.force_flush()
    session = hh.get(f"/v1/sessions/{session_id}").json()
    assert (session["event_type"], session["event_name"], session["metadata"]["k"]) == (
        "session",
        "session",
        1,
    )
    assert [child["event_name"] for child in session["children"]] == ["step"]
    started = hh.post(
        "/session/start", json={"session": {"session_id": session_id, "session_name": "late"}}
    ).json()
    assert (started["event_name"], started["metadata"]["num_events"]) == ("late", 1)


def test_batches_of_spans(tracer: Make, hh: httpx.Client) -> None:
    """As most programs send them: several in one request, when the tracer is flushed."""
    own = tracer(session_name="batched", disable_batch=False)

    @trace(tracer=own, event_type="tool", event_name="step")
    def step(number: int) -> int:
        own.enrich_span(metrics={"n": number})
        return number

    for number in range(25):
        step(number)
    session = tree(hh, own)
    assert sorted(child["metrics"]["n"] for child in session["children"]) == list(range(25))
