"""Sessions: started in every shape, started again, read alone and deleted."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from honeyhive import HoneyHive
from langsmith import Client

from stenograph.model.access import DEFAULT_WORKSPACE

FOUNDING_PAGE = {
    "project_id", "source", "session_id", "event_id", "parent_id", "event_type", "event_name", "config",
    "children_ids", "inputs", "outputs", "error", "start_time", "end_time", "duration", "metadata", "feedback",
    "metrics", "user_properties",
}  # fmt: skip
NO_EVENTS = {
    "num_events": 0, "num_model_events": 0, "has_feedback": False, "cost": 0, "total_tokens": 0, "prompt_tokens": 0,
    "completion_tokens": 0,
}  # fmt: skip


def new_id() -> str:
    return str(uuid.uuid4())


def started(hh: httpx.Client, **session: Any) -> dict[str, Any]:
    answer = hh.post("/session/start", json={"session": session})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_real_client_starts_a_session(honeyhive: HoneyHive, client: Client) -> None:
    session, metadata = new_id(), {"plan": {"seats": 3}}
    wanted = {
        "session_id": session, "session_name": "hello", "source": "test", "inputs": {"q": 1}, "metadata": metadata,
        "user_properties": {"user": "u1"}, "config": {"model": "m"}, "start_time": 1_760_000_000_123.5,
    }  # fmt: skip
    answer = honeyhive.sessions.start({"session": wanted})
    assert (answer.event_id, answer.session_id, answer.parent_id) == (session, session, None)
    assert answer.org_id == answer.workspace_id == str(DEFAULT_WORKSPACE)
    assert answer.event_type == "session"
    assert answer.event_name == "hello"
    assert answer.start_time == 1_760_000_000_123.5
    assert answer.metadata == {**metadata, **NO_EVENTS}
    run = client.read_run(session)
    assert str(run.session_id) == answer.project_id
    assert (run.name, run.run_type, run.inputs, run.parent_run_id) == ("hello", "chain", {"q": 1}, None)
    assert run.extra["metadata"] == metadata
    assert run.extra["honeyhive"]["user_properties"] == {"user": "u1"}
    assert client.read_project(project_id=answer.project_id).name == "default"


@pytest.mark.parametrize("shape", ["wrapped", "text", "bare"])
def test_three_shapes_of_one_body(hh: httpx.Client, project: str, shape: str) -> None:
    """That of today's clients, that of the description of March, and that of the LangChain tracer."""
    session = {"session_id": new_id(), "session_name": "n😀", "project": project, "unknown": {"x": []}}
    bodies: dict[str, Any] = {"wrapped": {"session": session}, "text": {"session": json.dumps(session)}}
    answer = hh.post("/session/start", content=json.dumps(bodies.get(shape, session)))
    assert answer.status_code == 200, answer.text
    assert answer.json()["session_id"] == session["session_id"]
    assert answer.json()["event_name"] == "n😀"
    assert hh.get(f"/session/{session['session_id']}").json()["event_name"] == "n😀"


def test_what_is_not_said(hh: httpx.Client) -> None:
    before = time.time() * 1000
    for session in ({}, {"start_time": "2020-01-01T00:00:00Z"}, {"start_time": None}, {"start_time": "soon"}):
        found = started(hh, **session)
        assert (found["event_name"], found["source"]) == ("unknown", "unknown")
        assert before - 1 <= found["start_time"] <= time.time() * 1000 + 1
        assert uuid.UUID(found["session_id"]).version == 4
    assert started(hh, event_name="e", session_name="s")["event_name"] == "e"
    assert started(hh, session_name="s")["event_name"] == "s"


def test_an_id_that_is_no_uuid_is_replaced_anew_each_time(hh: httpx.Client) -> None:
    found = [uuid.UUID(started(hh, session_id="mine")["session_id"]) for _ in range(2)]
    assert [one.version for one in found] == [4, 4]
    assert found[0] != found[1]


def test_starting_again_merges_metadata_and_user_properties_alone(hh: httpx.Client, client: Client) -> None:
    session = new_id()
    first = started(
        hh,
        session_id=session,
        session_name="first",
        source="one",
        inputs={"q": 1},
        metadata={"a": {"b": 1}, "same": 1},
        user_properties={"u": 1},
        metrics={"m": 1},
    )
    again = {
        "session_id": session, "session_name": "second", "source": "two", "inputs": {"q": 2}, "start_time": 5,
        "metadata": {"a": {"c": 2}, "same": 2}, "user_properties": {"v": 2}, "feedback": {"f": "fine"},
    }  # fmt: skip
    merged = {"a": {"b": 1, "c": 2}, "same": 2}
    for _ in range(2):
        found = started(hh, **again)
        assert (found["event_name"], found["source"], found["inputs"]) == ("first", "one", {"q": 1})
        assert found["start_time"] == first["start_time"]
        assert {key: found["metadata"][key] for key in merged} == merged
        assert found["user_properties"] == {"u": 1, "v": 2}
        assert (found["metrics"], found["feedback"]) == ({"m": 1}, {"f": "fine"})
        assert found["project_id"] == first["project_id"]
    assert client.read_run(session).extra["metadata"] == merged


def test_a_start_after_all_the_rest(hh: httpx.Client, project: str) -> None:
    """An update, then an event, and only then the session itself: each finds its place."""
    session = new_id()
    hh.put(
        "/events", json={"event_id": session, "metadata": {"early": 1, "same": "update"}, "outputs": {"o": 1}}
    )
    event = {
        "event_type": "tool",
        "inputs": {},
        "session_id": session,
        "project": project,
        "start_time": 1_000,
    }
    assert hh.post("/events", json={"event": event}).status_code == 200
    assert hh.get(f"/v1/sessions/{session}").json()["event_name"] == "session"
    started(
        hh,
        session_id=session,
        session_name="at last",
        project=project,
        metadata={"late": 2, "same": "start"},
        outputs={"o": 2},
        start_time=2_000,
    )
    found = hh.get(f"/v1/sessions/{session}").json()
    assert (found["event_name"], found["start_time"], found["outputs"]) == ("at last", 2_000, {"o": 1})
    assert found["metadata"] == {
        **NO_EVENTS, "num_events": 1, "early": 1, "late": 2, "same": "update",
    }  # fmt: skip
    assert [child["event_type"] for child in found["children"]] == ["tool"]


def test_a_run_of_somebody_else_keeps_its_name(hh: httpx.Client, client: Client, project: str) -> None:
    """A trace of LangSmith's whose id is taken for a session: metadata joins, nothing is replaced."""
    run = uuid.uuid4()
    client.create_run("theirs", {"q": 1}, "chain", id=run, project_name=project, outputs={"a": 1})
    client.flush()
    found = started(hh, session_id=str(run), session_name="ours", metadata={"x": 1})
    assert (found["event_name"], found["inputs"]) == ("theirs", {"q": 1})
    assert client.read_run(run).name == "theirs"


def test_the_strict_path(hh: httpx.Client) -> None:
    session = new_id()
    answer = hh.post("/v1/sessions", json={"session_id": session, "session_name": "n", "start_time": "text"})
    assert answer.status_code == 200
    assert answer.json()["session_id"] == session
    for body, named in (
        ({"project": "p"}, "project"),
        ({"session": {"session_id": session}}, "session"),
        ({"metadata": []}, "metadata"),
        ({"inputs": "x"}, "inputs"),
        ({"session_name": 5}, "session_name"),
        ({"children_ids": [1]}, "children_ids"),
        ({"duration": "long"}, "duration"),
    ):
        refused = hh.post("/v1/sessions", json=body)
        assert refused.status_code == 400
        assert set(refused.json()) == {"message", "errorCode"}
        assert named in refused.json()["message"]


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"x"', b"{", b'{"session":"{"}', b'{"session":"[]"}', b'{"session":[]}', b"\xff"],
)
def test_bodies_that_are_none(hh: httpx.Client, body: bytes) -> None:
    for path in ("/session/start", "/v1/sessions"):
        answer = hh.post(path, content=body)
        assert answer.status_code == 400, (path, answer.text)
        assert answer.json()["message"]


def test_an_ingestion_key_learns_nothing_of_what_was_there(
    hh: httpx.Client, issue_key: Callable[..., str]
) -> None:
    session, mine = new_id(), {"Authorization": f"Bearer {issue_key(role='ingest')}"}
    started(hh, session_id=session, session_name="secret", metadata={"secret": 1})
    answer = hh.post("/session/start", json={"session_id": session, "metadata": {"x": 1}}, headers=mine)
    assert answer.status_code == 200
    assert "secret" not in answer.text
    assert hh.get(f"/session/{session}", headers=mine).status_code == 403
    assert hh.get(f"/session/{session}").json()["metadata"]["x"] == 1


# -- reading ---------------------------------------------------------------------------------------------


def test_the_founding_page(hh: httpx.Client, project: str) -> None:
    """Its fields and no others, absent rather than null, end_time a whole number."""
    session = new_id()
    full = {
        "session_id": session, "session_name": "n", "source": "playground", "project": project,
        "start_time": 1_700_000_000_000.25, "end_time": 1_700_000_000_825.75, "config": {"model": "m"},
        "inputs": {"q": 1}, "outputs": {"a": 2}, "error": "broke", "metadata": {"k": 1}, "feedback": {"rating": 4},
        "metrics": {"Answer Faithfulness": 5, "Answer Faithfulness_explanation": "accurate"},
        "user_properties": {"user": "u"}, "children_ids": ["elsewhere"],
    }  # fmt: skip
    started(hh, **full)
    found = hh.get(f"/session/{session}").json()
    assert set(found) == FOUNDING_PAGE - {"parent_id"}
    assert found["end_time"] == 1_700_000_000_825
    assert (found["start_time"], found["duration"]) == (1_700_000_000_000.25, 825.5)
    for field in (
        "config",
        "inputs",
        "outputs",
        "error",
        "feedback",
        "metrics",
        "user_properties",
        "children_ids",
    ):
        assert found[field] == full[field], field
    assert (found["event_type"], found["event_id"]) == ("session", session)
    assert found["metadata"] == {**NO_EVENTS, "has_feedback": True, "k": 1}
    bare = started(hh, project=project)["session_id"]
    found = hh.get(f"/session/{bare}").json()
    assert set(found) == FOUNDING_PAGE - {"parent_id", "error", "end_time", "duration"}
    assert None not in found.values()


def test_at_the_root_as_well(http: httpx.Client) -> None:
    session = http.post("/session/start", json={"session": {"session_name": "here"}}).json()["session_id"]
    assert http.get(f"/session/{session}").json()["event_name"] == "here"
    assert http.get(f"/v1/sessions/{session}").json()["event_name"] == "here"


def test_a_figure_that_the_client_states_shows_until_there_is_one_to_count(hh: httpx.Client) -> None:
    session = started(hh, metadata={"cost": 5, "num_events": "many"})["session_id"]
    metadata = hh.get(f"/session/{session}").json()["metadata"]
    assert (metadata["cost"], metadata["num_events"]) == (5, "many")
    event = {"event_type": "model", "inputs": {}, "session_id": session, "metadata": {"cost": 0.25}}
    hh.post("/events", json={"event": event})
    metadata = hh.get(f"/session/{session}").json()["metadata"]
    assert (metadata["cost"], metadata["num_events"]) == (0.25, 1)


def test_events_of_long_ago_in_a_session_of_today(hh: httpx.Client) -> None:
    """What is brought in later says when it was; a session that says nothing starts now."""
    session = hh.post("/session/start", json={"session": {"session_name": "imported"}}).json()["session_id"]
    event = {"event_type": "model", "inputs": {}, "session_id": session, "start_time": 1_714_978_764_301}
    event |= {"metadata": {"total_tokens": 3, "cost": 0.5}, "feedback": {"rating": 5}}
    assert hh.post("/events/batch", json={"events": [event, event]}).status_code == 200
    found = hh.get(f"/session/{session}").json()["metadata"]
    assert (found["num_events"], found["num_model_events"], found["has_feedback"]) == (2, 2, True)
    assert (found["total_tokens"], found["cost"]) == (6, 1.0)
    tree = hh.get(f"/v1/sessions/{session}").json()
    assert {name: tree["metadata"][name] for name in found} == found


def test_sessions_of_a_project_as_trees(hh: httpx.Client, project: str) -> None:
    for number in range(3):
        session = started(hh, project=project, session_name=f"Name {number}", start_time=number)["session_id"]
        hh.post("/events", json={"event": {"event_type": "tool", "inputs": {}, "session_id": session}})

    def names(**params: Any) -> list[str]:
        found = hh.get("/session", params=params).json()
        assert all(len(one["children"]) == 1 for one in found)
        return [one["event_name"] for one in found]

    assert names(project=project) == ["Name 2", "Name 1", "Name 0"]
    assert names(project=project, limit=2) == ["Name 2", "Name 1"]
    assert names(project=project, query="name 1") == ["Name 1"]
    assert hh.get("/session", params={"project": f"no {project}"}).json() == []
    assert hh.get("/session", params={"limit": "x"}).status_code == 400


@pytest.mark.parametrize("path", ["/session/{}", "/v1/sessions/{}", "/v1/events/{}"])
def test_what_is_not_there(hh: httpx.Client, path: str) -> None:
    answer = hh.get(path.format(new_id()))
    assert answer.status_code == 404
    assert "not found" in answer.json()["message"]
    if path.startswith("/v1"):
        assert hh.get(path.format("no-uuid")).status_code == 400


# -- deleting --------------------------------------------------------------------------------------------


def test_a_deleted_session_is_gone_with_its_events_and_may_come_again(
    hh: httpx.Client, client: Client
) -> None:
    session = started(hh, session_name="old", metrics={"m": 1})["session_id"]
    event = {
        "event_type": "tool",
        "inputs": {},
        "session_id": session,
        "event_id": new_id(),
        "metrics": {"n": 2},
    }
    hh.post("/events", json={"event": event})
    answer = hh.delete(f"/v1/sessions/{session}")
    assert (answer.status_code, answer.json()) == (200, {"success": True, "deleted": session})
    for path in (f"/v1/sessions/{session}", f"/session/{session}", f"/v1/events/{event['event_id']}"):
        assert hh.get(path).status_code == 404
    assert list(client.list_feedback(run_ids=[session, event["event_id"]])) == []
    assert hh.delete(f"/v1/sessions/{session}").status_code == 404
    assert hh.delete("/v1/sessions/x").status_code == 400
    assert started(hh, session_id=session, session_name="new")["event_name"] == "new"
    assert hh.get(f"/session/{session}").json()["metrics"] == {}


def test_one_event_may_be_deleted(hh: httpx.Client) -> None:
    session = started(hh)["session_id"]
    above, below = new_id(), new_id()
    for event_id, parent in ((above, session), (below, above)):
        event = {
            "event_type": "chain",
            "inputs": {},
            "session_id": session,
            "event_id": event_id,
            "parent_id": parent,
        }
        hh.post("/events", json={"event": event})
    assert hh.delete(f"/v1/events/{above}").json() == {"success": True, "deleted": above}
    [child] = hh.get(f"/v1/sessions/{session}").json()["children"]
    assert (child["event_id"], child["parent_id"]) == (below, session)
    assert hh.delete(f"/v1/events/{session}").status_code == 200
    assert hh.get(f"/v1/events/{below}").status_code == 404
