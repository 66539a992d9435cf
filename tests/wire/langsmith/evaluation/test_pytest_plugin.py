"""LangSmith's pytest plugin in a pytest of its own: a suite is a dataset, a session of pytest an experiment over it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import uuid
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from langsmith import Client

from tests.conftest import Server
from tests.wire.langsmith.evaluation.questions import Questions
from tests.wire.langsmith.evaluation.repository import SUITES, Repository, environment
from tests.wire.langsmith.experiments.experimenting import ok


@pytest.fixture
def suite() -> str:
    return f"suite {uuid.uuid4()}"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.make(tmp_path / "repository")
    shutil.copy(SUITES / "judged_by_pytest.py", made.folder / "test_judged.py")
    shutil.copy(SUITES / "plugin_in_order.py", made.folder / "conftest.py")
    return made


def run_pytest(
    repository: Repository, server: Server, suite: str, *options: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    named = {"LANGSMITH_TEST_SUITE": suite, "LANGSMITH_EXPERIMENT": "mine", "FIRST": "error", **variables}
    named["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # those of others take a second of each run
    plugins = ["-p", "no:cacheprovider", "-p", "langsmith.pytest_plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options, "test_judged.py"],
        cwd=repository.folder,
        env=environment(server.url, **named),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def dataset_of(client: Client, http: httpx.Client, suite: str) -> Questions:
    return Questions(client, http, client.read_dataset(dataset_name=suite))


def test_a_suite_twice(
    repository: Repository, server: Server, suite: str, client: Client, http: httpx.Client
) -> None:
    first = run_pytest(repository, server, suite)
    assert "1 failed, 5 passed, 1 skipped" in first.stdout, first.stdout + first.stderr
    seen = dataset_of(client, http, suite)
    examples = {str(each.id): each for each in client.list_examples(dataset_id=seen.id)}
    versions = seen.versions()
    assert len(examples) == len(versions) == 6
    assert versions[0]["tags"] == ["latest", "git:branch:main", f"git:commit:{repository.commit}"]
    assert seen.dataset.metadata is not None
    assert seen.dataset.metadata["__ls_runner"] == "pytest"

    second = run_pytest(repository, server, suite)
    assert "1 failed, 5 passed, 1 skipped" in second.stdout, second.stdout + second.stderr
    # Nothing has changed, so nothing was written: the plugin found every example as it would write it.
    assert seen.versions() == versions
    older, newer = sorted(_experiments(seen), key=lambda session: session["test_run_number"])
    for number, session in ((1, older), (2, newer)):
        _check_experiment(seen, session, number, repository, versions[0]["as_of"])
        assert {run["reference_example_id"] for run in seen.roots(session["id"])} == set(examples)
    assert len(seen.rows(older["id"], newer["id"])) == 6


def _experiments(seen: Questions) -> list[dict[str, Any]]:
    asked: dict[str, Any] = {"reference_dataset": str(seen.id), "include_stats": True}
    found: list[dict[str, Any]] = ok(seen.http.get("/sessions", params=asked))
    return found


def _check_experiment(
    seen: Questions, session: dict[str, Any], number: int, repository: Repository, version: str
) -> None:
    assert session["name"].startswith("mine:")
    assert session["description"] == "Test Suite Results."
    assert session["test_run_number"] == number
    assert session["run_count"] == 6
    metadata = session["extra"]["metadata"]
    assert metadata["__ls_runner"] == "pytest"
    assert metadata["commit"] == repository.commit
    assert datetime.fromisoformat(metadata["dataset_version"]) == datetime.fromisoformat(version)
    stats = {key: (stat["n"], stat["avg"]) for key, stat in session["feedback_stats"].items()}
    assert stats == {"pass": (5, 0.8), "close": (1, 0.5), "judged": (1, 1.0)}
    passed = {each["run_id"]: each["score"] for each in seen.feedback(session=session["id"], key="pass")}
    roots = {run["name"]: run for run in seen.roots(session["id"])}
    assert {name: passed[run["id"]] for name, run in roots.items()} == {
        "test_right": 1,
        "test_several": 1,
        "test_wrong": 0,
        "test_weighed": 1,
        "test_skipped": None,
    }
    assert roots["test_right"]["outputs"] == {"sum": 3}
    assert "assert 10 == 11" in roots["test_wrong"]["error"]
    assert roots["test_wrong"]["status"] == "error"
    assert roots["test_wrong"]["extra"]["metadata"]["ls_example_dataset_split"] == ["hard", "rare"]
    assert roots["test_weighed"]["extra"]["metadata"]["ls_example_weight"] == 1
    (judged,) = seen.feedback(run=roots["test_right"]["id"], key="judged")
    judge = ok(seen.http.get(f"/runs/{judged['feedback_source']['metadata']['__run']['run_id']}"))
    assert ok(seen.http.get(f"/sessions/{judge['session_id']}"))["name"] == "evaluators"


def test_an_error_that_the_plugin_leaves_out(
    repository: Repository, server: Server, suite: str, client: Client, http: httpx.Client
) -> None:
    """It has two threads that race (see plugin_in_order.py). When the end of a run is sent first, its error never is;
    what it says of the test's result is right in any case."""
    run_pytest(repository, server, suite, "-k", "wrong or right", FIRST="end")
    seen = dataset_of(client, http, suite)
    (session,) = _experiments(seen)
    passed = {each["run_id"]: each["score"] for each in seen.feedback(session=session["id"], key="pass")}
    found = {
        run["name"]: (run["error"], run["status"], passed[run["id"]]) for run in seen.roots(session["id"])
    }
    assert found == {"test_wrong": (None, "success", 0), "test_right": (None, "success", 1)}


def test_a_changed_test_changes_its_example_alone(
    repository: Repository, server: Server, suite: str, client: Client, http: httpx.Client
) -> None:
    run_pytest(repository, server, suite)
    seen = dataset_of(client, http, suite)
    before = seen.versions()
    run_pytest(repository, server, suite, WEIGHT="2")
    after = seen.versions()
    assert len(after) == len(before) + 1
    changed = seen.client.diff_dataset_versions(
        seen.id, from_version=before[0]["as_of"], to_version=after[0]["as_of"]
    )
    assert (changed.examples_added, changed.examples_removed) == ([], [])
    (example,) = changed.examples_modified
    assert (client.read_example(example).metadata or {})["weight"] == 2
    assert f"git:commit:{repository.commit}" in after[0]["tags"]
    assert not after[1]["tags"]  # a tag is on one version


def test_no_tracking(
    repository: Repository, server: Server, suite: str, client: Client, http: httpx.Client
) -> None:
    done = run_pytest(repository, server, suite, LANGSMITH_TEST_TRACKING="false")
    assert "1 failed, 5 passed, 1 skipped" in done.stdout, done.stdout + done.stderr
    assert not ok(http.get("/datasets", params={"name": suite}))
    assert not client.has_dataset(dataset_name=suite)


def test_metadata_of_an_experiment(
    repository: Repository, server: Server, suite: str, client: Client, http: httpx.Client
) -> None:
    fixture = (
        "\n\nimport pytest\n\n"
        "@pytest.fixture(scope='session')\n"
        "def langsmith_experiment_metadata():\n"
        "    return {'model': 'small'}\n"
    )
    with (repository.folder / "conftest.py").open("a") as conftest:
        conftest.write(fixture)
    done = run_pytest(
        repository, server, suite, "-k", "right", "--langsmith-output", LANGSMITH_EXPERIMENT="named"
    )
    assert "Averages" in done.stdout, done.stdout + done.stderr
    (session,) = _experiments(dataset_of(client, http, suite))
    assert session["name"].startswith("named:")
    assert session["extra"]["metadata"]["model"] == "small"
    assert session["run_count"] == 1


def test_metadata_of_an_experiment_from_the_environment(
    repository: Repository, server: Server, suite: str, client: Client, http: httpx.Client
) -> None:
    """The plugin's own members stay its own; what is no JSON fails the tests and makes no dataset."""
    stated = {"model": "large", "nested": {"a": [1.5, None]}, "__ls_runner": "mine"}
    variables = {"LANGSMITH_EXPERIMENT_METADATA": json.dumps(stated)}
    run_pytest(repository, server, suite, "-k", "right or weighed", **variables)
    (session,) = _experiments(dataset_of(client, http, suite))
    metadata = session["extra"]["metadata"]
    assert {name: metadata[name] for name in ("model", "nested")} == {
        "model": "large",
        "nested": {"a": [1.5, None]},
    }
    assert metadata["__ls_runner"] == "pytest"
    assert metadata["commit"] == repository.commit
    asked = {"reference_dataset": session["reference_dataset_id"], "metadata": '{"model": "large"}'}
    assert [each["id"] for each in ok(http.get("/sessions", params=asked))] == [session["id"]]
    done = run_pytest(repository, server, f"{suite} 2", "-k", "right", LANGSMITH_EXPERIMENT_METADATA="{")
    assert "LANGSMITH_EXPERIMENT_METADATA env var is not valid JSON" in done.stdout
    assert not client.has_dataset(dataset_name=f"{suite} 2")


class Elsewhere(BaseHTTPRequestHandler):
    """Counts what it is asked, and answers with the number."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        said = f"answer {self.asked}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error."""


def test_answers_of_others_are_kept_and_what_is_sent_here_is_not(
    repository: Repository, server: Server, suite: str, client: Client, http: httpx.Client
) -> None:
    """LANGSMITH_TEST_CACHE has other programs' answers played back the second time. Requests to this server pass."""
    pytest.importorskip("vcr", reason="make setup installs vcrpy")
    shutil.copy(SUITES / "asking_elsewhere.py", repository.folder / "test_judged.py")
    cache = repository.folder / "cassettes"
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as elsewhere:
        Elsewhere.asked = 0
        serving = threading.Thread(target=elsewhere.serve_forever)
        serving.start()
        variables = {
            "LANGSMITH_TEST_CACHE": str(cache),
            "ELSEWHERE": f"http://127.0.0.1:{elsewhere.server_port}/",
            "FIRST": "call",
        }
        for _ in range(2):
            done = run_pytest(repository, server, suite, **variables)
            assert "1 passed" in done.stdout, done.stdout + done.stderr
        elsewhere.shutdown()
        serving.join()
    assert Elsewhere.asked == 1
    (cassette,) = cache.iterdir()
    assert server.url not in cassette.read_text()
    seen = dataset_of(client, http, suite)
    sessions = _experiments(seen)
    assert [session["test_run_number"] for session in sessions] == [2, 1]
    for session in sessions:
        stats = {key: (stat["n"], stat["avg"]) for key, stat in session["feedback_stats"].items()}
        assert stats == {"pass": (1, 1.0), "answered": (1, 1.0)}
        (root,) = seen.roots(session["id"])
        assert root["outputs"] == {"said": "answer 1"}
