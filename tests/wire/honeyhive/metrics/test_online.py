"""Evaluators on new events, end to end: recorded by real clients, evaluated by the server, read by real clients."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from honeyhive import HoneyHive, HoneyHiveTracer, trace
from langsmith import Client

from tests.conftest import Server
from tests.javascript import report_of
from tests.openai_server import ModelServer, Reply
from tests.wire.honeyhive.conftest import PREFIX
from tests.wire.honeyhive.metrics.conftest import environment
from tests.wire.honeyhive.metrics.test_metrics import judge, name, script

SCRIPT = Path(__file__).with_name("typescript.mjs")


def create(hh: httpx.Client, **metric: Any) -> str:
    found = hh.post("/v1/metrics", json={"enabled_in_prod": True, "sampling_percentage": 100, **metric})
    assert found.status_code == 200, found.text
    return str(found.json()["metric_id"])


def until(look: Callable[[], Any], fine: Callable[[Any], bool], seconds: float = 120) -> Any:
    """Until what is looked at is as it should be: the server works on its own time."""
    deadline = time.monotonic() + seconds
    while not fine(found := look()):
        assert time.monotonic() < deadline, found
    return found


def progress(hh: httpx.Client, metric: str, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = hh.get(f"/v1/metrics/{metric}/evaluations", params=params).json()
    return found


def named(event: str) -> dict[str, Any]:
    return {"filterArray": [{"field": "event_name", "operator": "is", "value": event, "type": "string"}]}


def send(hh: httpx.Client, event: str, **more: Any) -> str:
    body = {
        "event_type": "model", "event_name": event, "inputs": {"q": "x"}, "outputs": {"content": "hello"},
        "duration": 5, **more,
    }  # fmt: skip
    found = hh.post("/events", json={"event": body})
    assert found.status_code == 200, found.text
    return str(found.json()["event_id"])


def metrics_of(hh: httpx.Client, event: str) -> dict[str, Any]:
    wanted = [{"field": "event_id", "operator": "is", "value": event, "type": "string"}]
    (found,) = hh.post("/v1/events/export", json={"filters": wanted}).json()["events"]
    metrics: dict[str, Any] = found["metrics"]
    return metrics


def test_events_of_every_client_are_evaluated(
    evaluating: Server,
    hive: HoneyHive,
    hh: httpx.Client,
    model: ModelServer,
    tracer: Callable[..., HoneyHiveTracer],
) -> None:
    """Sent as an event, traced by the tracer, and traced by LangSmith's client; read by both vendors' clients."""
    step = name()
    quality, length = name(), name()
    judged = create(hh, **judge(name=quality, criteria="Rate {{outputs}} [[n]]", filters=named(step)))
    counted = create(
        hh, **script(name=length, criteria="return len(str(event['outputs']))", filters=named(step))
    )
    sent = send(hh, step)
    own = tracer(server_url=evaluating.url + PREFIX, project="default")

    def answer(question: str) -> dict[str, str]:
        return {"content": question.upper()}

    trace(event_type="model", event_name=step, tracer=own)(answer)("traced")
    assert own.force_flush()
    langsmith = Client(api_url=evaluating.url, api_key="any")
    traced = uuid.uuid4()
    ended = dt.datetime.now(dt.UTC)
    langsmith.create_run(step, {"q": 1}, "llm", id=traced, outputs={"content": "smith"}, end_time=ended)
    langsmith.flush()
    for metric in (judged, counted):
        until(partial(progress, hh, metric), lambda now: now["done"] == 3)
    found = metrics_of(hh, sent)
    assert found[quality] == 4
    assert found[f"{quality}_explanation"] == "It is good."
    assert found[length] == len(str({"content": "hello"}))
    (scored,) = [item for item in langsmith.list_feedback(run_ids=[traced]) if item.key == quality]
    assert scored.feedback_source is not None
    assert (scored.score, scored.comment, scored.feedback_source.type) == (4, "It is good.", "auto_eval")
    above = [{"field": f"metrics.{quality}", "operator": "greater than", "value": 3, "type": "number"}]
    assert hh.post("/v1/events/export", json={"filters": above}).json()["count"] == 3
    prompts = [asked.prompt for asked in model.asked if "Rate {" in asked.prompt]
    assert [sum(text in prompt for prompt in prompts) for text in ("hello", "TRACED", "smith")] == [1, 1, 1]
    assert {each.name for each in hive.metrics.list(type="LLM")} >= {quality}
    langsmith.close()


def test_failures_are_shown_and_taken_up_again(hh: httpx.Client, model: ModelServer) -> None:
    step = name()
    metric = create(
        hh, **judge(criteria="Rate {{outputs.content}} for " + step + " [[n]]", filters=named(step))
    )
    failing = create(hh, **script(criteria="return event['outputs']['nope']", filters=named(step)))
    model.answer = lambda asked: (
        Reply(status=400, text="refused by the test") if step in asked.prompt else Reply(text="[[4]]")
    )
    event = send(hh, step)
    found = until(lambda: progress(hh, metric), lambda now: now["failed"] == 1)
    (shown,) = found["evaluations"]
    assert (shown["event_id"], shown["status"], shown["attempts"]) == (event, "failed", 1)
    assert "refused by the test" in shown["reason"]
    found = until(lambda: progress(hh, failing, status="failed"), lambda now: now["failed"] == 1)
    assert found["evaluations"][0]["reason"] == "KeyError: 'nope' (line 1)"
    assert progress(hh, failing, status="done")["evaluations"] == []
    assert metrics_of(hh, event) == {}
    model.answer = lambda asked: Reply(text="It is good. [[4]]")
    assert hh.post(f"/v1/metrics/{metric}/evaluations/retry").json() == {"retried": 1}
    until(lambda: progress(hh, metric), lambda now: now["done"] == 1 and now["failed"] == 0)
    assert 4 in metrics_of(hh, event).values()


def test_work_survives_a_kill(own_server: Server, model: ModelServer) -> None:
    """The server is killed while evaluations wait, and while its model thinks; every one is made, each once."""
    gate = threading.Event()
    began = len(model.asked)
    step = name()
    model.answer = lambda asked: Reply(text="[[2]]", gate=gate)
    own_server.environment = environment(model, STENOGRAPH_EVALUATOR_CONCURRENCY="2")
    own_server.start()
    with httpx.Client(base_url=own_server.url + PREFIX, timeout=60) as hh:
        metric = create(hh, **judge(name="quality", filters=named(step)))
        events = [send(hh, step) for _ in range(12)]
        model.wait_for(began + 2)
        until(lambda: progress(hh, metric), lambda now: now["waiting"] == 12)
        own_server.kill()
        gate.set()
        own_server.start()
        found = until(lambda: progress(hh, metric), lambda now: now["done"] == 12)
        assert {each["event_id"] for each in found["evaluations"]} == set(events)
        assert found["waiting"] == found["failed"] == 0
        assert {metrics_of(hh, event)["quality"] for event in events} == {2}
        text = httpx.get(f"{own_server.url}/metrics").text
        assert 'stenograph_evaluations_total{outcome="done"} 12.0' in text
        assert "stenograph_evaluations_waiting 0.0" in text
    model.answer = lambda asked: Reply(text="It is good. [[4]]")
    assert len(model.asked) - began <= 14, "two were under way"
    assert own_server.stop() == 0, own_server.log[-4000:]


def test_runs_that_were_acknowledged_and_not_yet_written_are_evaluated_after_a_kill(
    own_server: Server, model: ModelServer
) -> None:
    own_server.environment = environment(model, STENOGRAPH_FLUSH_SECONDS="3600")
    own_server.start()
    with httpx.Client(base_url=own_server.url + PREFIX, timeout=60) as hh:
        metric = create(hh, **judge(name="quality"))
        first = send(hh, "a")  # the first may be flushed at once: the server was idle
        events = {first, *(send(hh, "b") for _ in range(5))}
        own_server.kill()
        own_server.environment = environment(model)
        own_server.start()
        found = until(lambda: progress(hh, metric), lambda now: now["done"] >= 6)
        assert {each["event_id"] for each in found["evaluations"]} >= events
    assert own_server.stop() == 0, own_server.log[-4000:]


def test_the_typescript_client(evaluating: Server, hh: httpx.Client) -> None:
    project = f"typescript-{uuid.uuid4().hex[:10]}"
    report = report_of(SCRIPT, evaluating.url + PREFIX, project)
    listed = {each["name"].split()[0]: each for each in report["listed"] if project in each["name"]}
    assert listed["length"]["codeSnippet"] == "return len(event['outputs']['content'])"
    assert (listed["length"]["type"], listed["length"]["task"]) == ("custom", project)
    assert (listed["length"]["eventName"], listed["length"]["eventType"]) == ("chat", "model")
    assert listed["length"]["threshold"] == {"min": 1, "max": 5}
    assert (listed["judged"]["type"], listed["judged"]["passWhen"]) == ("model", True)
    (changed,) = [each for each in report["changed"] if each["id"] == listed["judged"]["id"]]
    assert (changed["description"], changed["passWhen"], changed["prompt"]) == (
        "better",
        False,
        "Rate {{outputs.content}}",
    )
    assert listed["judged"]["id"] not in {each["id"] for each in report["left"]}
    event = send(hh, "chat", project=project)
    other = send(hh, "chat", project="another")
    until(lambda: progress(hh, listed["length"]["id"]), lambda now: now["done"] == 1)
    assert metrics_of(hh, event)[f"length {project}"] == 5
    assert f"length {project}" not in metrics_of(hh, other)
