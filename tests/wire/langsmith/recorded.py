"""Traces of known shape, for tests of what is computed from them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass(frozen=True)
class Trace:
    """A chain with one model call in it: the chain takes `seconds`, the call starts after one second of it."""

    name: str = "chain"
    start: datetime = START
    seconds: float = 4
    error: str | None = None
    tokens: tuple[int, int] = (10, 5)
    cost: tuple[float, float] | None = (0.5, 0.25)
    first_token: float | None = None
    metadata: dict[str, Any] | None = None
    tags: tuple[str, ...] = ()


def record(http: httpx.Client, project: str, *traces: Trace, key: str | None = None) -> list[uuid.UUID]:
    """Record the traces in the project of this name; returns the roots' ids."""
    runs: list[dict[str, Any]] = []
    roots = []
    for trace in traces:
        root, call = uuid.uuid4(), uuid.uuid4()
        roots.append(root)
        order = f"{_stamp(trace.start)}{root}"
        within = trace.start + timedelta(seconds=1)
        shared = {"trace_id": str(root), "session_name": project, "error": trace.error}
        runs.append(
            {
                **shared,
                "id": str(root),
                "dotted_order": order,
                "name": trace.name,
                "run_type": "chain",
                "start_time": trace.start.isoformat(),
                "end_time": (trace.start + timedelta(seconds=trace.seconds)).isoformat(),
                "inputs": {"q": 1},
                "tags": list(trace.tags),
                "extra": {"metadata": trace.metadata or {}},
            }
        )
        runs.append(
            {
                **shared,
                "id": str(call),
                "parent_run_id": str(root),
                "dotted_order": f"{order}.{_stamp(within)}{call}",
                "name": "model",
                "run_type": "llm",
                "start_time": within.isoformat(),
                "end_time": (within + timedelta(seconds=1)).isoformat(),
                "inputs": {"q": 1},
                "outputs": {"usage_metadata": _usage(trace)},
                "events": []
                if trace.first_token is None
                else [
                    {
                        "name": "new_token",
                        "time": (within + timedelta(seconds=trace.first_token)).isoformat(),
                    }
                ],
            }
        )
    headers = {"x-api-key": key} if key else {}
    answer = http.post("/runs/batch", json={"post": runs}, headers=headers)
    assert answer.status_code == 202, answer.text
    return roots


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S%fZ")


def _usage(trace: Trace) -> dict[str, Any]:
    prompt, completion = trace.tokens
    usage: dict[str, Any] = {
        "input_tokens": prompt,
        "output_tokens": completion,
        "total_tokens": prompt + completion,
    }
    if trace.cost is not None:
        usage |= {"input_cost": trace.cost[0], "output_cost": trace.cost[1], "total_cost": sum(trace.cost)}
    return usage
