"""Saved views in the metadata store."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import NotFound
from stenograph.model.runs import Micros
from stenograph.model.views import SavedView, ViewPatch, ViewType
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine

_T = tables.views.c


class Views:
    """Implements `store.api.Views`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, view: SavedView) -> None:
        await self._engine.write(lambda connection: _create(connection, view))

    async def of_project(
        self, workspace: UUID, project_id: UUID, kind: ViewType | None = None
    ) -> list[SavedView]:
        wanted = sa.select(tables.views).where(_T.workspace_id == workspace, _T.project_id == project_id)
        if kind is not None:
            wanted = wanted.where(_T.type == kind.value)
        wanted = wanted.order_by(_T.created_at, _T.id)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def read(self, workspace: UUID, project_id: UUID, view_id: UUID) -> SavedView | None:
        wanted = sa.select(tables.views).where(*_is(workspace, project_id, view_id))
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def update(
        self, workspace: UUID, project_id: UUID, view_id: UUID, patch: ViewPatch, at: Micros
    ) -> SavedView | None:
        stated = {field: value for field, value in msgspec.structs.asdict(patch).items() if value is not None}
        change = (
            sa.update(tables.views)
            .where(*_is(workspace, project_id, view_id))
            .values(**stated, updated_at=at)
            .returning(*_T)
        )
        row = await self._engine.write(lambda connection: connection.execute(change).one_or_none())
        return None if row is None else from_row(row)

    async def delete(self, workspace: UUID, project_id: UUID, view_id: UUID) -> bool:
        gone = sa.delete(tables.views).where(*_is(workspace, project_id, view_id))
        return await self._engine.change(gone) > 0


def _is(workspace: UUID, project_id: UUID, view_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return _T.workspace_id == workspace, _T.project_id == project_id, _T.id == view_id


def _create(connection: sa.Connection, view: SavedView) -> None:
    project = sa.select(tables.projects.c.id).where(
        tables.projects.c.workspace_id == view.workspace,
        tables.projects.c.id == view.project_id,
        tables.LIVE,
    )
    # Locked, so that the project cannot be deleted around its new view.
    if connection.execute(project.with_for_update(key_share=True)).first() is None:
        raise NotFound(f"There is no project {view.project_id}.")
    row = msgspec.structs.asdict(view)
    row["workspace_id"] = row.pop("workspace")
    connection.execute(sa.insert(tables.views).values(row))


def from_row(row: sa.Row[Any]) -> SavedView:
    return SavedView(
        id=row.id,
        workspace=row.workspace_id,
        project_id=row.project_id,
        display_name=row.display_name,
        created_at=row.created_at,
        updated_at=row.updated_at,
        description=row.description,
        type=ViewType(row.type),
        filter_string=row.filter_string,
        trace_filter_string=row.trace_filter_string,
        tree_filter_string=row.tree_filter_string,
        start_time=row.start_time,
        end_time=row.end_time,
        duration=row.duration,
        shown=row.shown,
    )
