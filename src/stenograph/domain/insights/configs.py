"""Saved requests of a project, those that come with this program, and reports that are made by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
import structlog

from stenograph.domain.insights import cron
from stenograph.domain.insights.reports import Reports, check, check_name
from stenograph.domain.projects.projects import Projects
from stenograph.errors import Invalid, NotFound, StenographError
from stenograph.model.ids import new_id
from stenograph.model.insights import ReportRequest, SavedConfig
from stenograph.model.runs import Micros
from stenograph.store.api import MetaStore

log = structlog.get_logger("stenograph.insights")

MAX_CONFIGS: Final = 1000
_ASKED_AGAIN: Final = 30.0


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """A request that is there without being saved. `id` is a word."""

    id: str
    name: str
    description: str
    request: ReportRequest


PREBUILT: Final = (
    Prebuilt(
        "usage-patterns",
        "Usage patterns",
        "What people ask for, by what they said first.",
        ReportRequest(last_n_hours=168, summary_prompt="What is asked for in {{run.inputs}}?"),
    ),
    Prebuilt(
        "error-analysis",
        "Error analysis",
        "What fails, by what went wrong. Traces with an error alone.",
        ReportRequest(
            last_n_hours=168,
            filter="eq(error, true)",
            summary_prompt="What went wrong: {{run.error}} on {{run.inputs}}",
        ),
    ),
)

Read = Callable[[SavedConfig], ReportRequest]
"""A face's reading of the JSON that its clients have saved."""


class Configs:
    """Of one workspace at a time. Callers check the permission, and that `config` is what `read` understands."""

    def __init__(
        self,
        meta: MetaStore,
        reports: Reports,
        projects: Projects,
        read: Read,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = meta.insight_configs
        self._reports = reports
        self._projects = projects
        self._read = read
        self._clock = clock

    async def create(
        self,
        workspace: UUID,
        project_id: UUID,
        name: str,
        config: bytes,
        description: str | None = None,
        schedule_cron: str | None = None,
    ) -> SavedConfig:
        await self._projects.read(workspace, project_id)
        now = self._clock() // 1000
        saved = SavedConfig(
            id=new_id(now),
            workspace=workspace,
            project_id=project_id,
            name=name,
            config=config,
            created_at=now,
            modified_at=now,
            description=description,
            schedule_cron=schedule_cron or None,
        )
        saved = self._checked(saved, now)
        if len(await self._store.of_project(workspace, project_id)) >= MAX_CONFIGS:
            raise Invalid(f"a project has at most {MAX_CONFIGS} configurations", ("name",))
        if not await self._store.create(saved):
            raise NotFound(f"project {project_id} not found")
        return saved

    async def of_project(self, workspace: UUID, project_id: UUID) -> list[SavedConfig]:
        """Oldest first."""
        await self._projects.read(workspace, project_id)
        return await self._store.of_project(workspace, project_id)

    async def read(self, workspace: UUID, project_id: UUID, config_id: UUID) -> SavedConfig:
        found = await self._store.read(workspace, config_id)
        if found is None or found.project_id != project_id:
            raise NotFound(f"insights config {config_id} not found")
        return found

    async def request(self, workspace: UUID, project_id: UUID, config_id: UUID) -> ReportRequest:
        """What a saved configuration asks for."""
        return self._read(await self.read(workspace, project_id, config_id))

    async def update(self, changed: SavedConfig) -> SavedConfig:
        """As stored; a schedule that is new, or has changed, begins now."""
        now = self._clock() // 1000
        saved = self._checked(msgspec.structs.replace(changed, modified_at=now), now)
        if not await self._store.replace(saved):
            raise NotFound(f"insights config {changed.id} not found")
        return saved

    async def delete(self, workspace: UUID, project_id: UUID, config_id: UUID) -> None:
        """Reports that were made of it stay."""
        await self.read(workspace, project_id, config_id)
        if not await self._store.delete(workspace, config_id):
            raise NotFound(f"insights config {config_id} not found")

    def _checked(self, saved: SavedConfig, now: Micros) -> SavedConfig:
        check_name(saved.name)
        if saved.description is not None and (len(saved.description) > 20_000 or "\0" in saved.description):
            raise Invalid("a description has at most 20,000 characters, and no NUL", ("description",))
        check(self._read(saved))
        return msgspec.structs.replace(saved, due_at=_next(saved, now))

    # -- schedules ---------------------------------------------------------------------------------------

    async def turn(self) -> float:
        """Begin what is due; the seconds until this wants to be asked again.

        A time that was missed, because the server stood still, is made up for once.
        """
        now = self._clock() // 1000
        for saved in await self._store.due(now):
            if await self._store.put_off(saved, _next(saved, now)):
                await self._begin(saved)
        return _ASKED_AGAIN

    async def _begin(self, saved: SavedConfig) -> None:
        try:
            request = self._read(saved)
            await self._reports.create(
                saved.workspace,
                saved.project_id,
                request,
                saved.name,
                config_id=saved.id,
                is_scheduled=True,
            )
        except StenographError as error:  # the project is gone, or a filter means nothing any more
            log.warning("a scheduled report cannot be made", config=str(saved.id), reason=error.message[:500])


def _next(saved: SavedConfig, now: Micros) -> Micros | None:
    if saved.schedule_cron is None:
        return None
    following = cron.parse(saved.schedule_cron).next(now // 1_000_000)
    return None if following is None else following * 1_000_000
