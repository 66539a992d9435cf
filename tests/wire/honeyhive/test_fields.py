"""The table of fields in docs/honeyhive.md, row by row, both ways: written by one client, read by the other."""

from __future__ import annotations

import re
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from honeyhive import HoneyHive
from honeyhive.models import PostEventRequest
from langsmith import Client

from tests.conftest import Server
from tests.wire.honeyhive.conftest import PREFIX

PAGE = Path(__file__).parents[3] / "docs" / "honeyhive.md"
NOON = 1_768_910_400_000

EVENT: dict[str, Any] = {
    "source": "test", "inputs": {"q": {"deep": [1, None]}}, "outputs": {"a": "é"}, "error": "it failed",
    "event_name": "a call", "event_type": "model", "start_time": NOON + 1000, "end_time": NOON + 3500,
    "config": {"temperature": 0.5}, "user_properties": {"plan": "pro"}, "children_ids": ["x"],
    "metadata": {"a": {"b": 1}, "c.d": True, "cost": 0.25, "total_tokens": 30, "prompt_tokens": 10,
                 "completion_tokens": 20},
    "metrics": {"accuracy": 0.75, "accuracy_explanation": "mostly", "passed": True, "label": "good"},
    "feedback": {"rating": 4, "note": {"x": 1}},
}  # fmt: skip


class Pair(NamedTuple):
    """The same record in both views."""

    event: dict[str, Any]
    run: Any
    feedback: dict[str, Any]


Check = Callable[[Pair], bool]


def milliseconds(moment: Any) -> float:
    return float(moment.timestamp() * 1000)


FIELDS: dict[str, Check] = {
    "event_id": lambda it: it.event["event_id"] == str(it.run.id),
    "session_id": lambda it: it.event["session_id"] == str(it.run.trace_id),
    "parent_id": lambda it: it.event["parent_id"] == str(it.run.parent_run_id),
    "project_id": lambda it: it.event["project_id"] == str(it.run.session_id),
    "event_name": lambda it: it.event["event_name"] == it.run.name == "a call",
    "event_type": lambda it: (it.event["event_type"], it.run.run_type) == ("model", "llm"),
    "inputs": lambda it: it.event["inputs"] == it.run.inputs == EVENT["inputs"],
    "outputs": lambda it: it.event["outputs"] == it.run.outputs == EVENT["outputs"],
    "error": lambda it: it.event["error"] == it.run.error == "it failed",
    "start_time": lambda it: it.event["start_time"] == milliseconds(it.run.start_time) == NOON + 1000,
    "end_time": lambda it: it.event["end_time"] == milliseconds(it.run.end_time) == NOON + 3500,
    "duration": lambda it: it.event["duration"] == it.run.latency * 1000 == 2500,
    "metadata": lambda it: (
        EVENT["metadata"].items() >= {"a": {"b": 1}, "c.d": True}.items() <= _metadata(it).items()
    ),
    "metadata.cost": lambda it: it.event["metadata"]["cost"] == float(it.run.total_cost) == 0.25,
    "metadata.total_tokens": lambda it: (
        [it.event["metadata"][f"{kind}_tokens"] for kind in ("total", "prompt", "completion")]
        == [it.run.total_tokens, it.run.prompt_tokens, it.run.completion_tokens]
        == [30, 10, 20]
    ),
    "config": lambda it: it.event["config"] == _aside(it)["config"] == EVENT["config"],
    "user_properties": lambda it: (
        it.event["user_properties"] == _aside(it)["user_properties"] == {"plan": "pro"}
    ),
    "source": lambda it: it.event["source"] == _aside(it)["source"] == "test",
    "children_ids": lambda it: it.event["children_ids"] == _aside(it)["children_ids"] == ["x"],
    "metrics.<key>": lambda it: (
        {key: it.event["metrics"][key] for key in ("accuracy", "passed", "label")}
        == {"accuracy": it.feedback["accuracy"].score, "passed": it.feedback["passed"].score, "label": "good"}
        == {"accuracy": 0.75, "passed": True, "label": it.feedback["label"].value}
    ),
    "metrics.<key>_explanation": lambda it: (
        it.event["metrics"]["accuracy_explanation"] == it.feedback["accuracy"].comment == "mostly"
    ),
    "feedback.<key>": lambda it: (
        it.event["feedback"]
        == {"rating": it.feedback["rating"].score, "note": it.feedback["note"].value}
        == EVENT["feedback"]
    ),
}
"""By the first column of the table."""


def _metadata(it: Pair) -> dict[str, Any]:
    """What both views have."""
    stored = it.run.extra["metadata"]
    return {key: value for key, value in it.event["metadata"].items() if stored.get(key) == value}


def _aside(it: Pair) -> dict[str, Any]:
    found: dict[str, Any] = it.run.extra["honeyhive"]
    return found


@pytest.fixture(scope="module")
def clients(server: Server) -> Iterator[tuple[HoneyHive, Client, httpx.Client]]:
    with warnings.catch_warnings(), httpx.Client(base_url=server.url, timeout=60) as http:
        warnings.simplefilter("ignore")  # the clients announce their own deprecations
        langsmith = Client(api_url=server.url, api_key="any", auto_batch_tracing=False)
        yield HoneyHive(api_key="any", base_url=server.url + PREFIX, timeout=60), langsmith, http
        langsmith.close()


def _by_honeyhive(honeyhive: HoneyHive) -> str:
    session, event = str(uuid.uuid4()), str(uuid.uuid4())
    honeyhive.sessions.start({"session": {"session_id": session, "session_name": "s", "source": "test"}})
    sent = {**EVENT, "event_id": event, "session_id": session, "parent_id": session}
    assert honeyhive.events.create(PostEventRequest(event=sent)).success
    return event


def _by_langsmith(langsmith: Client, http: httpx.Client) -> str:
    trace, run = str(uuid.uuid4()), str(uuid.uuid4())
    root = f"20260120T120000000000Z{trace}"
    common: dict[str, Any] = {"project_name": "fields", "trace_id": trace}
    langsmith.create_run(
        "s", {}, "chain", id=trace, dotted_order=root, start_time="2026-01-20T12:00:00Z", **common
    )
    usage = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30, "total_cost": 0.25}
    langsmith.create_run(
        EVENT["event_name"], EVENT["inputs"], "llm", id=run, parent_run_id=trace,
        dotted_order=f"{root}.20260120T120001000000Z{run}", start_time="2026-01-20T12:00:01Z",
        end_time="2026-01-20T12:00:03.500Z", outputs=EVENT["outputs"], error=EVENT["error"], **common,
        extra={
            "metadata": {"a": {"b": 1}, "c.d": True, "usage_metadata": usage},
            "honeyhive": {key: EVENT[key] for key in ("config", "user_properties", "source", "children_ids")},
        },
    )  # fmt: skip
    langsmith.create_feedback(run, "accuracy", score=0.75, comment="mostly", trace_id=trace)
    langsmith.create_feedback(run, "passed", score=True, trace_id=trace)
    langsmith.create_feedback(run, "label", value="good", trace_id=trace)
    for key, said in (("rating", {"score": 4}), ("note", {"value": {"x": 1}})):
        body = {"run_id": run, "key": key, **said, "feedback_source": {"type": "app"}}
        assert http.post("/feedback", json=body).status_code == 200
    return run


@pytest.fixture(scope="module", params=["honeyhive", "langsmith"])
def pair(request: pytest.FixtureRequest, clients: tuple[HoneyHive, Client, httpx.Client]) -> Pair:
    honeyhive, langsmith, http = clients
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = _by_honeyhive(honeyhive) if request.param == "honeyhive" else _by_langsmith(langsmith, http)
        one = {"field": "event_id", "operator": "is", "value": made, "type": "id"}
        answer = http.post(PREFIX + "/v1/events/export", json={"filters": [one]})
        (event,) = answer.json()["events"]
        run = langsmith.read_run(made)
        feedback = {item.key: item for item in langsmith.list_feedback(run_ids=[made])}
    return Pair(event, run, feedback)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_the_same_in_both_views(pair: Pair, name: str) -> None:
    assert FIELDS[name](pair), (pair.event, pair.run, pair.feedback)


def test_the_table_has_these_rows() -> None:
    section = PAGE.read_text().partition("## One record, two views")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE) == list(FIELDS)
