"""Runs made, listed, read, changed and deleted with HoneyHive's own client, and by hand where it says too little."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from honeyhive import HoneyHive
from honeyhive.models import PostExperimentRunRequest, PutExperimentRunRequest
from langsmith import Client
from langsmith.utils import LangSmithNotFoundError

from tests.wire.honeyhive.experiments.experimenting import begin, event, get, session


def named() -> str:
    return f"run {uuid.uuid4().hex}"


def test_a_run_comes_back_as_it_was_sent(honeyhive: HoneyHive) -> None:
    run_id, event_id = str(uuid.uuid4()), str(uuid.uuid4())
    sent: dict[str, Any] = {
        "run_id": run_id,
        "name": named(),
        "description": "why",
        "status": "running",
        "metadata": {"git": {"commit": "abc"}, "n": 1.5},
        "results": {"accuracy": {"mean": 0.5}},
        "event_ids": [event_id],
        "configuration": {"function": "f", "max_workers": 10},
        "evaluators": ["one", {"name": "two"}],
        "session_ids": [event_id],
        "datapoint_ids": ["EXT-1", "EXT-2"],
        "passing_ranges": {"accuracy": {"min": 0.5, "max": 1}},
    }
    made = honeyhive.experiments.create_run(PostExperimentRunRequest(**sent))
    assert made.run_id == run_id
    read = honeyhive.experiments.get_run(run_id).evaluation
    assert read == made.evaluation
    found = read.model_dump()
    assert {key: found[key] for key in sent} == sent
    assert (found["id"], found["is_active"], found["dataset_id"]) == (run_id, True, None)
    assert found["scope_type"]
    assert found["created_at"].endswith("Z")
    assert found["updated_at"] == found["created_at"]


def test_a_change_says_only_what_it_says(honeyhive: HoneyHive) -> None:
    made = honeyhive.experiments.create_run(
        PostExperimentRunRequest(
            name=named(), metadata={"git": 1, "x": 1}, configuration={"a": 1}, results={"r": 1}
        )
    )
    name = named()
    changed = honeyhive.experiments.update_run(
        made.run_id,
        PutExperimentRunRequest(name=name, status="completed", metadata={"x": 2}, results={"s": 2}),
    )
    found = changed.evaluation
    assert (found.name, found.status) == (name, "completed")
    assert found.metadata == {"git": 1, "x": 2}  # evaluate() sends a part of it at the end
    assert (found.configuration, found.results) == ({"a": 1}, {"s": 2})
    assert found.event_ids == []
    assert honeyhive.experiments.get_run(made.run_id).evaluation == found


def test_events_that_have_not_arrived_are_warned_of(hh: httpx.Client) -> None:
    made = begin(hh)
    there, missing = session(hh, None), str(uuid.uuid4())
    changed = hh.put(f"/v1/runs/{made['run_id']}", json={"event_ids": [there, missing]}).json()
    assert changed["evaluation"]["event_ids"] == [there, missing]
    assert changed["warning"].startswith("1 of event_ids")
    assert missing in changed["warning"]
    assert "warning" not in hh.put(f"/v1/runs/{made['run_id']}", json={"event_ids": [there]}).json()


def test_activity_is_kept(hh: httpx.Client) -> None:
    made = begin(hh)
    assert hh.put(f"/v1/runs/{made['run_id']}", json={"is_active": False}).status_code == 200
    assert get(hh, f"/v1/runs/{made['run_id']}")["evaluation"]["is_active"] is False


def test_a_deleted_run_is_gone_with_the_sessions_made_for_it(
    honeyhive: HoneyHive, hh: httpx.Client, client: Client
) -> None:
    made = begin(hh)
    mine, others = session(hh, made["run_id"], "a"), session(hh, None)
    hh.put(f"/v1/runs/{made['run_id']}", json={"event_ids": [mine, others]})
    gone = honeyhive.experiments.delete_run(made["run_id"])
    assert (gone.id, gone.deleted) == (made["run_id"], True)
    assert hh.get(f"/v1/runs/{made['run_id']}").status_code == 404
    assert hh.delete(f"/v1/runs/{made['run_id']}").status_code == 404
    with pytest.raises(LangSmithNotFoundError):
        client.read_project(project_id=made["run_id"])
    with pytest.raises(LangSmithNotFoundError):
        client.read_run(mine)
    assert str(client.read_run(others).id) == others


def test_runs_may_have_one_name_and_ids_only_once(hh: httpx.Client) -> None:
    name = named()
    first, second = begin(hh, name=name), begin(hh, name=name)
    assert (first["name"], second["name"]) == (name, name)
    again = hh.post("/v1/runs", json={"name": name, "run_id": first["run_id"]})
    assert (again.status_code, again.json()["errorCode"]) == (409, "Conflict")


def test_a_run_needs_no_name(hh: httpx.Client) -> None:
    made = hh.post("/v1/runs", json={}).json()["evaluation"]
    assert made["name"] == f"experiment-{made['run_id'][:8]}"
    assert (made["status"], made["event_ids"], made["metadata"]) == ("pending", [], {})
    assert (made["results"], made["configuration"], made["evaluators"]) == ({}, {}, [])


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "a\0b"},
        {"name": 7},
        {"name": "x" * 2000},
        {"run_id": "no uuid"},
        {"status": "done"},
        {"metadata": []},
        {"results": "text"},
        {"configuration": 1},
        {"event_ids": "one"},
        {"event_ids": [1]},
        {"event_ids": [""]},
        {"event_ids": ["x\0"]},
        {"event_ids": ["x" * 2000]},
        {"datapoint_ids": [""]},
        {"dataset_id": "\0"},
        {"description": "\0"},
        {"passing_ranges": {"x": {"min": "low"}}},
        {"passing_ranges": []},
        {"is_active": "yes"},
        [],
        "text",
    ],
    ids=lambda body: json.dumps(body)[:40],
)
def test_what_is_no_run_is_refused(hh: httpx.Client, body: Any) -> None:
    made = begin(hh)
    for method, path in (("POST", "/v1/runs"), ("POST", "/runs")):
        answer = hh.request(method, path, json=body)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "Invalid"), answer.text
        assert answer.json()["message"]
    if body != {"run_id": "no uuid"}:  # a change has its id in the path
        assert hh.put(f"/v1/runs/{made['run_id']}", json=body).status_code == 400
    assert get(hh, f"/v1/runs/{made['run_id']}")["evaluation"] == made


@pytest.mark.parametrize("raw", [b"{", b'{"name":"\xff"}', b'{"metadata":{"x":NaN', b'{"name":"\\ud800'])
def test_broken_bodies_are_refused(hh: httpx.Client, raw: bytes) -> None:
    assert hh.post("/v1/runs", content=raw).status_code == 400


def test_odd_texts_and_numbers_are_kept(hh: httpx.Client) -> None:
    metadata = b'{"big":123456789012345678901234567890,"x":1e400}'
    raw = b'{"name":"odd \\ud800 name","metadata":%s,"results":{"y":1.50}}' % metadata
    made = hh.post("/v1/runs", content=raw)
    assert made.status_code == 200, made.text
    found = made.json()["evaluation"]
    assert found["name"] == "odd \ufffd name"
    assert found["metadata"]["big"] == 123456789012345678901234567890
    assert b'{"y":1.50}' in made.content


def test_unknown_ids_are_not_found(hh: httpx.Client) -> None:
    unknown = str(uuid.uuid4())
    for path in (f"/v1/runs/{unknown}", f"/v1/runs/{unknown}/result", f"/runs/{unknown}/metrics"):
        answer = hh.get(path)
        assert (answer.status_code, answer.json()["errorCode"]) == (404, "NotFound")
    assert hh.put(f"/v1/runs/{unknown}", json={"name": "x"}).status_code == 404
    assert hh.get("/v1/runs/no-uuid").status_code == 400


# -- lists -----------------------------------------------------------------------------------------------


def test_pages_are_whole_and_counted(honeyhive: HoneyHive) -> None:
    mark = uuid.uuid4().hex
    ids = [
        honeyhive.experiments.create_run(PostExperimentRunRequest(name=f"{mark} {number}")).run_id
        for number in range(5)
    ]
    first = honeyhive.experiments.list_runs(name=mark, limit=2)
    assert [run.run_id for run in first.evaluations] == ids[:2:-1]
    page = first.pagination
    assert (page.page, page.limit, page.total, page.total_pages) == (1, 2, 5, 3)
    assert (page.has_next, page.has_prev) == (True, False)
    assert page.total_unfiltered >= 5
    last = honeyhive.experiments.list_runs(name=mark, limit=2, page=3)
    assert [run.run_id for run in last.evaluations] == ids[:1]
    assert (last.pagination.has_next, last.pagination.has_prev) == (False, True)
    beyond = honeyhive.experiments.list_runs(name=mark, page=9)
    assert (beyond.evaluations, beyond.pagination.total) == ([], 5)
    assert honeyhive.experiments.list_runs(run_ids=ids[:2]).pagination.total == 2


def test_more_ids_than_fit_in_an_address(honeyhive: HoneyHive) -> None:
    """The client asks for a hundred at a time, and for no page of a hundred: the answer has them all."""
    made = [
        honeyhive.experiments.create_run(PostExperimentRunRequest(name=named())).run_id for _ in range(25)
    ]
    others = [str(uuid.uuid4()) for _ in range(150)]
    found = honeyhive.experiments.list_runs(run_ids=[*made, *others])
    assert {run.run_id for run in found.evaluations} == set(made)
    assert len(honeyhive.experiments.list_runs(run_ids=made).evaluations) == 25
    assert len(honeyhive.experiments.list_runs(run_ids=made, limit=7).evaluations) == 7


def test_lists_have_orders_and_conditions(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    mark = uuid.uuid4().hex
    dataset = f"ds-{mark}"
    a = begin(hh, name=f"B {mark}", status="failed", dataset_id=dataset)
    b = begin(hh, name=f"a {mark}", status="completed", metadata={"offline_dataset_id": f"EXT-{mark}"})
    c = begin(hh, name=f"C {mark}", dataset_id=f"EXT-{mark}")
    hh.put(f"/v1/runs/{a['run_id']}", json={"results": {}})

    def ids(**params: Any) -> list[str]:
        found = honeyhive.experiments.list_runs(**{"name": mark.upper(), **params})
        return [run.run_id for run in found.evaluations]

    ra, rb, rc = a["run_id"], b["run_id"], c["run_id"]
    assert ids() == [rc, rb, ra]
    assert ids(sort_order="asc") == [ra, rb, rc]
    assert ids(sort_by="name", sort_order="asc") == [ra, rc, rb]
    assert ids(sort_by="status", sort_order="asc") == [rb, ra, rc]
    assert ids(sort_by="updated_at") == [ra, rc, rb]
    assert ids(status="failed") == [ra]
    assert ids(dataset_id=dataset) == [ra]
    assert ids(dataset_id=f"EXT-{mark}") == [rc, rb]
    assert ids(dateRange={"$gte": "2000-01-01T00:00:00Z"}) == [rc, rb, ra]
    assert ids(dateRange={"$lte": 946684800000}) == []
    assert (a["dataset_id"], c["dataset_id"]) == (dataset, None)
    assert c["metadata"] == {"offline_dataset_id": f"EXT-{mark}"}


def test_a_list_tells_which_metrics_there_are(hh: httpx.Client) -> None:
    made = begin(hh)
    event(
        hh,
        session(hh, made["run_id"], "a"),
        metrics={"zeal": 1, "accuracy": 0.5, "accuracy_explanation": "so"},
    )
    assert get(hh, "/v1/runs", **{"run_ids[]": made["run_id"]})["metrics"] == ["accuracy", "zeal"]
    assert get(hh, "/v1/runs", **{"run_ids[]": str(uuid.uuid4())})["metrics"] == []


@pytest.mark.parametrize(
    "params",
    [
        {"page": 0},
        {"page": "x"},
        {"limit": 0},
        {"limit": 101},
        {"status": "done"},
        {"sort_by": "size"},
        {"sort_order": "up"},
        {"run_ids[]": "x"},
        {"dateRange": "{"},
        {"dateRange": "yesterday"},
    ],
    ids=str,
)
def test_what_is_no_question_is_refused(hh: httpx.Client, params: dict[str, Any]) -> None:
    assert hh.get("/v1/runs", params=params).status_code == 400


def test_runs_of_a_project_are_those_made_for_it(hh: httpx.Client) -> None:
    mark = uuid.uuid4().hex
    mine = begin(hh, name=mark, project=f"p {mark}")["run_id"]
    other = begin(hh, name=mark, project=f"q {mark}")["run_id"]
    none = begin(hh, name=mark)["run_id"]

    def ids(**params: Any) -> set[str]:
        return {run["run_id"] for run in get(hh, "/runs", name=mark, **params)["evaluations"]}

    assert ids() == {mine, other, none}
    assert ids(project=f"p {mark}") == {mine, none}
    assert ids(project="nobody's") == {none}


def test_what_comes_from_other_programs_is_not_in_the_way(hh: httpx.Client) -> None:
    """A run is never the project that somebody traces to by its name."""
    name = named()
    run = begin(hh, name=name)
    stray = session(hh, None, project=name)
    assert get(hh, f"/v1/runs/{run['run_id']}/result")["datapoints"] == []
    assert get(hh, f"/session/{stray}")["project_id"] != run["run_id"]


def test_a_session_goes_on_when_its_run_is_deleted(hh: httpx.Client, client: Client, project: str) -> None:
    """What comes after is recorded where its client says."""
    made = begin(hh)
    said = session(hh, made["run_id"], "a", project=project)
    hh.delete(f"/v1/runs/{made['run_id']}")
    more = {"run_id": made["run_id"], "datapoint_id": "a"}
    child = event(hh, said, project=project, metadata=more)
    assert client.read_run(child).session_id == client.read_project(project_name=project).id
