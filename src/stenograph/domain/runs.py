"""Reading runs: the one place that settles pending writes, bounds a query, and adds what a face may ask beside
the rows themselves (usage of the whole subtree, feedback)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import msgspec
import numpy as np

from stenograph.domain.attachments import attachment_key
from stenograph.domain.feedback.formulas import FeedbackFormulas, speaks_of_feedback
from stenograph.domain.insights.membership import Membership
from stenograph.domain.recording import places
from stenograph.domain.recording.recorder import Recorder
from stenograph.errors import NotFound
from stenograph.model.feedback import FeedbackStat
from stenograph.model.feedback_formulas import with_composites
from stenograph.model.filters import Filter
from stenograph.model.measures import Figure, FigureQuery, NameCount, NamesQuery
from stenograph.model.query import Change, RunQuery, RunSelection, StatGroup, ThreadQuery
from stenograph.model.runs import Micros, Run
from stenograph.model.stats import Facet, RunStats, ThreadSummary, TimeBucket, TraceFigures
from stenograph.model.trees import MISSING, NO_PARENT, Tree
from stenograph.observability import Metrics
from stenograph.store.api import BlobStore, RunStore

FeedbackStats = Mapping[str, FeedbackStat]

USAGE: frozenset[str] = frozenset(
    {
        "prompt_tokens", "completion_tokens", "total_tokens", "prompt_cost", "completion_cost", "total_cost",
        "token_details", "cost_details",
    }
)  # fmt: skip
"""The columns of a run's tokens and costs: asked for together."""

_NEAR: Final = 3_600_000_000
"""Microseconds around the time in a run's id within which it is looked for first."""


_LATEST: Final = 4_102_444_800_000_000
"""2100: what an id claims beyond that is noise."""


class RunReader:
    """Answers about the runs of one workspace at a time. Every read sees everything acknowledged before it."""

    def __init__(
        self,
        store: RunStore,
        recorder: Recorder,
        blobs: BlobStore,
        formulas: FeedbackFormulas,
        metrics: Metrics,
        clusters: Membership | None = None,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._blobs = blobs
        self._formulas = formulas
        self._metrics = metrics
        self._clusters = clusters

    async def _settled(self, selection: RunSelection, *, feedback: bool = False) -> RunSelection:
        """The selection to ask the store for, once all that was acknowledged is in it.

        With the formulas that apply where they matter: to a filter that speaks of feedback, or as `feedback` says.
        """
        await self._recorder.settle(selection.workspace)
        return await self._bounded(selection, feedback=feedback)

    async def _bounded(self, selection: RunSelection, *, feedback: bool = False) -> RunSelection:
        """The same of what is in the store by now."""
        dropping = self._recorder.deleted.dropping(selection.workspace)
        if dropping:
            selection = replace(selection, without_projects=dropping)
        if self._clusters is not None:
            selection = await self._clusters.applied(selection)
        filters = (selection.filter, selection.trace_filter, selection.tree_filter)
        if feedback or any(map(speaks_of_feedback, filters)):
            selection = await self._formulas.applied(selection)
        return selection

    async def page(self, query: RunQuery) -> list[Run]:
        """One page. With USAGE among the columns a run's figures include its descendants'."""
        query = replace(query, selection=await self._settled(query.selection))
        if query.selection.parent_run is not None:
            query = replace(query, selection=await self._with_other_names(query.selection))
        with self._metrics.querying("page"):
            runs = await self._store.page(query)
        runs = await self._placed(query, runs)
        if "total_tokens" in query.columns:
            runs = await self._with_subtrees(query.selection.workspace, runs)
        return runs

    async def answered_examples(self, selection: RunSelection) -> list[UUID]:
        """The examples that the selected runs answered, each once, in no order."""
        selection = await self._settled(selection)
        with self._metrics.querying("answered_examples"):
            return await self._store.answered_examples(selection)

    def position(self) -> int:
        """A version beyond that of all that was acknowledged before the call."""
        return self._recorder.next_position()

    async def changed(self, workspace: UUID, after: int, limit: int) -> tuple[list[Change], int]:
        """What was written beyond this version, at most some more than `limit`, and the version up to which that is
        all there will be."""
        to = self._recorder.written_to([workspace])[workspace]
        page = await self._store.changed(workspace, after, limit)
        if len(page) >= limit:
            to = min(to, page[-1].version)
        return page, max(to, after)

    async def written(self, query: RunQuery) -> list[Run]:
        """A page of what is in the run store by now: for work behind the ingest, which must not hurry it."""
        selection = await self._bounded(query.selection)
        with self._metrics.querying("written"):
            return await self._store.page(replace(query, selection=selection))

    async def apart(self, query: RunQuery) -> list[Run]:
        """One page, where a run's figures are its own: nothing is asked of its descendants."""
        query = replace(query, selection=await self._settled(query.selection))
        with self._metrics.querying("page"):
            runs = await self._store.page(query)
        return await self._placed(query, runs)

    async def tree(self, selection: RunSelection, limit: int) -> Tree:
        """One trace by column; parents that are not there have given way to the root: see places.

        Deep down a trace the places are worked out only where a parent is missing: that reads it once more.
        """
        selection = await self._settled(selection)
        with self._metrics.querying("tree"):
            tree = await self._store.tree(selection, limit)
        missing = np.flatnonzero(tree.above == MISSING)
        if len(missing) == 0:
            return tree
        family = (await self._family(selection.workspace, selection.traces)).parents()
        places = {run.tobytes(): place for place, run in enumerate(tree.ids.view("V16"))}
        above = tree.above.copy()
        for at in missing:
            parent = family.get(tree.ids[at : at + 1].tobytes())
            above[at] = NO_PARENT if parent is None else places.get(parent, NO_PARENT)
        return replace(tree, above=above)

    async def count(self, selection: RunSelection) -> int:
        """How many runs are selected."""
        selection = await self._settled(selection)
        with self._metrics.querying("count"):
            return await self._store.count(selection)

    async def mean_sizes(self, workspace: UUID, every: int) -> Mapping[UUID, float]:
        """Bytes of a run's payloads, by project, of a sample of the rows: see RunStore."""
        with self._metrics.querying("sizes"):
            return await self._store.mean_sizes(workspace, every)

    async def figures(self, query: FigureQuery) -> list[Figure]:
        """What a measure comes to, by time and by group."""
        query = replace(query, selection=await self._settled(query.selection))
        with self._metrics.querying("figures"):
            return await self._store.figures(query)

    async def names(self, query: NamesQuery) -> list[NameCount]:
        """Which members the runs' objects have, and under which keys there is feedback, by group."""
        query = replace(query, selection=await self._settled(query.selection))
        with self._metrics.querying("names"):
            return await self._store.names(query)

    async def _placed(self, query: RunQuery, runs: list[Run]) -> list[Run]:
        """The runs in their places, where it is asked for these and they were not known on writing."""
        if "dotted_order" not in query.columns or not (traces := places.unplaced(runs)):
            return runs
        family = await self._family(query.selection.workspace, traces)
        return [family.placed(run) for run in runs]

    async def _with_other_names(self, selection: RunSelection) -> RunSelection:
        """Children that came as spans may know the parent by another id: see places.also_named."""
        assert selection.parent_run is not None
        parent = RunSelection(workspace=selection.workspace, ids=(selection.parent_run,))
        found = await self._store.page(RunQuery(selection=parent, columns=frozenset({"metadata"}), limit=1))
        other = places.also_named(found[0]) if found else None
        return selection if other is None else replace(selection, parent_also=(other,))

    async def _family(self, workspace: UUID, traces: tuple[UUID, ...]) -> places.Family:
        with self._metrics.querying("places"):
            return places.Family(
                await self._store.page(
                    RunQuery(
                        selection=RunSelection(workspace=workspace, traces=traces),
                        columns=places.COLUMNS,
                        limit=1_000_000,
                    )
                )
            )

    async def _with_subtrees(self, workspace: UUID, runs: list[Run]) -> list[Run]:
        """Parents get the sum of their descendants' usage. A run that calls models itself is a leaf to us."""
        parents = [run for run in runs if run.run_type != "llm"]
        if not parents:
            return runs
        orders = await self._better_orders(workspace, parents)
        with self._metrics.querying("usage"):
            totals = await self._store.usage(workspace, parents, orders)
        return [
            msgspec.structs.replace(run, usage=totals[run.id]) if run.id in totals else run for run in runs
        ]

    async def _better_orders(self, workspace: UUID, runs: Sequence[Run]) -> Mapping[UUID, str] | None:
        """Dotted orders in the traces of these runs that the store does not know whole.

        A root is in every dotted order of its trace; what is below another span may not know of it.
        """
        traces = tuple({run.trace_id: None for run in runs if not run.is_root and places.was_span(run)})
        return (await self._family(workspace, traces)).orders() if traces else None

    async def one(self, workspace: UUID, run_id: UUID, columns: frozenset[str]) -> Run:
        """One run; NotFound when the workspace has none of this id."""
        run = await self._named(
            await self._settled(RunSelection(workspace=workspace, ids=(run_id,))), columns
        )
        if "total_tokens" not in columns:
            return run
        return (await self._with_subtrees(workspace, [run]))[0]

    async def whole(self, workspace: UUID, run_id: UUID, columns: frozenset[str]) -> tuple[Run, list[UUID]]:
        """One run with the usage of its subtree, and the ids of all its descendants, oldest first.

        NotFound when the workspace has no run of this id.
        """
        selection = await self._settled(RunSelection(workspace=workspace, ids=(run_id,)))
        run = await self._named(selection, columns)
        orders = await self._better_orders(workspace, [run])
        with self._metrics.querying("family"):
            family = await self._store.family(run, orders, selection.without_projects)
        if run.run_type != "llm" and family.usage is not None:
            run = msgspec.structs.replace(run, usage=family.usage)
        return run, family.descendants

    async def _named(self, selection: RunSelection, columns: frozenset[str]) -> Run:
        """The run that is selected by its id alone; NotFound when there is none."""
        (run_id,) = selection.ids
        question = RunQuery(selection=selection, columns=columns, limit=1)
        with self._metrics.querying("page"):
            found = []
            made = (run_id.int >> 80) * 1000
            if run_id.version == 7 and made < _LATEST:  # tells when it was made: mostly when the run started
                near = replace(selection, since=made - _NEAR, until=made + _NEAR)
                found = await self._store.page(replace(question, selection=near))
            found = found or await self._store.page(question)
        if not found:
            raise NotFound(f"run {run_id} not found")
        return (await self._placed(question, found))[0]

    async def feedback_of(
        self, workspace: UUID, runs: Sequence[Run], comparison: UUID | None = None
    ) -> Mapping[UUID, FeedbackStats]:
        """What the feedback of each of these runs comes to; of a comparison only what was given in it."""
        if not runs:
            return {}
        projects = tuple({run.project_id for run in runs})
        selection = RunSelection(workspace=workspace, ids=tuple(run.id for run in runs), projects=projects)
        with self._metrics.querying("feedback_stats"):
            found = await self._store.feedback_stats(selection, "run", comparison)
        given = {UUID(key): stats for key, stats in found.items()}
        if comparison is not None or not given:
            return given
        formulas = await self._formulas.of_projects(workspace, projects)
        if not formulas:
            return given
        homes = {run.id: run.project_id for run in runs}
        return {run: with_composites(stats, formulas.get(homes[run], ())) for run, stats in given.items()}

    async def feedback_within(self, selection: RunSelection) -> Mapping[UUID, FeedbackStats]:
        """The same of all selected runs, by run: for whole ranges, where ids would be many. Runs without are absent."""
        selection = await self._settled(selection, feedback=True)
        with self._metrics.querying("feedback_stats"):
            found = await self._store.feedback_stats(selection, "run")
        return {UUID(key): stats for key, stats in found.items()}

    async def stats(
        self,
        selection: RunSelection,
        group: StatGroup | None = None,
        path: str = "",
        groups: int = 5,
        *,
        feedback: bool = True,
    ) -> Mapping[str, RunStats]:
        """Statistics by group, with feedback where the whole is asked for or the groups are projects."""
        feedback = feedback and group in (None, "project")
        selection = await self._settled(selection, feedback=feedback)
        with self._metrics.querying("stats"):
            if not feedback:
                return await self._store.stats(selection, group, path, groups)
            found, given = await asyncio.gather(
                self._store.stats(selection, group, path, groups),
                self._store.feedback_stats(selection, "project" if group else "all"),
            )
        return {
            key: msgspec.structs.replace(stats, feedback=dict(given.get(key, {})))
            for key, stats in found.items()
        }

    async def project_feedback(
        self, workspace: UUID, projects: Sequence[UUID]
    ) -> Mapping[UUID, FeedbackStats]:
        """Feedback given to whole projects."""
        await self._recorder.settle(workspace)
        return await self._store.project_feedback_stats(workspace, projects)

    async def feedback_in_comparisons(
        self, workspace: UUID, comparisons: Sequence[UUID]
    ) -> Mapping[UUID, Mapping[UUID, FeedbackStats]]:
        """What was given in each of these comparative experiments comes to, by experiment. One query for all.

        Those without feedback are absent.
        """
        await self._recorder.settle(workspace)
        with self._metrics.querying("feedback_stats"):
            return await self._store.comparison_feedback_stats(workspace, comparisons)

    async def feedback_by_project(self, selection: RunSelection) -> Mapping[UUID, FeedbackStats]:
        """What the feedback of the selected runs comes to."""
        selection = await self._settled(selection, feedback=True)
        with self._metrics.querying("feedback_stats"):
            found = await self._store.feedback_stats(selection, "project")
        return {UUID(key): stats for key, stats in found.items()}

    async def feedback_series(
        self, selection: RunSelection, stride: Micros, origin: Micros = 0
    ) -> Mapping[Micros, FeedbackStats]:
        """The same by the time the runs started."""
        selection = await self._settled(selection, feedback=True)
        with self._metrics.querying("feedback_series"):
            return await self._store.feedback_series(selection, stride, origin)

    async def last_starts(self, selection: RunSelection) -> Mapping[UUID, Micros]:
        """When the newest of the runs started, by project."""
        selection = await self._settled(selection)
        with self._metrics.querying("last_starts"):
            return await self._store.last_starts(selection)

    async def facets(self, selection: RunSelection, limit: int = 10) -> Mapping[UUID, list[Facet]]:
        """The most frequent values of a few fields, by project."""
        selection = await self._settled(selection)
        with self._metrics.querying("facets"):
            return await self._store.facets(selection, limit)

    async def metadata_values(
        self, selection: RunSelection, keys: Sequence[str], limit: int
    ) -> Mapping[str, list[str]]:
        selection = await self._settled(selection)
        with self._metrics.querying("metadata_values"):
            return await self._store.metadata_values(selection, keys, limit)

    async def series(
        self,
        selection: RunSelection,
        stride: Micros,
        group: StatGroup | None = None,
        path: str = "",
        origin: Micros = 0,
        parts: Sequence[Filter] = (),
    ) -> list[TimeBucket]:
        """Statistics by time, of several parts of the selection at once where filters of these are given."""
        selection = await self._settled(selection)
        if self._clusters is not None:
            parts = [await self._clusters.resolved(selection.workspace, part) for part in parts]
        with self._metrics.querying("series"):
            return await self._store.series(selection, stride, group, path, origin, parts)

    async def trace_figures(
        self, workspace: UUID, roots: Sequence[Run]
    ) -> tuple[Mapping[UUID, TraceFigures], set[UUID]]:
        """What stands below each of these roots, by trace, and the traces in which feedback was given: two queries for
        all. See RunStore.trace_figures."""
        await self._recorder.settle(workspace)
        with self._metrics.querying("trace_figures"):
            figures, judged = await asyncio.gather(
                self._store.trace_figures(workspace, roots),
                self._store.traces_with_feedback(workspace, roots),
            )
        return figures, judged

    async def threads(self, query: ThreadQuery) -> tuple[list[ThreadSummary], int]:
        """A page of threads with first inputs, last outputs, usage and feedback, and the number of all."""
        selection = replace(await self._settled(query.selection, feedback=True), is_root=True)
        query = replace(query, selection=selection)
        workspace = selection.workspace
        with self._metrics.querying("threads"):
            page, total = await self._store.threads(query)
        if not page:
            return page, total
        ends = {thread.first_trace for thread in page} | {thread.last_trace for thread in page}
        roots, usages, feedback = await asyncio.gather(
            self._store.page(
                RunQuery(
                    selection=RunSelection(workspace=workspace, ids=tuple(ends), projects=selection.projects),
                    columns=frozenset({"inputs", "outputs", "error"}),
                    limit=len(ends),
                )
            ),
            self._store.thread_usage(selection, tuple(thread.thread_id for thread in page)),
            self._store.feedback_stats(selection, "thread"),
        )
        by_id = {run.id: run for run in roots}
        return [
            msgspec.structs.replace(
                thread,
                first_inputs=first.inputs if (first := by_id.get(thread.first_trace)) else None,
                last_outputs=last.outputs if (last := by_id.get(thread.last_trace)) else None,
                usage=usages.get(thread.thread_id, thread.usage),
                feedback=dict(feedback.get(thread.thread_id, {})),
            )
            for thread in page
        ], total

    async def delete(self, selection: RunSelection) -> list[UUID]:
        """Delete runs with their feedback and files; returns their ids."""
        selection = await self._settled(selection)
        files = await self._store.files(selection)
        gone = await self._recorder.delete(selection)
        await self._blobs.delete(
            [
                attachment_key(selection.workspace, run.id, file.name)
                for run in files
                for file in run.attachments or ()
            ]
        )
        return gone
