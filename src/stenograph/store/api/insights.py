"""Reports of insights: the seam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.insights import Cluster, InsightJob, MemberChunk, ModelAnswer, SavedConfig
from stenograph.model.runs import Micros


class Insights(Protocol):
    """Jobs with what they found. A project that is removed takes its jobs along."""

    async def create(self, job: InsightJob) -> bool:
        """False, and nothing is written, when the workspace has no such project."""

    async def read(self, workspace: UUID, job_id: UUID) -> InsightJob | None: ...

    async def page(
        self, workspace: UUID, project_id: UUID, offset: int, limit: int, config_id: UUID | None = None
    ) -> list[InsightJob]:
        """Newest first, without their reports; of one config, where it is given."""

    async def unfinished(self) -> list[InsightJob]:
        """Of all workspaces, oldest first."""

    async def rename(self, workspace: UUID, job_id: UUID, name: str, at: Micros) -> InsightJob | None:
        """As it is then; None when there is none."""

    async def move(self, job: InsightJob) -> bool:
        """Write status, progress, times, error and counts of a job that is not over; False when it is, or is gone."""

    async def finish(
        self, job: InsightJob, clusters: Sequence[Cluster], chunks: Sequence[MemberChunk]
    ) -> bool:
        """The same with all that was found, in one: whoever sees the job done sees its clusters."""

    async def delete(self, workspace: UUID, job_id: UUID) -> bool: ...

    async def clusters(self, workspace: UUID, job_id: UUID) -> list[Cluster]:
        """All of a job, by position."""

    async def rename_cluster(self, workspace: UUID, job_id: UUID, cluster_id: UUID, name: str) -> bool: ...

    async def sizes(self, workspace: UUID, job_id: UUID) -> list[tuple[int, int, int]]:
        """(leaf, number, size) of all chunks of members, by leaf and number."""

    async def members(
        self, workspace: UUID, job_id: UUID, wanted: Sequence[tuple[int, int]]
    ) -> list[MemberChunk]:
        """Chunks by leaf and number, in that order."""


class InsightAnswers(Protocol):
    """What models have answered, by the digest of the question. A project that is removed takes its answers along."""

    async def find(
        self, workspace: UUID, project_id: UUID, digests: Sequence[bytes]
    ) -> dict[bytes, ModelAnswer]:
        """Those that there are."""

    async def keep(self, workspace: UUID, project_id: UUID, answer: ModelAnswer) -> bool:
        """On disk when this returns; what is there for the digest already stays. False, and nothing is written, when
        the workspace has no such project."""

    async def forget(self, before: Micros) -> int:
        """Delete what was kept before then, of all workspaces; how many there were."""


class InsightConfigs(Protocol):
    """Saved requests. A project that is removed takes them along."""

    async def create(self, config: SavedConfig) -> bool:
        """False, and nothing is written, when the workspace has no such project."""

    async def read(self, workspace: UUID, config_id: UUID) -> SavedConfig | None: ...

    async def of_project(self, workspace: UUID, project_id: UUID) -> list[SavedConfig]:
        """Oldest first."""

    async def replace(self, config: SavedConfig) -> bool:
        """False when there is none."""

    async def delete(self, workspace: UUID, config_id: UUID) -> bool: ...

    async def due(self, at: Micros) -> list[SavedConfig]:
        """Of all workspaces, those whose time has come, the longest overdue first."""

    async def put_off(self, config: SavedConfig, until: Micros | None) -> bool:
        """Set the next time, if `config.due_at` is still what is stored: of several processes one takes a turn."""
