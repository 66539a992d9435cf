"""Reports through LangSmith's own client and routes, from traces to clusters, on a real server."""

from __future__ import annotations

import time
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bench import traffic
from langsmith import Client

from tests.conftest import Server

WAITING = 120.0


@pytest.fixture(autouse=True)
def _beta() -> None:
    warnings.filterwarnings("ignore", message=".*(beta|preview).*")


def sent(
    http: httpx.Client, count: int, *, intents: int = 4, runs: list[dict[str, Any]] | None = None
) -> str:
    """A project with so many traces; its id."""
    project: str = http.post("/sessions", json={"name": f"project-{uuid.uuid4().hex}"}).json()["id"]
    start = time.time() - 60 - count
    if runs is None:
        seed = uuid.UUID(project).int % 2**31
        made = enumerate(traffic.traces(count, seed=seed, intents=intents))
        runs = [traffic.run(trace, project, start + number) for number, trace in made]
    for run in runs:
        run["session_id"] = project
    assert http.post("/runs/batch", content=traffic.batch(runs)).status_code == 202
    return project


def asked(http: httpx.Client, project: str, **body: Any) -> str:
    answer = http.post(f"/sessions/{project}/insights", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"id", "name", "status", "error"}
    job: str = answer.json()["id"]
    return job


def done(http: httpx.Client, project: str, job: str) -> dict[str, Any]:
    """The job once it is over: polled, as clients do."""
    deadline = time.monotonic() + WAITING
    while time.monotonic() < deadline:
        found: dict[str, Any] = http.get(f"/sessions/{project}/insights/{job}").json()
        if found["status"] in ("success", "error"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"the report is not ready: {found}")


def report(http: httpx.Client, project: str, **body: Any) -> dict[str, Any]:
    found = done(http, project, asked(http, project, **body))
    assert found["status"] == "success", found["error"]
    return found


def test_the_clients_whole_flow(client: Client, http: httpx.Client) -> None:
    histories = [
        [{"role": "user", "content": trace.text}, {"role": "assistant", "content": trace.answer}]
        for trace in traffic.traces(60, intents=3)
    ]
    made = client.generate_insights(chat_histories=histories, name=f"Topics {uuid.uuid4()}")
    done(http, str(made.project_id), str(made.id))  # so that the client need not wait its second
    polled = client.poll_insights(report=made, rate=1, timeout=60)
    assert polled.status == "success"
    found = client.get_insights_report(report=polled)
    assert len(found.runs) == 60
    assert found.report is not None
    assert found.report.key_points
    assert {each.run_id for each in found.report.highlighted_traces} <= {each["id"] for each in found.runs}
    finest = [each for each in found.clusters if each.level == 0]
    assert sum(each.num_runs for each in finest) == 60
    for cluster in found.clusters:
        assert (
            len(found.clusters[cluster.name].load_traces()) == cluster.num_runs == cluster.stats["run_count"]
        )
    assert found.shape
    assert sum(found.shape.values()) == 60


def test_jobs_are_listed_renamed_and_deleted(http: httpx.Client) -> None:
    project = sent(http, 30)
    found = report(http, project, name="One", hierarchy=[4, 2], seed=3)
    jobs = f"/sessions/{project}/insights"
    one = f"{jobs}/{found['id']}"
    assert not found.keys() & {"project_id", "tenant_id", "host_url"}
    assert found["metadata"]["num_runs"] == 30
    assert found["metadata"]["progress"] == {"stage": "done", "done": 30, "of": 30}
    assert [sum(each["level"] == level for each in found["clusters"]) for level in (0, 1)] == [4, 2]
    names = {each["id"]: each["name"] for each in found["clusters"]}
    assert all(names.get(each["parent_id"]) == each["parent_name"] for each in found["clusters"])
    assert http.patch(one, json={"name": "Two"}).json() == {"name": "Two", "status": "success"}
    assert [each["name"] for each in http.get(jobs).json()["clustering_jobs"]] == ["Two"]
    assert http.get(jobs, params={"offset": 1}).json() == {"clustering_jobs": []}
    top = next(each for each in found["clusters"] if each["level"] == 1)
    got = http.get(f"{one}/clusters/{top['id']}").json()
    assert got.keys() == {"id", "parent_id", "num_children", "level", "name", "description"}
    again = report(http, project, hierarchy=[4, 2], seed=3)
    assert [each["id"] for each in again["clusters"]] == [each["id"] for each in found["clusters"]]
    assert http.delete(one).json()["id"] == found["id"]
    assert http.get(one).status_code == 404
    assert http.get(f"{one}/runs").status_code == 404


def test_runs_in_pages_and_by_attributes(http: httpx.Client) -> None:
    project = sent(http, 25, intents=2)
    found = report(http, project, attribute_schemas={"theme": {"type": "string"}}, hierarchy=[2])
    runs = f"/sessions/{project}/insights/{found['id']}/runs"
    pages: list[list[dict[str, Any]]] = []
    offset: int | None = 0
    while offset is not None:
        page = http.get(runs, params={"limit": 10, "offset": offset}).json()
        pages.append(page["runs"])
        offset = page["offset"]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert len({run["id"] for page in pages for run in page}) == 25
    assert pages[0][0]["attributes"] == {"theme": "billing"}
    assert pages[0][0]["theme"] == "billing"
    assert http.get(runs, params={"offset": 25}).json() == {"runs": [], "offset": None}
    slow = http.get(runs, params={"attribute_sort_key": "latency", "attribute_sort_order": "asc"}).json()[
        "runs"
    ]
    taken = [run["latency"] for run in slow]
    assert taken == sorted(taken)
    assert all(run["summary"] and run["cluster_name"] for run in slow)
    gone = slow[0]["id"]
    assert http.post("/runs/delete", json={"session_id": project, "trace_ids": [gone]}).status_code in (
        200,
        202,
    )
    left = {run["id"]: run["deleted"] for run in http.get(runs).json()["runs"]}
    assert left[gone] is True
    assert sum(left.values()) == 1


def test_hardly_any_traces_and_none_at_all(http: httpx.Client) -> None:
    odd: list[dict[str, Any]] = []
    for number, payload in enumerate(
        ({}, {"x": 1}, {"image": "A" * 100_000}, {"a": [[[{}]]]}, {"t": "\U0001f600"})
    ):
        made = traffic.run(
            next(traffic.traces(1, seed=uuid.uuid4().int % 2**31)), "", time.time() - 60 + number
        )
        odd.append(made | {"inputs": payload, "outputs": None, "extra": None, "end_time": None})
    found = report(http, sent(http, 0, runs=odd))
    assert sum(found["shape"].values()) == 5
    one = report(http, sent(http, 1))
    assert [each["num_runs"] for each in one["clusters"]] == [1]
    nothing = report(http, sent(http, 2), filter='eq(name, "nobody")')
    assert (nothing["clusters"], nothing["shape"]) == ([], {})
    assert nothing["report"]["key_points"] == ["No trace matches."]


def test_samples_windows_and_several_projects(http: httpx.Client) -> None:
    project, other = sent(http, 40, intents=2), sent(http, 20, intents=2)
    assert report(http, project, sample=10)["metadata"]["num_runs"] == 10
    assert report(http, project, sample=0.5)["metadata"]["num_runs"] == 20
    assert report(http, project, session_ids=[project, other])["metadata"]["num_runs"] == 60
    long_ago = report(http, project, start_time="2020-01-01T00:00:00Z", end_time="2020-01-02T00:00:00Z")
    assert long_ago["metadata"]["num_runs"] == 0
    assert long_ago["start_time"].startswith("2020-01-01")


def test_a_cluster_becomes_work(http: httpx.Client) -> None:
    project = sent(http, 12, intents=2)
    found = report(http, project, hierarchy=[2])
    one = f"/sessions/{project}/insights/{found['id']}"
    cluster = found["clusters"][0]
    queue = http.post("/annotation-queues", json={"name": f"q {uuid.uuid4()}"}).json()["id"]
    dataset = http.post("/datasets", json={"name": f"d {uuid.uuid4()}"}).json()["id"]
    answer = http.post(f"{one}/annotation-queue", json={"queue_id": queue, "cluster_id": cluster["id"]})
    assert answer.json() == {"queue_id": queue, "num_runs": cluster["num_runs"]}
    assert http.get(f"/annotation-queues/{queue}/size").json()["size"] == cluster["num_runs"]
    answer = http.post(f"{one}/dataset", json={"dataset_id": dataset})
    assert answer.json() == {"dataset_id": dataset, "num_examples": 12}
    example = http.get("/examples", params={"dataset": dataset, "limit": 1}).json()[0]
    assert example["inputs"]["messages"]
    assert http.post(f"{one}/dataset", json={"dataset_id": str(uuid.uuid4())}).status_code == 404


def test_configs_are_kept_and_reports_of_one_continue(http: httpx.Client) -> None:
    project = sent(http, 30, intents=3)
    configs = f"/sessions/{project}/insights/configs"
    body = {"name": "Weekly", "config": {"hierarchy": [3], "last_n_hours": 24}, "schedule_cron": "0 8 * * 1"}
    made = http.post(configs, json=body)
    assert made.status_code == 200, made.text
    saved = made.json()
    assert saved["config"]["hierarchy"] == [3]
    changed = http.patch(
        f"{configs}/{saved['id']}", json={"schedule_cron": None, "description": "mine"}
    ).json()
    assert (changed["schedule_cron"], changed["description"], changed["name"]) == (None, "mine", "Weekly")
    listed = http.get(configs, params={"include_prebuilts": "true"}).json()["configs"]
    assert listed[0]["id"] == saved["id"]
    assert [each["prebuilt"] for each in listed[1:]] == [True, True]
    first = report(http, project, config_id=saved["id"])
    cluster = first["clusters"][0]
    one = f"/sessions/{project}/insights/{first['id']}"
    assert http.patch(f"{one}/clusters/{cluster['id']}", json={"name": "My name"}).json()["name"] == "My name"
    taken = http.patch(f"{one}/clusters/{first['clusters'][1]['id']}", json={"name": "My name"})
    assert taken.status_code == 409
    more = [traffic.run(trace, project, time.time() - 5) for trace in traffic.traces(9, seed=77, intents=3)]
    for run in more:
        run["id"] = run["trace_id"] = str(uuid.uuid4())
        run["dotted_order"] = run["dotted_order"][:22] + run["id"]
    assert http.post("/runs/batch", content=traffic.batch(more)).status_code == 202
    second = report(http, project, config_id=saved["id"])
    assert second["metadata"]["num_runs"] == 39
    names = {each["id"]: each["name"] for each in second["clusters"]}
    assert names.get(cluster["id"]) == "My name"
    changes = http.get(
        f"/sessions/{project}/insights/{second['id']}/diff", params={"with": first["id"]}
    ).json()
    assert {each["change"] for each in changes["changes"]} <= {"same", "grown", "shrunk", "new", "gone"}
    assert len([each for each in changes["changes"] if each["before"] and each["after"]]) >= 2
    assert [
        each["id"]
        for each in http.get(f"/sessions/{project}/insights", params={"config_id": saved["id"]}).json()[
            "clustering_jobs"
        ]
    ] == [second["id"], first["id"]]
    assert http.delete(f"{configs}/{saved['id']}").json()["id"] == saved["id"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"hierarchy": []}, "hierarchy"),
        ({"hierarchy": [2, 5, 3]}, "hierarchy"),
        ({"hierarchy": [0]}, "hierarchy"),
        ({"sample": 0}, "sample"),
        ({"sample": 1.5}, "sample"),
        ({"last_n_hours": 0}, "last_n_hours"),
        ({"last_n_hours": 10**30}, "last_n_hours"),
        ({"start_time": "2026-01-02", "end_time": "2026-01-01"}, "end_time"),
        ({"start_time": "soon"}, "start_time"),
        ({"partitions": {str(number): "x" for number in range(11)}}, "partitions"),
        ({"attribute_schemas": {"a b": {}}}, "attribute_schemas"),
        ({"attribute_schemas": {"a": {"type": "list"}}}, "attribute_schemas"),
        ({"attribute_schemas": {"a": {"type": "string", "filter_by": True}}}, "attribute_schemas"),
        ({"summary_prompt": "no variable"}, "summary_prompt"),
        ({"name": "x\0"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"seed": 2**70}, "seed"),
        ({"model": "mine"}, "model"),
        ({"filter": "eq("}, "filter"),
        ({"config_id": "x"}, "config_id"),
    ],
)
def test_what_cannot_be_met_is_refused(http: httpx.Client, body: dict[str, Any], where: str) -> None:
    project = http.post("/sessions", json={"name": f"p {uuid.uuid4()}"}).json()["id"]
    answer = http.post(f"/sessions/{project}/insights", json=body)
    assert answer.status_code in (400, 422), answer.text
    assert where in answer.text
    assert http.get(f"/sessions/{project}/insights").json() == {"clustering_jobs": []}


def test_bodies_that_are_no_json_are_refused(http: httpx.Client) -> None:
    project = http.post("/sessions", json={"name": f"p {uuid.uuid4()}"}).json()["id"]
    for body in (b'{"name": "x', b"[]", b"\xff"):
        answer = http.post(f"/sessions/{project}/insights", content=body)
        assert answer.status_code in (400, 422), (body, answer.text)


def test_secrets_are_named_and_never_told(http: httpx.Client) -> None:
    name = f"KEY_{uuid.uuid4().hex}"
    secrets = "/workspaces/current/secrets"
    assert http.post(secrets, json=[{"key": name, "value": "hush"}]).status_code == 200
    assert http.post(secrets, json=[{"key": name, "value": "hush again"}]).status_code == 200
    answer = http.get(secrets)
    assert {"key": name} in answer.json()
    assert {"key": "OPENAI_API_KEY"} in answer.json()
    assert "hush" not in answer.text
    assert http.post(secrets, json=[{"key": name, "value": None}]).status_code == 200
    assert {"key": name} not in http.get(secrets).json()


def test_a_job_is_cancelled_and_a_killed_server_goes_on(own_server: Server) -> None:
    with httpx.Client(base_url=own_server.start().url, timeout=60) as http:
        project = sent(http, 120, intents=29)
        cancelled = asked(http, project)
        _until(http, project, cancelled, lambda found: found["metadata"]["progress"]["stage"] == "embed")
        answer = http.post(f"/sessions/{project}/insights/{cancelled}/cancel").json()
        assert (answer["status"], answer["error"]) == ("error", "cancelled")
        job = asked(http, project, hierarchy=[5, 2])
        _until(http, project, job, lambda found: found["metadata"]["progress"]["stage"] == "embed")
        own_server.kill()
        traces = own_server.data_dir / "insights" / job / "traces"
        before = traces.stat().st_mtime_ns
        own_server.start()
        _until(http, project, job, lambda found: found["metadata"]["progress"]["stage"] == "embed")
        assert traces.stat().st_mtime_ns == before  # what was read is not read again
        found = done(http, project, job)
        assert found["status"] == "success", found["error"]
        assert sum(found["shape"].values()) == 120
        assert http.get(f"/sessions/{project}/insights/{cancelled}").json()["status"] == "error"
        assert not list((own_server.data_dir / "insights").iterdir())


def _until(http: httpx.Client, project: str, job: str, holds: Callable[[dict[str, Any]], bool]) -> None:
    deadline = time.monotonic() + WAITING
    while time.monotonic() < deadline:
        found = http.get(f"/sessions/{project}/insights/{job}").json()
        assert found["status"] in ("queued", "running"), found
        if holds(found):
            return
        time.sleep(0.02)
    raise AssertionError(f"it never came to that: {found}")
