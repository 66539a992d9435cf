"""Deleting projects: unseen at once, then freed.

    metadata: gone, its views and links too  ->  readers leave it out, writers refuse it
        ->  what is pending settles, later ones are let go  ->  files are deleted  ->  rows are dropped
        ->  readers forget it

Only the first step has to survive a crash: at the next start whatever was deleted and still has rows is taken up
again. Rows go last, so that files whose names only the rows know are not lost sight of.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from stenograph.domain.attachments import attachment_key
from stenograph.domain.projects.projects import Projects
from stenograph.domain.recording.recorder import Recorder
from stenograph.errors import NotFound, StoreUnavailable
from stenograph.model.query import RunSelection
from stenograph.store.api import BlobStore, MetaStore, RunStore

log = structlog.get_logger("stenograph.deletion")

PATIENCE: Final = 10.0
"""Seconds that a caller waits for the space to be free; the work goes on without it after that."""

FIRST_PAUSE: Final = 0.5
MAX_PAUSE: Final = 60.0
"""Seconds between attempts while a store does not answer; they double."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was deleted, and whether its space is free already."""

    projects: tuple[UUID, ...]
    freed: bool


class ProjectDeletion:
    """One a process."""

    def __init__(
        self,
        meta: MetaStore,
        projects: Projects,
        store: RunStore,
        recorder: Recorder,
        blobs: BlobStore,
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._meta = meta
        self._projects = projects
        self._store = store
        self._recorder = recorder
        self._blobs = blobs
        self._patience = patience
        self._tasks: set[asyncio.Task[bool]] = set()

    async def start(self) -> None:
        """Before anything is read or recorded: learn what is gone, and take up what an earlier process left."""
        tombstones = await self._meta.projects.deleted()
        if not tombstones:
            return
        left = await self._store.projects_with_rows([project for _, project in tombstones])
        by_workspace: dict[UUID, list[UUID]] = defaultdict(list)
        for workspace, project in tombstones:
            has_rows = (workspace, project) in left
            self._recorder.deleted.add(workspace, [project], rows_left=has_rows)
            if has_rows:
                by_workspace[workspace].append(project)
            else:
                self._recorder.deleted.close(workspace, [project])
        for workspace, projects in by_workspace.items():
            log.info("taking up deletions", projects=len(projects))
            self._begin(workspace, projects)

    async def stop(self) -> None:
        """Leave what is under way to the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def delete(self, workspace: UUID, project_ids: Sequence[UUID]) -> Deleted:
        """Nothing of these is seen from the return on, and their names are free; unknown ids are no error.

        NotFound when all are unknown.
        """
        # Shielded: a caller that hangs up must not leave a project that is gone here and seen there.
        gone, work = await asyncio.shield(asyncio.ensure_future(self._mark(workspace, project_ids)))
        if work is None:
            raise NotFound(
                f"There is no project {project_ids[0]}."
                if len(project_ids) == 1
                else "There is none of these projects."
            )
        await asyncio.wait({work}, timeout=self._patience)
        return Deleted(tuple(gone), work.done() and not work.cancelled() and work.result())

    async def _mark(
        self, workspace: UUID, project_ids: Sequence[UUID]
    ) -> tuple[list[UUID], asyncio.Task[bool] | None]:
        """Those that were there, and the work of freeing them."""
        gone = await self._projects.delete_many(workspace, project_ids)
        if not gone:
            return gone, None
        self._recorder.deleted.add(workspace, gone, rows_left=True)
        return gone, self._begin(workspace, gone)

    def _begin(self, workspace: UUID, projects: Sequence[UUID]) -> asyncio.Task[bool]:
        task = asyncio.create_task(self._free(workspace, projects))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _free(self, workspace: UUID, projects: Sequence[UUID]) -> bool:
        """Try until it is done. False for what fails for good: it stays unseen, and the next start tries again."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._drop(workspace, projects)
            except StoreUnavailable as trouble:
                log.warning("deleted projects are not freed yet", reason=trouble.message[:500])
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE)
            except Exception:
                log.exception("deleted projects cannot be freed", projects=[str(each) for each in projects])
                return False
            else:
                self._recorder.deleted.dropped(workspace, projects)
                log.info("deleted projects are freed", projects=len(projects))
                return True

    async def _drop(self, workspace: UUID, projects: Sequence[UUID]) -> None:
        await self._recorder.settle(workspace)
        self._recorder.deleted.close(workspace, projects)
        await self._recorder.settle(workspace)  # a flush under way may still have had some
        files = await self._store.files(RunSelection(workspace=workspace, projects=tuple(projects)))
        await self._blobs.delete(
            [attachment_key(workspace, run.id, file.name) for run in files for file in run.attachments or ()]
        )
        await self._store.drop_projects(workspace, projects)
