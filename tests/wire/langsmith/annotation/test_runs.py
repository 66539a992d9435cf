"""Runs in annotation queues: the real Python client, and plain HTTP for what it does not do."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.utils import LangSmithNotFoundError

from stenograph.model.annotation_queues import OPEN_REVIEWER
from tests.wire.langsmith.annotation.test_queues import BASE, made
from tests.wire.langsmith.feedback.giving import give
from tests.wire.langsmith.recorded import START, Trace, record

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*deprecated.*")

ME = str(OPEN_REVIEWER)


@pytest.fixture
def runs(http: httpx.Client, project: str) -> list[str]:
    """Three root runs."""
    return [str(run) for run in record(http, project, *(Trace(name=f"run {n}") for n in range(3)))]


@pytest.fixture
def queue(http: httpx.Client, runs: list[str]) -> str:
    """A queue of these."""
    queue_id: str = made(http)["id"]
    add(http, queue_id, runs)
    return queue_id


def add(http: httpx.Client, queue_id: str, wanted: Any, path: str = "runs") -> list[dict[str, Any]]:
    answer = http.post(f"{BASE}/{queue_id}/{path}", json=wanted)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def listed(http: httpx.Client, queue_id: str, **params: Any) -> list[dict[str, Any]]:
    answer = http.get(f"{BASE}/{queue_id}/runs", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [run["id"] for run in found]


def size(http: httpx.Client, queue_id: str, which: str = "size", **params: Any) -> int:
    answer = http.get(f"{BASE}/{queue_id}/{which}", params=params)
    assert answer.status_code == 200, answer.text
    found: int = answer.json()["size"]
    return found


def mark(http: httpx.Client, item_id: str, status: str | None, **fields: Any) -> dict[str, Any]:
    answer = http.post(f"{BASE}/status/{item_id}", json={"status": status, **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# -- the client ------------------------------------------------------------------------------------------


def test_the_client_adds_reads_and_deletes_runs(client: Client, http: httpx.Client, runs: list[str]) -> None:
    queue = client.create_annotation_queue(name="q").id
    client.add_runs_to_annotation_queue(queue, run_ids=list(runs))
    assert [str(run.id) for run in client.list_runs_from_annotation_queue(queue)] == runs
    first = client.get_run_from_annotation_queue(queue, index=0)
    assert (str(first.id), first.name, first.run_type) == (runs[0], "run 0", "chain")
    assert first.last_reviewed_time is None
    assert first.added_at is not None
    assert [str(run.id) for run in client.list_runs_from_annotation_queue(queue, limit=2)] == runs[:2]
    assert str(client.get_run_from_annotation_queue(queue, index=2).id) == runs[2]
    with pytest.raises(LangSmithNotFoundError):
        client.get_run_from_annotation_queue(queue, index=3)
    client.delete_run_from_annotation_queue(queue, run_id=runs[0])
    assert str(client.get_run_from_annotation_queue(queue, index=0).id) == runs[1]
    with pytest.raises(LangSmithNotFoundError):
        client.delete_run_from_annotation_queue(queue, run_id=runs[0])
    mark(http, listed(http, str(queue))[0]["queue_run_id"], "completed")
    by_status = {
        status: [str(run.id) for run in client.list_runs_from_annotation_queue(queue, status=status)]
        for status in ("needs_my_review", "needs_others_review", "completed")
    }
    assert by_status == {"needs_my_review": [runs[2]], "needs_others_review": [], "completed": [runs[1]]}
    assert [str(run.id) for run in client.list_runs_from_annotation_queue(queue)] == runs[1:]


def test_the_client_adds_runs_by_key_before_they_are_there(
    client: Client, http: httpx.Client, project: str, runs: list[str]
) -> None:
    queue = client.create_annotation_queue(name="q").id
    (session,) = http.get("/sessions", params={"name": project}).json()
    late = uuid.uuid4()
    start = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    source = uuid.uuid4()
    client.add_runs_to_annotation_queue(
        queue,
        runs=[
            {
                "run_id": late,
                "session_id": session["id"],
                "start_time": start,
                "source_proposed_example_id": source,
            },
            {"run_id": runs[0], "session_id": session["id"], "start_time": START},
        ],
    )
    waiting, there = client.list_runs_from_annotation_queue(queue)
    assert (waiting.id, waiting.start_time, waiting.end_time) == (late, start.replace(tzinfo=None), None)
    assert (str(there.id), there.name) == (runs[0], "run 0")
    raw = listed(http, str(queue))[0]
    assert (raw["status"], raw["session_id"]) == ("pending", session["id"])
    assert (raw["trace_id"], raw["source_proposed_example_id"]) == (str(late), str(source))
    assert raw["dotted_order"] == f"20260102T030405000006Z{late}"
    client.create_run("late", {"x": 1}, "chain", id=late, start_time=start, project_name=project)
    client.flush()
    assert next(client.list_runs_from_annotation_queue(queue)).name == "late"


def test_the_client_pages_through_many_runs(client: Client, http: httpx.Client, project: str) -> None:
    runs = [str(run) for run in record(http, project, *(Trace() for _ in range(130)))]
    queue = client.create_annotation_queue(name="q").id
    client.add_runs_to_annotation_queue(queue, run_ids=list(runs))
    assert [str(run.id) for run in client.list_runs_from_annotation_queue(queue)] == runs


# -- adding ----------------------------------------------------------------------------------------------


def test_a_run_is_in_a_queue_once(http: httpx.Client, queue: str, runs: list[str]) -> None:
    items = listed(http, queue)
    again = add(http, queue, [runs[2], runs[0], {"run_id": runs[2]}])
    assert [item["id"] for item in again] == [items[2]["queue_run_id"], items[0]["queue_run_id"]]
    assert again[0] == {
        "id": items[2]["queue_run_id"],
        "queue_id": queue,
        "run_id": runs[2],
        "added_at": items[2]["added_at"],
        "last_reviewed_time": None,
        "source_proposed_example_id": None,
    }
    assert listed(http, queue) == items
    other = made(http)["id"]
    assert add(http, other, [runs[0]])[0]["id"] != items[0]["queue_run_id"]
    found = http.get(f"{BASE}/{runs[0]}/queues").json()
    assert [each["id"] for each in found] == [other, queue]
    assert http.get(f"{BASE}/{runs[1]}/queues").json()[0]["id"] == queue
    (total,) = http.get(BASE, params={"ids": queue}).json()
    assert total["total_runs"] == 3


def test_runs_are_named_in_any_form(http: httpx.Client, runs: list[str], project: str) -> None:
    queue = made(http)["id"]
    (session,) = http.get("/sessions", params={"name": project}).json()
    source = str(uuid.uuid4())
    wanted = [
        uuid.UUID(runs[0]).hex,
        {"run_id": runs[1], "source_proposed_example_id": source},
        {
            "run_id": runs[2],
            "start_time": START.isoformat(),
            "session_id": session["id"],
            "trace_id": runs[2],
            "parent_run_id": None,
            "trace_tier": "longlived",
        },
    ]
    added = add(http, f"{queue}", wanted, "runs?extend_trace_retention=true")
    assert [(item["run_id"], item["source_proposed_example_id"]) for item in added] == [
        (runs[0], None),
        (runs[1], source),
        (runs[2], None),
    ]
    assert add(http, queue, []) == []


def test_adding_is_all_or_nothing(http: httpx.Client, runs: list[str]) -> None:
    queue = made(http)["id"]
    unknown = str(uuid.uuid4())
    answer = http.post(f"{BASE}/{queue}/runs", json=[runs[0], unknown])
    assert (answer.status_code, answer.json()) == (404, {"detail": f"run not found: {unknown}"})
    many = [str(uuid.uuid4()) for _ in range(2500)]
    assert "…" in http.post(f"{BASE}/{queue}/runs", json=many).json()["detail"]
    assert listed(http, queue) == []
    keys = [{"run_id": run, "session_id": unknown, "start_time": "2026-01-01T00:00:00Z"} for run in many]
    assert [item["run_id"] for item in add(http, queue, keys, "runs/by-key")] == many
    assert size(http, queue, "total_size") == 2500
    assert ids(listed(http, queue, offset=2399)) == many[2399:2499]
    too_many = http.post(f"{BASE}/{queue}/runs", json=[runs[0]] * 10_001)
    assert too_many.status_code == 422
    wrong: Any
    for wrong in (
        {"run_id": runs[0]},
        ["x"],
        [5],
        [{"session_id": unknown}],
        [{"run_id": runs[0], "start_time": "x"}],
    ):
        assert http.post(f"{BASE}/{queue}/runs", json=wrong).status_code == 422, wrong
    for wrong in ([{"run_id": runs[0]}], [{**keys[0], "start_time": None}], [runs[0]]):
        assert http.post(f"{BASE}/{queue}/runs/by-key", json=wrong).status_code == 422, wrong
    for path in ("runs", "runs/by-key"):
        assert http.post(f"{BASE}/{uuid.uuid4()}/{path}", json=[]).status_code == 404


def test_a_pairwise_queue_takes_runs_two_by_two(http: httpx.Client, runs: list[str]) -> None:
    queue = made(http, queue_type="pairwise")["id"]
    a, b, c = runs
    first, second = add(http, queue, [a, b, c, {"run_id": b}])
    assert (first["run_id"], first["paired_run_id"]) == (a, b)
    assert add(http, queue, [b, a]) == [first]
    found = listed(http, queue)
    assert [(run["id"], run["paired_run"]["id"]) for run in found] == [(a, b), (c, b)]
    assert found[0]["paired_run"]["name"] == "run 1"
    assert [each["id"] for each in http.get(f"{BASE}/{b}/queues").json()] == [queue]
    for wrong in ([a], [a, b, c], [a, a]):
        assert http.post(f"{BASE}/{queue}/runs", json=wrong).status_code == 422, wrong
    assert http.delete(f"{BASE}/{queue}/runs/{a}").status_code == 200
    assert [item["queue_run_id"] for item in listed(http, queue)] == [second["id"]]
    assert http.delete(f"{BASE}/{queue}/runs/{b}").status_code == 200
    assert listed(http, queue) == []


# -- reading ---------------------------------------------------------------------------------------------


def test_a_listed_run_is_the_whole_run_and_its_place_in_the_queue(
    http: httpx.Client, queue: str, runs: list[str]
) -> None:
    give(http, run_id=runs[0], key="k", score=1)
    run = listed(http, queue)[0]
    alone = http.get(f"/runs/{runs[0]}").json()
    of_queue = {
        "queue_run_id", "added_at", "effective_added_at", "last_reviewed_time", "reserved_by", "completed_by",
        "source_proposed_example_id",
    }  # fmt: skip
    assert {field: run[field] for field in alone if field != "child_run_ids"} == {
        field: value for field, value in alone.items() if field != "child_run_ids"
    }
    assert run.keys() - alone.keys() == of_queue
    assert run["feedback_stats"]["k"]["n"] == 1
    assert (run["reserved_by"], run["completed_by"], run["last_reviewed_time"]) == ([], [], None)
    assert run["effective_added_at"] == run["added_at"]
    assert "feedback_stats" not in listed(http, queue, include_stats="False")[0]
    plain = http.get(f"{BASE}/{queue}/run/0").json()
    assert plain == {field: value for field, value in run.items() if field != "extra"}
    assert http.get(f"{BASE}/{queue}/run/0", params={"include_extra": "True"}).json() == run


def test_the_index_is_of_what_needs_the_callers_review(
    http: httpx.Client, queue: str, runs: list[str]
) -> None:
    items = listed(http, queue)
    mark(http, items[0]["queue_run_id"], "completed")

    def at(index: object) -> httpx.Response:
        return http.get(f"{BASE}/{queue}/run/{index}")

    assert [at(index).json()["id"] for index in (0, 1)] == runs[1:]
    for past in (2, 999_999_999, 10**12, "9" * 5000):
        assert at(past).status_code == 404, past
    for wrong in ("-1", "x", "1.5", "٣"):
        assert at(wrong).status_code == 422, wrong
    assert http.get(f"{BASE}/{uuid.uuid4()}/run/0").status_code == 404


def test_sections_sizes_and_places(http: httpx.Client, queue: str, runs: list[str]) -> None:
    items = [run["queue_run_id"] for run in listed(http, queue)]
    mark(http, items[1], "completed")
    assert ids(listed(http, queue)) == runs
    assert ids(listed(http, queue, archived="true")) == [runs[1]]
    assert ids(listed(http, queue, archived="false")) == [runs[0], runs[2]]
    assert ids(listed(http, queue, status="completed")) == [runs[1]]
    assert ids(listed(http, queue, status="needs_my_review", offset=1)) == [runs[2]]
    assert listed(http, queue, status="completed", archived="false") == []
    assert size(http, queue) == size(http, queue, status="needs_my_review") == 2
    assert size(http, queue, status="completed") == size(http, queue, "total_archived") == 1
    assert size(http, queue, status="needs_others_review") == 0
    assert size(http, queue, "total_size") == 3
    done = dt.datetime.fromisoformat(listed(http, queue, archived="true")[0]["last_reviewed_time"])
    earlier, later = ((done + dt.timedelta(seconds=n)).isoformat() for n in (-1, 1))
    assert size(http, queue, "total_archived", start_time=earlier, end_time=later) == 1
    assert size(http, queue, "total_archived", start_time=later) == 0
    assert size(http, queue, "total_archived", end_time=earlier) == 0
    places = [http.get(f"{BASE}/{queue}/runs/resolve/{item}").json() for item in items]
    assert places == [
        {"section": "needs_my_review", "position": 0},
        {"section": "completed", "position": 0},
        {"section": "needs_my_review", "position": 1},
    ]
    other = made(http)["id"]
    assert http.get(f"{BASE}/{other}/runs/resolve/{items[0]}").status_code == 404
    for path in ("runs", "size", "total_size", "total_archived"):
        assert http.get(f"{BASE}/{uuid.uuid4()}/{path}").status_code == 404
    for path, params in (
        ("runs", {"status": "archived"}),
        ("runs", {"limit": 0}),
        ("runs", {"offset": -1}),
        ("size", {"status": ""}),
        ("total_archived", {"start_time": "soon"}),
    ):
        assert http.get(f"{BASE}/{queue}/{path}", params=params).status_code == 422, (path, params)


# -- changing --------------------------------------------------------------------------------------------


def test_an_item_is_changed_by_either_id(http: httpx.Client, queue: str, runs: list[str]) -> None:
    first = listed(http, queue)[0]

    def changed(which: str, **fields: Any) -> dict[str, Any]:
        answer = http.patch(f"{BASE}/{queue}/runs/{which}", json=fields)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    last = "2199-01-01T00:00:00.000000Z"
    assert changed(first["queue_run_id"], added_at=last)["added_at"] == last
    assert ids(listed(http, queue)) == [*runs[1:], runs[0]]
    reviewed = "2026-01-01T00:00:00.000001Z"
    found = changed(runs[0], last_reviewed_time=reviewed, added_at=None)
    assert (found["last_reviewed_time"], found["added_at"]) == (reviewed, last)
    run = listed(http, queue)[2]
    assert (run["last_reviewed_time"], run["effective_added_at"]) == (reviewed, last)
    assert changed(runs[0]) == found
    patch = {"added_at": last}
    assert http.patch(f"{BASE}/{queue}/runs/{uuid.uuid4()}", json=patch).status_code == 404
    assert http.patch(f"{BASE}/{uuid.uuid4()}/runs/{runs[0]}", json=patch).status_code == 404
    assert http.patch(f"{BASE}/{queue}/runs/{runs[0]}", json={"added_at": "x"}).status_code == 422


def test_many_are_taken_out(http: httpx.Client, queue: str, runs: list[str]) -> None:
    def remove(**body: Any) -> httpx.Response:
        return http.post(f"{BASE}/{queue}/runs/delete", json=body)

    item = listed(http, queue)[1]["queue_run_id"]
    answer = remove(run_ids=[runs[0], item, str(uuid.uuid4())], exclude_run_ids=[runs[0]])
    assert (answer.status_code, answer.json()["count"]) == (200, 1)
    assert ids(listed(http, queue)) == [runs[0], runs[2]]
    assert remove(delete_all=True, exclude_run_ids=[runs[2]]).json()["count"] == 1
    assert ids(listed(http, queue)) == [runs[2]]
    assert remove(delete_all=True).json()["count"] == 1
    assert remove(delete_all=True).json()["count"] == 0
    assert remove(run_ids=[]).json()["count"] == 0
    assert remove().status_code == 422
    assert remove(run_ids=["x"]).status_code == 422
    assert http.post(f"{BASE}/{uuid.uuid4()}/runs/delete", json={"delete_all": True}).status_code == 404


# -- reviewing -------------------------------------------------------------------------------------------


def test_a_review_from_first_look_to_last(http: httpx.Client, queue: str, runs: list[str]) -> None:
    item = listed(http, queue)[0]["queue_run_id"]
    viewed = mark(http, item, "viewed")
    assert viewed == {
        "queue_item_id": item,
        "status": "viewed",
        "override_added_at": None,
        "is_archived": False,
    }
    assert listed(http, queue)[0]["reserved_by"] == [ME]
    # Put back, and to the end of my order.
    moved = mark(http, item, None, override_added_at="2199-01-01T00:00:00Z")
    assert (moved["status"], moved["override_added_at"]) == (None, "2199-01-01T00:00:00.000000Z")
    found = listed(http, queue)
    assert ids(found) == [*runs[1:], runs[0]]
    assert found[2]["effective_added_at"] == "2199-01-01T00:00:00.000000Z"
    assert found[2]["added_at"] < "2199"
    assert found[2]["reserved_by"] == []
    done = mark(http, item, "completed")
    assert (done["status"], done["is_archived"]) == ("completed", True)
    run = listed(http, queue, status="completed")[0]
    assert (run["completed_by"], run["last_reviewed_time"] is None) == ([ME], False)
    assert mark(http, item, "viewed") == done
    assert mark(http, item, None)["is_archived"] is False
    assert size(http, queue) == 3
    for wrong in ({"status": "started"}, {"status": 1}, {"override_added_at": "x"}):
        assert http.post(f"{BASE}/status/{item}", json=wrong).status_code == 422
    assert http.post(f"{BASE}/status/{uuid.uuid4()}", json={"status": "viewed"}).status_code == 404
    assert http.post(f"{BASE}/status/x", json={"status": "viewed"}).status_code == 422


# -- what happens to runs and queues ---------------------------------------------------------------------


def test_items_go_with_their_runs(http: httpx.Client, queue: str, runs: list[str], project: str) -> None:
    (session,) = http.get("/sessions", params={"name": project}).json()
    (kept,) = record(http, f"{project} other", Trace(name="kept"))
    add(http, queue, [str(kept)])
    body = {"session_id": session["id"], "trace_ids": [runs[1]]}
    assert http.post("/runs/delete", json=body).status_code == 202
    assert ids(listed(http, queue)) == [runs[0], runs[2], str(kept)]
    assert size(http, queue) == 3
    assert http.delete(f"/sessions/{session['id']}").status_code in (200, 202)
    assert ids(listed(http, queue)) == [str(kept)]
    assert http.get(f"{BASE}/{queue}/run/0").json()["name"] == "kept"
    assert size(http, queue, "total_size") == 1
    assert http.get(f"{BASE}/{runs[0]}/queues").json() == []


def test_items_go_with_their_queue(http: httpx.Client, queue: str, runs: list[str]) -> None:
    item = listed(http, queue)[0]["queue_run_id"]
    assert http.delete(f"{BASE}/{queue}").status_code == 200
    assert http.get(f"{BASE}/{queue}/runs").status_code == 404
    assert http.post(f"{BASE}/status/{item}", json={"status": "viewed"}).status_code == 404
    made(http, id=queue)
    assert listed(http, queue) == []
    assert http.get(f"/runs/{runs[0]}").status_code == 200


# -- export ----------------------------------------------------------------------------------------------


def test_what_is_completed_is_exported_with_its_feedback(
    http: httpx.Client, queue: str, runs: list[str]
) -> None:
    def exported(**body: Any) -> list[dict[str, Any]]:
        answer = http.post(f"{BASE}/{queue}/export", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        found: list[dict[str, Any]] = answer.json()
        return found

    assert exported() == []
    for run in listed(http, queue)[:2]:
        mark(http, run["queue_run_id"], "completed")
    for key in ("first", "second"):
        give(http, run_id=runs[0], key=key, score=0.5, comment="c", feedback_source={"type": "app"})
    one, two = exported()
    assert (one["id"], two["id"], two["feedback"]) == (runs[0], runs[1], [])
    assert [(each["key"], each["score"]) for each in one["feedback"]] == [("first", 0.5), ("second", 0.5)]
    private = {"reserved_by", "completed_by", "reviews"}
    assert not private & one.keys()
    assert "feedback_source" not in one["feedback"][0]
    detailed, _ = exported(include_annotator_detail=True)
    assert detailed["completed_by"] == [ME]
    (review,) = detailed["reviews"]
    assert (review["reviewer_id"], review["status"]) == (ME, "completed")
    assert review["time"] == detailed["last_reviewed_time"]
    assert detailed["feedback"][0]["feedback_source"]["type"] == "app"
    now = dt.datetime.now(dt.UTC)
    assert exported(start_time=now.isoformat()) == []
    assert len(exported(end_time=now.isoformat())) == 2
    assert http.post(f"{BASE}/{queue}/export", json={"end_time": "x"}).status_code == 422
    assert http.post(f"{BASE}/{uuid.uuid4()}/export", json={}).status_code == 404


def test_an_export_is_as_long_as_it_has_to_be(http: httpx.Client, project: str) -> None:
    runs = [str(run) for run in record(http, project, *(Trace() for _ in range(205)))]
    queue = made(http)["id"]
    for item in add(http, queue, runs):
        mark(http, item["id"], "completed")
    assert ids(http.post(f"{BASE}/{queue}/export").json()) == runs
