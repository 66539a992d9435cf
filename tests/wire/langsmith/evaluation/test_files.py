"""Examples with files: targets and evaluators that take them."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from langsmith import Client

from tests.wire.langsmith.evaluation.questions import Questions, evaluator

COUNT = 6


@pytest.fixture
def pictured(client: Client, http: httpx.Client) -> Questions:
    """Every example has a text, every second one a picture too."""
    dataset = client.create_dataset(f"pictured {uuid.uuid4()}")
    examples: list[Any] = []
    for number in range(COUNT):
        files = {"note": ("text/plain", f"note {number}".encode())}
        if number % 2 == 0:
            files["picture"] = ("image/png", bytes(range(256)) * 40)
        examples.append({"inputs": {"q": number}, "outputs": {"a": number}, "attachments": files})
    client.create_examples(dataset_id=dataset.id, examples=examples)
    return Questions(client, http, dataset)


def read(inputs: dict[str, Any], attachments: dict[str, Any]) -> dict[str, Any]:
    """A target that reads the files of its example."""
    return {
        name: [file["mime_type"], len(file["reader"].read()), file["presigned_url"][:4]]
        for name, file in attachments.items()
    }


@evaluator
def noted(inputs: dict[str, Any], outputs: dict[str, Any], attachments: dict[str, Any]) -> dict[str, Any]:
    """A judge that reads them again, from their beginning."""
    text = attachments["note"]["reader"].read().decode()
    return {"key": "noted", "score": text == f"note {inputs['q']}"}


@pytest.mark.parametrize(("times", "concurrency"), [(2, 0), (1, 3)])
def test_targets_and_judges_read_files(
    times: int, concurrency: int, pictured: Questions, client: Client
) -> None:
    """Not both at once: the client hands one and the same reader to all repetitions of an example."""
    results = client.evaluate(
        read, data=pictured.name, evaluators=[noted], num_repetitions=times, max_concurrency=concurrency
    )
    session = pictured.session(results.experiment_name)
    roots = pictured.roots(session["id"])
    assert len(roots) == times * COUNT
    listed = client.list_examples(dataset_id=pictured.id)
    with_picture = {str(each.id) for each in listed if each.inputs and each.inputs["q"] % 2 == 0}
    for run in roots:
        expected: dict[str, Any] = {"note": ["text/plain", 6, "http"]}
        if run["reference_example_id"] in with_picture:
            expected["picture"] = ["image/png", 10240, "http"]
        assert run["outputs"] == expected
        assert run["error"] is None
    stats = session["feedback_stats"]["noted"]
    assert (stats["n"], stats["avg"]) == (times * COUNT, 1.0)


def test_async_targets_read_files(pictured: Questions, client: Client) -> None:
    async def target(inputs: dict[str, Any], attachments: dict[str, Any]) -> dict[str, Any]:
        return read(inputs, attachments)

    async def everything() -> str:
        results = await client.aevaluate(target, data=pictured.name, evaluators=[noted], max_concurrency=3)
        return results.experiment_name

    session = pictured.session(asyncio.run(everything()))
    assert session["error_rate"] == 0
    stats = session["feedback_stats"]["noted"]
    assert (stats["n"], stats["avg"]) == (COUNT, 1.0)


def test_only_the_judge_reads_files(pictured: Questions, client: Client) -> None:
    def blind(inputs: dict[str, Any]) -> dict[str, Any]:
        return inputs

    examples = client.list_examples(dataset_id=pictured.id, include_attachments=True)
    results = client.evaluate(blind, data=examples, evaluators=[noted])
    stats = pictured.session(results.experiment_name)["feedback_stats"]["noted"]
    assert (stats["n"], stats["avg"]) == (COUNT, 1.0)
