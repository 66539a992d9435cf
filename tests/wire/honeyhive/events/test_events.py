"""Events: created one by one, in batches and as model events, and updated, by HoneyHive's own client and by hand."""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import Any, cast

import httpx
import pytest
from honeyhive import HoneyHive
from honeyhive.models import PostEventBatchRequest, PostEventRequest, UpdateEventRequest
from langsmith import Client


def new_id() -> str:
    return str(uuid.uuid4())


def read(hh: httpx.Client, event_id: str) -> dict[str, Any]:
    answer = hh.get(f"/v1/events/{event_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["event"]
    return found


def created(hh: httpx.Client, **event: Any) -> str:
    answer = hh.post("/events", json={"event": {"event_type": "tool", "inputs": {}, **event}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True
    event_id: str = answer.json()["event_id"]
    return event_id


FULL: dict[str, Any] = {
    "event_type": "model", "event_name": "ask", "source": "sdk", "inputs": {"q": [1, None, {"x": 1.5}]},
    "outputs": {"a": "é"}, "config": {"model": "gpt-4o-mini", "hyperparameters": {"t": 0}},
    "metadata": {"nested": {"k": [1]}, "test.unique_id": "u", "none": None}, "user_properties": {"plan": "pro"},
    "feedback": {"rating": 5, "ground_truth": {"a": "b"}}, "error": None, "children_ids": ["one", "two"],
    "metrics": {"accuracy": 0.5, "accuracy_explanation": "half", "ok": True, "label": "good", "alone_explanation": "x"},
    "start_time": 1_750_000_000_000.5, "end_time": 1_750_000_001_000.5,
}  # fmt: skip


# -- creating --------------------------------------------------------------------------------------------


def test_all_that_an_event_says_comes_back(honeyhive: HoneyHive, hh: httpx.Client, client: Client) -> None:
    event_id, session = new_id(), new_id()
    sent = {**FULL, "event_id": event_id, "session_id": session}
    answer = honeyhive.events.create(PostEventRequest(event=sent))
    assert (answer.success, answer.event_id) == (True, event_id)
    found = read(hh, event_id)
    assert {key: found[key] for key in sent if key not in ("end_time", "error")} == {
        key: value for key, value in sent.items() if key not in ("end_time", "error")
    }
    assert (found["end_time"], found["duration"], found["error"]) == (1_750_000_001_000, 1000, None)
    assert found["parent_id"] == session
    run = client.read_run(event_id)
    assert (run.name, run.run_type, str(run.trace_id), str(run.parent_run_id)) == (
        "ask",
        "llm",
        session,
        session,
    )
    assert (run.inputs, run.outputs) == (FULL["inputs"], FULL["outputs"])
    assert (
        run.extra["metadata"] == {**FULL["metadata"], "ls_run_depth": 1}
        or run.extra["metadata"] == FULL["metadata"]
    )
    given = {item.key: item for item in client.list_feedback(run_ids=[event_id])}
    assert set(given) == {"accuracy", "ok", "label", "alone_explanation", "rating", "ground_truth"}
    assert (given["accuracy"].score, given["accuracy"].comment) == (0.5, "half")
    assert given["ok"].score is True
    assert given["label"].value == "good"
    assert given["ground_truth"].value == {"a": "b"}
    assert given["rating"].feedback_source is not None
    assert given["rating"].feedback_source.metadata == {"honeyhive": "feedback"}
    stats = client.read_run(event_id).feedback_stats
    assert stats is not None
    assert stats["accuracy"]["avg"] == 0.5


def test_feedback_given_with_langsmiths_client_is_a_metric(
    hh: httpx.Client, http: httpx.Client, client: Client
) -> None:
    event_id = created(hh, metrics={"accuracy": 0.1})
    client.create_feedback(event_id, key="accuracy", score=0.9, comment="seen again")
    client.create_feedback(event_id, key="mood", value="good")
    client.flush()
    thumb = {"run_id": event_id, "key": "thumb", "score": 1, "feedback_source": {"type": "app"}}
    assert http.post("/feedback", json=thumb).status_code == 200
    found = read(hh, event_id)
    assert found["metrics"] == {"accuracy": 0.9, "accuracy_explanation": "seen again", "mood": "good"}
    assert found["feedback"] == {"thumb": 1}


def test_ids_that_are_not_stated(hh: httpx.Client) -> None:
    one, other = (read(hh, created(hh)) for _ in range(2))
    assert one["session_id"] != other["session_id"]
    assert one["parent_id"] == one["session_id"]
    child = read(hh, created(hh, parent_id=one["event_id"]))
    assert (child["session_id"], child["parent_id"]) == (one["session_id"], one["event_id"])
    own = new_id()
    root = read(hh, created(hh, event_type="session", event_id=own))
    assert (root["session_id"], root.get("parent_id"), root["event_type"]) == (own, None, "session")
    root = read(hh, created(hh, event_type="session", session_id=(own := new_id())))
    assert root["event_id"] == own
    inner = read(hh, created(hh, event_type="session", session_id=own, event_id=new_id()))
    assert (inner["event_type"], inner["parent_id"]) == ("session", own)


def test_ids_that_are_no_uuids(hh: httpx.Client, http: httpx.Client) -> None:
    """One text, one id: on spans of the same session too."""
    name = f"mine-{new_id()}"
    one = read(hh, created(hh, session_id=name, event_id=f"{name}-1"))
    other = read(hh, created(hh, session_id=name, parent_id=f"{name}-1"))
    assert one["session_id"] == other["session_id"]
    assert other["parent_id"] == one["event_id"]
    assert hh.get(f"/session/{name}").json()["event_id"] == one["session_id"]
    assert hh.put("/events", json={"event_id": f"{name}-1", "metadata": {"x": 1}}).status_code == 200
    assert read(hh, one["event_id"])["metadata"] == {"x": 1}
    attributes = [{"key": "honeyhive.session_id", "value": {"stringValue": name}}]
    span = {
        "traceId": uuid.uuid4().hex, "spanId": uuid.uuid4().hex[:16], "name": "step", "attributes": attributes,
        "startTimeUnixNano": str(time.time_ns()), "endTimeUnixNano": str(time.time_ns()),
    }  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert hh.post("/opentelemetry/v1/traces", json=body).status_code == 200
    assert hh.get(f"/session/{name}").json()["metadata"]["num_events"] == 3


def test_types(hh: httpx.Client, client: Client) -> None:
    for kind, run_type in (("model", "llm"), ("tool", "tool"), ("chain", "chain"), ("Generic", "chain")):
        event_id = created(hh, event_type=kind)
        assert read(hh, event_id)["event_type"] == kind.lower()
        assert client.read_run(event_id).run_type == run_type
    for run_type, kind in (
        ("retriever", "tool"),
        ("embedding", "model"),
        ("prompt", "chain"),
        ("parser", "chain"),
    ):
        run, trace = uuid.uuid4(), uuid.uuid4()
        stamp = "20260101T000000000000Z"
        client.create_run(
            "r", {}, cast(Any, run_type), id=run, trace_id=trace, parent_run_id=trace,
            dotted_order=f"{stamp}{trace}.{stamp}{run}",
        )  # fmt: skip
        client.flush()
        assert read(hh, str(run))["event_type"] == kind


@pytest.mark.parametrize(
    ("times", "start", "end"),
    [
        ({"start_time": 1_000_000, "end_time": 1_001_000}, 1_000_000, 1_001_000),
        ({"start_time": 1_000_000, "duration": 12.5}, 1_000_000, 1_000_012),
        ({"end_time": 1_000_000, "duration": 1000}, 999_000, 1_000_000),
        ({"end_time": 1_000_000}, 1_000_000, 1_000_000),
        ({"start_time": 1_750_000_000_000_000, "duration": 1}, 1_750_000_000_000, 1_750_000_000_001),
        ({"start_time": 1_000_000}, 1_000_000, None),
        ({"start_time": 1_000_000, "outputs": {"x": 1}}, 1_000_000, 1_000_000),
        ({"start_time": 1_000_000, "error": ""}, 1_000_000, 1_000_000),
        ({"start_time": 0, "end_time": 0}, 0, 0),
    ],
)
def test_times(hh: httpx.Client, times: dict[str, Any], start: int, end: int | None) -> None:
    found = read(hh, created(hh, **times))
    assert (found["start_time"], found.get("end_time")) == (start, end)


@pytest.mark.parametrize(
    "times", [{}, {"start_time": "2020-01-01"}, {"start_time": -5}, {"start_time": 10**400}, {"duration": 50}]
)
def test_what_nobody_has_timed_happens_now(hh: httpx.Client, times: dict[str, Any]) -> None:
    before = time.time() * 1000
    found = read(hh, created(hh, **times))
    assert before - 51 <= found["start_time"] <= time.time() * 1000 + 1
    assert found.get("duration") == times.get("duration")


def test_a_duration_that_start_and_end_do_not_come_to(hh: httpx.Client) -> None:
    event_id = created(hh, start_time=1_000, end_time=2_000, duration=7.5)
    assert read(hh, event_id)["duration"] == 7.5
    hh.put("/events", json={"event_id": event_id, "end_time": 3_000})
    assert (read(hh, event_id)["end_time"], read(hh, event_id)["duration"]) == (3_000, 2_000)


def test_payloads_that_are_no_objects(hh: httpx.Client) -> None:
    found = read(hh, created(hh, inputs="text", outputs=[1, 2]))
    assert (found["inputs"], found["outputs"]) == ({"value": "text"}, {"value": [1, 2]})
    answer = hh.post("/v1/events", json={"event_type": "tool", "inputs": {}, "outputs": [1]})
    assert read(hh, answer.json()["event_id"])["outputs"] == {"value": [1]}


def test_numbers_and_text_of_every_kind_stay(hh: httpx.Client) -> None:
    body = (
        b'{"event":{"event_type":"tool","inputs":{"big":123456789012345678901234567890,"huge":1e400,'
        b'"nul":"\\u0000","lone":"\\ud800","pair":"\\ud83d\\ude00"},"metadata":{"n":1.50}}}'
    )
    answer = hh.post("/events", content=body)
    assert answer.status_code == 200, answer.text
    raw = hh.get(f"/v1/events/{answer.json()['event_id']}").text
    assert (
        '"big":123456789012345678901234567890,"huge":1e400,"nul":"\\u0000","lone":"\ufffd","pair":"😀"' in raw
    )
    assert '"n":1.50' in raw


def test_the_project_is_that_of_the_session(hh: httpx.Client, client: Client, project: str) -> None:
    session = hh.post("/session/start", json={"session": {"project": project}}).json()
    theirs = read(hh, created(hh, session_id=session["session_id"]))
    assert theirs["project_id"] == session["project_id"]
    other = read(hh, created(hh, session_id=session["session_id"], project=f"{project}-2"))
    assert other["project_id"] == str(client.read_project(project_name=f"{project}-2").id)
    assert read(hh, created(hh, project_id=session["project_id"]))["project_id"] == session["project_id"]
    default = str(client.read_project(project_name="default").id)
    for stranger in (new_id(), "65e0fc2d6a2eb95f55a92cbc"):
        assert read(hh, created(hh, project_id=stranger))["project_id"] == default
    assert read(hh, created(hh, project=""))["project_id"] == default


# -- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"inputs": {}}, "event_type"),
        ({"event_type": "tool"}, "inputs"),
        ({"event_type": "tool", "inputs": None}, "inputs"),
        ({"event_type": "llm", "inputs": {}}, "model, tool, chain, session"),
        ({"event_type": "tool", "inputs": {}, "metadata": "x"}, "metadata"),
        ({"event_type": "tool", "inputs": {}, "metrics": [1]}, "metrics"),
        ({"event_type": "tool", "inputs": {}, "metrics": {"x" * 200: 1}}, "180"),
        ({"event_type": "tool", "inputs": {}, "feedback": {"": 1}}, "feedback"),
        ({"event_type": "tool", "inputs": {}, "children_ids": "x"}, "children_ids"),
        ({"event_type": "tool", "inputs": {}, "event_name": "n" * 4001}, "4000"),
    ],
)
def test_what_is_refused_on_either_path(hh: httpx.Client, event: dict[str, Any], named: str) -> None:
    for path, body in (("/events", {"event": event}), ("/v1/events", event)):
        answer = hh.post(path, json=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["errorCode"] == "Invalid"
        assert named in answer.json()["message"]


@pytest.mark.parametrize(
    "event",
    [
        {"bogus": 1}, {"project": "p"}, {"event": {}}, {"inputs": "x"}, {"outputs": "x"}, {"start_time": "now"},
        {"end_time": 1e300}, {"event_id": "x"}, {"session_id": "x"}, {"parent_id": 5}, {"event_type": "generic"},
        {"event_type": "MODEL"}, {"event_name": {}}, {"duration": "1"}, {"error": {"x": 1}},
    ],
)  # fmt: skip
def test_what_the_strict_path_alone_refuses(hh: httpx.Client, event: dict[str, Any]) -> None:
    whole = {"event_type": "tool", "inputs": {}, **event}
    strict = hh.post("/v1/events", json=whole)
    assert strict.status_code == 400, strict.text
    assert next(iter(event)) in strict.json()["message"]
    forgiving = hh.post("/events", json={"event": {**whole, "event_type": whole["event_type"]}})
    assert forgiving.status_code == 200, forgiving.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b"5", b'{"event":5}', b'{"event":"x"}', b"\xff\xfe"]
)
@pytest.mark.parametrize(
    "path",
    ["/events", "/v1/events", "/events/batch", "/v1/events/batch", "/events/model", "/events/model/batch"],
)
def test_bodies_that_are_none(hh: httpx.Client, path: str, body: bytes) -> None:
    answer = hh.post(path, content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]


def test_nesting_has_a_limit(hh: httpx.Client) -> None:
    deep = b'{"event":{"event_type":"tool","inputs":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}}"
    assert hh.post("/events", content=deep).status_code in (400, 413)


# -- updates ---------------------------------------------------------------------------------------------


def test_maps_merge_and_outputs_replace(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    session = new_id()
    event_id = created(hh, **{**FULL, "session_id": session})
    update = {
        "event_id": event_id, "metadata": {"nested": {"l": 2}, "new": 1}, "config": {"hyperparameters": {"p": 1}},
        "user_properties": {"user": "u"}, "metrics": {"accuracy": 1, "n": 2}, "feedback": {"rating": 3},
        "outputs": {"b": 1}, "children_ids": [], "duration": 250.5, "unknown": 1, "event_name": "other",
    }  # fmt: skip
    for _ in range(2):
        honeyhive.events.update(UpdateEventRequest(**update))
    found = read(hh, event_id)
    assert found["metadata"] == {**FULL["metadata"], "nested": {"k": [1], "l": 2}, "new": 1}
    assert found["config"] == {"model": "gpt-4o-mini", "hyperparameters": {"t": 0, "p": 1}}
    assert found["user_properties"] == {"plan": "pro", "user": "u"}
    assert {key: found["metrics"][key] for key in ("accuracy", "n", "ok")} == {
        "accuracy": 1,
        "n": 2,
        "ok": True,
    }
    assert found["feedback"] == {"rating": 3, "ground_truth": {"a": "b"}}
    assert found["outputs"] == {"b": 1}
    assert found["children_ids"] == ["one", "two"]
    assert (found["duration"], found["end_time"]) == (250.5, 1_750_000_000_251)
    assert found["event_name"] == "ask"
    answer = hh.put(f"/v1/events/{event_id}", json={"outputs": None, "children_ids": ["three"], "extra": 1})
    assert answer.json()["success"] is True
    found = read(hh, event_id)
    assert (found["outputs"], found["children_ids"]) == ({"b": 1}, ["three"])


def test_an_update_may_come_before_its_event(hh: httpx.Client) -> None:
    for stored in (False, True):
        event_id, session = new_id(), new_id()
        update = {
            "event_id": event_id, "metadata": {"same": "update", "u": {"x": 1}}, "outputs": {"o": "update"},
            "metrics": {"m": 1}, "duration": 40, "config": {"c": 1},
        }  # fmt: skip
        assert hh.put("/events", json=update).status_code == 200
        if stored:  # a reader has it written as it stands
            assert read(hh, event_id)["metadata"]["u"] == {"x": 1}
        created(
            hh, event_id=event_id, session_id=session, metadata={"same": "create", "u": {"y": 2}}, start_time=5,
            outputs={"o": "create"}, metrics={"n": 2},
        )  # fmt: skip
        found = read(hh, event_id)
        assert found["metadata"] == {"same": "update", "u": {"x": 1, "y": 2}}
        assert found["outputs"] == {"o": "update"}
        assert found["metrics"] == {"m": 1, "n": 2}
        assert (found["start_time"], found["duration"], found["config"]) == (5, 40, {"c": 1})
        assert found["session_id"] == session


def test_an_update_before_its_span(hh: httpx.Client) -> None:
    event_id, session = new_id(), new_id()
    hh.put("/events", json={"event_id": event_id, "metadata": {"early": True, "both": "update"}})
    said = {
        "honeyhive.session_id": session, "honeyhive_event_id": event_id, "honeyhive_event_type": "tool",
        "honeyhive_metadata.both": "span", "honeyhive_metadata.late": "span", "honeyhive_metrics.m": "x",
    }  # fmt: skip
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in said.items()]
    span = {
        "traceId": uuid.uuid4().hex, "spanId": uuid.uuid4().hex[:16], "name": "step", "attributes": attributes,
        "startTimeUnixNano": "1750000000000000000", "endTimeUnixNano": "1750000001000000000",
    }  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert hh.post("/opentelemetry/v1/traces", json=body).status_code == 200
    found = read(hh, event_id)
    metadata = {key: found["metadata"][key] for key in ("early", "both", "late")}
    assert metadata == {"early": True, "both": "update", "late": "span"}
    assert (found["event_name"], found["session_id"], found["metrics"]) == ("step", session, {"m": "x"})


@pytest.mark.parametrize(
    ("update", "named"),
    [
        ({"outputs": [1]}, "outputs"),
        ({"outputs": "x"}, "outputs"),
        ({"outputs": 0}, "outputs"),
        ({"metadata": "x"}, "metadata"),
        ({"metrics": 5}, "metrics"),
        ({"children_ids": {}}, "children_ids"),
        ({"feedback": {"k": "x" * 9_000_000}}, "feedback.k"),
    ],
)
def test_updates_that_are_refused(hh: httpx.Client, update: dict[str, Any], named: str) -> None:
    event_id = created(hh, outputs={"o": 1}, metrics={"m": 1})
    answers = (
        hh.put("/events", json={"event_id": event_id, **update}),
        hh.put(f"/v1/events/{event_id}", json=update),
    )
    for answer in answers:
        assert answer.status_code in (400, 413)
        assert named in answer.json()["message"]
    assert (read(hh, event_id)["outputs"], read(hh, event_id)["metrics"]) == ({"o": 1}, {"m": 1})


def test_an_update_needs_an_id(hh: httpx.Client) -> None:
    answer = hh.put("/events", json={"metadata": {}})
    assert answer.status_code == 400
    assert "event_id" in answer.json()["message"]
    assert hh.put("/v1/events/no-uuid", json={}).status_code == 400
    assert hh.put("/v1/events/" + new_id(), json={}).status_code == 200


def test_many_updates_at_once_all_count(hh: httpx.Client) -> None:
    event_id = created(hh)

    def update(number: int) -> None:
        body = {
            "event_id": event_id,
            "metadata": {"deep": {f"k{number}": number}},
            "metrics": {f"m{number}": number},
        }
        assert hh.put("/events", json=body).status_code == 200

    threads = [threading.Thread(target=update, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = read(hh, event_id)
    assert found["metadata"]["deep"] == {f"k{number}": number for number in range(20)}
    assert found["metrics"] == {f"m{number}": number for number in range(20)}


# -- batches ---------------------------------------------------------------------------------------------


def test_a_batch_with_the_real_client(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    above = new_id()
    events = [
        {"event_type": "tool", "inputs": {"n": 2}, "parent_id": above, "session_id": new_id()},
        {"event_type": "chain", "inputs": {"n": 1}, "event_id": above, "start_time": 77},
    ]
    batch = PostEventBatchRequest(
        events=events, single_session=True, session_properties={"session_name": "b", "metadata": {"k": 1}}
    )
    answer = honeyhive.events.create_batch(batch)
    assert answer.success is True
    assert len(answer.event_ids) == 2
    assert answer.event_ids[1] == above
    tree = hh.get(f"/v1/sessions/{answer.session_id}").json()
    assert (tree["event_name"], tree["metadata"]["k"], tree["start_time"]) == ("b", 1, 77)
    assert [child["event_id"] for child in tree["children"]] == [above]
    assert [child["inputs"] for child in tree["children"][0]["children"]] == [{"n": 2}]


def test_one_bad_event_takes_no_other_down(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    session = new_id()
    good = {"event_type": "tool", "inputs": {"n": 1}, "session_id": session}
    bad = [{"event_type": "tool"}, 5, {**good, "metrics": {"": 1}}, {**good, "event_name": "n" * 5000}]
    answer = hh.post("/events/batch", json={"events": [good, *bad, good]})
    assert answer.status_code == 500
    found = answer.json()
    assert (len(found["event_ids"]), len(found["errors"]), found["success"]) == (2, 4, True)
    for number, words in ((1, "inputs"), (2, ""), (3, "metrics"), (4, "4000")):
        assert any(f"events[{number}]" in error and words in error for error in found["errors"]), number
    children = hh.get(f"/v1/sessions/{session}").json()["children"]
    assert [child["event_id"] for child in children] == found["event_ids"] or {
        child["event_id"] for child in children
    } == set(found["event_ids"])
    with pytest.raises(Exception, match="inputs is missing"):
        honeyhive.events.create_batch(PostEventBatchRequest(events=[good, {"event_type": "tool"}]))


def test_a_batch_of_bad_events_alone(hh: httpx.Client) -> None:
    answer = hh.post("/events/batch", json={"events": [{"inputs": {}}], "is_single_session": True})
    assert answer.status_code == 400
    assert (answer.json()["event_ids"], answer.json()["success"]) == ([], False)
    assert "session_id" not in answer.json()
    assert hh.post("/events/batch", json={"events": []}).json() == {"event_ids": [], "success": True}


def test_old_names_of_a_batchs_fields(hh: httpx.Client) -> None:
    body = {"events": [{"event_type": "tool", "inputs": {}}] * 2, "is_single_session": True}
    answer = hh.post("/events/batch", json={**body, "session": {"session_name": "old"}}).json()
    assert len(set(answer["event_ids"])) == 2
    assert hh.get(f"/session/{answer['session_id']}").json()["event_name"] == "old"
    answer = hh.post("/events/batch", json={"events": body["events"]}).json()
    assert "session_id" not in answer
    sessions = {read(hh, event_id)["session_id"] for event_id in answer["event_ids"]}
    assert len(sessions) == 2


def test_the_strict_batch_is_all_or_nothing(hh: httpx.Client) -> None:
    event = {"event_type": "tool", "inputs": {}, "event_id": new_id()}
    for body, named in (
        ({"events": [event, {"event_type": "tool"}]}, "events.1.inputs"),
        ({"events": [event, {**event, "bogus": 1}]}, "bogus"),
        ({"events": [event, {**event, "project": "p"}]}, "project"),
        ({"events": [event], "is_single_session": True}, "is_single_session"),
        ({"events": [event], "session": {}}, "session"),
        ({"events": {}}, "events"),
        ({}, "events"),
    ):
        answer = hh.post("/v1/events/batch", json=body)
        assert answer.status_code == 400, body
        assert named in answer.json()["message"]
    assert hh.get(f"/v1/events/{event['event_id']}").status_code == 404
    answer = hh.post("/v1/events/batch", json={"events": [event], "single_session": True})
    assert (answer.status_code, answer.json()["event_ids"]) == (200, [event["event_id"]])
    # what only shows on writing is told apart from what was written
    wrong = {**event, "event_id": new_id(), "metrics": {"x" * 200: 1}}
    answer = hh.post("/v1/events/batch", json={"events": [event, wrong]})
    assert (answer.status_code, answer.json()["event_ids"]) == (500, [event["event_id"]])


def test_a_batch_for_one_session(hh: httpx.Client) -> None:
    session = hh.post("/session/start", json={"session_name": "s"}).json()["session_id"]
    events = [
        {"event_type": "tool", "inputs": {}, "session_id": new_id()},
        {"event_type": "model", "inputs": {}},
    ]
    answer = hh.post(f"/v1/sessions/{session}/events/batch", json={"events": events})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    tree = hh.get(f"/v1/sessions/{session}").json()
    assert sorted(child["event_type"] for child in tree["children"]) == ["model", "tool"]
    for path, body in (
        (f"/v1/sessions/{session}/events/batch", {"events": events, "x": 1}),
        (f"/v1/sessions/{session}/events/batch", {"events": [{"event_type": "x", "inputs": {}}]}),
        ("/v1/sessions/x/events/batch", {"events": events}),
    ):
        assert hh.post(path, json=body).status_code == 400


# -- model events ----------------------------------------------------------------------------------------

CALL: dict[str, Any] = {
    "model": "gpt-4o-mini", "provider": "openai", "messages": [{"role": "user", "content": "hi"}],
    "response": {"content": "hello"}, "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    "cost": 0.25, "hyperparameters": {"temperature": 0}, "template": "t", "template_inputs": {"x": 1}, "tools": [],
    "tool_choice": "none", "response_format": {"type": "text"}, "duration": 12.5, "error": "late",
}  # fmt: skip


def test_a_model_event_is_an_event(hh: httpx.Client, client: Client) -> None:
    session = new_id()
    sent = {**CALL, "session_id": session, "metadata": {"k": 1, "total_tokens": 9}, "inputs": {"own": 1}}
    answer = hh.post("/events/model", json={"model_event": sent})
    assert answer.status_code == 200, answer.text
    found = read(hh, answer.json()["event_id"])
    moved = {key: value for key, value in CALL.items() if key != "response"}
    assert found["inputs"] == {**moved, "own": 1}
    assert found["outputs"] == {"response": {"content": "hello"}}
    assert (found["event_type"], found["event_name"], found["error"]) == ("model", "gpt-4o-mini", "late")
    assert found["config"] == {"model": "gpt-4o-mini", "provider": "openai"}
    assert found["duration"] == 12.5
    assert found["metadata"] == {
        "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 9, "cost": 0.25, "k": 1,
    }  # fmt: skip
    run = client.read_run(answer.json()["event_id"])
    assert (run.total_tokens, run.prompt_tokens, float(run.total_cost or 0)) == (9, 3, 0.25)


def test_model_events_in_a_batch(hh: httpx.Client) -> None:
    events = [{"model_name": "m", "event_name": "n", "response": "text"}, {"model": "m", "metadata": 5}, {}]
    answer = hh.post("/events/model/batch", json={"model_events": events, "single_session": True})
    assert answer.status_code == 500
    [event_id] = answer.json()["event_ids"]
    found = read(hh, event_id)
    assert (found["event_name"], found["outputs"], found["inputs"]) == (
        "n",
        {"response": "text"},
        {"model": "m"},
    )
    assert found["session_id"] == answer.json()["session_id"]


def test_prices_go_by_the_model_of_the_config(hh: httpx.Client, client: Client) -> None:
    event_id = created(
        hh,
        event_type="model",
        config={"model": "gpt-4o-mini"},
        metadata={"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    )
    assert (client.read_run(event_id).total_cost or 0) > 0
    assert read(hh, event_id)["metadata"]["cost"] > 0
    hh.put("/events", json={"event_id": event_id, "metadata": {"cost": 3, "total_tokens": 1200}})
    assert float(client.read_run(event_id).total_cost or 0) == 3
    assert client.read_run(event_id).total_tokens == 1200


@pytest.mark.parametrize("digits", [4300, 4301])
def test_integers_that_readers_refuse(hh: httpx.Client, digits: int) -> None:
    """Python's readers of JSON take 4,300 digits; the page that a longer one is on could not be read."""
    number, session = "9" * digits, new_id()

    def written(document: Any) -> str:
        return json.dumps(document).replace('"LONG"', number)

    good = {"event_type": "tool", "session_id": session, "inputs": {"n": 1}}
    bad = {**good, "inputs": {"n": "LONG"}}
    bodies = {
        "/events": {"event": bad},
        "/events/batch": {"events": [bad, good]},
        "/session/start": {"session": {"session_id": session, "metadata": {"n": "LONG"}}},
        f"/session/{session}/traces": {"logs": [bad, {**good, "inputs": {"n": 2}}]},
    }
    statuses = {path: hh.post(path, content=written(body)).status_code for path, body in bodies.items()}
    update = written({"event_id": session, "outputs": {"n": "LONG"}})
    statuses["PUT"] = hh.put("/events", content=update).status_code
    refused = {"/events": 400, "/events/batch": 500, "/session/start": 400, "PUT": 400}
    refused[f"/session/{session}/traces"] = 400
    assert statuses == (refused if digits > 4300 else dict.fromkeys(refused, 200))
    wanted = [{"field": "session_id", "operator": "is", "value": session, "type": "id"}]
    found = hh.post("/v1/events/export", json={"filters": wanted}).json()["events"]
    kept = [event["inputs"]["n"] for event in found if event["event_type"] == "tool"]
    assert sorted(kept) == sorted([1, 2] if digits > 4300 else [1, 2, *[int(number)] * 3])


# -- LangChain's traces ----------------------------------------------------------------------------------


def log(name: str, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "project": "p", "event_id": new_id(), "event_type": "chain", "event_name": name, "inputs": {"x": name},
        "outputs": {"y": name}, "start_time": 1_750_000_000_000_000, "end_time": 1_750_000_000_500_000,
        "duration": 500, "metadata": {}, "source": "langchain", "children": list(children), **more,
    }  # fmt: skip


def test_nested_logs_in_microseconds(hh: httpx.Client) -> None:
    session = new_id()
    logs = [log("a", log("b", log("c")), log("d")), log("e", event_id=None)]
    answer = hh.post(f"/session/{session}/traces", json={"logs": logs})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    tree = hh.get(f"/v1/sessions/{session}").json()

    def names(node: dict[str, Any]) -> dict[str, Any]:
        return {child["event_name"]: names(child) for child in node["children"]}

    assert names(tree) == {"a": {"b": {"c": {}}, "d": {}}, "e": {}}
    first = tree["children"][0]
    assert (first["start_time"], first["end_time"], first["duration"]) == (
        1_750_000_000_000,
        1_750_000_000_500,
        500,
    )
    assert first["project_id"] == tree["project_id"]


def test_logs_or_events_and_not_both(hh: httpx.Client) -> None:
    path = f"/session/{new_id()}/traces"
    bodies: list[Any] = [
        {},
        {"logs": [], "events": []},
        {"logs": None},
        {"logs": {}},
        [],
        {"logs": [{"event_type": "tool"}]},
    ]
    for body in bodies:
        assert hh.post(path, json=body).status_code == 400, body
    event = {"event_type": "tool", "inputs": {}}
    assert hh.post(path, json={"events": [event]}).json() == {"success": True}
    answer = hh.post(path, json={"events": [event, log("a", {"event_type": "x"})]})
    assert answer.status_code == 400
    assert answer.json()["success"] is True
    assert len(answer.json()["event_ids"]) == 2
    assert "events[1].children[0]" in answer.json()["errors"][0]
    deep = log("deep")
    for _ in range(80):
        deep = log("above", deep)
    assert "deeper" in hh.post(path, content=json.dumps({"logs": [deep]})).text
