"""Queues that both vendors' clients share, and that fill themselves with events as they come."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from langsmith import Client

START = 1_790_000_000_000


def filters(name: str, *more: dict[str, Any]) -> dict[str, Any]:
    wanted = {"field": "event_name", "operator": "is", "value": name, "type": "string"}
    return {"filterArray": [wanted, *more]}


def queue(hh: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = hh.post("/v1/queues", json={"name": "q", **body})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["queue"]
    return found


def event(hh: httpx.Client, project: str, name: str, **more: Any) -> str:
    """An event that has ended: one that goes on waits in memory for its end before it is looked at."""
    sent: dict[str, Any] = {"event_type": "model", "event_name": name, "inputs": {"q": 1}, "project": project}
    sent |= {"start_time": START, "end_time": START + 10, **more}
    answer = hh.post("/events", json={"event": sent})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["event_id"]
    return found


def held(client: Client, queue_id: str) -> list[str]:
    """The runs of a queue, as LangSmith's client sees them."""
    return [str(run.id) for run in client.list_runs_from_annotation_queue(queue_id)]


def wait_for(read: Callable[[], Sequence[str]], wanted: Sequence[str], seconds: float = 120) -> None:
    """Ask until a queue holds these: it is filled behind the ingest, and nobody tells when."""
    deadline = time.monotonic() + seconds
    while sorted(found := read()) != sorted(wanted):
        assert time.monotonic() < deadline, f"{found} instead of {wanted}"
        time.sleep(0.05)


def test_an_enabled_queue_takes_in_new_events_that_match(
    hh: httpx.Client, client: Client, project: str
) -> None:
    before = event(hh, project, project)
    made = queue(hh, name=project, filters=filters(project))
    first = event(hh, project, project)
    event(hh, project, f"{project}!")
    wait_for(lambda: held(client, made["id"]), [first])
    second = event(hh, project, project, metrics={"accuracy": 1})
    wait_for(lambda: held(client, made["id"]), [first, second])
    changed = hh.put(f"/v1/queues/{made['id']}", json={"id": made["id"], "add_event_ids": [before]})
    assert changed.status_code == 200
    assert sorted(held(client, made["id"])) == sorted([before, first, second])


def test_what_langsmith_records_is_taken_in_too_and_by_its_feedback(
    hh: httpx.Client, client: Client, project: str
) -> None:
    low = {"field": "metrics.accuracy", "operator": "less than", "value": 0.5, "type": "number"}
    made = queue(hh, filters=filters(project, low))
    runs = [uuid.uuid4() for _ in range(3)]
    for run in runs:
        client.create_run(project, {"q": 1}, "llm", id=run, project_name=project)
        client.update_run(run, outputs={"a": 1}, end_time=dt.datetime.now(dt.UTC))
    client.flush()
    for run, score in zip(runs, (0.1, 0.9, 0.2), strict=True):
        client.create_feedback(run, key="accuracy", score=score, trace_id=run)
    client.flush()
    wait_for(lambda: held(client, made["id"]), [str(runs[0]), str(runs[2])])


def test_a_removed_event_does_not_come_back(hh: httpx.Client, client: Client, project: str) -> None:
    made = queue(hh, filters=filters(project))
    events = [event(hh, project, project) for _ in range(3)]
    wait_for(lambda: held(client, made["id"]), events)
    change = {"id": made["id"], "remove_event_ids": [events[0], str(uuid.uuid4())]}
    assert hh.put(f"/v1/queues/{made['id']}", json=change).status_code == 200
    client.delete_run_from_annotation_queue(made["id"], run_id=events[1])
    for gone in events[:2]:
        assert hh.put("/events", json={"event_id": gone, "metadata": {"changed": True}}).status_code == 200
        assert client.read_run(gone).metadata["changed"] is True
    last = event(hh, project, project)
    wait_for(lambda: held(client, made["id"]), [events[2], last])


def test_a_disabled_queue_waits(hh: httpx.Client, client: Client, project: str) -> None:
    made = queue(hh, filters=filters(project), enabled=False)
    watched = queue(hh, filters=filters(project))
    missed = event(hh, project, project)
    wait_for(lambda: held(client, watched["id"]), [missed])
    assert held(client, made["id"]) == []
    assert hh.put(f"/v1/queues/{made['id']}", json={"enabled": True}).json()["queue"]["enabled"] is True
    taken = event(hh, project, project)
    wait_for(lambda: held(client, made["id"]), [taken])


def test_queues_of_one_client_are_the_others(hh: httpx.Client, client: Client, project: str) -> None:
    run = event(hh, project, project)
    made = queue(hh, name=project, description="d", event_ids=[run, run])
    (theirs,) = client.list_annotation_queues(name=project)
    assert (str(theirs.id), theirs.description) == (made["id"], "d")
    assert held(client, made["id"]) == [run]
    own = client.create_annotation_queue(name=f"{project}2")
    client.add_runs_to_annotation_queue(own.id, run_ids=[run])
    read = hh.get(f"/v1/queues/{own.id}").json()
    assert read == {
        "id": str(own.id), "name": f"{project}2", "description": "", "filters": {"filterArray": []},
        "enabled": True, "scope_id": made["scope_id"], "scope_type": "workspace", "is_active": True,
        "created_at": read["created_at"], "updated_at": read["updated_at"],
    }  # fmt: skip
    assert hh.put(f"/v1/queues/{own.id}", json={"name": "x", "remove_event_ids": [run]}).status_code == 200
    assert (client.read_annotation_queue(own.id).name, held(client, str(own.id))) == ("x", [])
    assert hh.delete(f"/v1/queues/{made['id']}").status_code == 200
    assert list(client.list_annotation_queues(name=project)) == []
    client.delete_annotation_queue(own.id)
    assert hh.get(f"/v1/queues/{own.id}").status_code == 404


def test_events_may_be_named_as_their_client_named_them(
    hh: httpx.Client, client: Client, project: str
) -> None:
    """A session id that is no uuid is the same session wherever it is named."""
    name = f"session of {project}"
    span = event(hh, project, project, session_id=name)
    found = queue(hh, event_ids=[span])
    assert held(client, found["id"]) == [span]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"name": "nul \0"}, "NUL"),
    ({"name": 1}, "name"),
    ({"name": "q", "description": "x" * 1001}, "description"),
    ({"name": "q", "enabled": "yes"}, "enabled"),
    ({"name": "q", "filters": []}, "filters"),
    ({"name": "q", "filters": {}}, "filterArray"),
    ({"name": "q", "filters": {"filterArray": [], "more": 1}}, "more"),
    ({"name": "q", "filters": {"filterArray": {}}}, "filterArray"),
    ({"name": "q", "filters": {"filterArray": [{}]}}, "field"),
    (
        {"name": "q", "filters": filters("x", {"field": "event_name", "operator": "like", "value": "x"})},
        "like",
    ),
    ({"name": "q", "event_ids": [str(uuid.uuid4())]}, "event_ids"),
    ({"name": "q", "event_ids": ["nobody's"]}, "event_ids"),
    ({"name": "q", "event_ids": [1]}, "event_ids"),
    ({"name": "q", "event_ids": ["x"] * 10_001}, "event_ids"),
]


@pytest.mark.parametrize(("body", "said"), REFUSED)
def test_what_no_queue_can_be_is_refused(hh: httpx.Client, body: dict[str, Any], said: str) -> None:
    answer = hh.post("/v1/queues", json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["message"]


def test_what_no_queue_can_become_is_refused_and_changes_nothing(hh: httpx.Client) -> None:
    made = queue(hh, description="d")
    path = f"/v1/queues/{made['id']}"
    bodies: list[Any] = [
        {"id": str(uuid.uuid4())},
        {"name": "new", "add_event_ids": [str(uuid.uuid4())]},
        {"name": "new", "filters": {"filterArray": [{"field": "x"}]}},
        {"name": ""},
        [],
        "queue",
    ]
    for body in bodies:
        assert hh.put(path, json=body).status_code == 400
    assert hh.put(path, content=b'{"name":').status_code == 400
    assert hh.get(path).json() == made
    for other in (str(uuid.uuid4()), "6638187d505c6812e4043f24"):
        for method in ("GET", "PUT", "DELETE"):
            answer = hh.request(method, f"/v1/queues/{other}", json={} if method == "PUT" else None)
            assert answer.status_code == 404
            assert other in answer.json()["message"]
    assert hh.get("/v1/queues", params={"enabled": "perhaps"}).status_code == 400


def test_a_pairwise_queue_does_not_fill_itself(hh: httpx.Client, server: Any) -> None:
    made = httpx.post(f"{server.url}/annotation-queues", json={"name": "pairs", "queue_type": "pairwise"})
    answer = hh.put(f"/v1/queues/{made.json()['id']}", json={"filters": filters("x")})
    assert answer.status_code == 400
    assert "pairwise" in answer.json()["message"]


def test_filters_are_taken_away_by_none(hh: httpx.Client, client: Client, project: str) -> None:
    made = queue(hh, filters=filters(project))
    watched = queue(hh, filters=filters(project))
    changed = hh.put(f"/v1/queues/{made['id']}", json={"filters": {"filterArray": []}}).json()["queue"]
    assert changed["filters"] == {"filterArray": []}
    found = event(hh, project, project)
    wait_for(lambda: held(client, watched["id"]), [found])
    assert held(client, made["id"]) == []
