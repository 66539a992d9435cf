"""Judging what was recorded long ago, one request a judgement, asks the run store for nothing."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import httpx

from tests.conftest import Server
from tests.wire.langsmith.experiments.experimenting import bench, ok


def pages(http: httpx.Client) -> str:
    """The line of the metrics that counts pages of runs read, '' before the first."""
    named = 'stenograph_query_duration_seconds_count{operation="page"}'
    return next((line for line in http.get("/metrics").text.splitlines() if line.startswith(named)), "")


def test_feedback_that_says_where_its_run_is(own_server: Server) -> None:
    """As `evaluate_comparative` sends it: with the project and the start of a run that is in memory no more."""
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        asked = bench(http, examples=2)
        experiment = asked.experiment()
        row = asked.results(experiment)[0]["runs"][0]
    assert own_server.stop() == 0
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        before = pages(http)
        judgement = {
            "id": str(uuid.uuid4()),
            "run_id": row["id"],
            "key": "preferred",
            "score": 1,
            "session_id": experiment,
            "start_time": row["start_time"],
            "created_at": datetime.now(UTC).isoformat(),
        }
        answer = ok(http.post("/feedback", json=judgement))
        assert pages(http) == before
        assert answer["session_id"] == experiment
        assert answer["start_time"] == f"{row['start_time']}Z"
        (found,) = ok(http.get("/feedback", params={"run": row["id"]}))
        assert found["trace_id"] == row["trace_id"]  # what was left out is filled in when it is filed
        assert (
            ok(http.post("/feedback", json={**judgement, "id": None, "start_time": None}))["is_root"] is True
        )
        assert pages(http) != before
