"""The run store over an engine that speaks ClickHouse SQL. Promises: store/api.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.resources import files
from typing import Literal
from uuid import UUID

from stenograph.model.feedback import Feedback, FeedbackStat
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection, StatGroup, ThreadQuery
from stenograph.model.runs import Micros, Run, Usage
from stenograph.model.stats import Facet, RunStats, ThreadSummary, TimeBucket
from stenograph.store.runs import answers, query, rows
from stenograph.store.runs.engine import Engine, statements
from stenograph.store.runs.sql import Params


class Runs:
    """Implements store.api.RunStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    async def open(cls, engine: Engine) -> Runs:
        """Create the tables where they are missing."""
        text = files("stenograph.store.runs").joinpath("schema.sql").read_text()
        for statement in statements(text).values():
            await engine.execute(statement)
        return cls(engine)

    # -- writing -----------------------------------------------------------------------------------------

    async def write(self, runs: Sequence[Run], feedback: Sequence[Feedback]) -> None:
        if runs:
            await self._engine.insert("runs", rows.runs_block(runs))
        if feedback:
            await self._engine.insert("feedback", rows.feedback_block(feedback))

    async def stored(self, ids: Sequence[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Run]:
        found: dict[tuple[UUID, UUID], Run] = {}
        wanted = set(ids)
        for start in range(0, len(ids), 1000):
            columns = await self._engine.query(*query.stored(ids[start : start + 1000]))
            for run in rows.runs(None, columns):
                if (run.workspace, run.id) in wanted:
                    found[run.workspace, run.id] = run
        return found

    async def newest_version(self) -> int:
        newest = 0
        for table in ("runs", "feedback"):
            columns = await self._engine.query(f"SELECT max(version) AS newest FROM {table}")  # noqa: S608 - two constants
            newest = max(newest, *(columns.get("newest") or [0]))
        return newest

    async def run_ids(self) -> AsyncIterator[list[UUID]]:
        weeks = await self._engine.query("SELECT DISTINCT toMonday(start_time)::String AS week FROM runs")
        for week in weeks.get("week", []):
            params = Params()
            columns = await self._engine.query(
                f"SELECT id FROM runs WHERE toMonday(start_time) = toDate({params.text(week.decode())})",
                params.values,
            )
            yield columns.get("id", [])

    # -- runs --------------------------------------------------------------------------------------------

    async def page(self, wanted: RunQuery) -> list[Run]:
        workspace = wanted.selection.workspace
        keys = rows.runs(workspace, await self._engine.query(*query.page_keys(wanted)))
        if not keys or wanted.columns <= set(query.KEY_COLUMNS):
            return keys
        found = rows.runs(
            workspace, await self._engine.query(*query.rows_of(workspace, keys, wanted.columns))
        )
        by_id = {run.id: run for run in found}
        return [by_id[key.id] for key in keys if key.id in by_id]

    async def usage(self, workspace: UUID, runs: Sequence[Run]) -> Mapping[UUID, Usage]:
        if not runs:
            return {}
        columns = await self._engine.query(*query.descendants(workspace, runs))
        spent = [
            (row["id"], row["dotted_order"].decode(), _usage(row))
            for row in answers.records(columns)
            if not row["deleted"]
        ]
        return answers.subtree_usage(runs, spent)

    async def delete(self, selection: RunSelection, version: int) -> list[UUID]:
        columns = frozenset({*query.KEY_COLUMNS})
        gone: list[UUID] = []
        while True:
            page = await self.page(RunQuery(selection=selection, columns=columns, limit=5000))
            if not page:
                return gone
            await self.write([_tombstone(run, version) for run in page], [])
            ids = tuple(run.id for run in page)
            feedback = await self.feedback(
                FeedbackQuery(workspace=selection.workspace, runs=ids, limit=1_000_000)
            )
            await self.write([], [_feedback_tombstone(item, version) for item in feedback])
            gone += ids

    async def drop_project(self, workspace: UUID, project: UUID) -> None:
        params = Params()
        bound = f"workspace_id = {params.uuid(workspace)} AND project_id = {params.uuid(project)}"
        await self._engine.execute(
            "ALTER TABLE feedback DELETE WHERE (" + bound + ") OR (workspace_id = "
            f"{params.uuid(workspace)} AND run_id IN (SELECT id FROM runs WHERE {bound})) "
            "SETTINGS mutations_sync = 1",
            params.values,
        )
        await self._engine.execute(f"ALTER TABLE runs DELETE WHERE {bound}", params.values)

    # -- statistics --------------------------------------------------------------------------------------

    async def stats(
        self, selection: RunSelection, group: StatGroup | None = None, path: str = "", groups: int = 5
    ) -> Mapping[str, RunStats]:
        columns = await self._engine.query(*query.stats(selection, group, path, groups))
        totals: dict[str, dict[str, object]] = {}
        if selection.is_root:
            summed = await self._engine.query(*query.trace_sums(selection, group, path))
            totals = {row["group_key"].decode(): row for row in answers.records(summed)}
        return {
            key: answers.run_stats(row, totals.get(key))
            for row in answers.records(columns)
            if (key := row["group_key"].decode()) is not None and row["run_count"]
        }

    async def series(
        self, selection: RunSelection, stride: Micros, group: StatGroup | None, path: str = ""
    ) -> list[TimeBucket]:
        columns = await self._engine.query(*query.stats(selection, group, path, 10, stride))
        totals: dict[tuple[int, bytes], dict[str, object]] = {}
        if selection.is_root:
            summed = await self._engine.query(*query.trace_sums(selection, group, path, stride))
            totals = {(row["bucket"], row["group_key"]): row for row in answers.records(summed)}
        return [
            TimeBucket(
                row["bucket"],
                row["group_key"].decode(),
                answers.run_stats(row, totals.get((row["bucket"], row["group_key"]))),
            )
            for row in answers.records(columns)
        ]

    async def feedback_stats(
        self, selection: RunSelection, by: Literal["all", "run", "project", "thread"]
    ) -> Mapping[str, Mapping[str, FeedbackStat]]:
        return answers.feedback_groups(await self._engine.query(*query.feedback_stats(selection, by)))

    async def project_feedback_stats(
        self, workspace: UUID, projects: Sequence[UUID]
    ) -> Mapping[UUID, Mapping[str, FeedbackStat]]:
        if not projects:
            return {}
        columns = await self._engine.query(*query.project_feedback_stats(workspace, projects))
        return {UUID(key): value for key, value in answers.feedback_groups(columns).items()}

    async def facets(self, selection: RunSelection, limit: int) -> list[Facet]:
        columns = await self._engine.query(*query.facets(selection, limit))
        return [
            Facet(row["key"].decode(), row["value"].decode("utf-8", "replace"), row["count"])
            for row in answers.records(columns)
        ]

    async def metadata_values(
        self, selection: RunSelection, keys: Sequence[str], limit: int
    ) -> Mapping[str, list[str]]:
        columns = await self._engine.query(*query.metadata_values(selection, keys, limit))
        found: dict[str, list[str]] = {}
        for row in answers.records(columns):
            found.setdefault(row["key"].decode(), []).append(row["value"].decode("utf-8", "replace"))
        return found

    async def threads(self, wanted: ThreadQuery) -> tuple[list[ThreadSummary], int]:
        columns = await self._engine.query(*query.threads(wanted))
        page = [answers.thread(row) for row in answers.records(columns)]
        total = columns["threads"][0] if page else 0
        return page, total

    async def thread_usage(self, selection: RunSelection, threads: Sequence[str]) -> Mapping[str, Usage]:
        columns = await self._engine.query(*query.thread_usage(selection, threads))
        return {row["group_key"].decode(): _usage(row) for row in answers.records(columns)}

    # -- feedback ----------------------------------------------------------------------------------------

    async def feedback(self, wanted: FeedbackQuery) -> list[Feedback]:
        return rows.feedback(await self._engine.query(*query.feedback(wanted)))

    async def close(self) -> None:
        await self._engine.close()


def _usage(row: Mapping[str, object]) -> Usage:
    return rows.usage({name: [value] for name, value in row.items()}, 0)


def _tombstone(run: Run, version: int) -> Run:
    """A row that supersedes every version of a run and makes it vanish; its payload is freed by merges."""
    return Run(
        workspace=run.workspace,
        id=run.id,
        project_id=run.project_id,
        trace_id=run.trace_id,
        start_time=run.start_time,
        is_root=run.is_root,
        version=version,
        deleted=True,
    )


def _feedback_tombstone(item: Feedback, version: int) -> Feedback:
    return Feedback(
        workspace=item.workspace,
        id=item.id,
        run_id=item.run_id,
        key=item.key,
        created_at=item.created_at,
        modified_at=item.modified_at,
        deleted=True,
        version=version,
    )
