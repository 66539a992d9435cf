"""Experiments by hand: sessions with events and metrics, as HoneyHive's clients record them."""

from __future__ import annotations

import uuid
from typing import Any

import httpx


def begin(hh: httpx.Client, **more: Any) -> dict[str, Any]:
    """A new run."""
    answer = hh.post("/v1/runs", json={"name": f"run {uuid.uuid4().hex[:8]}", **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["evaluation"]
    return found


def session(hh: httpx.Client, run_id: str | None, datapoint: str | None = None, **more: Any) -> str:
    """A session of the run, its metrics and the like in `more`; without a run id one of none. Its id."""
    metadata = {"run_id": run_id, "datapoint_id": datapoint}
    body = {
        "session_name": "mine",
        "source": "evaluation",
        "inputs": {"q": datapoint},
        "metadata": {key: value for key, value in metadata.items() if value is not None},
        **more,
    }
    answer = hh.post("/session/start", json={"session": body})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["session_id"]
    return found


def event(hh: httpx.Client, session_id: str, name: str = "answer", **more: Any) -> str:
    """An event of the session. Its id."""
    body = {"event_type": "chain", "event_name": name, "session_id": session_id, "inputs": {}, **more}
    answer = hh.post("/events", json={"event": body})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["event_id"]
    return found


def measured(hh: httpx.Client, values: dict[str, Any], **run: Any) -> dict[str, Any]:
    """A run over these datapoints, each with one session in which the event `answer` has the metric x."""
    made = begin(hh, **run)
    for datapoint, value in values.items():
        event(hh, session(hh, made["run_id"], datapoint), metrics={"x": value})
    return made


def get(hh: httpx.Client, path: str, **params: Any) -> Any:
    answer = hh.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()
