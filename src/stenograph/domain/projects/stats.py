"""What the runs of projects come to: for one project, for a page of them, and for putting them in order.

However many projects there are, each figure costs one query. Which runs a figure speaks of:
docs/decisions/030-what-project-statistics-count.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

from stenograph.domain.projects.projects import Projects
from stenograph.domain.runs import FeedbackStats, RunReader
from stenograph.model.feedback import all_together
from stenograph.model.filters import Compare, Field, Filter, Op, all_of
from stenograph.model.projects import Project, ProjectQuery
from stenograph.model.query import RunSelection
from stenograph.model.runs import Micros
from stenograph.model.stats import Facet, RunStats

FACETS: Final = 10
"""Values of each field that facets name."""

MAX_NAMED: Final = 2000
"""Projects that a query lists by id; for more, all of the workspace are summed up and the rest is let go."""

MAX_GROUPS: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Which runs count: those that started since, and match."""

    since: Micros | None = None
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class ExperimentProgress:
    """How far an experiment is, as shares of the runs it expects: how many have ended, and by the key of each of its
    evaluators how many pieces of feedback there are, those that tell of an evaluator's failure too."""

    expected_runs: int
    runs: float
    evaluators: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFigures:
    """`every` speaks of all runs with their feedback, `roots` of one run a trace. `on_project` is feedback given
    to the project itself; `last_start` is that of the newest run, whatever the bounds. So is `progress`, of an
    experiment that says how many runs it expects."""

    every: RunStats = field(default_factory=RunStats)
    roots: RunStats = field(default_factory=RunStats)
    on_project: FeedbackStats = field(default_factory=dict)
    facets: Sequence[Facet] = ()
    last_start: Micros | None = None
    progress: ExperimentProgress | None = None


class FigureSort(StrEnum):
    """The orders that runs and feedback give."""

    LAST_START = "last_start"
    LATENCY_P50 = "latency_p50"
    LATENCY_P99 = "latency_p99"
    ERROR_RATE = "error_rate"
    RUN_COUNT = "run_count"
    FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureOrder:
    """By which figure. `feedback_key` names the feedback whose average decides: that of the runs, or that given to
    the project itself."""

    by: FigureSort
    bounds: Bounds = Bounds()
    feedback_key: str = ""
    feedback_on_project: bool = False


Figure: TypeAlias = float | int


class ProjectStats:
    """Statistics of the projects of one workspace at a time."""

    def __init__(self, projects: Projects, runs: RunReader) -> None:
        self._projects = projects
        self._runs = runs

    async def of(
        self, workspace: UUID, projects: Sequence[Project], bounds: Bounds, *, facets: bool = False
    ) -> Mapping[UUID, ProjectFigures]:
        """An entry for each of these projects; those without runs have zeros and None."""
        if not projects:
            return {}
        selection = _selection(workspace, projects, bounds)
        bounded = bounds.since is not None or bounds.filter is not None
        every, roots, on_project, found, starts = await asyncio.gather(
            self._runs.stats(selection, "project", groups=MAX_GROUPS),
            # By a filter and not by is_root: over roots the store would add up their traces, which `every` has.
            self._runs.stats(
                replace(selection, filter=_roots(bounds.filter)), "project", groups=MAX_GROUPS, feedback=False
            ),
            self._runs.project_feedback(workspace, [project.id for project in projects]),
            self._runs.facets(selection, FACETS) if facets else _nothing(),
            self._runs.last_starts(_selection(workspace, projects, Bounds())) if bounded else _nothing(),
        )
        progress = await self._progress(workspace, projects, every, roots, bounded=bounded)
        return {
            project.id: ProjectFigures(
                every=(total := every.get(str(project.id), RunStats())),
                roots=roots.get(str(project.id), RunStats()),
                on_project=on_project.get(project.id, {}),
                facets=[
                    *found.get(project.id, ()),
                    *(_feedback_facets(total.feedback) if facets else ()),
                ],
                last_start=starts.get(project.id) if bounded else total.last_run_start_time,
                progress=progress.get(project.id),
            )
            for project in projects
        }

    async def _progress(
        self,
        workspace: UUID,
        projects: Sequence[Project],
        every: Mapping[str, RunStats],
        roots: Mapping[str, RunStats],
        *,
        bounded: bool,
    ) -> dict[UUID, ExperimentProgress]:
        """Of those projects that expect anything. Figures that are bounded do not tell it."""
        expecting = [project for project in projects if project.expected_runs is not None]
        if expecting and bounded:
            selection = _selection(workspace, expecting, Bounds())
            every = await self._runs.stats(selection, "project", groups=MAX_GROUPS)
            selection = replace(selection, filter=_roots(None))
            roots = await self._runs.stats(selection, "project", groups=MAX_GROUPS, feedback=False)
        return {
            project.id: _progress_of(
                project, every.get(str(project.id), RunStats()), roots.get(str(project.id), RunStats())
            )
            for project in expecting
        }

    async def together(self, workspace: UUID, projects: Sequence[Project], bounds: Bounds) -> ProjectFigures:
        """What the runs of all these projects come to, as if they were those of one."""
        selection = _selection(workspace, projects, bounds)
        every = await self._runs.stats(selection)
        roots = await self._runs.stats(replace(selection, filter=_roots(bounds.filter)), feedback=False)
        given = await self._runs.project_feedback(workspace, [project.id for project in projects])
        on_projects: FeedbackStats = {}
        for stats in given.values():
            on_projects = all_together(on_projects, stats)
        total = every.get("", RunStats())
        return ProjectFigures(
            every=total,
            roots=roots.get("", RunStats()),
            on_project=on_projects,
            last_start=total.last_run_start_time,
        )

    async def page(self, query: ProjectQuery, order: FigureOrder) -> list[Project]:
        """One page in the order of a figure; projects without it come last, ties fall to the start time."""
        found = await self._projects.find_all(query)
        figures = await self._figures(query.workspace, found, order) if found else {}
        newest = sorted(found, key=lambda project: (project.start_time, project.id), reverse=query.descending)
        having = [project for project in newest if project.id in figures]
        having.sort(key=lambda project: figures[project.id], reverse=query.descending)
        rest = [project for project in newest if project.id not in figures]
        end = None if query.limit is None else query.offset + query.limit
        return (having + rest)[query.offset : end]

    async def _figures(
        self, workspace: UUID, projects: Sequence[Project], order: FigureOrder
    ) -> dict[UUID, Figure]:
        """The figure of each project that has one."""
        selection = _selection(workspace, projects, order.bounds)
        match order.by:
            case FigureSort.FEEDBACK:
                given = (
                    await self._runs.project_feedback(workspace, [project.id for project in projects])
                    if order.feedback_on_project
                    else await self._runs.feedback_by_project(selection)
                )
                return {
                    project: stats[order.feedback_key].avg or 0.0
                    for project, stats in given.items()
                    if order.feedback_key in stats and stats[order.feedback_key].avg is not None
                }
            case FigureSort.LAST_START:
                return dict(await self._runs.last_starts(selection))
            case FigureSort.RUN_COUNT:
                every = await self._runs.stats(selection, "project", groups=MAX_GROUPS, feedback=False)
                counts = {UUID(key): stats.run_count for key, stats in every.items()}
                return {project.id: counts.get(project.id, 0) for project in projects}
            case _:
                name = order.by.value
                selection = replace(selection, filter=_roots(order.bounds.filter))
                roots = await self._runs.stats(selection, "project", groups=MAX_GROUPS, feedback=False)
                return {
                    UUID(key): figure
                    for key, stats in roots.items()
                    if (figure := getattr(stats, name)) is not None
                }


def _progress_of(project: Project, every: RunStats, roots: RunStats) -> ExperimentProgress:
    expected = project.expected_runs or 0

    def share(count: int) -> float:
        return min(1.0, count / expected) if expected else 1.0

    judged = {
        key: stat.count if (stat := every.feedback.get(key)) is not None else 0
        for key in project.evaluator_keys or ()
    }
    return ExperimentProgress(
        expected, share(roots.finished_count), {key: share(count) for key, count in judged.items()}
    )


async def _nothing() -> dict[Any, Any]:
    return {}


def _selection(workspace: UUID, projects: Sequence[Project], bounds: Bounds) -> RunSelection:
    named = tuple(project.id for project in projects) if len(projects) <= MAX_NAMED else ()
    return RunSelection(workspace=workspace, projects=named, since=bounds.since, filter=bounds.filter)


def _roots(also: Filter | None) -> Filter:
    is_root = Compare(Field.IS_ROOT, Op.EQ, True)
    return all_of([is_root] if also is None else [is_root, also])


def _feedback_facets(feedback: FeedbackStats) -> list[Facet]:
    most = sorted(feedback.items(), key=lambda item: (-item[1].count, item[0]))[:FACETS]
    return [Facet("feedback_key", key, stats.count) for key, stats in most]
