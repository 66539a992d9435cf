"""Formulas: scores made of other scores. What a formula says, and what it comes to for one run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import msgspec

from stenograph.model.feedback import FeedbackStat, Stats, all_together
from stenograph.model.runs import Micros


class Aggregation(StrEnum):
    """How weighted scores become one."""

    SUM = "sum"
    AVERAGE = "avg"


class FormulaPart(msgspec.Struct, frozen=True):
    """The score under one key, and its weight, which may be negative or zero."""

    key: str
    weight: float


class Formula(msgspec.Struct, frozen=True, kw_only=True):
    """What is computed, and the key that it has.

    A run's score under a part's key is the mean of all that were given it there. The composite is the sum of
    weight times score, for AVERAGE divided by the sum of the weights. A run that lacks the score of any part has
    no composite: "If any of the constituent evaluators are not configured on the run, the composite score will
    not be calculated for that run" (LangSmith's documentation, "Composite evaluators"). Nor has one for which the
    arithmetic leaves the finite numbers.
    """

    key: str
    aggregation: Aggregation
    parts: tuple[FormulaPart, ...]

    @property
    def keys(self) -> frozenset[str]:
        """Those of the parts."""
        return frozenset(part.key for part in self.parts)

    @property
    def divisor(self) -> float:
        return (
            math.fsum(part.weight for part in self.parts) if self.aggregation is Aggregation.AVERAGE else 1.0
        )

    def of(self, scores: Mapping[str, float]) -> float | None:
        """The composite of a run that has these scores."""
        if not self.keys <= scores.keys():
            return None
        found = sum(part.weight * scores[part.key] for part in self.parts) / self.divisor
        return found if math.isfinite(found) else None


class FeedbackFormula(msgspec.Struct, frozen=True, kw_only=True):
    """A formula of one project, or of one dataset: then it is that of every experiment over it."""

    id: UUID
    workspace: UUID
    formula: Formula
    created_at: Micros
    modified_at: Micros
    dataset_id: UUID | None = None
    project_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """A formula, and the projects whose runs it computes a score for."""

    formula: Formula
    projects: tuple[UUID, ...]


def with_composites(given: Stats, formulas: Sequence[Formula]) -> dict[str, FeedbackStat]:
    """What one run's feedback comes to, and its composites beside it as if each were a piece of feedback."""
    scores = {key: stat.avg for key, stat in given.items() if stat.avg is not None}
    found = dict(given)
    for formula in formulas:
        score = formula.of(scores)
        if score is not None:
            stat = FeedbackStat(count=1, n=1, avg=score, stdev=0.0, min=score, max=score)
            found = all_together(found, {formula.key: stat})
    return found
