"""Results of experiments in groups: by a metadata key of their runs or examples, and whole experiments by their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.domain.experiments.results import (
    Answered,
    ExperimentResults,
    Listed,
    ResultQuestion,
    first_token,
    latency,
)
from stenograph.domain.projects.stats import Bounds, ProjectFigures, ProjectStats
from stenograph.domain.runs import USAGE, FeedbackStats
from stenograph.model.carried_metadata import PREFIX
from stenograph.model.feedback import all_together
from stenograph.model.projects import Project, metadata_of
from stenograph.model.runs import Micros, PicoDollars, Run
from stenograph.model.stats import RunStats

_COLUMNS: Final = USAGE | {"metadata", "end_time", "first_token_time", "status"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """What the runs of a group come to: all of them, or those of one experiment."""

    stats: RunStats
    example_count: int
    first_start: Micros | None
    last_start: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultGroup:
    """The runs that have one value of a metadata key.

    `examples` are the first of those that every experiment with runs in the group has answered there;
    `figures.example_count` says how many they are. `experiments` has all that were asked for.
    """

    value: str
    figures: GroupFigures
    experiments: tuple[tuple[Project, GroupFigures], ...]
    examples: tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class ExperimentGroup:
    """Experiments whose metadata have the same values, None where a key is missing."""

    values: Mapping[str, Any]
    experiments: tuple[tuple[Project, ProjectFigures], ...]
    figures: ProjectFigures


class ExperimentGroups:
    """Callers check the permission."""

    def __init__(self, results: ExperimentResults, stats: ProjectStats) -> None:
        self._results = results
        self._stats = stats

    async def by_metadata(
        self,
        question: ResultQuestion,
        key: str,
        *,
        of_examples: bool,
        columns: frozenset[str],
        examples: int,
        offset: int,
        limit: int,
    ) -> list[ResultGroup]:
        """One page of groups, those with most examples first; of each the first few `examples` with these columns.

        Metadata of examples is what their runs took over when they were written. Runs without the key are in no
        group.
        """
        key = PREFIX + key if of_examples else key
        listed = await self._results.listing(question, _COLUMNS)
        values: dict[str, list[Listed]] = {}
        for each in listed:
            for value, having in _by_value(each.runs, key).items():
                values.setdefault(value, []).append(Listed(each.example_id, each.moment, having))
        experiments = await self._results.experiments(
            question.workspace, question.dataset_id, question.experiments
        )
        shared = {value: _shared(group) for value, group in values.items()}
        order = sorted(values, key=lambda value: (-len(shared[value]), value))[offset : offset + limit]
        runs = [run for value in order for each in values[value] for run in each.runs]
        feedback = await self._results.feedback(question.workspace, runs, question.comparison)
        first = [each for value in order for each in shared[value][:examples]]
        fill = await self._results.filler(question.workspace, first, columns)
        return [
            _group(
                value,
                experiments,
                values[value],
                len(shared[value]),
                [found for each in shared[value][:examples] if (found := fill(each)) is not None],
                feedback,
            )
            for value in order
        ]

    async def of_experiments(
        self, workspace: UUID, experiments: Sequence[Project], keys: Sequence[str], bounds: Bounds
    ) -> AsyncIterator[ExperimentGroup]:
        """These experiments by their metadata, in the order of the first of each group."""
        figures = await self._stats.of(workspace, experiments, bounds)
        groups: dict[bytes, list[Project]] = {}
        for project in experiments:
            groups.setdefault(msgspec.json.encode(_values(project, keys), order="sorted"), []).append(project)
        for projects in groups.values():
            yield ExperimentGroup(
                _values(projects[0], keys),
                tuple((project, figures[project.id]) for project in projects),
                figures[projects[0].id]
                if len(projects) == 1
                else await self._stats.together(workspace, projects, bounds),
            )


def _group(
    value: str,
    experiments: Sequence[Project],
    every: Sequence[Listed],
    shared: int,
    examples: Sequence[Answered],
    feedback: Mapping[UUID, FeedbackStats],
) -> ResultGroup:
    runs = [run for each in every for run in each.runs]
    of_experiment: dict[UUID, list[Run]] = {}
    for run in runs:
        of_experiment.setdefault(run.project_id, []).append(run)
    return ResultGroup(
        value=value,
        figures=_figures(runs, feedback, shared),
        experiments=tuple(
            (project, _figures(mine := of_experiment.get(project.id, []), feedback, _examples_of(mine)))
            for project in experiments
        ),
        examples=tuple(examples),
    )


def _values(project: Project, keys: Sequence[str]) -> dict[str, Any]:
    metadata = metadata_of(project.extra)
    return {key: metadata.get(key) if isinstance(metadata, dict) else None for key in keys}


def _by_value(runs: Iterable[Run], key: str) -> dict[str, tuple[Run, ...]]:
    found: dict[str, tuple[Run, ...]] = {}
    for run in runs:
        if key in run.metadata:
            found[run.metadata[key]] = (*found.get(run.metadata[key], ()), run)
    return found


def _shared(group: Sequence[Listed]) -> list[Listed]:
    """The examples that all experiments in this group have in common."""
    everyone = {run.project_id for each in group for run in each.runs}
    return [each for each in group if everyone == {run.project_id for run in each.runs}]


def _examples_of(runs: Iterable[Run]) -> int:
    return len({run.reference_example_id for run in runs})


# -- what runs come to, in memory ------------------------------------------------------------------------


def _figures(runs: Sequence[Run], feedback: Mapping[UUID, FeedbackStats], example_count: int) -> GroupFigures:
    starts = [run.start_time for run in runs]
    return GroupFigures(
        stats=_stats(runs, feedback),
        example_count=example_count,
        first_start=min(starts, default=None),
        last_start=max(starts, default=None),
    )


def _stats(runs: Sequence[Run], feedback: Mapping[UUID, FeedbackStats]) -> RunStats:
    """The same figures as the store's, of roots whose usage is that of their traces."""
    if not runs:
        return RunStats()
    latencies = [found for run in runs if (found := latency(run)) is not None]
    first_tokens = [found for run in runs if (found := first_token(run)) is not None]
    given: FeedbackStats = {}
    for run in runs:
        given = all_together(given, feedback.get(run.id, {}))
    return RunStats(
        run_count=len(runs),
        finished_count=len(latencies),
        latency_p50=_quantile(latencies, 0.5),
        latency_p99=_quantile(latencies, 0.99),
        first_token_p50=_quantile(first_tokens, 0.5),
        first_token_p99=_quantile(first_tokens, 0.99),
        prompt_tokens=sum(run.usage.prompt_tokens for run in runs),
        completion_tokens=sum(run.usage.completion_tokens for run in runs),
        total_tokens=sum(run.usage.total_tokens for run in runs),
        prompt_cost=_sum(run.usage.prompt_cost for run in runs),
        completion_cost=_sum(run.usage.completion_cost for run in runs),
        total_cost=_sum(run.usage.total_cost for run in runs),
        last_run_start_time=max(run.start_time for run in runs),
        error_rate=sum(run.status == "error" for run in runs) / len(runs),
        streaming_rate=len(first_tokens) / len(latencies) if latencies else 0.0,
        feedback=dict(given),
    )


def _sum(costs: Iterable[PicoDollars | None]) -> PicoDollars | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def _quantile(values: Sequence[float], level: float) -> float | None:
    """Interpolated between the two nearest values, as the run store does."""
    if not values:
        return None
    ordered = sorted(values)
    place = level * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
