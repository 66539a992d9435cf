"""Runs and their feedback: the seam of the columnar store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Literal, Protocol
from uuid import UUID

from stenograph.model.feedback import Feedback, FeedbackStat
from stenograph.model.filters import Filter
from stenograph.model.measures import Figure, FigureQuery, NameCount, NamesQuery
from stenograph.model.query import Change, FeedbackQuery, RunQuery, RunSelection, StatGroup, ThreadQuery
from stenograph.model.retention import AgedPage, Aging, Queued
from stenograph.model.runs import Family, Micros, Run, Usage
from stenograph.model.stats import Facet, RunStats, ThreadSummary, TimeBucket, TraceFigures
from stenograph.model.trees import Tree


class RejectedRows(Exception):
    """The store is well and refuses these very rows."""


class RunStore(Protocol):
    """Runs and feedback: written in batches, read by trace or by search. One instance serves all workspaces."""

    async def write(self, runs: Sequence[Run], feedback: Sequence[Feedback]) -> None:
        """Return once the whole batch would survive a crash.

        Idempotent, and indifferent to order: of two versions of a run or of a piece of feedback the one with
        the higher `version` wins. RejectedRows when the data itself is at fault: nothing was written then.

        Feedback has to be filed where its run is, or nowhere (see Feedback.filed): feedback that is filed
        elsewhere is not seen among its run's. What is filed anew has the version of what it replaces, and comes
        with its tombstone in the place that it leaves (see refile); of these the one written last counts.
        """

    async def stored(self, ids: Sequence[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Run]:
        """The newest version of each of these (workspace, run id) that is stored, whole, deleted ones too."""

    async def strays(self, runs: Sequence[Run]) -> list[Run]:
        """Keys of rows of these runs that are seen by readers in another place of the table than the one given.

        A write that moves a run is two inserts, and this is what a crash between them leaves.
        """

    async def newest_version(self) -> int:
        """The highest version of anything stored; 0 when nothing is."""

    async def changed(self, workspace: UUID, after: int, limit: int) -> list[Change]:
        """What was written of a workspace with a version beyond this one, by version: rows of runs, deleted ones too,
        and of feedback under the id of its run.

        The first `limit` of them, and all more that have the version of the last. A run may be among them often.
        """

    async def stored_feedback(self, ids: Sequence[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Feedback]:
        """The same for pieces of feedback, but only their place, times and whether they are deleted."""

    async def unfiled_feedback(self, limit: int) -> list[tuple[UUID, UUID]]:
        """(workspace, run id) of runs of which feedback speaks that is not filed."""

    def known_ids(self) -> AsyncIterator[list[UUID]]:
        """Every id of a run or of feedback that there is, in batches, in no order."""

    async def page(self, query: RunQuery) -> list[Run]:
        """The runs of one page, with the columns asked for and those of their key."""

    async def tree(self, selection: RunSelection, limit: int) -> Tree:
        """The selected runs, which are of one trace, by column: at most `limit`, the oldest."""

    async def answered_examples(self, selection: RunSelection) -> list[UUID]:
        """The examples that the selected runs refer to, each once, in no order."""

    async def count(self, selection: RunSelection) -> int:
        """How many runs are selected."""

    async def mean_sizes(self, workspace: UUID, every: int) -> Mapping[UUID, float]:
        """Bytes that a run's payloads are on average, as they were sent, by project.

        One stretch of some hundred rows in `every` is looked at: a project with none of them is left out.
        """

    async def usage(
        self, workspace: UUID, runs: Sequence[Run], orders: Mapping[UUID, str] | None = None
    ) -> Mapping[UUID, Usage]:
        """For each of these runs that has descendants with usage: its own and theirs together.

        `orders` are dotted orders that are known better than the store knows them.
        """

    async def family(
        self, run: Run, orders: Mapping[UUID, str] | None = None, without_projects: Sequence[UUID] = ()
    ) -> Family:
        """The descendants of a run, of which no more than the key need be given, and the usage of all together.

        Those in its project, or in none yet, whose clock is not a day behind its own; and those in other projects that
        began within a day of it, of which the usage does not count. `orders` as for `usage`; `without_projects` as in
        RunSelection.
        """

    async def stats(
        self, selection: RunSelection, group: StatGroup | None = None, path: str = "", groups: int = 5
    ) -> Mapping[str, RunStats]:
        """Statistics by group, the largest groups first; without `group` all under the key ''.

        Feedback is not in them: see feedback_stats. Nothing selected gives an empty mapping.
        """

    async def feedback_stats(
        self,
        selection: RunSelection,
        by: Literal["all", "run", "project", "thread"],
        comparison: UUID | None = None,
    ) -> Mapping[str, Mapping[str, FeedbackStat]]:
        """Per group (run id, project id, thread id, or ''), per key, what the feedback of the runs comes to.

        What the selection's formulas compute counts as one piece more a run. With a `comparison`, only what was
        given in that comparative experiment counts, and no composite.
        """

    async def comparison_feedback_stats(
        self, workspace: UUID, comparisons: Sequence[UUID]
    ) -> Mapping[UUID, Mapping[UUID, Mapping[str, FeedbackStat]]]:
        """By comparative experiment and project, per key, what was given in it comes to. Those with none are absent."""

    async def project_feedback_stats(
        self, workspace: UUID, projects: Sequence[UUID]
    ) -> Mapping[UUID, Mapping[str, FeedbackStat]]:
        """The same for feedback given to whole projects."""

    async def feedback_series(
        self, selection: RunSelection, stride: Micros, origin: Micros = 0
    ) -> Mapping[Micros, Mapping[str, FeedbackStat]]:
        """The feedback of the runs that started within one stride from each time, oldest first."""

    async def last_starts(self, selection: RunSelection) -> Mapping[UUID, Micros]:
        """When the newest of the runs started, by project."""

    async def facets(self, selection: RunSelection, limit: int) -> Mapping[UUID, list[Facet]]:
        """The most frequent names, run types, statuses, tags and metadata pairs, `limit` of each, by project."""

    async def metadata_values(
        self, selection: RunSelection, keys: Sequence[str], limit: int
    ) -> Mapping[str, list[str]]:
        """The most frequent values of each metadata key (of all keys when none is named)."""

    async def series(
        self,
        selection: RunSelection,
        stride: Micros,
        group: StatGroup | None = None,
        path: str = "",
        origin: Micros = 0,
        parts: Sequence[Filter] = (),
    ) -> list[TimeBucket]:
        """Statistics by time, empty buckets left out, oldest first; at most ten groups a bucket.

        Buckets begin at `origin` and at whole strides from it. With `parts` each run counts once in every part that
        it matches, in buckets of that part's own; sums then speak of the selected runs alone, roots too. Parts do
        not search for words.
        """

    async def figures(self, query: FigureQuery) -> list[Figure]:
        """Oldest first, then the groups with the most runs that have the measure; where none has it there is none."""

    async def names(self, query: NamesQuery) -> list[NameCount]:
        """The most frequent first; those in documents before those of feedback."""

    async def thread_usage(self, selection: RunSelection, threads: Sequence[str]) -> Mapping[str, Usage]:
        """Tokens and cost of the whole traces of each of these threads."""

    async def trace_figures(self, workspace: UUID, roots: Sequence[Run]) -> Mapping[UUID, TraceFigures]:
        """By trace id, what stands below these roots, of which no more than the key need be given; traces of a root
        alone are absent. Runs count that are in the project of one of the roots, or in none yet; of more than twenty
        roots, those that did not start a day before the oldest of them."""

    async def traces_with_feedback(self, workspace: UUID, roots: Sequence[Run]) -> set[UUID]:
        """The traces of these roots in which somebody gave feedback to a run: what HoneyHive's clients put on the
        shelf of feedback, or people gave in a user interface. Which runs count as for `trace_figures`."""

    async def threads(self, query: ThreadQuery) -> tuple[list[ThreadSummary], int]:
        """One page of threads, and how many there are in all."""

    async def feedback(self, query: FeedbackQuery) -> list[Feedback]:
        """One page of feedback."""

    async def delete(self, selection: RunSelection, version: int) -> list[UUID]:
        """Delete these runs and their feedback; returns the ids. Durable, and seen at once by every read."""

    async def files(self, selection: RunSelection) -> list[Run]:
        """The runs that came with files: their keys and `attachments`."""

    async def aged(self, wanted: Aging) -> AgedPage:
        """Traces that are older than a trace may be that nobody judged, by the start of their oldest run, ties by id.

        Of a trace every run has to be beyond the limits of its project, by when it started and by when it was last
        written. Times that are yet to come count for nothing; of one that came in in the future, too, none is old.
        """

    async def judged_traces(self, workspace: UUID, traces: Collection[UUID]) -> set[UUID]:
        """Which of these have feedback on one of their runs that keeps them (see Feedback.keeps)."""

    async def traces_holding(self, workspace: UUID, queued: Queued) -> set[UUID]:
        """The traces of these runs and threads; for a while of such as were deleted, too."""

    async def touched(self, workspace: UUID, traces: Collection[UUID], after: int) -> set[UUID]:
        """Which of these have a run, or feedback that keeps them, written with a version beyond this one."""

    async def drop_projects(self, workspace: UUID, projects: Sequence[UUID]) -> None:
        """Remove the runs and feedback of these projects from the disk. Returns once all are gone.

        Takes as long as rewriting what holds them, and holds up no writer. Reads see some of it until then.
        What is written meanwhile may stay.
        """

    async def projects_with_rows(self, projects: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
        """(workspace, project) of those that still have runs or feedback, whatever their workspace."""

    async def close(self) -> None:
        """Finish what runs and release the files."""
