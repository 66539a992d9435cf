"""A dataset of questions, the targets and judges that evaluations use, and what a user looks at afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from langsmith import Client
from langsmith.schemas import Dataset

from tests.wire.langsmith.experiments.experimenting import ok, session_of

WRONG = {3, 8, 13, 18}
"""The questions that `answer` gets wrong: a fifth of any twenty."""


def answer(inputs: dict[str, Any]) -> dict[str, Any]:
    """A target."""
    return {"a": -1 if inputs["q"] in WRONG else inputs["q"]}


def evaluator(function: Callable[..., Any]) -> Any:
    """The client takes more forms of evaluators than its types know."""
    return function


@evaluator
def exact(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> bool:
    """A judge; 1 where the answer is right."""
    return bool(outputs["a"] == reference_outputs["a"])


@dataclass(frozen=True)
class Questions:
    """A dataset whose example n asks n and expects n. Even ones are in the split `even`, odd ones in `odd`."""

    client: Client
    http: httpx.Client
    dataset: Dataset

    @property
    def id(self) -> uuid.UUID:
        return self.dataset.id

    @property
    def name(self) -> str:
        return self.dataset.name

    def session(self, experiment: str) -> dict[str, Any]:
        """GET /sessions of this name, then the one alone: they have to agree."""
        self.client.flush()
        asked: dict[str, Any] = {"name": experiment, "include_stats": True}
        (found,) = ok(self.http.get("/sessions", params=asked))
        alone = session_of(self.http, found["id"])
        assert alone["feedback_stats"] == found["feedback_stats"]
        assert alone["experiment_progress"] == found["experiment_progress"]
        return alone

    def rows(self, *sessions: str, **body: Any) -> list[dict[str, Any]]:
        """POST /datasets/{id}/runs: examples, each with its runs."""
        asked = {"session_ids": list(sessions), "limit": 100, **body}
        found: list[dict[str, Any]] = ok(self.http.post(f"/datasets/{self.id}/runs", json=asked))
        return found

    def roots(self, session: str) -> list[dict[str, Any]]:
        """POST /runs/query, every root."""
        asked = {"session": [session], "is_root": True, "limit": 100}
        found: list[dict[str, Any]] = ok(self.http.post("/runs/query", json=asked))["runs"]
        return found

    def feedback(self, **params: Any) -> list[dict[str, Any]]:
        """GET /feedback."""
        found: list[dict[str, Any]] = ok(self.http.get("/feedback", params=params))
        return found

    def versions(self) -> list[dict[str, Any]]:
        """GET /datasets/{id}/versions, newest first."""
        found: list[dict[str, Any]] = ok(self.http.get(f"/datasets/{self.id}/versions"))
        return found


def questions(client: Client, http: httpx.Client, count: int = 20) -> Questions:
    dataset = client.create_dataset(f"questions {uuid.uuid4()}")
    examples: list[Any] = [
        {
            "inputs": {"q": number},
            "outputs": {"a": number},
            "metadata": {"rest": number % 3},
            "split": "odd" if number % 2 else "even",
        }
        for number in range(count)
    ]
    client.create_examples(dataset_id=dataset.id, examples=examples)
    return Questions(client, http, dataset)
