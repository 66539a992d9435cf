"""What journeys through datasets and experiments look at, made by the real client."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from langsmith import Client
from langsmith.evaluation import evaluate_comparative
from langsmith.schemas import Dataset, Example, Run

from tests.conftest import Server

WORDS = ("red", "green", "blue", "black", "white", "grey")
"""Each is the question and the start of its answer."""


def connected(server: Server) -> Iterator[Client]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client announces its own deprecations
        client = Client(api_url=server.url, api_key="anything", auto_batch_tracing=True)
        yield client
        client.flush()
        client.close()


def questions(client: Client, name: str) -> Dataset:
    dataset = client.create_dataset(name, description="Colours, and what is said of them")
    client.create_examples(
        dataset_id=dataset.id,
        examples=[
            {
                "inputs": {"question": word},
                "outputs": {"answer": f"{word} it is"},
                "split": ["base", "hard"][at % 2],
            }
            for at, word in enumerate(WORDS)
        ],
    )
    return dataset


def experiment(
    client: Client, dataset: str, prefix: str, *, wrong: tuple[str, ...] = (), fails: tuple[str, ...] = ()
) -> str:
    """An experiment that answers wrongly to some questions and fails at others; its name."""

    def target(inputs: dict[str, Any]) -> dict[str, Any]:
        word = inputs["question"]
        if word in fails:
            raise ValueError(f"{word} is too hard")
        return {"answer": f"no {word}" if word in wrong else f"{word} it is"}

    def correct(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> dict[str, Any]:
        return {"score": outputs == reference_outputs}

    def brevity(outputs: dict[str, Any] | None) -> dict[str, Any]:
        return {"score": 1 / (1 + len((outputs or {}).get("answer", "")))}

    results = client.evaluate(
        target, data=dataset, evaluators=[correct, brevity], experiment_prefix=prefix, max_concurrency=0
    )
    client.flush()
    return results.experiment_name


def compared(client: Client, first: str, second: str) -> None:
    """A pairwise comparison of two experiments: preferred is who says what the reference says."""

    def preferred(runs: Sequence[Run], example: Example | None) -> dict[Any, Any]:
        assert example is not None
        right = [run.outputs == example.outputs for run in runs]
        scores = [0.5, 0.5] if right[0] == right[1] else [int(each) for each in right]
        return {
            "key": "preferred",
            "scores": {run.id: score for run, score in zip(runs, scores, strict=True)},
        }

    evaluate_comparative((first, second), evaluators=[preferred], experiment_prefix="duel", client=client)
    client.flush()


def name() -> str:
    return f"colours {uuid.uuid4().hex[:8]}"
