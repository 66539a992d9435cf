"""`stenograph demo` against a real server: what a user sees afterwards, and what goes wrong in words."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Server, free_port
from tests.keys import issue

SMALL = ("--traces", "60", "--days", "2")


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


def demo(url: str, *options: str) -> Ran:
    """The command in a process of its own, whose output is no terminal."""
    command = [sys.executable, "-m", "stenograph", "demo", "--url", url, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Filled:
    """A server that was filled once for all tests of this module."""

    server: Server
    ran: Ran
    http: httpx.Client


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    server = Server(tmp_path_factory.mktemp("demo") / "data").start()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        yield Filled(server, demo(server.url, *SMALL), http)
    assert server.stop() == 0, server.log[-4000:]


def projects(http: httpx.Client) -> dict[str, dict[str, Any]]:
    found = http.get("/sessions", params={"include_stats": True, "limit": 100}).json()
    return {each["name"]: each for each in found}


def pieces(http: httpx.Client, project: str) -> list[tuple[str, str, float]]:
    """All feedback of a project."""
    found: list[tuple[str, str, float]] = []
    while True:
        page = http.get("/feedback", params={"session": project, "limit": 100, "offset": len(found)}).json()
        found += [(each["id"], each["key"], each["score"]) for each in page]
        if len(page) < 100:
            return sorted(found)


def seen(http: httpx.Client) -> dict[str, Any]:
    """What a user sees of the demo."""
    there_are = projects(http)
    support = there_are["support-agent"]["id"]
    (dataset,) = http.get("/datasets", params={"name": "support questions"}).json()
    (queue,) = http.get("/annotation-queues", params={"name": "Thumbs down"}).json()
    agents = http.get("/julep/agents").json()["items"]
    agent = agents[0]["id"]
    return {
        "projects": {
            name: [each[key] for key in ("id", "run_count", "total_tokens", "total_cost", "error_rate", "latency_p50")]
            for name, each in there_are.items()
        },
        "feedback": {name: pieces(http, each["id"]) for name, each in there_are.items()},
        "examples": http.get("/examples/count", params={"dataset": dataset["id"]}).json(),
        "versions": http.get(f"/datasets/{dataset['id']}/versions").json(),
        "baseline": dataset["baseline_experiment_id"],
        "comparisons": [each["id"] for each in http.get(f"/datasets/{dataset['id']}/comparative").json()],
        "queue": http.get(f"/annotation-queues/{queue['id']}/total_size").json(),
        "reports": [each["id"] for each in http.get(f"/sessions/{support}/insights").json()["clustering_jobs"]],
        "agents": [each["name"] for each in agents],
        "docs": len(http.get(f"/julep/agents/{agent}/docs", params={"limit": 100}).json()["items"]),
        "users": len(http.get("/julep/users").json()["items"]),
        "sessions": len(http.get("/julep/sessions").json()["items"]),
    }  # fmt: skip


def test_a_line_for_each_step_and_the_link_alone_on_standard_output(filled: Filled) -> None:
    assert filled.ran.status == 0, filled.ran.err
    steps = re.findall(r"^\[(\d)/8\] \w[\w ]+: .+ \(\d+\.\d s\)$", filled.ran.err, re.MULTILINE)
    assert steps == list("12345678")
    support = projects(filled.http)["support-agent"]["id"]
    assert filled.ran.out == f"Have a look: {filled.server.url}/ui/projects/{support}\n"


def test_what_a_user_sees(filled: Filled) -> None:
    found = seen(filled.http)
    assert {"support-agent", "refund-audit", "voice-line", "checkout-assistant"} <= set(found["projects"])
    assert found["examples"] == 60
    assert len(found["versions"]) >= 3
    assert sorted(tag for each in found["versions"] for tag in each["tags"]) == [
        "first-review",
        "latest",
        "reviewed",
    ]
    assert found["baseline"] == found["projects"]["support-agent 2.3.1"][0]
    assert len(found["comparisons"]) == 1
    assert len(found["reports"]) == 2
    assert (found["agents"], found["docs"], found["users"], found["sessions"]) == (
        ["Halden support"],
        27,
        8,
        8,
    )
    keys = {key for _, key, _ in found["feedback"]["support-agent"]}
    assert {"user_score", "resolved", "correctness"} <= keys


def test_the_queue_asks_for_a_policy_by_name(filled: Filled) -> None:
    (queue,) = filled.http.get("/annotation-queues", params={"name": "Thumbs down"}).json()
    whole = filled.http.get(f"/annotation-queues/{queue['id']}").json()
    shape = next(
        each["feedback_config"]["feedback_config"]
        for each in whole["rubric_items"]
        if each["feedback_key"] == "broken_policy"
    )
    assert shape["type"] == "categorical"
    assert [each["label"] for each in shape["categories"]] == ["none", "returns", "identity", "promises"]


def test_traces_have_what_a_page_shows(filled: Filled) -> None:
    http, support = filled.http, projects(filled.http)["support-agent"]["id"]
    asked = {"session": [support], "is_root": True, "limit": 100}
    roots = http.post("/runs/query", json=asked).json()["runs"]
    assert len(roots) == 60
    assert len({root["thread_id"] for root in roots}) > 20
    whole = next(root for root in roots if root["status"] == "success" and root["total_cost"])
    runs = http.post("/runs/query", json={"trace": whole["trace_id"], "limit": 100}).json()["runs"]
    models = [run for run in runs if run["run_type"] == "llm"]
    assert models
    assert all(run["total_tokens"] and run["total_cost"] and run["first_token_time"] for run in models)
    audit = projects(http)["refund-audit"]
    assert audit["run_count"] > 300


def test_experiments_can_be_compared(filled: Filled) -> None:
    http = filled.http
    there_are = projects(http)
    (dataset,) = http.get("/datasets", params={"name": "support questions"}).json()
    experiments = [there_are[name]["id"] for name in ("support-agent 2.3.1", "gpt-4.1-nano")]
    assert all(there_are[name]["run_count"] == 60 for name in ("support-agent 2.3.1", "gpt-4.1-nano"))
    body = {"comparison_session_ids": experiments[1:], "feedback_key": "correctness"}
    (delta,) = (
        http.post(f"/datasets/{dataset['id']}/runs/delta", json=body).json()["feedback_deltas"].values()
    )
    assert len(delta["regressed_examples"]) > len(delta["improved_examples"])


def test_running_it_again_changes_nothing(filled: Filled) -> None:
    before = seen(filled.http)
    again = demo(filled.server.url, *SMALL)
    assert again.status == 0, again.err
    assert again.out == filled.ran.out
    assert seen(filled.http) == before


def test_a_demo_of_other_options_is_not_mixed_into_it(filled: Filled) -> None:
    ran = demo(filled.server.url, *SMALL, "--seed", "2")
    assert (ran.status, ran.out) == (2, "")
    assert "there is a demo already, of --seed 1 --traces 60 --days 2 --until 20" in ran.err
    assert "Traceback" not in ran.err


def test_nobody_is_there() -> None:
    port = free_port()
    ran = demo(f"http://127.0.0.1:{port}", *SMALL)
    assert ran.status == 1
    assert f"no server answers at http://127.0.0.1:{port}" in ran.err
    assert "stenograph serve" in ran.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--url", "localhost"), "is no address of a server"),
        (("--traces", "0"), "--traces is 1 to 100,000"),
        (("--days", "0.1"), "--days is 1 to 90"),
        (("--until", "yesterday"), "--until 'yesterday' is no time"),
    ],
)
def test_what_cannot_be(options: tuple[str, ...], sentence: str) -> None:
    ran = demo("http://127.0.0.1:1", *options)
    assert ran.status == 2
    assert sentence in ran.err


def test_a_key_is_needed_where_keys_are(locked_server: Server) -> None:
    ran = demo(locked_server.url, *SMALL, "--key", "wrong")
    assert ran.status == 2
    assert "--api-key" in ran.err
    only_in = issue(locked_server.data_dir, "default", "ingest")
    ran = demo(locked_server.url, *SMALL, "--key", only_in)
    assert (ran.status, ran.out) == (2, "")
    assert "Traceback" not in ran.err


def test_somebody_elses_project_is_left_alone(own_server: Server, tmp_path: Path) -> None:
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        made = http.post("/sessions", json={"name": "support-agent"})
        assert made.status_code == 200, made.text
        ran = demo(own_server.url, *SMALL)
        assert ran.status == 2
        assert "that this command did not make" in ran.err
        assert projects(http)["support-agent"]["run_count"] == 0
