"""What is known of files, in the metadata store."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.files import File
from stenograph.model.projects import DEFAULT_PROJECT
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine
from stenograph.store.meta.projects import CANONICAL_NAME, is_project

_T: Final = tables.files.c


class Files:
    """Implements `store.api.Files`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, file: File) -> None:
        row = msgspec.structs.asdict(file)
        del row["project_name"]
        row["workspace_id"] = row.pop("workspace")
        row["project_id"] = row.pop("project")
        added = sa.insert(tables.files).values(row)
        await self._engine.change(added)

    async def read(self, workspace: UUID, file_id: UUID) -> File | None:
        return await self._engine.read(lambda connection: _read(connection, workspace, file_id))

    async def page(self, workspace: UUID, offset: int = 0, limit: int | None = None) -> list[File]:
        wanted = _rows(workspace).order_by(_T.created_at.desc(), _T.id.desc()).offset(offset).limit(limit)
        rows = await self._engine.rows(wanted)
        return [_from_row(row) for row in rows]

    async def delete(self, workspace: UUID, file_id: UUID) -> File | None:
        def work(connection: sa.Connection) -> File | None:
            file = _read(connection, workspace, file_id)
            gone = sa.delete(tables.files).where(_T.workspace_id == workspace, _T.id == file_id)
            return file if connection.execute(gone).rowcount > 0 else None

        return await self._engine.write(work)


def _rows(workspace: UUID) -> sa.Select[Any]:
    return (
        sa.select(tables.files, CANONICAL_NAME.label("project_name"))
        .outerjoin(tables.projects, is_project(_T.workspace_id, _T.project_id))
        .where(_T.workspace_id == workspace)
    )


def _read(connection: sa.Connection, workspace: UUID, file_id: UUID) -> File | None:
    row = connection.execute(_rows(workspace).where(_T.id == file_id)).one_or_none()
    return None if row is None else _from_row(row)


def _from_row(row: sa.Row[Any]) -> File:
    return File(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        size=row.size,
        hash=row.hash,
        created_at=row.created_at,
        description=row.description,
        mime_type=row.mime_type,
        project=None if row.project_name is None else row.project_id,
        project_name=row.project_name or DEFAULT_PROJECT,
    )
