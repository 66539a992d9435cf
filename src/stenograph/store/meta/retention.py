"""How long traces are kept, in the metadata store. Promises: store/api/retention.py."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from stenograph.model.retention import OwnRetention, Queued, Retention, Round, Tier
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.annotation_queues import LIVE
from stenograph.store.meta.engine import Engine

_T = tables.retentions.c
_P = tables.projects.c
_I = tables.annotation_queue_items.c

_SAYS_SOMETHING: Final = sa.or_(
    _P.trace_tier.is_not(None), _P.longlived_ttl_days.is_not(None), _P.reference_dataset_id.is_not(None)
)


class RetentionStore:
    """Implements `store.api.RetentionStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def read(self, workspace: UUID) -> Retention | None:
        row = await self._engine.row(sa.select(tables.retentions).where(_T.workspace_id == workspace))
        return None if row is None else from_row(row)

    async def all(self) -> list[Retention]:
        rows = await self._engine.rows(sa.select(tables.retentions).order_by(_T.workspace_id))
        return [from_row(row) for row in rows]

    async def ask(self, retention: Retention) -> Retention:
        def work(connection: sa.Connection) -> Retention:
            stated = {
                "short_days": retention.short_days,
                "long_days": retention.long_days,
                "tier": retention.tier.value,
                "updated_at": retention.updated_at,
                "looked_to": retention.updated_at,
            }
            fresh = {
                "workspace_id": retention.workspace,
                "created_at": retention.created_at,
                "ended_at": retention.updated_at,
                "traces": 0,
                "runs": 0,
            }
            put = dialect.insert(connection, tables.retentions).values(**stated, **fresh)
            put = put.on_conflict_do_update(index_elements=[_T.workspace_id], set_=stated)
            return from_row(connection.execute(put.returning(*_T)).one())

        return await self._engine.write(work)

    async def owns(self, workspace: UUID) -> list[OwnRetention]:
        columns = (_P.id, _P.name, _P.trace_tier, _P.longlived_ttl_days, _P.reference_dataset_id)
        wanted = sa.select(*columns).where(_P.workspace_id == workspace, tables.LIVE, _SAYS_SOMETHING)
        rows = await self._engine.rows(wanted.order_by(_P.name, _P.id))
        return [
            OwnRetention(
                project=row.id,
                name=row.name,
                tier=None if row.trace_tier is None else Tier(row.trace_tier),
                long_days=row.longlived_ttl_days,
                experiment=row.reference_dataset_id is not None,
            )
            for row in rows
        ]

    async def own(
        self, workspace: UUID, project_id: UUID, tier: Tier | None, long_days: int | None, at: Micros
    ) -> bool:
        change = (
            sa.update(tables.projects)
            .where(_P.workspace_id == workspace, _P.id == project_id, tables.LIVE)
            .values(
                trace_tier=None if tier is None else tier.value, longlived_ttl_days=long_days, modified_at=at
            )
        )
        return bool(await self._engine.change(change))

    async def all_projects(self, workspace: UUID, tier: Tier, at: Micros) -> None:
        here = (_P.workspace_id == workspace, tables.LIVE, _P.reference_dataset_id.is_(None))
        other = sa.or_(_P.trace_tier.is_(None), _P.trace_tier != tier.value)
        change = sa.update(tables.projects).where(*here, other).values(trace_tier=tier.value, modified_at=at)
        await self._engine.change(change)

    async def last_round(self, workspace: UUID) -> Round | None:
        row = await self._engine.row(sa.select(tables.retentions).where(_T.workspace_id == workspace))
        return None if row is None else round_from_row(row)

    async def note(self, workspace: UUID, done: Round) -> None:
        change = (
            sa.update(tables.retentions)
            .where(_T.workspace_id == workspace)
            .values(
                looked_to=done.looked_to,
                ended_at=done.ended_at,
                deleted_at=done.deleted_at,
                traces=done.traces,
                runs=done.runs,
            )
        )
        await self._engine.change(change)

    async def queued(self, workspace: UUID, since: Micros = 0) -> Queued:
        queue = sa.exists().where(
            tables.annotation_queues.c.workspace_id == _I.workspace_id,
            tables.annotation_queues.c.id == _I.queue_id,
            LIVE,
        )
        wanted = sa.select(_I.run_id, _I.paired_run_id, _I.thread_id).where(
            _I.workspace_id == workspace, _I.added_at >= since, _I.keeps, queue
        )
        rows = await self._engine.rows(wanted)
        runs = {run for row in rows for run in (row.run_id, row.paired_run_id) if run is not None}
        threads = {row.thread_id for row in rows if row.thread_id is not None}
        return Queued(frozenset(runs), frozenset(threads))


def from_row(row: sa.Row[Any]) -> Retention:
    return Retention(
        workspace=row.workspace_id,
        short_days=row.short_days,
        long_days=row.long_days,
        tier=Tier(row.tier),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def round_from_row(row: sa.Row[Any]) -> Round:
    return Round(
        looked_to=row.looked_to,
        ended_at=row.ended_at,
        deleted_at=row.deleted_at,
        traces=row.traces,
        runs=row.runs,
    )
