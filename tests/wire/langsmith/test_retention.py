"""How long traces are kept, as LangSmith's clients set it; and that nothing trips over traces that have gone."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from langsmith import Client

from tests.conftest import Server
from tests.keys import issue
from tests.old_traces import have_had, trace_of

SETTINGS = {
    "tenant_id", "default_trace_tier", "apply_to_all_projects", "id", "organization_id", "created_at", "updated_at",
    "configured_by", "longlived_ttl_days",
}  # fmt: skip


@pytest.fixture
def own(own_server: Server) -> Iterator[httpx.Client]:
    """A workspace that nobody else's settings hold for."""
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as made:
        yield made


def test_a_tier_is_asked_for_and_means_langsmiths_days(own: httpx.Client) -> None:
    workspace = own.get("/workspaces/current").json()["id"]
    own.post("/sessions", json={"name": "long ago", "trace_tier": "shortlived"}).raise_for_status()
    assert own.get("/ttl-settings").json() == own.get("/orgs/ttl-settings").json() == []
    assert own.get("/workspaces/current/ttl-settings").json() == {"tenant_id": workspace, "is_custom": False}

    put = own.put("/ttl-settings", json={"default_trace_tier": "longlived", "tenant_id": workspace})
    assert put.status_code == 200
    assert set(put.json()) == SETTINGS
    assert put.json()["default_trace_tier"] == "longlived"
    assert put.json()["longlived_ttl_days"] == 400
    assert put.json()["apply_to_all_projects"] is False
    assert uuid.UUID(put.json()["id"])
    assert own.get("/orgs/ttl-settings").json() == own.get("/ttl-settings").json() == [put.json()]
    assert own.get("/workspaces/current/ttl-settings").json() == {
        "tenant_id": workspace, "is_custom": False, "longlived_ttl_days": 400,
    }  # fmt: skip

    days = own.put("/workspaces/current/ttl-settings", json={"longlived_ttl_days": 90})
    assert days.json() == {"tenant_id": workspace, "is_custom": True, "longlived_ttl_days": 90}
    kept = own.get("/ui/api/retention").json()
    assert (kept["short"], kept["long"], kept["tier"]) == (14, 90, "longlived")


def test_a_tier_for_all_projects(own: httpx.Client) -> None:
    one = own.post("/sessions", json={"name": "one", "trace_tier": "shortlived"}).json()["id"]
    dataset = own.post("/datasets", json={"name": "d"}).json()["id"]
    experiment = own.post("/sessions", json={"name": "e", "reference_dataset_id": dataset}).json()["id"]
    put = own.put(
        "/api/v1/orgs/ttl-settings", json={"default_trace_tier": "longlived", "apply_to_all_projects": True}
    )
    assert put.json()["apply_to_all_projects"] is True
    assert own.get(f"/sessions/{one}").json()["trace_tier"] == "longlived"
    assert own.get(f"/sessions/{experiment}").json()["trace_tier"] is None
    own.put("/ttl-settings", json={"default_trace_tier": "shortlived"}).raise_for_status()
    assert own.get(f"/sessions/{one}").json()["trace_tier"] == "longlived"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "default_trace_tier"),
    ({"default_trace_tier": "eternal"}, "default_trace_tier"),
    ({"default_trace_tier": None}, "default_trace_tier"),
    ({"default_trace_tier": "long\0lived"}, "default_trace_tier"),
    ({"default_trace_tier": "longlived", "tenant_id": str(uuid.uuid4())}, "tenant_id"),
    ({"default_trace_tier": "longlived", "tenant_id": "mine"}, "tenant_id"),
    ({"default_trace_tier": "longlived", "apply_to_all_projects": "all"}, "apply_to_all_projects"),
]


@pytest.mark.parametrize("path", ["/ttl-settings", "/orgs/ttl-settings"])
@pytest.mark.parametrize(("body", "field"), WRONG)
def test_a_tier_that_makes_no_sense_is_422(
    http: httpx.Client, path: str, body: dict[str, Any], field: str
) -> None:
    answer = http.put(path, json=body)
    assert answer.status_code == 422
    (mistake,) = answer.json()["detail"]
    assert mistake["loc"][0] == "body"
    assert field in (*mistake["loc"], *mistake["msg"].split("`"))
    assert http.get("/ttl-settings").json() == []


@pytest.mark.parametrize("days", [0, -1, 36_501, 2**40, 2**70, 1.5, "90", None, "absent", [90]])
def test_days_that_make_no_sense_are_400(http: httpx.Client, days: Any) -> None:
    """As that service documents it: texts by name."""
    body = {} if days == "absent" else {"longlived_ttl_days": days}
    answer = http.put("/workspaces/current/ttl-settings", json=body)
    assert answer.status_code == 400
    assert all(isinstance(text, str) for text in answer.json().values())
    assert len(answer.json()["error"]) > 5
    assert http.get("/ttl-settings").json() == []


@pytest.mark.parametrize("path", ["/ttl-settings", "/workspaces/current/ttl-settings", "/ui/api/retention"])
@pytest.mark.parametrize("body", [b'{"default', b"[]", b"7", b'"\xff"', b'{"short": 1, "short": "\\ud800"}'])
def test_bodies_that_are_none_are_refused(http: httpx.Client, path: str, body: bytes) -> None:
    assert http.put(path, content=body).status_code in (400, 422)
    assert http.get("/ttl-settings").json() == []


def test_admins_alone_change_it(locked_server: Server) -> None:
    for role, status in (("write", 403), ("read", 403)):
        with httpx.Client(
            base_url=locked_server.url, headers={"x-api-key": issue(locked_server.data_dir, role=role)}
        ) as http:
            for path, body in (
                ("/ttl-settings", {"default_trace_tier": "shortlived"}),
                ("/workspaces/current/ttl-settings", {"longlived_ttl_days": 5}),
                ("/ui/api/retention", {"short": 5}),
            ):
                assert http.put(path, json=body).status_code == status
            assert http.get("/ttl-settings").json() == []


# -- what is told of runs ----------------------------------------------------------------------------------


def test_runs_tell_their_tier(own: httpx.Client, own_server: Server) -> None:
    client = Client(api_url=own_server.url, api_key="any")
    plain, judged, queued, unclaimed = (uuid.uuid4() for _ in range(4))
    for run in (plain, judged, queued, unclaimed):
        client.create_run("r", {"q": 1}, "chain", id=run, trace_id=run, project_name="p",
                          dotted_order=f"20260101T000000000000Z{run}", start_time=None)  # fmt: skip
    client.flush()

    def tiers() -> dict[uuid.UUID, str]:
        found = own.post("/runs/query", json={"id": [str(run) for run in (plain, judged, queued, unclaimed)],
                                              "select": ["trace_tier"]}).json()["runs"]  # fmt: skip
        return {uuid.UUID(run["id"]): run["trace_tier"] for run in found}

    assert set(tiers().values()) == {"longlived"}, "all is kept for ever"
    own.put("/ui/api/retention", json={"short": 30}).raise_for_status()
    assert set(tiers().values()) == {"shortlived"}
    project = client.read_project(project_name="p").id
    at = {"session_id": project, "start_time": datetime.now(UTC)}
    client.create_feedback(judged, "good", score=1, trace_id=judged, **at)
    client.create_feedback(unclaimed, "good", score=1, trace_id=unclaimed, extend_trace_retention=False, **at)
    client.flush()
    queue = client.create_annotation_queue(name="q")
    own.post(f"/annotation-queues/{queue.id}/runs", json=[str(queued)]).raise_for_status()
    own.post(
        f"/annotation-queues/{queue.id}/runs?extend_trace_retention=false", json=[str(unclaimed)]
    ).raise_for_status()
    assert tiers() == {
        plain: "shortlived", judged: "longlived", queued: "longlived", unclaimed: "shortlived",
    }  # fmt: skip
    assert own.get(f"/runs/{judged}").json()["trace_tier"] == "longlived"


# -- rounds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_server_that_ends_in_the_middle_goes_on(own: httpx.Client, own_server: Server, end: str) -> None:
    project = own.post("/sessions", json={"name": "old"}).json()["id"]
    young = own.post("/sessions", json={"name": "young"}).json()["id"]
    have_had(own_server, project, *(f"trace {number}" for number in range(1200)))
    run = str(uuid.uuid4())
    own.post(
        "/runs", json={"id": run, "trace_id": run, "name": "now", "run_type": "chain", "session_id": young}
    ).raise_for_status()

    def left(session: str) -> int:
        count: int = own.post("/runs/stats", json={"session": [session]}).json()["run_count"]
        return count

    assert (left(project), left(young)) == (2400, 1)
    own.put("/ui/api/retention", json={"short": 30}).raise_for_status()
    if end == "kill":
        own_server.kill()
    else:
        assert own_server.stop() == 0
    own_server.start()
    _until(lambda: left(project) == 0)
    assert left(young) == 1


# -- what hangs on traces that are gone --------------------------------------------------------------------


def test_nothing_trips_over_traces_that_are_gone(own: httpx.Client, own_server: Server) -> None:
    project = own.post("/sessions", json={"name": "old"}).json()["id"]
    have_had(own_server, project, *(f"trace {number}" for number in range(12)))
    traces = [str(trace_of(project, f"trace {number}")) for number in range(12)]
    first, second, third = traces[:3]
    token = own.put(f"/runs/{first}/share").json()["share_token"]
    dataset = own.post("/datasets", json={"name": "made of runs"}).json()["id"]
    example = own.post(
        "/examples", json={"dataset_id": dataset, "inputs": {"q": 1}, "source_run_id": first}
    ).json()["id"]
    queue = own.post("/annotation-queues", json={"name": "q"}).json()["id"]
    (item,) = own.post(f"/annotation-queues/{queue}/runs?extend_trace_retention=false", json=[second]).json()
    feedback = own.post(
        "/feedback", json={"run_id": third, "key": "good", "score": 1, "extend_trace_retention": False}
    ).json()["id"]
    report = own.post(
        f"/sessions/{project}/insights", json={"name": "r", "start_time": "2020-01-01T00:00:00Z"}
    )
    assert report.status_code == 200, report.text
    report_path = f"/sessions/{project}/insights/{report.json()['id']}"
    _until(lambda: own.get(report_path).json()["status"] in ("success", "error"))
    paths = [
        f"/runs/{first}", f"/runs/{first}/share", f"/public/{token}/run", f"/public/{token}/runs/query",
        f"/examples/{example}", f"/examples?dataset={dataset}", f"/datasets/{dataset}/share",
        f"/annotation-queues/{queue}/runs", f"/annotation-queues/{queue}/run/0", f"/annotation-queues/{queue}/size",
        f"/annotation-queues/{queue}/runs/resolve/{item['id']}", f"/annotation-queues/{first}/queues",
        f"/feedback/{feedback}", f"/feedback?run={third}", f"/feedback?session={project}",
        f"/sessions/{project}", "/sessions", "/info", report_path, f"{report_path}/runs",
        f"/ui/api/projects/{project}", f"/ui/api/projects/{project}/insights",
        f"/ui/api{report_path.replace('sessions', 'projects')}", f"/ui/api/traces/{first}", f"/ui/api/runs/{first}",
        f"/ui/api/queues/{queue}", f"/ui/api/queues/{queue}/item", f"/ui/api/datasets/{dataset}/examples/{example}",
        f"/honeyhive/v1/sessions/{first}", f"/honeyhive/sessions/{first}", "/ui/api/storage", "/ui/api/retention",
    ]  # fmt: skip

    def statuses() -> dict[str, int]:
        return {path: own.get(path).status_code for path in paths}

    before = statuses()
    assert before[f"/runs/{first}"] == before[f"/public/{token}/run"] == before[report_path] == 200
    own.put("/ui/api/retention", json={"short": 30}).raise_for_status()
    _until(lambda: own.get("/ui/api/retention").json()["last"]["deleted"] is not None)
    after = statuses()
    wrong = {path: status for path, status in after.items() if status >= 500 and status != before[path]}
    assert wrong == {}
    for gone in (f"/runs/{first}", f"/public/{token}/run", f"/feedback/{feedback}"):
        assert after[gone] == 404, gone
    assert own.get(f"/examples/{example}").json()["source_run_id"] == first
    assert own.get(f"/annotation-queues/{queue}/runs").json() == []
    asked = {"session": [project]}
    assert own.post("/runs/query", json=asked).json()["runs"] == []
    assert own.post("/runs/stats", json=asked).json()["run_count"] == 0
    again = own.post("/feedback", json={"run_id": first, "key": "late", "score": 1})
    assert again.status_code == 200
    assert own.post(f"/annotation-queues/{queue}/runs", json=[first]).status_code == 404
    late = own.patch(f"/runs/{first}", json={"outputs": {"late": True}})
    assert late.status_code in (200, 202, 404)
    metrics = own.get("/metrics").text
    assert "stenograph_expired_traces_total 12.0" in metrics
    assert "stenograph_expired_runs_total 24.0" in metrics
    (line,) = [json.loads(line) for line in own_server.log.splitlines() if "deleted old traces" in line]
    assert (line["traces"], line["runs"]) == (12, 24)


def _until(done: Callable[[], bool], seconds: float = 60) -> None:
    """Poll: there is no signal over HTTP."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)
