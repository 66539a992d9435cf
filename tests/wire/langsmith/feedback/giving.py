"""Feedback over plain HTTP, for the tests of it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import httpx
from langsmith import Client


def key_name() -> str:
    """A feedback key that nobody else uses."""
    return f"key-{uuid.uuid4().hex[:12]}"


def send_run(client: Client, project: str, **fields: Any) -> Any:
    now = dt.datetime.now(dt.UTC)
    given = {"id": uuid.uuid4(), "start_time": now, "end_time": now, "project_name": project, **fields}
    client.create_run("judged", {"x": 1}, "chain", **given)
    client.flush()
    return client.read_run(given["id"])


def give(http: httpx.Client, **fields: Any) -> dict[str, Any]:
    """Feedback over plain HTTP, as the answer has it."""
    answer = http.post("/feedback", content=json.dumps(fields))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def listed(http: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    answer = http.get("/feedback", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def stats_of(http: httpx.Client, run_id: object) -> dict[str, Any]:
    found = http.post("/runs/query", json={"id": [str(run_id)], "select": ["feedback_stats"]})
    stats: dict[str, Any] = found.json()["runs"][0]["feedback_stats"]
    return stats
