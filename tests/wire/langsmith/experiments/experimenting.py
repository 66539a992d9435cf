"""Datasets and experiments of known shape over plain HTTP, for the tests of results."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass
class Bench:
    """A dataset with examples that ask 0, 1, 2 …; `examples` are their ids in the order of the dataset."""

    http: httpx.Client
    dataset: str
    examples: list[str]
    numbers: int = 0
    runs: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def experiment(self, *answered: int, seconds: float = 1, times: int = 1, **session: Any) -> str:
        """An experiment that answered these examples (all when none is named), each so many `times`."""
        which = answered or range(len(self.examples))
        sid = str(uuid.uuid4())
        made = {"id": sid, "name": f"experiment {sid}", "reference_dataset_id": self.dataset, **session}
        ok(self.http.post("/sessions", json=made))
        self.answer(sid, *which, seconds=seconds, times=times)
        return sid

    def answer(self, experiment: str, *which: int, seconds: float = 1, times: int = 1, **fields: Any) -> None:
        """Runs of the experiment, a second apart; each has a model call of 10 + 5 tokens in it."""
        runs: list[dict[str, Any]] = []
        for number in which:
            for _ in range(times):
                run = self._trace(experiment, number, seconds, fields)
                runs += run
                key = (experiment, self.examples[number])
                self.runs.setdefault(key, []).append(run[0]["id"])
        ok(self.http.post("/runs/batch", json={"post": runs}), 202)

    def _trace(self, experiment: str, number: int, seconds: float, fields: dict[str, Any]) -> Any:
        root, call = str(uuid.uuid4()), str(uuid.uuid4())
        self.numbers += 1
        start = START + timedelta(seconds=self.numbers)
        stamp = start.strftime("%Y%m%dT%H%M%S%fZ")
        shared = {
            "trace_id": root,
            "session_id": experiment,
            "start_time": start.isoformat(),
            "end_time": (start + timedelta(seconds=seconds)).isoformat(),
            "inputs": {"q": number},
        }
        usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        return [
            {
                **shared,
                "id": root,
                "dotted_order": stamp + root,
                "name": "target",
                "run_type": "chain",
                "outputs": {"a": number},
                "reference_example_id": self.examples[number],
                **fields,
            },
            {
                **shared,
                "id": call,
                "parent_run_id": root,
                "dotted_order": f"{stamp}{root}.{stamp}{call}",
                "name": "model",
                "run_type": "llm",
                "outputs": {"usage_metadata": usage},
            },
        ]

    def run(self, experiment: str, number: int) -> str:
        return self.runs[experiment, self.examples[number]][0]

    def judge(self, experiment: str, key: str, scores: dict[int, float | None], **fields: Any) -> None:
        """One score for the first run of each of these examples."""
        for number, score in scores.items():
            said = {"run_id": self.run(experiment, number), "key": key, "score": score, **fields}
            ok(self.http.post("/feedback", json=said))

    def results(self, *experiments: str, **body: Any) -> list[dict[str, Any]]:
        """POST /datasets/{id}/runs."""
        asked = {"session_ids": list(experiments), **body}
        found: list[dict[str, Any]] = ok(self.http.post(f"/datasets/{self.dataset}/runs", json=asked))
        return found

    def shown(self, *experiments: str, **body: Any) -> list[int]:
        """The numbers of the examples of a page."""
        return [self.examples.index(row["id"]) for row in self.results(*experiments, **body)]

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        return ok(self.http.post(f"/datasets/{self.dataset}{path}", json=body), status)


def bench(http: httpx.Client, examples: int = 5, **dataset: Any) -> Bench:
    name = f"dataset-{uuid.uuid4().hex[:12]}"
    dataset_id = ok(http.post("/datasets", json={"name": name, **dataset}))["id"]
    ids = [str(uuid.uuid4()) for _ in range(examples)]
    made = [
        {
            "id": example,
            "dataset_id": dataset_id,
            "inputs": {"q": number},
            "outputs": {"a": number},
            "metadata": {"parity": "even" if number % 2 == 0 else "odd"},
        }
        for number, example in enumerate(ids)
    ]
    if made:
        ok(http.post("/examples/bulk", json=made))
    return Bench(http, dataset_id, ids)


def ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def session_of(http: httpx.Client, experiment: str, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(http.get(f"/sessions/{experiment}", params={"include_stats": True, **params}))
    return found


def events(answer: httpx.Response) -> list[tuple[str, Any]]:
    """Server-sent events as (event, data)."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((lines["event"], json.loads(lines["data"]) if "data" in lines else None))
    return found
