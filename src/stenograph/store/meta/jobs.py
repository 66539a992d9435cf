"""Jobs in the metadata store."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.jobs import FINAL_STATES, Job, JobState
from stenograph.model.runs import Micros
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine

_T: Final = tables.jobs.c
_UNFINISHED: Final = _T.state.not_in(sorted(state.value for state in FINAL_STATES))


class Jobs:
    """Implements `store.api.Jobs`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, job: Job) -> None:
        added = sa.insert(tables.jobs).values(to_row(job))
        await self._engine.change(added)

    async def read(self, workspace: UUID, job_id: UUID) -> Job | None:
        wanted = sa.select(tables.jobs).where(_T.workspace_id == workspace, _T.id == job_id)
        row = await self._engine.row(wanted)
        return None if row is None else _from_row(row)

    async def move(
        self,
        workspace: UUID,
        job_id: UUID,
        state: JobState,
        at: Micros,
        *,
        reason: str = "",
        progress: float | None = None,
    ) -> Job | None:
        return await self._engine.write(
            lambda connection: move(
                connection, workspace, job_id, state, at, reason=reason, progress=progress
            )
        )

    async def unfinished(self) -> list[Job]:
        wanted = sa.select(tables.jobs).where(_UNFINISHED).order_by(_T.created_at, _T.id)
        rows = await self._engine.rows(wanted)
        return [_from_row(row) for row in rows]


def move(
    connection: sa.Connection,
    workspace: UUID,
    job_id: UUID,
    state: JobState,
    at: Micros,
    *,
    reason: str = "",
    progress: float | None = None,
) -> Job | None:
    """See store.api.Jobs.move."""
    change = (
        sa.update(tables.jobs)
        .where(_T.workspace_id == workspace, _T.id == job_id, _UNFINISHED)
        .values(state=state.value, reason=reason, progress=progress, updated_at=at)
        .returning(*_T)
    )
    row = connection.execute(change).one_or_none()
    return None if row is None else _from_row(row)


def to_row(job: Job) -> dict[str, Any]:
    row = msgspec.structs.asdict(job)
    row["workspace_id"] = row.pop("workspace")
    row["state"] = job.state.value
    return row


def _from_row(row: sa.Row[Any]) -> Job:
    return Job(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        created_at=row.created_at,
        updated_at=row.updated_at,
        state=JobState(row.state),
        reason=row.reason,
        progress=row.progress,
    )
