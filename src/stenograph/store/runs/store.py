"""The run store over an engine that speaks ClickHouse SQL. Promises: store/api/runs.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any, Literal
from uuid import UUID

from stenograph.errors import StoreUnavailable
from stenograph.model.feedback import Feedback, FeedbackStat, all_together
from stenograph.model.filters import Filter
from stenograph.model.measures import Figure, FigureQuery, NameCount, NamesQuery
from stenograph.model.query import Change, FeedbackQuery, RunQuery, RunSelection, StatGroup, ThreadQuery
from stenograph.model.retention import AgedPage, Aging, Queued
from stenograph.model.runs import Family, Micros, Run, Usage
from stenograph.model.stats import Facet, RunStats, ThreadSummary, TimeBucket, TraceFigures
from stenograph.model.trees import Tree
from stenograph.store.api import RejectedRows
from stenograph.store.runs import aging, answers, feedback_query, figures, measures, query, rows
from stenograph.store.runs.engine import Engine, statements
from stenograph.store.runs.feedback_query import Asked
from stenograph.store.runs.judged import Judged
from stenograph.store.runs.reach import Reach
from stenograph.store.runs.settle import Pace, Settling
from stenograph.store.runs.sql import Params
from stenograph.store.runs.upgrade import upgrade


def _blocks(runs: Sequence[Run], feedback: Sequence[Feedback]) -> dict[str, list[bytes]]:
    """The batch in the engine's format, by table."""
    try:
        return {
            "runs": rows.runs_block(runs) if runs else [],
            "feedback": rows.feedback_block(feedback) if feedback else [],
        }
    except (ArithmeticError, TypeError, ValueError) as error:
        raise RejectedRows(f"cannot be encoded: {error}") from error


class Runs:
    """Implements store.api.RunStore."""

    def __init__(self, engine: Engine, settling: Settling | None = None) -> None:
        self._engine = engine
        self._settling = settling
        self._judged = Judged(engine)
        self._reach = Reach()

    @classmethod
    async def open(cls, engine: Engine, pace: Pace | None = None) -> Runs:
        """Create the tables where they are missing, and bring old ones up to date. With a pace, settle what is written
        until the store is closed."""
        schema = statements(files("stenograph.store.runs").joinpath("schema.sql").read_text())
        for statement in schema.values():
            await engine.execute(statement)
        await upgrade(engine, schema)
        if pace is None:
            return cls(engine)
        settling = Settling(engine, pace)
        settling.start()
        return cls(engine, settling)

    # -- writing -----------------------------------------------------------------------------------------

    async def write(self, runs: Sequence[Run], feedback: Sequence[Feedback]) -> None:
        if feedback:
            await self._judged.learn()
        # On a thread: a full batch takes a tenth of a second, and acknowledgements must not wait for it.
        for table, block in (await asyncio.to_thread(_blocks, runs, feedback)).items():
            if block:
                await self._engine.insert(table, block)
        self._judged.wrote(feedback)
        if self._settling is not None:
            self._settling.wrote(len(runs) + len(feedback))

    async def stored(self, ids: Sequence[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Run]:
        found: dict[tuple[UUID, UUID], Run] = {}
        wanted = set(ids)
        for start in range(0, len(ids), 1000):
            columns = await self._engine.query(*query.stored(ids[start : start + 1000]))
            for run in rows.runs(None, columns):
                if (run.workspace, run.id) in wanted:
                    found[run.workspace, run.id] = run
        return found

    async def stored_feedback(self, ids: Sequence[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Feedback]:
        found: dict[tuple[UUID, UUID], Feedback] = {}
        for statement in (feedback_query.stored_feedback, feedback_query.deleted_feedback):
            # In another place than its own a piece may have an old version that only FINAL knows to be gone.
            wanted = set(ids) - found.keys()
            listed = sorted(wanted, key=str)
            for start in range(0, len(listed), 1000):
                columns = await self._engine.query(*statement(listed[start : start + 1000]))
                for item in rows.feedback(columns):
                    if (item.workspace, item.id) in wanted:
                        found[item.workspace, item.id] = item
        return found

    async def strays(self, runs: Sequence[Run]) -> list[Run]:
        places = {(run.workspace, run.id): run.place for run in runs}
        found: list[Run] = []
        for start in range(0, len(runs), 1000):
            ids = [(run.workspace, run.id) for run in runs[start : start + 1000]]
            columns = await self._engine.query(*query.every_place(ids))
            found += [
                row
                for row in rows.runs(None, columns)
                if places.get((row.workspace, row.id), row.place) != row.place
            ]
        return found

    async def newest_version(self) -> int:
        newest = 0
        for table in ("runs", "feedback"):
            columns = await self._engine.query(f"SELECT max(version) AS newest FROM {table}")
            newest = max(newest, *(columns.get("newest") or [0]))
        return newest

    async def changed(self, workspace: UUID, after: int, limit: int) -> list[Change]:
        columns = await self._engine.query(*query.changed(workspace, after, limit))
        return [Change(row["id"], row["trace_id"], row["version"]) for row in answers.records(columns)]

    async def known_ids(self) -> AsyncIterator[list[UUID]]:
        for table, time in (("runs", "start_time"), ("feedback", "created_at")):
            weeks = await self._engine.query(f"SELECT DISTINCT toMonday({time})::String AS week FROM {table}")
            for week in weeks.get("week", []):
                params = Params()
                monday = params.text(week.decode())
                columns = await self._engine.query(
                    f"SELECT id FROM {table} WHERE toMonday({time}) = toDate({monday})",
                    params.values,
                )
                yield columns.get("id", [])

    # -- runs --------------------------------------------------------------------------------------------

    async def page(self, wanted: RunQuery) -> list[Run]:
        return rows.runs(wanted.selection.workspace, await self._engine.query(*query.page(wanted)))

    async def tree(self, selection: RunSelection, limit: int) -> Tree:
        columns = await self._engine.arrays(*query.tree(selection, limit))
        return await asyncio.to_thread(answers.tree, columns)

    async def answered_examples(self, selection: RunSelection) -> list[UUID]:
        columns = await self._engine.query(*query.answered_examples(selection))
        found: list[UUID] = columns.get("example", [])
        return found

    async def count(self, selection: RunSelection) -> int:
        columns = await self._engine.query(*query.count(selection))
        return int(columns["runs"][0]) if columns else 0

    async def mean_sizes(self, workspace: UUID, every: int) -> Mapping[UUID, float]:
        columns = await self._engine.query(*query.mean_sizes(workspace, every))
        return {row["project_id"]: row["bytes"] for row in answers.records(columns)}

    async def usage(
        self, workspace: UUID, runs: Sequence[Run], orders: Mapping[UUID, str] | None = None
    ) -> Mapping[UUID, Usage]:
        if not runs:
            return {}
        columns = await self._all(lambda limit: query.descendants(workspace, runs, limit))
        return answers.subtree_usage(runs, answers.spent(columns, orders or {}))

    async def family(
        self, run: Run, orders: Mapping[UUID, str] | None = None, without_projects: Sequence[UUID] = ()
    ) -> Family:
        columns = await self._all(lambda limit: query.family(run, limit, without_projects))
        return answers.family(run, columns, query.SKEW, orders or {})

    async def _all(self, statement: Callable[[int | None], query.Statement]) -> dict[str, list[Any]]:
        """All rows of a statement. First it is asked for few enough of them to read most columns for these alone."""
        columns = await self._engine.query(*statement(query.AT_ONCE))
        if len(columns.get("id", ())) < query.AT_ONCE:
            return columns
        return await self._engine.query(*statement(None))

    async def delete(self, selection: RunSelection, version: int) -> list[UUID]:
        wanted = RunQuery(selection=selection, columns=frozenset({"version"}), limit=5000)
        gone: list[UUID] = []
        while True:
            page = await self.page(wanted)
            if not page:
                return gone
            ids = tuple(run.id for run in page)
            feedback = await self.feedback(
                FeedbackQuery(workspace=selection.workspace, runs=ids, limit=1_000_000)
            )
            # Feedback first: killed in between, this is begun again by whoever finds the runs still there.
            await self.write([], [item.tombstone(max(version, item.version + 1)) for item in feedback])
            # A clock that was set back must not leave a run in place, nor this loop without an end.
            await self.write([run.tombstone(max(version, run.version + 1)) for run in page], [])
            gone += ids
            if len(page) < wanted.limit:
                return gone

    async def files(self, selection: RunSelection) -> list[Run]:
        return rows.runs(selection.workspace, await self._engine.query(*query.files(selection)))

    async def aged(self, wanted: Aging) -> AgedPage:
        page = [answers.aged(row) for row in answers.records(await self._engine.query(*aging.aged(wanted)))]
        if not page:
            return AgedPage([], None)
        used = await self._traces(aging.in_use(wanted, [each.trace for each in page]))
        after = (page[-1].oldest, page[-1].trace) if len(page) == wanted.limit else None
        return AgedPage([each for each in page if each.trace not in used], after)

    async def judged_traces(self, workspace: UUID, traces: Collection[UUID]) -> set[UUID]:
        return await self._traces(aging.judged(workspace, traces)) if traces else set()

    async def traces_holding(self, workspace: UUID, queued: Queued) -> set[UUID]:
        if not queued.runs and not queued.threads:
            return set()
        return await self._traces(aging.holding(workspace, queued))

    async def touched(self, workspace: UUID, traces: Collection[UUID], after: int) -> set[UUID]:
        return await self._traces(aging.touched(workspace, traces, after)) if traces else set()

    async def _traces(self, statement: query.Statement) -> set[UUID]:
        return set((await self._engine.query(*statement)).get("trace_id", []))

    async def drop_projects(self, workspace: UUID, projects: Sequence[UUID]) -> None:
        for start in range(0, len(projects), 1000):
            part = projects[start : start + 1000]
            # Feedback first: whose it is, only the runs tell.
            await self._engine.execute(*query.drop_feedback(workspace, part))
            await self._until_done("feedback", part[0])
            await self._engine.execute(*query.drop_runs(workspace, part))
            await self._until_done("runs", part[0])

    async def _until_done(self, table: str, project: UUID) -> None:
        """Mutations run in threads of the engine's. Waiting for one in the statement would hold up every insert."""
        pause = 0.01
        while True:
            found = await self._engine.query(*query.unfinished(table, project))
            if not found or not found["open"][0]:
                return
            if found["trouble"][0]:
                raise StoreUnavailable(f"rows cannot be removed: {found['trouble'][0].decode()[:1000]}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 2)

    async def projects_with_rows(self, projects: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
        found: set[tuple[UUID, UUID]] = set()
        for start in range(0, len(projects), 5000):
            columns = await self._engine.query(*query.with_rows(projects[start : start + 5000]))
            found.update(zip(columns.get("workspace_id", []), columns.get("project_id", []), strict=True))
        return found

    # -- statistics --------------------------------------------------------------------------------------

    async def stats(
        self, selection: RunSelection, group: StatGroup | None = None, path: str = "", groups: int = 5
    ) -> Mapping[str, RunStats]:
        columns, totals = await asyncio.gather(
            self._engine.query(*figures.stats(selection, group, path, groups)),
            self._trace_sums(selection, figures.trace_sums(selection, group, path)),
        )
        return {
            row["group_key"].decode(): answers.run_stats(row, totals.get((0, row["group_key"])))
            for row in answers.records(columns)
            if row["run_count"]
        }

    async def _trace_sums(
        self, selection: RunSelection, statement: query.Statement
    ) -> dict[tuple[int, bytes], dict[str, Any]]:
        """Sums of whole traces by bucket and group; empty unless roots are selected."""
        if not selection.is_root:
            return {}
        columns = await self._engine.query(*statement)
        return {(row["bucket"], row["group_key"]): row for row in answers.records(columns)}

    async def series(
        self,
        selection: RunSelection,
        stride: Micros,
        group: StatGroup | None = None,
        path: str = "",
        origin: Micros = 0,
        parts: Sequence[Filter] = (),
    ) -> list[TimeBucket]:
        if parts:
            columns = await self._engine.query(*figures.parts(selection, parts, stride, group, path, origin))
            return [_bucket(row, None) for row in answers.records(columns)]
        columns, totals = await asyncio.gather(
            self._engine.query(*figures.stats(selection, group, path, 10, stride, origin)),
            self._trace_sums(selection, figures.trace_sums(selection, group, path, stride, origin)),
        )
        return [
            _bucket(row, totals.get((row["bucket"], row["group_key"]))) for row in answers.records(columns)
        ]

    async def feedback_stats(
        self,
        selection: RunSelection,
        by: Literal["all", "run", "project", "thread"],
        comparison: UUID | None = None,
    ) -> Mapping[str, Mapping[str, FeedbackStat]]:
        return await self._feedback_stats(selection, by, comparison)

    async def _feedback_stats(
        self,
        selection: RunSelection,
        by: feedback_query.By,
        comparison: UUID | None = None,
        stride: Micros | None = None,
        origin: Micros = 0,
    ) -> dict[str, dict[str, FeedbackStat]]:
        if not await self._judged.any(selection.workspace):
            return {}
        unfiled = await self._judged.any_unfiled(selection.workspace)
        asked = Asked(selection, by, unfiled, stride, origin)
        given = self._engine.query(*feedback_query.feedback_stats(asked, comparison))
        formulas = feedback_query.applicable(selection) if comparison is None else ()
        if not formulas:
            return answers.feedback_groups(await given)
        computed = self._engine.query(*feedback_query.composite_stats(asked, formulas))
        pieces, scores = await asyncio.gather(given, computed)
        found = answers.feedback_groups(pieces)
        for group, stats in answers.composite_groups(scores).items():
            found[group] = all_together(found.get(group, {}), stats)
        return found

    async def project_feedback_stats(
        self, workspace: UUID, projects: Sequence[UUID]
    ) -> Mapping[UUID, Mapping[str, FeedbackStat]]:
        if not projects or not await self._judged.any(workspace):
            return {}
        columns = await self._engine.query(*feedback_query.project_feedback_stats(workspace, projects))
        return {UUID(key): value for key, value in answers.feedback_groups(columns).items()}

    async def comparison_feedback_stats(
        self, workspace: UUID, comparisons: Sequence[UUID]
    ) -> Mapping[UUID, Mapping[UUID, Mapping[str, FeedbackStat]]]:
        if not comparisons or not await self._judged.any(workspace):
            return {}
        found: dict[UUID, dict[UUID, dict[str, FeedbackStat]]] = {}
        columns = await self._engine.query(*feedback_query.comparison_feedback_stats(workspace, comparisons))
        for row in answers.records(columns):
            of_comparison = found.setdefault(row["comparative_experiment_id"], {})
            of_project = of_comparison.setdefault(UUID(row["group_key"].decode()), {})
            of_project[row["key"].decode()] = answers.feedback_stat(row)
        return found

    async def feedback_series(
        self, selection: RunSelection, stride: Micros, origin: Micros = 0
    ) -> Mapping[Micros, Mapping[str, FeedbackStat]]:
        groups = await self._feedback_stats(selection, "all", None, stride, origin)
        return dict(sorted((int(start), found) for start, found in groups.items()))

    async def last_starts(self, selection: RunSelection) -> Mapping[UUID, Micros]:
        columns = await self._engine.query(*figures.last_starts(selection))
        return {row["project_id"]: row["last"] for row in answers.records(columns)}

    async def facets(self, selection: RunSelection, limit: int) -> Mapping[UUID, list[Facet]]:
        tables = await asyncio.gather(
            self._engine.query(*figures.facets(selection, limit)),
            self._engine.query(*figures.metadata_facets(selection, limit)),
        )
        found: dict[UUID, list[Facet]] = {}
        for columns in tables:
            for row in answers.records(columns):
                value = row["value"].decode("utf-8", "replace")
                found.setdefault(row["project_id"], []).append(
                    Facet(row["key"].decode(), value, row["count"])
                )
        for facets in found.values():
            facets.sort(key=lambda facet: facet.key)
        return found

    async def metadata_values(
        self, selection: RunSelection, keys: Sequence[str], limit: int
    ) -> Mapping[str, list[str]]:
        columns = await self._engine.query(*figures.metadata_values(selection, keys, limit))
        found: dict[str, list[str]] = {}
        for row in answers.records(columns):
            found.setdefault(row["key"].decode(), []).append(row["value"].decode("utf-8", "replace"))
        return found

    async def threads(self, wanted: ThreadQuery) -> tuple[list[ThreadSummary], int]:
        columns = await self._engine.query(*figures.threads(wanted))
        page = [answers.thread(row) for row in answers.records(columns)]
        if not page and wanted.offset:  # beyond the last: nothing there to tell how many there are
            _, total = await self.threads(replace(wanted, limit=1, offset=0))
            return [], total
        return page, columns["threads"][0] if page else 0

    async def figures(self, wanted: FigureQuery) -> list[Figure]:
        columns = await self._engine.query(*measures.figures(wanted))
        return [answers.figure(row, wanted) for row in answers.records(columns)]

    async def names(self, wanted: NamesQuery) -> list[NameCount]:
        statements = [measures.names(wanted)]
        if await self._judged.any(wanted.selection.workspace):
            statements.append(measures.feedback_names(wanted))
        tables = await asyncio.gather(*(self._engine.query(*statement) for statement in statements))
        return [answers.name_count(row) for columns in tables for row in answers.records(columns)]

    async def thread_usage(self, selection: RunSelection, threads: Sequence[str]) -> Mapping[str, Usage]:
        columns = await self._engine.query(*figures.thread_usage(selection, threads))
        return {row["group_key"].decode(): _usage(row) for row in answers.records(columns)}

    async def trace_figures(self, workspace: UUID, roots: Sequence[Run]) -> Mapping[UUID, TraceFigures]:
        if not roots:
            return {}
        columns = await self._engine.query(*figures.traces(workspace, roots))
        return {
            row["trace_id"]: TraceFigures(runs=row["runs"], model_runs=row["models"], usage=_usage(row))
            for row in answers.records(columns)
        }

    # -- feedback ----------------------------------------------------------------------------------------

    async def traces_with_feedback(self, workspace: UUID, roots: Sequence[Run]) -> set[UUID]:
        if not roots or not await self._judged.any(workspace):
            return set()
        unfiled = await self._judged.any_unfiled(workspace)
        columns = await self._engine.query(*feedback_query.traces_with_feedback(workspace, roots, unfiled))
        return set(columns.get("trace_id", []))

    async def feedback(self, wanted: FeedbackQuery) -> list[Feedback]:
        if not await self._judged.any(wanted.workspace):
            return []
        since = self._reach.since(wanted)
        if since is not None:
            page = await self._feedback(replace(wanted, created_since=since))
            if len(page) == wanted.limit:
                self._reach.learn(wanted, page)
                return page
        page = await self._feedback(wanted)
        self._reach.learn(wanted, page)
        return page

    async def _feedback(self, wanted: FeedbackQuery) -> list[Feedback]:
        unfiled = await self._judged.any_unfiled(wanted.workspace)
        columns = await self._engine.query(*feedback_query.feedback(wanted, unfiled))
        return rows.feedback(columns, wanted.workspace)

    async def unfiled_feedback(self, limit: int) -> list[tuple[UUID, UUID]]:
        columns = await self._engine.query(*feedback_query.unfiled_feedback(limit))
        return [(row["workspace_id"], row["run_id"]) for row in answers.records(columns)]

    async def close(self) -> None:
        if self._settling is not None:
            await self._settling.stop()
        await self._engine.close()


def _bucket(row: Mapping[str, Any], totals: Mapping[str, Any] | None) -> TimeBucket:
    part = row.get("part", 0)
    return TimeBucket(row["bucket"], row["group_key"].decode(), answers.run_stats(row, totals), part)


def _usage(row: Mapping[str, object]) -> Usage:
    return rows.usage({name: [value] for name, value in row.items()}, 0)
