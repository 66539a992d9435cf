"""Events written by every kind of client into a workspace of their own, to be read in every way. Names are unique, and
all but the spans lie at fixed times.
"""

from __future__ import annotations

import json
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from honeyhive import HoneyHive, HoneyHiveTracer
from honeyhive.models import EventFilter
from langsmith import Client

PREFIX = "/honeyhive"
NOON = 1_768_910_400_000
"""2026-01-20T12:00:00Z in milliseconds."""

HELLO, SUPPORT, OTLP = (
    str(uuid.uuid5(uuid.NAMESPACE_OID, f"corpus {name}")) for name in ("hello", "support", "otlp")
)


def ident(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"corpus {name}"))


@dataclass
class Corpus:
    """The workspace, and clients that speak to it."""

    url: str
    key: str
    hh: httpx.Client
    honeyhive: HoneyHive
    langsmith: Client
    events: list[dict[str, Any]] = field(default_factory=list)

    def names(self, *filters: Any, **question: Any) -> set[str]:
        """The names of the events that pass, as the real client finds them."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = self.honeyhive.events.export(filters=list(filters), limit=7500, **question)
        assert answer.total_events == len(answer.events)
        return {event.event_name or "" for event in answer.events}

    def one(self, name: str) -> dict[str, Any]:
        (found,) = (event for event in self.events if event["event_name"] == name)
        return found


def wanted(field: str, operator: str, value: Any = "", type: str = "string") -> EventFilter:  # noqa: A002
    return EventFilter(field=field, operator=operator, value=str(value), type=type)


@contextmanager
def corpus(url: str, key: str) -> Iterator[Corpus]:
    headers = {"Authorization": f"Bearer {key}"}
    with (
        warnings.catch_warnings(),
        httpx.Client(base_url=url + PREFIX, timeout=60, headers=headers) as hh,
    ):
        warnings.simplefilter("ignore")  # the clients announce their own deprecations
        langsmith = Client(api_url=url, api_key=key, auto_batch_tracing=False)
        made = Corpus(url, key, hh, HoneyHive(api_key=key, base_url=url + PREFIX, timeout=60), langsmith)
        _by_honeyhive(made)
        _by_langsmith(made)
        _by_otlp(made)
        answer = hh.post("/v1/events/export", json={"filters": [], "limit": 7500})
        assert answer.status_code == 200, answer.text
        made.events = answer.json()["events"]
        yield made
        langsmith.close()


def _by_honeyhive(to: Corpus) -> None:
    session = {
        "session_id": HELLO, "session_name": "hello", "source": "test", "start_time": NOON, "end_time": NOON + 9000,
        "inputs": {"question": "Where is the Zebra?"}, "outputs": {"answer": "At the lake"},
        "metadata": {"run_id": "run-1", "plan": {"seats": 3, "name": "pro"}, "plan.name": "flat", "beta": True},
        "user_properties": {"user": "ann", "plan": "free"}, "config": {"version": 2, "model": "m-1"},
    }  # fmt: skip
    to.honeyhive.sessions.start({"session": session})
    common = {"session_id": HELLO, "source": "test"}
    _create(to, **common, event_id=ident("ask"), event_name="ask", event_type="model", start_time=NOON + 1000,
        end_time=NOON + 3500, inputs={"chat_history": [{"role": "user", "content": "hi"}, {"role": "bot"}]},
        outputs={"content": "Hello", "role": "assistant"}, config={"model": "m-2", "hyperparameters": {"top_p": 0.5}},
        metadata={"cost": 0.25, "total_tokens": 30, "prompt_tokens": 10, "completion_tokens": 20, "datapoint_id": "d1"},
        metrics={"accuracy": 0.75, "accuracy_explanation": "mostly", "passed": True, "label": "good"},
        feedback={"rating": 4, "ground_truth": {"answer": "here"}})  # fmt: skip
    _create(to, **common, event_id=ident("look up"), event_name="look up", event_type="tool", parent_id=ident("ask"),
        start_time=NOON + 1500, end_time=NOON + 1750, inputs={"q": 5}, outputs={"hits": [1, 2]}, error="Timeout: late",
        metadata={"run_id": "run-2", "attempt": "2", "when": "2026-01-20T12:30:00Z", "empty": ""},
        children_ids=[ident("ask"), "other"], metrics={"accuracy": 0.25, "passed": False})  # fmt: skip
    _create(to, **common, event_id=ident("wrap"), event_name="wrap", event_type="chain", start_time=NOON + 2000,
        end_time=NOON + 2000, inputs={"question": "nothing"}, metadata={"attempt": 3, "list": [{"a": 1}, {"a": 2}]},
        user_properties={"plan": "paid"})  # fmt: skip


def _create(to: Corpus, **event: Any) -> None:
    answer = to.hh.post("/events", json={"event": event})
    assert answer.status_code == 200, answer.text


def _by_langsmith(to: Corpus) -> None:
    project = "corpus support"
    common: dict[str, Any] = {"project_name": project, "trace_id": SUPPORT}
    start = "2026-01-21T12:00:0{}.000000Z"
    root = f"20260121T120000000000Z{SUPPORT}"
    to.langsmith.create_run("support", {"question": "Zebra?"}, "chain", id=SUPPORT, dotted_order=root, **common,
        start_time=start.format(0), end_time=start.format(8), outputs={"answer": "No"},
        extra={"metadata": {"run_id": "run-1", "env": "prod", "a.b": {"c": 1}}}, tags=["x"])  # fmt: skip
    child = f"{root}.20260121T120001000000Z"
    to.langsmith.create_run("chat", {"messages": [{"role": "user", "content": "Hi"}]}, "llm", id=ident("chat"),
        parent_run_id=SUPPORT, dotted_order=child + ident("chat"), **common, start_time=start.format(1),
        end_time=start.format(4), outputs={"usage_metadata": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10,
        "total_cost": 0.5}}, extra={"metadata": {"ls_model_name": "m-3"}})  # fmt: skip
    to.langsmith.create_run("fetch", {"query": "zebra"}, "retriever", id=ident("fetch"), parent_run_id=SUPPORT,
        dotted_order=child + ident("fetch"), **common, start_time=start.format(1), error="boom")  # fmt: skip
    to.langsmith.create_feedback(ident("chat"), "accuracy", score=0.5, comment="so so", trace_id=SUPPORT)
    to.langsmith.create_feedback(
        ident("chat"), "rating", score=1, value="up", feedback_source_type="model", trace_id=SUPPORT
    )
    answer = to.hh.post(
        to.url + "/feedback",
        json={"run_id": SUPPORT, "key": "stars", "score": 5, "feedback_source": {"type": "app"}},
    )
    assert answer.status_code == 200, answer.text


def _by_otlp(to: Corpus) -> None:
    tracer = HoneyHiveTracer.init(
        api_key=to.key, server_url=to.url + PREFIX, project="corpus spans", session_id=OTLP, session_name="spans",
        source="otlp", disable_batch=True,
    )  # fmt: skip
    with tracer.start_span("step") as span:
        for name, value in {
            "honeyhive_event_type": "tool",
            "honeyhive_inputs.q": json.dumps({"deep": [1, 2]}),
            "honeyhive_outputs.result": "fine",
            "honeyhive_metadata.run_id": "run-2",
            "honeyhive_metrics.accuracy": 1.0,
            "honeyhive_config.model": "m-4",
            "test.unique_id": "u-1",
        }.items():
            span.set_attribute(name, value)
    assert tracer.force_flush()  # where one has been shut down, those that are made later send nothing
