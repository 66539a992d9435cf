"""Composites: one value made of those of other metrics on the same event.

`criteria` may say how, by one of three names; by any other text it is the weighted average. A value counts in the
composite's own scale: 4 on a scale of 5 is 8 on a scale of 10. True is 1, a category its score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stenograph.domain.evaluators.verdicts import EvaluationFailed, Verdict
from stenograph.model.evaluators import ChildMetric, Definition

AVERAGE: Final = "weighted average"
SUM: Final = "weighted sum"
HIGHEST_TRUE: Final = "hierarchical highest true"
"""The weight of the heaviest part that is true; 0 when none is."""


def combine(definition: Definition, metrics: Mapping[str, Any], parts: Mapping[str, Definition]) -> Verdict:
    """The value of the whole. `metrics` has the event's, by name; `parts` the evaluators that are known by these names.

    EvaluationFailed, which may do better later, while a part has no value yet.
    """
    missing = [child.name for child in definition.child_metrics if metrics.get(child.name) is None]
    if missing:
        named = ", ".join(repr(name[:60]) for name in missing[:10])
        raise EvaluationFailed(f"the event has no value of {named} yet", again=True)
    numbers = [
        _number(child, metrics[child.name], parts.get(child.name)) for child in definition.child_metrics
    ]
    pairs = list(zip(definition.child_metrics, numbers, strict=True))
    method = how(definition.criteria)
    if method == HIGHEST_TRUE:
        return Verdict(max((child.weight for child, number in pairs if number), default=0.0))
    total = sum(
        child.weight * number * _factor(definition, child, parts.get(child.name)) for child, number in pairs
    )
    if method == SUM:
        return Verdict(total)
    return Verdict(total / sum(child.weight for child, _ in pairs))


def how(criteria: str) -> str:
    """What a composite's criteria ask for."""
    words = " ".join(criteria.casefold().replace("-", " ").replace("_", " ").split())
    if words in (SUM, "sum"):
        return SUM
    return HIGHEST_TRUE if words in (HIGHEST_TRUE, "highest true") else AVERAGE


def _factor(whole: Definition, child: ChildMetric, part: Definition | None) -> float:
    """From the part's scale to that of the whole, where both are known."""
    scale = child.scale or (part.scale if part is not None else None)
    return whole.scale / scale if whole.scale and scale else 1.0


def _number(child: ChildMetric, value: Any, part: Definition | None) -> float:
    if isinstance(value, bool | int | float):
        return float(value)
    scores = {each.category: each.score for each in part.categories} if part is not None else {}
    score = scores.get(value) if isinstance(value, str) else None
    if score is None:
        raise EvaluationFailed(f"the event's {child.name[:60]!r} is no number to compute with")
    return score
