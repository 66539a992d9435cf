"""`evaluate` and `evaluateComparative` of the real JavaScript client, and what is seen of the experiments."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from langsmith import Client

from tests.conftest import Server
from tests.javascript import report_of
from tests.wire.langsmith.evaluation.questions import Questions
from tests.wire.langsmith.evaluation.repository import environment
from tests.wire.langsmith.experiments.experimenting import ok

SCRIPT = Path(__file__).with_name("evaluate.mjs")


@dataclass(frozen=True)
class Done:
    report: dict[str, Any]
    asked: Questions

    def session(self, which: str) -> dict[str, Any]:
        return self.asked.session(self.report[which])


@pytest.fixture(scope="module")
def report(server: Server) -> dict[str, Any]:
    return report_of(SCRIPT, server.url, f"javascript {uuid.uuid4()}", environment=environment(server.url))


@pytest.fixture
def done(report: dict[str, Any], client: Client, http: httpx.Client) -> Done:
    return Done(report, Questions(client, http, client.read_dataset(dataset_id=report["dataset"])))


def test_an_experiment(done: Done) -> None:
    assert done.report["rows"] == 40
    session = done.session("first")
    assert session["run_count"] == 40
    assert session["reference_dataset_id"] == done.report["dataset"]
    assert session["test_run_number"] == 1
    metadata = session["extra"]["metadata"]
    assert metadata["model"] == "none"
    (version,) = done.asked.versions()
    written, of_client = (
        datetime.fromisoformat(each) for each in (version["as_of"], metadata["dataset_version"])
    )
    assert 0 <= (written - of_client).total_seconds() < 0.001  # this client's clock has milliseconds
    stats = {key: (each["n"], each["avg"], each["values"]) for key, each in session["feedback_stats"].items()}
    failed = stats.pop("failing", None)
    assert stats == {
        "exact": (40, 0.8, {}),
        "number": (40, 0.5, {}),
        "text": (0, None, {"good": 40}),
        "by_run": (40, 1.0, {}),
    }
    assert failed in (None, (0, None, {}))
    assert session["session_feedback_stats"]["share"]["avg"] == 0.8
    assert done.report["summary"][0]["score"] == 0.8
    assert done.report["project"]["run_count"] == 40
    assert done.report["url"].endswith(f"/datasets/{done.report['dataset']}")


def test_its_runs(done: Done) -> None:
    session = done.session("first")
    rows = done.asked.rows(session["id"])
    assert len(rows) == 20
    for row in rows:
        assert len(row["runs"]) == 2
        for run in row["runs"]:
            metadata = run["extra"]["metadata"]
            assert metadata["ls_example_rest"] == row["metadata"]["rest"]
            assert metadata["ls_example_dataset_split"] == row["metadata"]["dataset_split"]
            assert metadata["model"] == "none"
            assert run["feedback_stats"]["exact"]["n"] == 1
    given = done.asked.feedback(session=session["id"], key="exact")[0]
    judge = ok(done.asked.http.get(f"/runs/{given['feedback_source']['metadata']['__run']['run_id']}"))
    project = ok(done.asked.http.get(f"/sessions/{judge['session_id']}"))
    assert (project["name"], project["reference_dataset_id"]) == ("evaluators", None)


def test_judges_read_files(done: Done) -> None:
    stats = done.session("second")["feedback_stats"]
    assert (stats["noted"]["n"], stats["noted"]["avg"]) == (20, 1.0)
    assert stats["exact"]["avg"] == 1.0


def test_a_comparison(done: Done) -> None:
    assert done.report["compared"] == 10
    (listed,) = ok(done.asked.http.get(f"/datasets/{done.asked.id}/comparative"))
    assert listed["name"].startswith("which")
    assert listed["feedback_stats"]["preferred"]["n"] == 20
    odd, second = done.session("odd"), done.session("second")
    given = done.asked.feedback(comparative_experiment_id=listed["id"], key="preferred")
    wins = {
        session["id"]: sum(each["score"] for each in given if each["session_id"] == session["id"])
        for session in (odd, second)
    }
    assert wins == {odd["id"]: 8, second["id"]: 10}
    rows = done.asked.rows(odd["id"], second["id"], comparative_experiment_id=listed["id"])
    assert [len(row["runs"]) for row in rows].count(2) == 10
    assert [done.session(each)["test_run_number"] for each in ("first", "second", "odd")] == [1, 2, 3]
    answers = {row["inputs"]["q"]: [run["outputs"]["a"] for run in row["runs"]] for row in rows}
    assert answers == {q: [q] if q % 2 == 0 else [-1 if q % 5 == 3 else q, q] for q in range(20)}
