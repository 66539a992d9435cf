"""Reports that take in what is recorded after them, on a real server through LangSmith's client."""

from __future__ import annotations

import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from bench import traffic
from langsmith import Client

from tests.conftest import Server
from tests.wire.langsmith.test_insights import asked, done, report, sent

OFF_TOPIC = "zzgl qwrpt vvkx jjhn mmbw ttrz"


@pytest.fixture(autouse=True)
def _deprecations() -> None:
    warnings.filterwarnings("ignore", message=".*list_runs.*")


@pytest.fixture
def keen(own_server: Server) -> Iterator[httpx.Client]:
    """A server that looks for new traces all the time."""
    own_server.environment["STENOGRAPH_INSIGHTS_KEEP_UP_SECONDS"] = "0.1"
    with httpx.Client(base_url=own_server.start().url, timeout=60) as http:
        yield http


def made(project: str, intent: int, count: int, *, text: str | None = None) -> list[dict[str, Any]]:
    """Traces of one intent, of now."""
    every = len(traffic.INTENTS)
    some = traffic.traces(every * count, seed=uuid.uuid4().int % 2**31)
    runs = [traffic.run(trace, project, time.time() - 30) for trace in some]
    runs = runs[intent::every]
    if text is not None:
        for run in runs:
            run["inputs"] = {"question": text}
            run["outputs"] = None
    return runs


def until(http: httpx.Client, project: str, job: str, so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The job once its counts are so: polled."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found: dict[str, Any] = http.get(f"/sessions/{project}/insights/{job}").json()
        if so(found["metadata"].get("keeping_up") or {}):
            return found
        time.sleep(0.05)
    raise AssertionError(f"the report does not keep up: {found['metadata']}")


def post(http: httpx.Client, runs: list[dict[str, Any]]) -> None:
    assert http.post("/runs/batch", content=traffic.batch(runs)).status_code == 202


def test_new_traces_are_counted_with_the_clusters_that_are_there(
    keen: httpx.Client, own_server: Server
) -> None:
    # the first two intents are refunds and invoices
    project = sent(keen, 60, intents=2)
    found = report(keen, project, keep_up=True, hierarchy=[2, 1])
    assert [each["num_runs"] for each in found["clusters"] if each["level"] == 1] == [60]
    runs = f"/sessions/{project}/insights/{found['id']}/runs"
    refund = made(project, 0, 7)
    late = made(project, 1, 1)[0]
    open_end = late | {"end_time": None}
    post(keen, [*refund, *made(project, 0, 3, text=OFF_TOPIC), open_end])
    now = until(
        keen, project, found["id"], lambda told: told.get("assigned", 0) + told.get("unassigned", 0) >= 10
    )
    told = now["metadata"]["keeping_up"]
    assert told["goes_on"] is True
    assert (told["assigned"], told["unassigned"]) == (7, 3)
    by_level = {level: [each for each in now["clusters"] if each["level"] == level] for level in (0, 1)}
    assert [each["stats"]["assigned_since"] for each in by_level[1]] == [7]
    grown = max(by_level[0], key=lambda each: each["stats"]["assigned_since"])
    assert grown["stats"]["assigned_since"] >= 6
    example = keen.get(runs, params={"cluster_id": grown["id"], "limit": 1}).json()["runs"][0]
    assert "refund" in str(keen.get(f"/runs/{example['id']}").json()["outputs"])
    # what the report says of itself stays as it was
    assert [each["num_runs"] for each in now["clusters"]] == [each["num_runs"] for each in found["clusters"]]
    assert now["metadata"]["num_runs"] == 60
    # a trace counts once it has ended, and once however often it changes
    post(keen, [late])
    until(keen, project, found["id"], lambda told: told["assigned"] == 8)
    keen.post("/feedback", json={"run_id": refund[0]["id"], "key": "k", "score": 1})
    client = Client(api_url=own_server.url, api_key="x")
    top = by_level[1][0]["id"]
    theirs = {str(run.id) for run in client.list_runs(project_id=project, filter=f'eq(cluster_id, "{top}")')}
    assert len(theirs) == 68
    assert {run["id"] for run in refund} <= theirs
    client.close()
    # after a kill nothing is lost or doubled
    own_server.kill()
    own_server.start()
    post(keen, made(project, 0, 2))
    assert (
        until(keen, project, found["id"], lambda told: told["assigned"] >= 10)["metadata"]["keeping_up"][
            "assigned"
        ]
        == 10
    )
    # and it is left off as it was begun
    one = f"/sessions/{project}/insights/{found['id']}"
    assert keen.patch(one, json={"keep_up": False}).status_code == 200
    assert keen.get(one).json()["metadata"]["keeping_up"]["goes_on"] is False


def test_a_report_is_told_later_to_keep_up_and_another_takes_over(keen: httpx.Client) -> None:
    project = sent(keen, 20, intents=2)
    first = report(keen, project, hierarchy=[2])
    assert "keeping_up" not in first["metadata"]
    assert all("assigned_since" not in each["stats"] for each in first["clusters"])
    post(keen, made(project, 0, 2))
    one = f"/sessions/{project}/insights/{first['id']}"
    assert keen.patch(one, json={"keep_up": True, "name": "Kept"}).json()["name"] == "Kept"
    assert keen.patch(one, json={}).status_code in (400, 422)
    # what came between the report and the wish is taken in too
    until(keen, project, first["id"], lambda told: told.get("assigned") == 2)
    second = report(keen, project, hierarchy=[2], keep_up=True, filter='eq(name, "assistant")')
    assert second["metadata"]["num_runs"] == 22
    post(keen, [run | {"name": "another"} for run in made(project, 0, 1)])
    post(keen, made(project, 0, 1))
    now = until(keen, project, second["id"], lambda told: told.get("assigned", 0) >= 1)
    assert now["metadata"]["keeping_up"]["assigned"] == 1
    before = keen.get(one).json()["metadata"]["keeping_up"]
    assert (before["goes_on"], before["assigned"]) == (False, 2)
    assert keen.delete(f"/sessions/{project}/insights/{second['id']}").status_code == 200


def test_what_has_no_report_cannot_keep_up(http: httpx.Client) -> None:
    project = sent(http, 4, intents=1)
    job = asked(http, project)
    one = f"/sessions/{project}/insights/{job}"
    http.post(f"{one}/cancel")
    assert http.patch(one, json={"keep_up": True}).status_code == 409
    assert http.patch(one, json={"keep_up": "often"}).status_code in (400, 422)
    nothing = done(http, project, asked(http, project, filter='eq(name, "nobody")', keep_up=True))
    assert nothing["status"] == "success"
    threads = report(http, project, unit="threads")
    answer = http.patch(f"/sessions/{project}/insights/{threads['id']}", json={"keep_up": True})
    assert answer.status_code in (400, 422)
    assert "keep_up" in answer.text
