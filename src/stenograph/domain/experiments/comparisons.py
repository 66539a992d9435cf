"""Comparative experiments: experiments over one dataset set against each other, two answers to one example at a time.

What is said in one is feedback with its id. Callers check the permission.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import msgspec

from stenograph.domain.datasets.datasets import check_text
from stenograph.domain.runs import FeedbackStats, RunReader
from stenograph.errors import Invalid, NotFound
from stenograph.model.experiments import ComparativeExperiment, ComparisonQuery
from stenograph.model.feedback import all_together
from stenograph.model.projects import Project, ProjectQuery
from stenograph.model.runs import Micros
from stenograph.store.api import MetaStore

MAX_EXPERIMENTS: Final = 100
MAX_NAME: Final = 1000
MAX_EXTRA: Final = 1 << 20


class NewComparison(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says of a comparison it wants; the dataset defaults to that of the experiments."""

    experiments: tuple[UUID, ...]
    id: UUID | None = None
    dataset_id: UUID | None = None
    name: str | None = None
    description: str | None = None
    extra: bytes | None = None
    created_at: Micros | None = None
    modified_at: Micros | None = None


@dataclass(frozen=True, slots=True)
class ComparisonFigures:
    """A comparison with those of its experiments that are still there, and what was said in it: of all together, and
    of each."""

    comparison: ComparativeExperiment
    experiments: tuple[Project, ...]
    feedback: FeedbackStats
    by_experiment: Mapping[UUID, FeedbackStats]


class Comparisons:
    """Comparative experiments of one workspace at a time."""

    def __init__(self, meta: MetaStore, runs: RunReader) -> None:
        self._store = meta.comparative_experiments
        self._projects = meta.projects
        self._runs = runs

    async def create(self, workspace: UUID, new: NewComparison) -> ComparativeExperiment:
        """NotFound for an unknown dataset or experiment, Invalid for one over another dataset, Conflict when the
        id is taken."""
        _check(new)
        known = await self._named(workspace, new.experiments)
        for each in new.experiments:
            if each not in known:
                raise NotFound(f"experiment not found: {each}")
        dataset = new.dataset_id or known[new.experiments[0]].reference_dataset_id
        for index, each in enumerate(new.experiments):
            if dataset is None or known[each].reference_dataset_id != dataset:
                raise Invalid(
                    f"{each} is not an experiment over dataset {dataset}", ("body", "experiment_ids", index)
                )
        assert dataset is not None
        now = time.time_ns() // 1000
        comparison = ComparativeExperiment(
            id=new.id or uuid4(),
            workspace=workspace,
            dataset_id=dataset,
            experiments=tuple(dict.fromkeys(new.experiments)),
            created_at=now if new.created_at is None else new.created_at,
            modified_at=now if new.modified_at is None else new.modified_at,
            name=new.name,
            description=new.description,
            extra=new.extra,
        )
        await self._store.create(comparison)
        return comparison

    async def find(self, query: ComparisonQuery) -> list[ComparisonFigures]:
        """One page. Three queries, however many there are on it."""
        if query.name_contains is not None and len(query.name_contains) > MAX_NAME:
            raise Invalid(f"name_contains has at most {MAX_NAME} characters", ("query", "name_contains"))
        found = await self._store.find(query)
        if not found:
            return []
        every = {each for comparison in found for each in comparison.experiments}
        known = await self._named(query.workspace, tuple(every))
        given = await self._runs.feedback_in_comparisons(
            query.workspace, [comparison.id for comparison in found]
        )
        return [
            ComparisonFigures(
                comparison,
                tuple(known[each] for each in comparison.experiments if each in known),
                _together(given.get(comparison.id, {})),
                given.get(comparison.id, {}),
            )
            for comparison in found
        ]

    async def delete(self, workspace: UUID, comparison_id: UUID) -> None:
        """NotFound when there is none. What was said in it stays with the runs."""
        if not await self._store.delete(workspace, comparison_id):
            raise NotFound(f"comparative experiment not found: {comparison_id}")

    async def _named(self, workspace: UUID, ids: Sequence[UUID]) -> dict[UUID, Project]:
        found: dict[UUID, Project] = {}
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), 5_000):
            part = tuple(wanted[start : start + 5_000])
            page = await self._projects.find(ProjectQuery(workspace=workspace, ids=part))
            found |= {project.id: project for project in page}
        return found


def _together(by_experiment: Mapping[UUID, FeedbackStats]) -> FeedbackStats:
    total: FeedbackStats = {}
    for stats in by_experiment.values():
        total = all_together(total, stats)
    return total


def _check(new: NewComparison) -> None:
    if not 1 <= len(new.experiments) <= MAX_EXPERIMENTS:
        raise Invalid(f"name 1 to {MAX_EXPERIMENTS} experiments", ("body", "experiment_ids"))
    if new.name is not None:
        if len(new.name) > MAX_NAME:
            raise Invalid(f"a name has at most {MAX_NAME} characters", ("body", "name"))
        check_text(new.name, ("body", "name"))
    if new.description is not None:
        check_text(new.description, ("body", "description"))
    if new.extra is not None and len(new.extra) > MAX_EXTRA:
        raise Invalid(f"extra has at most {MAX_EXTRA} bytes", ("body", "extra"))
