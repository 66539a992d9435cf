"""Running one evaluator on one event: each type its own way, and one kind of answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stenograph.domain.evaluators.composites import combine
from stenograph.domain.evaluators.judges import judge
from stenograph.domain.evaluators.python import PythonEvaluators
from stenograph.domain.evaluators.verdicts import EvaluationFailed, Verdict, fitting
from stenograph.errors import Invalid
from stenograph.llm.client import RETRIES, Models
from stenograph.model.evaluators import Definition, EvaluatorType

_members = msgspec.json.Decoder(dict[str, Any]).decode


class Running:
    """Runs definitions, stored or not. It reads nothing and writes nothing."""

    def __init__(self, models: Models, python: PythonEvaluators) -> None:
        self._models = models
        self.python = python

    async def run(
        self,
        definition: Definition,
        event: bytes,
        parts: Mapping[str, Definition] | None = None,
        *,
        retries: int = RETRIES,
    ) -> Verdict:
        """What the evaluator finds in the event, a JSON object as its clients see it. `parts` are the evaluators that a
        composite is made of, by name, as far as they are known; `retries` how often a model is asked again at once.

        EvaluationFailed when it finds nothing; ModelRefused and ModelUnavailable when a model cannot be asked;
        Unsupported where evaluators in Python cannot be run; Invalid for those that only people can.
        """
        match definition.type:
            case EvaluatorType.PYTHON:
                found = await self.python.run(definition.criteria, event)
            case EvaluatorType.LLM:
                found = await judge(self._models, definition, _read(event), retries)
            case EvaluatorType.COMPOSITE:
                metrics = _read(event).get("metrics")
                found = combine(definition, metrics if isinstance(metrics, dict) else {}, parts or {})
            case EvaluatorType.HUMAN:
                raise Invalid(
                    "a metric of the type HUMAN is judged by people: there is nothing to run", ("metric",)
                )
        return fitting(found, definition)


def has_ground_truth(event: bytes) -> bool:
    """Whether the event says what would have been right: where experiments keep it, or in its metadata or inputs."""
    found = _read(event)
    for place, names in (
        ("feedback", ("ground_truth", "ground_truths")),
        ("metadata", ("ground_truth", "ground_truths")),
        ("inputs", ("ground_truth", "ground_truths")),
    ):
        inside = found.get(place)
        if isinstance(inside, dict) and any(inside.get(name) is not None for name in names):
            return True
    return False


def _read(event: bytes) -> dict[str, Any]:
    try:
        return _members(event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvaluationFailed(f"the event cannot be read: {error}") from None
