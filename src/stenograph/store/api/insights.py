"""Reports of insights: the seam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.insights import (
    Assigned,
    Cluster,
    Following,
    InsightJob,
    MemberChunk,
    ModelAnswer,
    SavedConfig,
)
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
        """The same with all that was found, in one: whoever sees the job done sees its clusters, and a report that is
        to keep up does so from then on."""

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

    async def homes(self, workspace: UUID, cluster_ids: Sequence[UUID]) -> list[Cluster]:
        """Those of these clusters that there are, each as in the newest report that has it; in no order."""

    async def run_ids(self, workspace: UUID, job_id: UUID, leaves: Sequence[int], most: int) -> bytes | None:
        """The ids of all traces in these finest clusters, sixteen bytes each; None when there are more than `most`."""


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


class InsightFollowing(Protocol):
    """Reports that take in what is recorded after them: one of a project. What they have taken in goes with them."""

    async def follow(self, following: Following) -> bool:
        """From now on, instead of the report that did so before; False when there is no such job."""

    async def leave(self, workspace: UUID, job_id: UUID) -> bool:
        """No longer; what it has taken in stays. False when it did not."""

    async def all(self) -> list[Following]:
        """Of all workspaces."""

    async def of_job(self, workspace: UUID, job_id: UUID) -> Following | None: ...

    async def take(self, following: Following, taken: Sequence[Assigned]) -> bool:
        """Add what is not there yet, and note how far it has looked; in one. False, and nothing is written, when this
        report is no longer followed."""

    async def known(self, workspace: UUID, job_id: UUID, run_ids: Sequence[UUID]) -> set[UUID]:
        """Those of these that it has taken in."""

    async def counts(self, workspace: UUID, job_id: UUID) -> Mapping[int, int]:
        """How many it has taken in, by number of the finest cluster; -1: near to none."""

    async def run_ids(self, workspace: UUID, job_id: UUID, leaves: Sequence[int], most: int) -> list[UUID]:
        """What it has taken into these, at most so many."""
