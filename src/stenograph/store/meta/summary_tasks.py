"""Summaries that conversations wait for, in the metadata store."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.jobs import Job, JobState
from stenograph.model.runs import Micros
from stenograph.model.summaries import SummaryTask
from stenograph.store.meta import dialect, jobs, tables
from stenograph.store.meta.engine import Engine

_T: Final = tables.summary_tasks.c
_C: Final = tables.conversations.c


class SummaryTasks:
    """Implements `store.api.SummaryTasks`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def begin(self, task: SummaryTask, job: Job) -> UUID | None:
        def work(connection: sa.Connection) -> UUID | None:
            there = sa.select(_C.id).where(_C.workspace_id == task.workspace, _C.id == task.conversation_id)
            if connection.execute(there).first() is None:
                return None
            new = dialect.insert(connection, tables.summary_tasks).values(_to_row(task))
            if connection.execute(new.on_conflict_do_nothing()).rowcount:
                connection.execute(sa.insert(tables.jobs).values(jobs.to_row(job)))
                return job.id
            known = sa.select(_T.job_id).where(
                _T.workspace_id == task.workspace, _T.conversation_id == task.conversation_id
            )
            found: UUID = connection.execute(known).scalar_one()
            return found

        return await self._engine.write(work)

    async def waiting(self) -> list[SummaryTask]:
        wanted = sa.select(tables.summary_tasks).order_by(_T.due_at, _T.job_id)
        rows = await self._engine.rows(wanted)
        return [_from_row(row) for row in rows]

    async def put_off(self, task: SummaryTask) -> None:
        change = (
            sa.update(tables.summary_tasks)
            .where(*_of(task))
            .values(due_at=task.due_at, attempts=task.attempts)
        )
        await self._engine.change(change)

    async def end(self, task: SummaryTask, state: JobState, at: Micros, *, reason: str = "") -> None:
        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(tables.summary_tasks).where(*_of(task)))
            progress = 100.0 if state is JobState.SUCCEEDED else None
            jobs.move(connection, task.workspace, task.job_id, state, at, reason=reason, progress=progress)

        await self._engine.write(work)


def _of(task: SummaryTask) -> tuple[sa.ColumnElement[bool], ...]:
    return _T.workspace_id == task.workspace, _T.job_id == task.job_id


def _to_row(task: SummaryTask) -> dict[str, Any]:
    row = msgspec.structs.asdict(task)
    row["workspace_id"] = row.pop("workspace")
    return row


def _from_row(row: sa.Row[Any]) -> SummaryTask:
    return SummaryTask(
        workspace=row.workspace_id,
        conversation_id=row.conversation_id,
        job_id=row.job_id,
        due_at=row.due_at,
        attempts=row.attempts,
    )
