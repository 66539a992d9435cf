"""A session as a tree, and what its events come to."""

from __future__ import annotations

import random
import time
import uuid
from typing import Any
from uuid import UUID

import httpx
from langsmith import Client

from stenograph.model.feedback import Feedback
from stenograph.model.runs import Run, Usage
from stenograph.wire.honeyhive.events import tree
from stenograph.wire.honeyhive.events.tree import MAX_DEPTH

WORKSPACE, PROJECT, SESSION = UUID(int=1), UUID(int=2), UUID(int=3)
START = 1_750_000_000_000_000


def run(number: int, parent: int | None = 0, **more: Any) -> Run:
    """The run with this number; nought is the session."""
    given: dict[str, Any] = {
        "name": str(number), "run_type": "chain", "start_time": START + number, "end_time": START + number + 5_000,
        "is_root": number == 0, "parent_run_id": None if number == 0 or parent is None else ident(parent),
    }  # fmt: skip
    given |= more
    return Run(workspace=WORKSPACE, id=ident(number), trace_id=SESSION, project_id=PROJECT, **given)


def ident(number: int) -> UUID:
    return SESSION if number == 0 else UUID(int=1000 + number)


def made(*runs: Run, feedback: tuple[Feedback, ...] = ()) -> dict[str, Any]:
    return tree.tree(SESSION, sorted(runs, key=lambda one: (one.start_time, one.id)), feedback)


def names(node: dict[str, Any]) -> dict[str, Any]:
    return {child["event_name"]: names(child) for child in node["children"]}


def everyone(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(one for child in node["children"] for one in everyone(child))]


def test_children_within_children_oldest_first() -> None:
    found = made(run(0), run(1), run(2, 1), run(3, 2), run(4), run(5, 1))
    assert names(found) == {"1": {"2": {"3": {}}, "5": {}}, "4": {}}
    assert found["children_ids"] == [ident(1), ident(4)]
    [first, _] = found["children"]
    assert first["children_ids"] == [ident(2), ident(5)]
    assert first["parent_id"] == SESSION
    assert "parent_id" not in found
    assert all("error" not in one for one in everyone(found))


def test_what_a_client_named_as_children_stays() -> None:
    stated = run(0, extra=b'{"honeyhive":{"children_ids":["a"]}}')
    assert made(stated, run(1))["children_ids"] == ["a"]


def test_a_parent_that_is_not_there() -> None:
    assert names(made(run(0), run(1, 99), run(2, 1))) == {"1": {"2": {}}}


def test_a_root_that_is_not_there() -> None:
    found = made(run(1, 0), run(2, 1))
    assert names(found) == {"1": {"2": {}}}
    assert (found["event_id"], found["event_type"], found["start_time"]) == (
        SESSION,
        "session",
        (START + 1) / 1000,
    )


def test_circles_lose_nobody() -> None:
    found = made(run(0), run(1, 2), run(2, 1), run(3, 3), run(4, 5), run(5, 6), run(6, 4), run(7, 6))
    assert sorted(one["event_name"] for one in everyone(found)) == sorted("01234567")


def test_many_circles_are_quick() -> None:
    pairs = [
        one for number in range(1, 10_000, 2) for one in (run(number, number + 1), run(number + 1, number))
    ]
    started = time.perf_counter()
    assert len(everyone(made(run(0), *pairs))) == 10_001
    assert time.perf_counter() - started < 10


def test_a_deep_chain_is_no_deeper_than_readers_bear() -> None:
    found = made(run(0), *(run(number, number - 1) for number in range(1, 3 * MAX_DEPTH)))
    depth, node = 0, found
    while node["children"]:
        depth, node = depth + 1, node["children"][0]
    assert depth == MAX_DEPTH
    by_id = {one["event_id"]: one for one in everyone(found)}
    assert len(by_id) == 3 * MAX_DEPTH
    for number in range(1, 3 * MAX_DEPTH - 1):
        assert by_id[ident(number)]["parent_id"] == ident(number - 1)
        assert by_id[ident(number)]["children_ids"] == [ident(number + 1)]


def test_ends() -> None:
    """A session that nobody has ended is over with the last of its events; an open event has not lasted yet."""
    found = made(run(0, end_time=None), run(1, end_time=START + 9_000_500), run(2, end_time=None))
    assert (found["end_time"], found["duration"]) == ((START + 9_000_500) // 1000, 9_000.5)
    open_one = found["children"][1]
    assert (open_one["end_time"], open_one["duration"]) == ((START + 2) // 1000, 0)
    alone = made(run(0, end_time=None))
    assert (alone["end_time"], alone["duration"]) == (START // 1000, 0)
    ended = made(run(0, end_time=START + 1_000), run(1, end_time=START + 5_000_000))
    assert ended["duration"] == 1


def test_roll_ups() -> None:
    def spent(prompt: int, completion: int, cost: int | None) -> Usage:
        return Usage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
            total_cost=cost,
        )

    def said(number: int, source: bytes) -> Feedback:
        return Feedback(
            workspace=WORKSPACE, id=UUID(int=number), key="k", created_at=1, modified_at=1, run_id=ident(number),
            score=1.0, source=source,
        )  # fmt: skip

    runs = (
        run(0, usage=spent(100, 100, 100)), run(1, run_type="llm", usage=spent(1, 2, 10**12 // 4)),
        run(2, 1, run_type="embedding", usage=spent(3, 0, None)), run(3, 1, run_type="tool", usage=spent(0, 0, 10**12)),
    )  # fmt: skip
    rollup = {
        "num_events": 3, "num_model_events": 2, "has_feedback": False, "cost": 1.25, "total_tokens": 6,
        "prompt_tokens": 4, "completion_tokens": 2,
    }  # fmt: skip
    metric, opinion = (
        said(number, b'{"metadata":{"honeyhive":"%b"}}' % mark)
        for number, mark in ((1, b"metrics"), (2, b"feedback"))
    )
    assert made(*runs, feedback=(metric,))["metadata"] == rollup
    assert made(*runs, feedback=(metric, opinion))["metadata"] == {**rollup, "has_feedback": True}
    assert made(run(0))["metadata"]["num_events"] == 0


def test_the_same_roll_ups_from_the_store(hh: httpx.Client, project: str) -> None:
    """GET /session has them from sums that the store makes, the tree from its own runs."""
    session = hh.post("/session/start", json={"session": {"project": project}}).json()["session_id"]
    events = [
        {
            "event_type": random.choice(("model", "tool", "chain")), "inputs": {}, "session_id": session,
            "feedback": {"rating": 1} if number == 7 else {}, "metrics": {"m": number},
            "metadata": {
                "cost": number / 8, "prompt_tokens": number, "completion_tokens": 2, "total_tokens": number + 2,
            },
        }
        for number in range(20)
    ]  # fmt: skip
    assert hh.post("/events/batch", json={"events": events}).status_code == 200
    alone, whole = (hh.get(path.format(session)).json() for path in ("/session/{}", "/v1/sessions/{}"))
    assert alone["metadata"] == whole["metadata"]
    assert whole["metadata"]["num_events"] == 20
    assert whole["metadata"]["total_tokens"] == sum(number + 2 for number in range(20))
    assert whole["metadata"]["cost"] == sum(number / 8 for number in range(20))
    assert whole["metadata"]["has_feedback"] is True
    assert set(alone["children_ids"]) == {child["event_id"] for child in whole["children"]}


def test_an_events_id_and_a_sessions_id_on_one_path(hh: httpx.Client) -> None:
    session = hh.post("/session/start", json={"session": {"session_name": "s"}}).json()["session_id"]
    body = {"event_type": "tool", "inputs": {"q": 1}, "session_id": session}
    event_id = hh.post("/v1/events", json=body).json()["event_id"]
    assert set(hh.get(f"/v1/events/{event_id}").json()) == {"event"}
    found, whole = (hh.get(f"/v1/{path}/{session}").json() for path in ("events", "sessions"))
    assert found.pop("event") == {key: value for key, value in whole.items() if key != "children"}
    assert found == whole


def test_a_trace_of_langsmiths_is_a_session(hh: httpx.Client, client: Client, project: str) -> None:
    from langsmith.run_helpers import traceable, tracing_context

    @traceable(run_type="llm", name="model", client=client)
    def model(prompt: str) -> dict[str, Any]:
        return {
            "answer": prompt,
            "usage_metadata": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
        }

    @traceable(name="agent", client=client)
    def agent(prompt: str) -> str:
        answer: str = model(prompt)["answer"]
        return answer

    root = uuid.uuid4()
    with tracing_context(enabled=True, project_name=project, client=client):
        agent("why?", langsmith_extra={"run_id": root})
    client.flush()
    session = hh.get(f"/v1/sessions/{root}").json()
    assert (session["event_type"], session["event_name"], session["inputs"]) == (
        "session",
        "agent",
        {"prompt": "why?"},
    )
    [call] = session["children"]
    assert (call["event_type"], call["metadata"]["total_tokens"]) == ("model", 7)
    assert (session["metadata"]["num_model_events"], session["metadata"]["total_tokens"]) == (1, 7)


def test_ten_thousand_events(hh: httpx.Client, project: str) -> None:
    session = hh.post("/session/start", json={"session": {"project": project}}).json()["session_id"]
    ids = [session]
    for start in range(0, 10_000, 2_500):
        events = []
        for number in range(start, start + 2_500):
            ids.append(str(uuid.uuid4()))
            events.append(
                {
                    "event_type": "tool", "event_id": ids[-1], "parent_id": ids[number // 8], "session_id": session,
                    "inputs": {"n": number}, "metrics": {"n": number} if number % 10 == 0 else {},
                }
            )  # fmt: skip
        assert hh.post("/events/batch", json={"events": events}).status_code == 200
    hh.get(f"/session/{session}")  # waits until all is written
    started = time.perf_counter()
    found = hh.get(f"/v1/sessions/{session}").json()
    assert time.perf_counter() - started < 15
    assert found["metadata"]["num_events"] == 10_000
    assert [one["event_id"] for one in everyone(found) if one["metrics"]] != []
    assert {one["event_id"] for one in everyone(found)} == set(ids)
