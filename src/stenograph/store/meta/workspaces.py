"""Workspaces in the metadata store."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.access import Workspace
from stenograph.model.projects import Project
from stenograph.store.meta import projects, tables
from stenograph.store.meta.engine import Engine

_T = tables.workspaces.c


class Workspaces:
    """Implements `store.api.Workspaces`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, workspace: Workspace, first_project: Project) -> None:
        await self._engine.write(lambda connection: add(connection, workspace, first_project))

    async def read(self, workspace: UUID) -> Workspace | None:
        wanted = sa.select(tables.workspaces).where(_T.id == workspace)
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def all(self) -> list[Workspace]:
        wanted = sa.select(tables.workspaces).order_by(_T.created_at, _T.id)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]


def add(connection: sa.Connection, workspace: Workspace, first_project: Project) -> None:
    """Insert both; Conflict naming the handle when it is taken."""
    if connection.execute(sa.select(_T.id).where(_T.handle == workspace.handle)).first():
        raise Conflict(f"A workspace with the handle {workspace.handle!r} already exists.")
    connection.execute(
        sa.insert(tables.workspaces).values(
            id=workspace.id, name=workspace.name, handle=workspace.handle, created_at=workspace.created_at
        )
    )
    connection.execute(sa.insert(tables.projects).values(projects.to_row(first_project)))


def from_row(row: sa.Row[tuple[object, ...]]) -> Workspace:
    return Workspace(id=row.id, name=row.name, handle=row.handle, created_at=row.created_at)
