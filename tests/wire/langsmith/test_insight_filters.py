"""Clusters of reports in LangSmith's filter language, and threads as what a report counts; through its own client."""

from __future__ import annotations

import time
import uuid
from typing import Any

import httpx
import pytest
from bench import traffic
from langsmith import Client

from tests.wire.langsmith.test_insights import report, sent

NOBODY = "6a0dc41c-1ce9-4ce3-9de0-6f5a83a3f1c1"


def ids(client: Client, project: str, wanted: str | None = None, **said: Any) -> set[str]:
    return {str(run.id) for run in client.list_runs(project_id=project, filter=wanted, **said)}


def members(http: httpx.Client, project: str, job: str, cluster: str) -> set[str]:
    path = f"/sessions/{project}/insights/{job}/runs"
    return {run["id"] for run in http.get(path, params={"cluster_id": cluster}).json()["runs"]}


def test_runs_of_a_cluster_by_the_filter_language(client: Client, http: httpx.Client) -> None:
    project = sent(http, 40, intents=4)
    made = report(http, project, hierarchy=[4, 2])
    everything = ids(client, project)
    fine = [each for each in made["clusters"] if each["level"] == 0]
    for cluster in made["clusters"]:
        theirs = members(http, project, made["id"], cluster["id"])
        assert len(theirs) == cluster["num_runs"]
        assert ids(client, project, f'eq(cluster_id, "{cluster["id"]}")') == theirs
        assert ids(client, project, f'neq(cluster_id, "{cluster["id"]}")') == everything - theirs
    one, other = fine[0]["id"], fine[1]["id"]
    both = members(http, project, made["id"], one) | members(http, project, made["id"], other)
    assert ids(client, project, f'in(cluster_id, ["{one}", "{other}"])') == both
    assert ids(client, project, f'and(in(cluster_id, ["{one}", "{other}"]), eq(is_root, true))') == both
    assert ids(client, project, trace_filter=f'eq(cluster_id, "{one}")') == members(
        http, project, made["id"], one
    )
    body = {"session": [project], "filter": f'eq(cluster_id, "{one}")'}
    assert http.post("/runs/stats", json=body).json()["run_count"] == fine[0]["num_runs"]
    # a report on what another has found
    within = report(http, project, filter=f'eq(cluster_id, "{one}")')
    assert within["metadata"]["num_runs"] == fine[0]["num_runs"]


def test_clusters_that_there_are_not_have_no_runs(client: Client, http: httpx.Client) -> None:
    project = sent(http, 3)
    nobody = uuid.uuid4()
    assert ids(client, project, f'eq(cluster_id, "{nobody}")') == set()
    assert len(ids(client, project, f'neq(cluster_id, "{nobody}")')) == 3
    assert ids(client, project, f'in(cluster_id, ["{nobody}"])') == set()


@pytest.mark.parametrize(
    "wanted",
    [
        'eq(cluster_id, "mine")',
        "eq(cluster_id, null)",
        "eq(cluster_id, 7)",
        f'gt(cluster_id, "{NOBODY}")',
        'in(cluster_id, ["x"])',
        "in(cluster_id, [])",
        'like(cluster_id, "%")',
        f'has(cluster_id, "{NOBODY}")',
        f'search(cluster_id, "{NOBODY}")',
    ],
)
def test_what_makes_no_sense_of_a_cluster_is_refused(http: httpx.Client, wanted: str) -> None:
    project = http.post("/sessions", json={"name": f"p {uuid.uuid4()}"}).json()["id"]
    answer = http.post("/runs/query", json={"session": [project], "filter": wanted})
    if wanted == "in(cluster_id, [])":
        assert answer.json()["runs"] == []
    else:
        assert answer.status_code in (400, 422), answer.text
        assert "cluster_id" in answer.text


# -- threads -----------------------------------------------------------------------------------------------


def turns(
    thread: str | None, texts: list[str], start: float, error: int | None = None
) -> list[dict[str, Any]]:
    """A conversation, a trace a turn."""
    made = []
    for number in range(len(texts)):
        trace = next(traffic.traces(1, seed=uuid.uuid4().int % 2**31))
        run = traffic.run(trace, "", start + number)
        run["inputs"] = {"messages": [{"role": "user", "content": said} for said in texts[: number + 1]]}
        run["error"] = "ValueError: no" if number == error else None
        if thread is not None:
            run["extra"]["metadata"]["thread_id"] = thread
        made.append(run)
    return made


BILLING = ["I want my money back for the order", "the refund of my payment please", "refund it to my card"]
TRAVEL = ["book a flight from Berlin to Tokyo", "a flight in the morning", "with one stop on the flight"]


def conversations(count: int) -> list[dict[str, Any]]:
    """Half of them on each subject, of one to six turns, and as many traces that are in no thread."""
    start = time.time() - 1000
    runs = turns(None, [f"alone {number}" for number in range(count)], start)
    for number in range(count):
        subject = (BILLING, TRAVEL)[number % 2]
        texts = [f"{subject[turn % 3]} {number}" for turn in range(1 + number % 6)]
        runs += turns(f"thread-{number}", texts, start + 10 * number, error=0 if number == 0 else None)
    return runs


def test_threads_are_what_a_report_counts(client: Client, http: httpx.Client) -> None:
    runs = conversations(12)
    project = sent(http, 0, runs=runs)
    made = report(http, project, unit="threads", hierarchy=[2])
    assert (made["metadata"]["num_runs"], made["metadata"]["unit"]) == (12, "threads")
    assert sum(each["num_runs"] for each in made["clusters"]) == 12
    spent = sum(run["extra"]["metadata"]["usage_metadata"]["total_tokens"] for run in runs[12:])
    assert sum(each["stats"]["total_tokens"] for each in made["clusters"]) == spent
    assert sum(each["stats"]["error_count"] for each in made["clusters"]) == 1
    path = f"/sessions/{project}/insights/{made['id']}/runs"
    listed = http.get(path).json()["runs"]
    assert sorted(run["thread_id"] for run in listed) == sorted(f"thread-{number}" for number in range(12))
    last = {run["extra"]["metadata"].get("thread_id"): run["id"] for run in runs}  # the last of each counts
    assert {run["thread_id"]: run["id"] for run in listed} == {
        thread: run_id for thread, run_id in last.items() if thread is not None
    }
    subjects = {
        cluster["id"]: {
            int(run["thread_id"].removeprefix("thread-")) % 2
            for run in listed
            if run["cluster_id"] == cluster["id"]
        }
        for cluster in made["clusters"]
    }
    assert sorted(map(len, subjects.values())) == [1, 1]  # one subject a cluster
    cluster = made["clusters"][0]["id"]
    assert ids(client, project, f'eq(cluster_id, "{cluster}")') == {
        run["id"] for run in listed if run["cluster_id"] == cluster
    }


def test_a_filter_chooses_threads_by_any_of_their_traces_and_samples_count_threads(
    http: httpx.Client,
) -> None:
    project = sent(http, 0, runs=conversations(12))
    failed = report(http, project, unit="threads", filter="neq(error, null)")
    assert failed["metadata"]["num_runs"] == 1
    assert report(http, project, unit="threads", sample=5)["metadata"]["num_runs"] == 5
    assert report(http, project, unit="threads", sample=0.5)["metadata"]["num_runs"] == 6
    template = "About what is this? {{all_thread_messages}}"
    assert report(http, project, unit="threads", summary_prompt=template)["metadata"]["num_runs"] == 12
    alone = report(http, project, unit="threads", filter='eq(name, "nobody")')
    assert (alone["clusters"], alone["metadata"]["num_runs"]) == ([], 0)


@pytest.mark.parametrize(
    ("body", "where"), [({"unit": "runs"}, "unit"), ({"unit": "threads", "keep_up": True}, "keep_up")]
)
def test_units_that_cannot_be(http: httpx.Client, body: dict[str, Any], where: str) -> None:
    project = http.post("/sessions", json={"name": f"p {uuid.uuid4()}"}).json()["id"]
    answer = http.post(f"/sessions/{project}/insights", json=body)
    assert answer.status_code in (400, 422), answer.text
    assert where in answer.text
