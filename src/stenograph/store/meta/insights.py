"""Reports of insights in the metadata store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.insights import (
    Cluster,
    Following,
    InsightJob,
    JobStatus,
    MemberChunk,
    ModelPlan,
    Progress,
    Report,
    ReportRequest,
    SavedConfig,
)
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine
from stenograph.store.meta.insight_following import follow

_J: Final = tables.insight_jobs.c
_C: Final = tables.insight_clusters.c
_M: Final = tables.insight_members.c
_S: Final = tables.insight_configs.c
_P: Final = tables.projects.c
_OPEN: Final = _J.status.in_([status.value for status in JobStatus if not status.is_final])

_encode = msgspec.json.Encoder().encode
_request = msgspec.json.Decoder(ReportRequest).decode
_progress = msgspec.json.Decoder(Progress).decode
_shape = msgspec.json.Decoder(dict[str, int]).decode
_report = msgspec.json.Decoder(Report).decode
_plan = msgspec.json.Decoder(ModelPlan).decode
_leaves = msgspec.json.Decoder(tuple[int, ...]).decode
_stats = msgspec.json.Decoder(dict[str, Any]).decode


class Insights:
    """Implements `store.api.Insights`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, job: InsightJob) -> bool:
        def work(connection: sa.Connection) -> bool:
            if not _has_project(connection, job.workspace, job.project_id):
                return False
            fixed = {
                "workspace_id": job.workspace,
                "id": job.id,
                "project_id": job.project_id,
                "name": job.name,
                "config_id": job.config_id,
                "is_scheduled": job.is_scheduled,
                "request": _encode(job.request),
                "plan": None if job.plan is None else _encode(job.plan),
                "created_at": job.created_at,
            }
            connection.execute(sa.insert(tables.insight_jobs).values(fixed | _moving(job)))
            return True

        return await self._engine.write(work)

    async def read(self, workspace: UUID, job_id: UUID) -> InsightJob | None:
        wanted = sa.select(tables.insight_jobs).where(_J.workspace_id == workspace, _J.id == job_id)
        row = await self._engine.row(wanted)
        return None if row is None else _job(row)

    async def page(
        self, workspace: UUID, project_id: UUID, offset: int, limit: int, config_id: UUID | None = None
    ) -> list[InsightJob]:
        columns = [column for column in _J if column.name != "report"]
        wanted = (
            sa.select(*columns, sa.null().label("report"))
            .where(_J.workspace_id == workspace, _J.project_id == project_id)
            .order_by(_J.created_at.desc(), _J.id.desc())
            .limit(limit)
            .offset(offset)
        )
        if config_id is not None:
            wanted = wanted.where(_J.config_id == config_id)
        rows = await self._engine.rows(wanted)
        return [_job(row) for row in rows]

    async def unfinished(self) -> list[InsightJob]:
        wanted = sa.select(tables.insight_jobs).where(_OPEN).order_by(_J.created_at, _J.id)
        rows = await self._engine.rows(wanted)
        return [_job(row) for row in rows]

    async def rename(self, workspace: UUID, job_id: UUID, name: str, at: Micros) -> InsightJob | None:
        change = (
            sa.update(tables.insight_jobs)
            .where(_J.workspace_id == workspace, _J.id == job_id)
            .values(name=name, modified_at=at)
            .returning(*_J)
        )
        row = await self._engine.write(lambda connection: connection.execute(change).one_or_none())
        return None if row is None else _job(row)

    async def move(self, job: InsightJob) -> bool:
        return await self.finish(job, (), ())

    async def finish(
        self, job: InsightJob, clusters: Sequence[Cluster], chunks: Sequence[MemberChunk]
    ) -> bool:
        change = (
            sa.update(tables.insight_jobs)
            .where(_J.workspace_id == job.workspace, _J.id == job.id, _OPEN)
            .values(_moving(job))
        )
        found = [_cluster_row(job.workspace, each) for each in clusters]
        members = [_member_row(job, each) for each in chunks]
        following = Following.of(job)

        def work(connection: sa.Connection) -> bool:
            if not connection.execute(change).rowcount:
                return False
            for table, rows in ((tables.insight_clusters, found), (tables.insight_members, members)):
                for some in dialect.batches(rows):
                    connection.execute(sa.insert(table), list(some))
            if job.status is JobStatus.SUCCESS and job.request.keep_up:
                follow(connection, following)
            return True

        return await self._engine.write(work)

    async def delete(self, workspace: UUID, job_id: UUID) -> bool:
        gone = sa.delete(tables.insight_jobs).where(_J.workspace_id == workspace, _J.id == job_id)
        return await self._engine.change(gone) > 0

    async def clusters(self, workspace: UUID, job_id: UUID) -> list[Cluster]:
        wanted = (
            sa.select(tables.insight_clusters)
            .where(_C.workspace_id == workspace, _C.job_id == job_id)
            .order_by(_C.position)
        )
        rows = await self._engine.rows(wanted)
        return [_cluster(row) for row in rows]

    async def rename_cluster(self, workspace: UUID, job_id: UUID, cluster_id: UUID, name: str) -> bool:
        change = (
            sa.update(tables.insight_clusters)
            .where(_C.workspace_id == workspace, _C.job_id == job_id, _C.id == cluster_id)
            .values(name=name, renamed=True)
        )
        return await self._engine.change(change) > 0

    async def sizes(self, workspace: UUID, job_id: UUID) -> list[tuple[int, int, int]]:
        wanted = (
            sa.select(_M.leaf, _M.number, _M.size)
            .where(_M.workspace_id == workspace, _M.job_id == job_id)
            .order_by(_M.leaf, _M.number)
        )
        rows = await self._engine.rows(wanted)
        return [(row.leaf, row.number, row.size) for row in rows]

    async def members(
        self, workspace: UUID, job_id: UUID, wanted: Sequence[tuple[int, int]]
    ) -> list[MemberChunk]:
        def work(connection: sa.Connection) -> list[MemberChunk]:
            found: list[MemberChunk] = []
            for start in range(0, len(wanted), 500):
                part = wanted[start : start + 500]
                chosen = sa.select(tables.insight_members).where(
                    _M.workspace_id == workspace,
                    _M.job_id == job_id,
                    sa.tuple_(_M.leaf, _M.number).in_(part),
                )
                found += [_chunk(row) for row in connection.execute(chosen)]
            return sorted(found, key=lambda chunk: (chunk.leaf, chunk.number))

        return await self._engine.read(work)

    async def homes(self, workspace: UUID, cluster_ids: Sequence[UUID]) -> list[Cluster]:
        def work(connection: sa.Connection) -> list[Cluster]:
            newest: dict[UUID, Cluster] = {}
            for some in dialect.batches(list(dict.fromkeys(cluster_ids))):
                wanted = (
                    sa.select(tables.insight_clusters)
                    .join(
                        tables.insight_jobs,
                        sa.and_(_J.workspace_id == _C.workspace_id, _J.id == _C.job_id),
                    )
                    .where(_C.workspace_id == workspace, _C.id.in_(some))
                    .order_by(_J.created_at, _J.id)
                )
                newest |= {row.id: _cluster(row) for row in connection.execute(wanted)}
            return list(newest.values())

        return await self._engine.read(work)

    async def run_ids(self, workspace: UUID, job_id: UUID, leaves: Sequence[int], most: int) -> bytes | None:
        theirs = (_M.workspace_id == workspace, _M.job_id == job_id, _M.leaf.in_(leaves))
        size = sa.select(sa.func.coalesce(sa.func.sum(_M.size), 0)).where(*theirs)
        ids = sa.select(_M.run_ids).where(*theirs).order_by(_M.leaf, _M.number)

        def work(connection: sa.Connection) -> bytes | None:
            if connection.execute(size).scalar_one() > most:
                return None
            return b"".join(connection.execute(ids).scalars())

        return await self._engine.read(work)


class InsightConfigs:
    """Implements `store.api.InsightConfigs`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, config: SavedConfig) -> bool:
        def work(connection: sa.Connection) -> bool:
            if not _has_project(connection, config.workspace, config.project_id):
                return False
            connection.execute(sa.insert(tables.insight_configs).values(_config_row(config)))
            return True

        return await self._engine.write(work)

    async def read(self, workspace: UUID, config_id: UUID) -> SavedConfig | None:
        wanted = sa.select(tables.insight_configs).where(_S.workspace_id == workspace, _S.id == config_id)
        row = await self._engine.row(wanted)
        return None if row is None else _config(row)

    async def of_project(self, workspace: UUID, project_id: UUID) -> list[SavedConfig]:
        wanted = (
            sa.select(tables.insight_configs)
            .where(_S.workspace_id == workspace, _S.project_id == project_id)
            .order_by(_S.created_at, _S.id)
        )
        rows = await self._engine.rows(wanted)
        return [_config(row) for row in rows]

    async def replace(self, config: SavedConfig) -> bool:
        change = (
            sa.update(tables.insight_configs)
            .where(_S.workspace_id == config.workspace, _S.id == config.id)
            .values(_config_row(config))
        )
        return await self._engine.change(change) > 0

    async def delete(self, workspace: UUID, config_id: UUID) -> bool:
        gone = sa.delete(tables.insight_configs).where(_S.workspace_id == workspace, _S.id == config_id)
        return await self._engine.change(gone) > 0

    async def due(self, at: Micros) -> list[SavedConfig]:
        wanted = (
            sa.select(tables.insight_configs).where(_S.due_at <= at).order_by(_S.due_at, _S.id).limit(100)
        )
        rows = await self._engine.rows(wanted)
        return [_config(row) for row in rows]

    async def put_off(self, config: SavedConfig, until: Micros | None) -> bool:
        change = (
            sa.update(tables.insight_configs)
            .where(_S.workspace_id == config.workspace, _S.id == config.id, _S.due_at == config.due_at)
            .values(due_at=until)
        )
        return await self._engine.change(change) > 0


def _has_project(connection: sa.Connection, workspace: UUID, project_id: UUID) -> bool:
    wanted = sa.select(_P.id).where(_P.workspace_id == workspace, _P.id == project_id)
    return connection.execute(wanted).first() is not None


def _moving(job: InsightJob) -> dict[str, Any]:
    """The columns that change while a job runs; its name is not among them, for it may be renamed meanwhile."""
    return {
        "status": job.status.value,
        "progress": _encode(job.progress),
        "error": job.error,
        "runs": job.runs,
        "shape": None if job.shape is None else _encode(job.shape),
        "report": None if job.report is None else _encode(job.report),
        "modified_at": job.modified_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }


def _job(row: Any) -> InsightJob:
    return InsightJob(
        id=row.id,
        workspace=row.workspace_id,
        project_id=row.project_id,
        name=row.name,
        request=_request(row.request),
        created_at=row.created_at,
        modified_at=row.modified_at,
        status=JobStatus(row.status),
        progress=_progress(row.progress),
        config_id=row.config_id,
        is_scheduled=row.is_scheduled,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=row.error,
        runs=row.runs,
        shape=None if row.shape is None else _shape(row.shape),
        report=None if row.report is None else _report(row.report),
        plan=None if row.plan is None else _plan(row.plan),
    )


def _cluster_row(workspace: UUID, cluster: Cluster) -> dict[str, Any]:
    row = {name: getattr(cluster, name) for name in cluster.__struct_fields__}
    return row | {
        "workspace_id": workspace,
        "leaves": _encode(cluster.leaves),
        "stats": _encode(cluster.stats),
    }


def _cluster(row: sa.Row[Any]) -> Cluster:
    fields = {name: getattr(row, name) for name in Cluster.__struct_fields__}
    return Cluster(**fields | {"leaves": _leaves(row.leaves), "stats": _stats(row.stats)})


def _member_row(job: InsightJob, chunk: MemberChunk) -> dict[str, Any]:
    row = {name: getattr(chunk, name) for name in chunk.__struct_fields__}
    return row | {"workspace_id": job.workspace, "job_id": job.id}


def _chunk(row: sa.Row[Any]) -> MemberChunk:
    return MemberChunk(**{name: getattr(row, name) for name in MemberChunk.__struct_fields__})


def _config_row(config: SavedConfig) -> dict[str, Any]:
    row = {name: getattr(config, name) for name in config.__struct_fields__}
    row["workspace_id"] = row.pop("workspace")
    return row


def _config(row: sa.Row[Any]) -> SavedConfig:
    fields = {name: getattr(row, name) for name in SavedConfig.__struct_fields__ if name != "workspace"}
    return SavedConfig(workspace=row.workspace_id, **fields)
