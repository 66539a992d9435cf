"""Reports end to end, without a model and with one by a script:
traffic is sent, a report is asked for, and its clusters are held against the
labels that the traffic was made from."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import traffic
from bench.server import Server

BATCH: Final = 500
_POLL: Final = 0.25
_WINDOW: Final = 5 * 86400


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds by the clock, from asking to the end; the largest memory of the report's process and of the server, in
    bytes above what the server had idle; how pure the finest clusters are; and runs a second that were taken
    meanwhile, beside those that were taken alone."""

    seconds: float
    stages: dict[str, float]
    memory: int
    purity: float
    clusters: int
    rate_alone: float
    rate_beside: float


@dataclass(frozen=True, slots=True)
class Worded:
    """What a report asked of a model: calls, tokens and dollars, and how many calls were expected; seconds by the
    clock, and of the same report once more, whose answers are all there, with the calls that were made all the same."""

    seconds: float
    calls: int
    expected: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    again_seconds: float
    again_calls: int


def worded(server: Server, count: int) -> Worded:
    """Of a server whose model answers at once."""
    project, _ = _traffic(server, count)
    (took, use), (again, second) = _worded(server, project), _worded(server, project)
    return Worded(
        took, use["calls"], use["estimate"]["calls"], use["prompt_tokens"], use["completion_tokens"], use["cost"],
        again, second["calls"],
    )  # fmt: skip


def _worded(server: Server, project: str) -> tuple[float, dict[str, Any]]:
    started = time.monotonic()
    job = _call(server, "POST", f"/sessions/{project}/insights", {})["id"]
    while (found := _call(server, "GET", f"/sessions/{project}/insights/{job}"))["status"] not in (
        "success",
        "error",
    ):
        time.sleep(_POLL)
    if found["status"] != "success" or found["metadata"]["model_note"]:
        raise RuntimeError(f"the report failed: {found['error']} {found['metadata']['model_note']}")
    return time.monotonic() - started, found["metadata"]["model"]


def _traffic(server: Server, count: int) -> tuple[str, dict[str, str]]:
    """A project with so many traces, and the intent of each by id."""
    project = _call(server, "POST", "/sessions", {"name": f"insights {count}"})["id"]
    return project, _send(server, project, count)


def measure(server: Server, count: int) -> Found:
    """Of so many traces in a project of their own."""
    project, labels = _traffic(server, count)
    server.settle(30)
    rate_alone = _rate(server, 3.0)
    server.settle(30)
    idle = server.memory()
    started = time.monotonic()
    job = _call(server, "POST", f"/sessions/{project}/insights", {})["id"]
    watching = _Watching(server)
    rate = 0.0
    stages: dict[str, float] = {}
    rated = False
    while True:
        found = _call(server, "GET", f"/sessions/{project}/insights/{job}")
        stage = found["metadata"]["progress"]["stage"]
        stages.setdefault(stage, time.monotonic() - started)
        if found["status"] in ("success", "error"):
            break
        if stage == "embed" and not rated and count >= 10_000:
            rate, rated = _rate(server, 3.0), True
        time.sleep(_POLL)
    seconds = time.monotonic() - started
    peak = watching.stop()
    if found["status"] != "success":
        raise RuntimeError(f"the report of {count} traces failed: {found['error']}")
    finest = [each for each in found["clusters"] if each["level"] == 0]
    if sum(each["num_runs"] for each in finest) != count:
        raise RuntimeError("the clusters do not add up to all traces")
    purity = _purity(server, project, job, finest, labels)
    return Found(seconds, stages, max(0, peak - idle), purity, len(finest), rate_alone, rate)


def _send(server: Server, project: str, count: int) -> dict[str, str]:
    """The intent of each trace by id."""
    labels: dict[str, str] = {}
    start = time.time() - _WINDOW
    runs: list[dict[str, Any]] = []
    for number, trace in enumerate(traffic.traces(count, seed=count)):
        labels[str(trace.id)] = trace.intent
        runs.append(traffic.run(trace, project, start + number * _WINDOW / (count + 1)))
        if len(runs) == BATCH:
            _post(server, runs)
            runs = []
    if runs:
        _post(server, runs)
    return labels


def _rate(server: Server, seconds: float) -> float:
    """Runs a second that one sender gets acknowledged; they go into another project."""
    project = _call(server, "POST", "/sessions", {"name": f"beside {time.monotonic_ns()}"})["id"]
    made = [
        traffic.run(trace, project, time.time()) for trace in traffic.traces(BATCH, seed=time.monotonic_ns())
    ]
    sent, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        _post(server, made)
        sent += len(made)
    return sent / seconds


def _purity(
    server: Server, project: str, job: str, clusters: list[dict[str, Any]], labels: dict[str, str]
) -> float:
    """The share of traces whose intent is the most frequent of their cluster, from 100 of each cluster."""
    right = total = 0
    for cluster in clusters:
        path = f"/sessions/{project}/insights/{job}/runs?limit=100&cluster_id={cluster['id']}"
        intents = [labels[run["id"]] for run in _call(server, "GET", path)["runs"]]
        right += max(intents.count(each) for each in set(intents))
        total += len(intents)
    return right / total


class _Watching:
    """The memory of the server and of the processes that it has started, looked at ten times a second."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            self._peak = max(
                self._peak, self._server.memory() + sum(map(_resident, _children(self._server.pid)))
            )

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._peak


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0


def _post(server: Server, runs: list[dict[str, Any]]) -> None:
    while True:
        asked = urllib.request.Request(
            f"{server.url}/runs/batch",
            traffic.batch(runs),
            {"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(asked):
                return
        except urllib.error.HTTPError as error:
            if error.code != 429:
                raise
            time.sleep(0.2)


def _call(server: Server, method: str, path: str, body: Any = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(
        server.url + path.replace(" ", "%20"), content, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)
