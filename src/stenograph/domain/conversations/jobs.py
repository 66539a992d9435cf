"""Jobs: begun by whoever leaves work for later, followed by whoever was told the id."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from uuid import UUID

from stenograph.domain.conversations.agents import unknown
from stenograph.model.ids import new_id
from stenograph.model.jobs import Job, JobState
from stenograph.store.api import MetaStore


class Jobs:
    """The use-cases of jobs. A job only moves until it has come to its end."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.jobs
        self._clock = clock

    async def begin(self, workspace: UUID, name: str) -> Job:
        """A job that has not been started yet."""
        now = self._clock() // 1000
        job = Job(id=new_id(now), workspace=workspace, name=name, created_at=now, updated_at=now)
        await self._store.create(job)
        return job

    async def read(self, workspace: UUID, job_id: UUID) -> Job:
        """NotFound when there is none."""
        job = await self._store.read(workspace, job_id)
        if job is None:
            raise unknown("job", job_id)
        return job

    async def move(
        self, job: Job, state: JobState, *, reason: str = "", progress: float | None = None
    ) -> Job | None:
        """As changed; None when it is gone, or has come to its end before."""
        now = self._clock() // 1000
        return await self._store.move(job.workspace, job.id, state, now, reason=reason, progress=progress)

    async def sweep(self, going_on: Collection[UUID]) -> None:
        """When a process starts, what an earlier one left in the middle has failed, but for the jobs that are gone on
        with."""
        for job in await self._store.unfinished():
            if job.id not in going_on:
                await self.move(job, JobState.FAILED, reason="The server ended before this was done.")
            elif job.state is JobState.IN_PROGRESS:
                reason = "The server ended in the middle of this; it begins again."
                await self.move(job, JobState.RETRYING, reason=reason)
