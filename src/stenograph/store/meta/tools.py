"""Tools that models may call, in the metadata store."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.configurations import Tool, ToolPatch, ToolType
from stenograph.model.runs import Micros
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine

_T = tables.tools.c


class Tools:
    """Implements `store.api.Tools`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, tool: Tool) -> None:
        row = msgspec.structs.asdict(tool)
        row["workspace_id"] = row.pop("workspace")
        row["type"] = tool.type.value
        new = sa.insert(tables.tools).values(row)
        await self._engine.change(new)

    async def all(self, workspace: UUID) -> list[Tool]:
        wanted = sa.select(tables.tools).where(_T.workspace_id == workspace).order_by(_T.created_at, _T.id)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def update(self, workspace: UUID, tool_id: UUID, patch: ToolPatch, at: Micros) -> Tool | None:
        stated = {field: value for field, value in msgspec.structs.asdict(patch).items() if value is not None}
        if patch.type is not None:
            stated["type"] = patch.type.value
        change = (
            sa.update(tables.tools)
            .where(_T.workspace_id == workspace, _T.id == tool_id)
            .values(**stated, updated_at=at)
            .returning(*_T)
        )
        row = await self._engine.write(lambda connection: connection.execute(change).one_or_none())
        return None if row is None else from_row(row)

    async def delete(self, workspace: UUID, tool_id: UUID) -> bool:
        gone = sa.delete(tables.tools).where(_T.workspace_id == workspace, _T.id == tool_id)
        return await self._engine.change(gone) > 0


def from_row(row: sa.Row[Any]) -> Tool:
    return Tool(
        id=row.id,
        workspace=row.workspace_id,
        task=row.task,
        name=row.name,
        parameters=row.parameters,
        created_at=row.created_at,
        type=ToolType(row.type),
        description=row.description,
        updated_at=row.updated_at,
    )
