"""Saved charts in the metadata store."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from stenograph.model.charts import Chart, ChartPatch
from stenograph.model.runs import Micros
from stenograph.store.meta import tables
from stenograph.store.meta.configurations import hold_project
from stenograph.store.meta.engine import Engine

_T = tables.charts.c


class Charts:
    """Implements `store.api.Charts`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, chart: Chart) -> None:
        row = msgspec.structs.asdict(chart)
        row["workspace_id"] = row.pop("workspace")

        def work(connection: sa.Connection) -> None:
            hold_project(connection, chart.workspace, chart.project_id)
            connection.execute(sa.insert(tables.charts).values(row))

        await self._engine.write(work)

    async def find(self, workspace: UUID, project: UUID | None = None) -> list[Chart]:
        wanted = sa.select(tables.charts).where(*_of(workspace, project)).order_by(_T.created_at, _T.id)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def read(self, workspace: UUID, chart_id: UUID, project: UUID | None = None) -> Chart | None:
        wanted = sa.select(tables.charts).where(*_of(workspace, project), _T.id == chart_id)
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def update(
        self, workspace: UUID, chart_id: UUID, patch: ChartPatch, at: Micros, project: UUID | None = None
    ) -> Chart | None:
        stated = {
            field: value for field, value in msgspec.structs.asdict(patch).items() if value is not UNSET
        }
        change = (
            sa.update(tables.charts)
            .where(*_of(workspace, project), _T.id == chart_id)
            .values(**stated, updated_at=at)
            .returning(*_T)
        )
        row = await self._engine.write(lambda connection: connection.execute(change).one_or_none())
        return None if row is None else from_row(row)

    async def delete(self, workspace: UUID, chart_id: UUID, project: UUID | None = None) -> bool:
        gone = sa.delete(tables.charts).where(*_of(workspace, project), _T.id == chart_id)
        return await self._engine.change(gone) > 0


def _of(workspace: UUID, project: UUID | None) -> list[sa.ColumnElement[bool]]:
    """Those of the workspace; with a project its own and every project's."""
    found: list[sa.ColumnElement[bool]] = [_T.workspace_id == workspace]
    if project is not None:
        found.append(sa.or_(_T.project_id == project, _T.project_id.is_(None)))
    return found


def from_row(row: sa.Row[Any]) -> Chart:
    return Chart(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        metric=row.metric,
        created_at=row.created_at,
        project_id=row.project_id,
        description=row.description,
        func=row.func,
        group_by=row.group_by,
        bucketing=row.bucketing,
        date_range=row.date_range,
        query=row.query,
        owner_id=row.owner_id,
        updated_at=row.updated_at,
    )
