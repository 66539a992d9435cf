"""Reports that keep up, and what they have taken in, in the metadata store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from stenograph.model.insights import Assigned, Following
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_F: Final = tables.insight_following.c
_A: Final = tables.insight_assigned.c
_J: Final = tables.insight_jobs.c


class InsightFollowing:
    """Implements `store.api.InsightFollowing`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def follow(self, following: Following) -> bool:
        its_job = sa.select(_J.id).where(
            _J.workspace_id == following.workspace,
            _J.project_id == following.project_id,
            _J.id == following.job_id,
        )

        def work(connection: sa.Connection) -> bool:
            if connection.execute(its_job).first() is None:
                return False
            follow(connection, following)
            return True

        return await self._engine.write(work)

    async def leave(self, workspace: UUID, job_id: UUID) -> bool:
        gone = sa.delete(tables.insight_following).where(_F.workspace_id == workspace, _F.job_id == job_id)
        return await self._engine.change(gone) > 0

    async def all(self) -> list[Following]:
        wanted = sa.select(tables.insight_following).order_by(_F.workspace_id, _F.project_id)
        rows = await self._engine.rows(wanted)
        return [_following(row) for row in rows]

    async def of_job(self, workspace: UUID, job_id: UUID) -> Following | None:
        wanted = sa.select(tables.insight_following).where(_F.workspace_id == workspace, _F.job_id == job_id)
        row = await self._engine.row(wanted)
        return None if row is None else _following(row)

    async def take(self, following: Following, taken: Sequence[Assigned]) -> bool:
        change = (
            sa.update(tables.insight_following)
            .where(
                _F.workspace_id == following.workspace,
                _F.project_id == following.project_id,
                _F.job_id == following.job_id,
            )
            .values(looked_to=following.looked_to, looked_at=following.looked_at)
        )
        place = {"workspace_id": following.workspace, "job_id": following.job_id}
        rows = [{name: getattr(each, name) for name in each.__struct_fields__} | place for each in taken]

        def work(connection: sa.Connection) -> bool:
            if not connection.execute(change).rowcount:
                return False
            for some in dialect.batches(rows):
                insert = dialect.insert(connection, tables.insight_assigned).on_conflict_do_nothing()
                connection.execute(insert, list(some))
            return True

        return await self._engine.write(work)

    async def known(self, workspace: UUID, job_id: UUID, run_ids: Sequence[UUID]) -> set[UUID]:
        def work(connection: sa.Connection) -> set[UUID]:
            found: set[UUID] = set()
            for some in dialect.batches(run_ids):
                wanted = sa.select(_A.run_id).where(
                    _A.workspace_id == workspace, _A.job_id == job_id, _A.run_id.in_(some)
                )
                found.update(connection.execute(wanted).scalars())
            return found

        return await self._engine.read(work)

    async def counts(self, workspace: UUID, job_id: UUID) -> Mapping[int, int]:
        wanted = (
            sa.select(_A.leaf, sa.func.count().label("runs"))
            .where(_A.workspace_id == workspace, _A.job_id == job_id)
            .group_by(_A.leaf)
        )
        rows = await self._engine.rows(wanted)
        return {row.leaf: row.runs for row in rows}

    async def run_ids(self, workspace: UUID, job_id: UUID, leaves: Sequence[int], most: int) -> list[UUID]:
        wanted = (
            sa.select(_A.run_id)
            .where(_A.workspace_id == workspace, _A.job_id == job_id, _A.leaf.in_(leaves))
            .limit(most)
        )
        rows = await self._engine.read(lambda connection: connection.execute(wanted).scalars().all())
        return list(rows)


def follow(connection: sa.Connection, following: Following) -> None:
    """Have a project's report keep up, instead of the one that did."""
    key = {"workspace_id": following.workspace, "project_id": following.project_id}
    moving = {
        "job_id": following.job_id,
        "looked_to": following.looked_to,
        "looked_at": following.looked_at,
    }
    insert = dialect.insert(connection, tables.insight_following).values(key | moving)
    keys = [_F.workspace_id, _F.project_id]
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=moving))


def _following(row: sa.Row[Any]) -> Following:
    return Following(
        workspace=row.workspace_id,
        project_id=row.project_id,
        job_id=row.job_id,
        looked_to=row.looked_to,
        looked_at=row.looked_at,
    )
