"""What evaluators have to do, in the metadata store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.evaluators import Candidates, Task, TaskKey, TaskStatus
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_C = tables.evaluator_candidates.c
_T = tables.evaluator_tasks.c
_E = tables.evaluators.c

_WAITING = TaskStatus.WAITING.value

_ids = msgspec.json.Decoder(tuple[UUID, ...]).decode


class EvaluatorTasks:
    """Implements `store.api.EvaluatorTasks`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def note(self, candidates: Sequence[Candidates]) -> None:
        rows = [_candidates_row(each) for each in candidates]
        if rows:
            await self._engine.write(
                lambda connection: connection.execute(sa.insert(tables.evaluator_candidates), rows)
            )

    async def noted(self, limit: int) -> list[Candidates]:
        wanted = sa.select(tables.evaluator_candidates).order_by(_C.noted_at, _C.id).limit(limit)
        rows = await self._engine.rows(wanted)
        return [_candidates_from(row) for row in rows]

    async def sort(self, candidates: Candidates, tasks: Sequence[Task]) -> int:
        rows = [to_row(task) for task in tasks]

        def work(connection: sa.Connection) -> int:
            connection.execute(
                sa.delete(tables.evaluator_candidates).where(
                    _C.workspace_id == candidates.workspace, _C.id == candidates.id
                )
            )
            # Locked, so that none is deleted around its new tasks.
            there = sa.select(_E.id).where(
                _E.workspace_id == candidates.workspace,
                _E.id.in_({task.evaluator_id for task in tasks}),
            )
            known = set(connection.execute(there.with_for_update(key_share=True)).scalars())
            new = dialect.insert(connection, tables.evaluator_tasks).on_conflict_do_nothing()
            kept = [row for row in rows if row["evaluator_id"] in known]
            return connection.execute(new, kept).rowcount if kept else 0

        return await self._engine.write(work)

    async def due(
        self, at: Micros, limit: int, without: Collection[TaskKey] = ()
    ) -> tuple[list[Task], Micros | None]:
        ready = (
            sa.select(tables.evaluator_tasks)
            .where(_T.status == _WAITING, _T.due_at <= at)
            .order_by(_T.due_at, _T.run_id, _T.version_id)
            .limit(limit + len(without))
        )
        later = sa.select(sa.func.min(_T.due_at)).where(_T.status == _WAITING, _T.due_at > at)

        def work(connection: sa.Connection) -> tuple[Sequence[sa.Row[Any]], Micros | None]:
            return connection.execute(ready).all(), connection.execute(later).scalar_one()

        rows, following = await self._engine.read(work)
        tasks = [task for row in rows if (task := from_row(row)).key not in without]
        return tasks[:limit], following

    async def change(self, tasks: Sequence[Task]) -> None:
        changed = (
            sa.update(tables.evaluator_tasks)
            .where(
                _T.workspace_id == sa.bindparam("of_workspace"),
                _T.version_id == sa.bindparam("of_version"),
                _T.run_id == sa.bindparam("of_run"),
            )
            .values({name: sa.bindparam(name) for name in _CHANGING})
        )
        rows = [_change(task) for task in tasks]
        if rows:
            await self._engine.write(lambda connection: connection.execute(changed, rows))

    async def waiting_for(self, workspace: UUID, run_id: UUID) -> frozenset[UUID]:
        wanted = sa.select(_T.evaluator_id).where(
            _T.workspace_id == workspace, _T.run_id == run_id, _T.status == _WAITING
        )
        found = await self._engine.read(lambda connection: connection.execute(wanted).scalars().all())
        return frozenset(found)

    async def count(
        self, workspace: UUID | None = None, evaluator_id: UUID | None = None
    ) -> Mapping[TaskStatus, int]:
        wanted = sa.select(_T.status, sa.func.count().label("tasks")).group_by(_T.status)
        if workspace is not None:
            wanted = wanted.where(_T.workspace_id == workspace)
        if evaluator_id is not None:
            wanted = wanted.where(_T.evaluator_id == evaluator_id)
        return {TaskStatus(row.status): row.tasks for row in await self._engine.rows(wanted)}

    async def page(
        self,
        workspace: UUID,
        evaluator_id: UUID,
        status: TaskStatus | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Task]:
        wanted = sa.select(tables.evaluator_tasks).where(
            _T.workspace_id == workspace, _T.evaluator_id == evaluator_id
        )
        if status is not None:
            wanted = wanted.where(_T.status == status.value)
        wanted = wanted.order_by(_T.modified_at.desc(), _T.run_id, _T.version_id).offset(offset).limit(limit)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def take_up(self, workspace: UUID, evaluator_id: UUID, at: Micros) -> int:
        live = (
            sa.select(_E.live_version_id)
            .where(_E.workspace_id == workspace, _E.id == evaluator_id)
            .scalar_subquery()
        )
        again = (
            sa.update(tables.evaluator_tasks)
            .where(
                _T.workspace_id == workspace,
                _T.evaluator_id == evaluator_id,
                _T.status == TaskStatus.FAILED.value,
                _T.version_id == live,
            )
            .values(status=_WAITING, attempts=0, due_at=at, modified_at=at)
        )
        return await self._engine.change(again)

    async def forget(self, before: Micros) -> int:
        gone = sa.delete(tables.evaluator_tasks).where(_T.status != _WAITING, _T.modified_at < before)
        return await self._engine.change(gone)


_CHANGING = ("status", "attempts", "due_at", "reason", "modified_at")


def _change(task: Task) -> dict[str, Any]:
    row = to_row(task)
    return {name: row[name] for name in _CHANGING} | {
        "of_workspace": task.workspace,
        "of_version": task.version_id,
        "of_run": task.run_id,
    }


def to_row(task: Task) -> dict[str, Any]:
    row = msgspec.structs.asdict(task)
    row["workspace_id"] = row.pop("workspace")
    row["status"] = task.status.value
    if task.reason is not None:  # it may quote what no text column can hold
        row["reason"] = task.reason.replace("\0", "\\0").encode(errors="backslashreplace").decode()
    return row


def from_row(row: sa.Row[Any]) -> Task:
    return Task(
        workspace=row.workspace_id,
        version_id=row.version_id,
        run_id=row.run_id,
        evaluator_id=row.evaluator_id,
        project_id=row.project_id,
        start_time=row.start_time,
        created_at=row.created_at,
        modified_at=row.modified_at,
        due_at=row.due_at,
        status=TaskStatus(row.status),
        attempts=row.attempts,
        reason=row.reason,
    )


def _candidates_row(candidates: Candidates) -> dict[str, Any]:
    return {
        "workspace_id": candidates.workspace,
        "id": candidates.id,
        "versions": msgspec.json.encode(candidates.versions),
        "runs": b"".join(run.bytes for run in candidates.runs),
        "since": candidates.since,
        "until": candidates.until,
        "noted_at": candidates.noted_at,
    }


def _candidates_from(row: sa.Row[Any]) -> Candidates:
    return Candidates(
        id=row.id,
        workspace=row.workspace_id,
        versions=_ids(row.versions),
        runs=tuple(UUID(bytes=row.runs[start : start + 16]) for start in range(0, len(row.runs), 16)),
        since=row.since,
        until=row.until,
        noted_at=row.noted_at,
    )
