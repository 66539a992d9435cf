"""`langsmith/jest` and `langsmith/vitest` under the real Jest and Vitest, twice each over one suite."""

from __future__ import annotations

import subprocess
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from langsmith import Client

from tests.conftest import Server
from tests.wire.langsmith.evaluation.questions import Questions
from tests.wire.langsmith.evaluation.repository import MODULES, SUITES, Repository, environment
from tests.wire.langsmith.experiments.experimenting import ok

COMMANDS = {
    "jest": [str(MODULES / "jest" / "bin" / "jest.js"), "--config", "jest.config.json"],
    "vitest": [str(MODULES / "vitest" / "vitest.mjs"), "run", "--config", "vitest.config.mjs"],
}


@pytest.mark.parametrize("runner", COMMANDS)
def test_a_suite_twice(
    runner: str, server: Server, client: Client, http: httpx.Client, tmp_path: Path
) -> None:
    suite = f"{runner} {uuid.uuid4()}"
    repository = Repository.make(tmp_path / "repository")
    variables = environment(server.url, SUITE=suite, GIT_DIR=str(repository.folder / ".git"))
    counts = []
    for _ in range(2):
        done = subprocess.run(
            ["node", *COMMANDS[runner]],
            cwd=SUITES,
            env=variables,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 1, said  # one test of the suite fails
        assert "Failed to" not in said, said
        assert "View full results in LangSmith" in said, said
        seen = Questions(client, http, client.read_dataset(dataset_name=suite))
        counts.append(len(seen.versions()))
    assert counts == [5, 5]  # the second time every example was found as it would be written
    assert f"git:commit:{repository.commit}" in seen.versions()[0]["tags"]
    assert (seen.dataset.metadata or {})["__ls_runner"] == runner
    asked: dict[str, Any] = {"reference_dataset": str(seen.id), "include_stats": True, "sort_by_desc": False}
    sessions = ok(http.get("/sessions", params=asked))
    assert [session["test_run_number"] for session in sessions] == [1, 2]
    for session in sessions:
        _check_experiment(seen, session, runner, repository)
    assert [len(row["runs"]) for row in seen.rows(*(each["id"] for each in sessions))].count(4) == 1


def _check_experiment(seen: Questions, session: dict[str, Any], runner: str, repository: Repository) -> None:
    assert session["run_count"] == 6
    metadata = session["extra"]["metadata"]
    assert metadata["__ls_runner"] == runner
    assert metadata["runner"] == runner
    assert metadata["commit"] == repository.commit
    assert datetime.fromisoformat(metadata["dataset_version"])
    stats = {key: (stat["n"], stat["avg"]) for key, stat in session["feedback_stats"].items()}
    assert stats == {"pass": (6, pytest.approx(5 / 6)), "correct": (3, 1.0), "length": (1, 0.5)}
    roots: dict[int, dict[str, Any]] = {run["inputs"]["q"]: run for run in seen.roots(session["id"])}
    assert roots[1]["outputs"] == {"a": 2}
    assert roots[1]["extra"]["metadata"]["ls_example_dataset_split"] == ["easy"]
    assert roots[4]["extra"]["metadata"]["ls_example_hard"] is True
    assert roots[2]["status"] == "error"
    assert [each["score"] for each in seen.feedback(run=roots[2]["id"], key="pass")] == [0]
    (correct,) = seen.feedback(run=roots[1]["id"], key="correct")
    judge = ok(seen.http.get(f"/runs/{correct['feedback_source']['metadata']['__run']['run_id']}"))
    project = ok(seen.http.get(f"/sessions/{judge['session_id']}"))
    # Here judges name the example too; that makes no experiment of their project.
    assert (project["name"], project["reference_dataset_id"]) == ("evaluators", None)
    assert judge["reference_example_id"] == roots[1]["reference_example_id"]
