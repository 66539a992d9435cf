"""How the experiments of a dataset are shown, in the metadata store: one row a dataset, and it goes with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict, NotFound
from stenograph.model.experiments import ViewOverride
from stenograph.model.runs import Micros
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine

_T = tables.experiment_view_overrides.c
_D = tables.datasets.c


class ViewOverrides:
    """Implements `store.api.ViewOverrides`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, override: ViewOverride) -> None:
        await self._engine.write(lambda connection: _create(connection, override))

    async def of_dataset(self, workspace: UUID, dataset_id: UUID) -> ViewOverride | None:
        wanted = sa.select(tables.experiment_view_overrides).where(_of(workspace, dataset_id))
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def update(
        self, workspace: UUID, dataset_id: UUID, override_id: UUID, overrides: bytes, at: Micros
    ) -> ViewOverride | None:
        change = (
            sa.update(tables.experiment_view_overrides)
            .where(_of(workspace, dataset_id), _T.id == override_id)
            .values(overrides=overrides, modified_at=at)
            .returning(*_T)
        )
        row = await self._engine.write(lambda connection: connection.execute(change).one_or_none())
        return None if row is None else from_row(row)

    async def delete(self, workspace: UUID, dataset_id: UUID, override_id: UUID) -> bool:
        gone = sa.delete(tables.experiment_view_overrides).where(
            _of(workspace, dataset_id), _T.id == override_id
        )
        return bool(await self._engine.change(gone))


def _of(workspace: UUID, dataset_id: UUID) -> sa.ColumnElement[bool]:
    return (_T.workspace_id == workspace) & (_T.dataset_id == dataset_id)


def _create(connection: sa.Connection, override: ViewOverride) -> None:
    workspace, dataset_id = override.workspace, override.dataset_id
    dataset = sa.select(_D.id).where(_D.workspace_id == workspace, _D.id == dataset_id)
    if connection.execute(dataset.with_for_update()).first() is None:
        raise NotFound(f"dataset not found: {dataset_id}")
    if connection.execute(sa.select(_T.id).where(_of(workspace, dataset_id))).first():
        raise Conflict("This dataset has column overrides already: change them.")
    row = msgspec.structs.asdict(override)
    row["workspace_id"] = row.pop("workspace")
    connection.execute(sa.insert(tables.experiment_view_overrides).values(row))


def from_row(row: sa.Row[Any]) -> ViewOverride:
    return ViewOverride(
        id=row.id,
        workspace=row.workspace_id,
        dataset_id=row.dataset_id,
        overrides=row.overrides,
        created_at=row.created_at,
        modified_at=row.modified_at,
    )
