"""Comparative experiments in the metadata store. They go with their dataset."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict, NotFound
from stenograph.model.experiments import ComparativeExperiment, ComparisonQuery, ComparisonSort
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_T = tables.comparative_experiments.c
_D = tables.datasets.c
_IDS: Final = msgspec.json.Decoder(tuple[UUID, ...])


class ComparativeExperiments:
    """Implements `store.api.ComparativeExperiments`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, comparison: ComparativeExperiment) -> None:
        await self._engine.write(lambda connection: _create(connection, comparison))

    async def find(self, query: ComparisonQuery) -> list[ComparativeExperiment]:
        wanted = sa.select(tables.comparative_experiments).where(*_matching(query)).order_by(*_order(query))
        wanted = wanted.offset(query.offset).limit(query.limit)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def delete(self, workspace: UUID, comparison_id: UUID) -> bool:
        chosen = (_T.workspace_id == workspace) & (_T.id == comparison_id)
        gone = sa.delete(tables.comparative_experiments).where(chosen)
        return bool(await self._engine.change(gone))


def _create(connection: sa.Connection, comparison: ComparativeExperiment) -> None:
    workspace = comparison.workspace
    # The row is taken, so that the dataset cannot go away before this is committed.
    dataset = sa.select(_D.id).where(_D.workspace_id == workspace, _D.id == comparison.dataset_id)
    if connection.execute(dataset.with_for_update()).first() is None:
        raise NotFound(f"dataset not found: {comparison.dataset_id}")
    same_id = sa.select(_T.id).where(_T.workspace_id == workspace, _T.id == comparison.id)
    if connection.execute(same_id).first():
        raise Conflict(f"A comparative experiment with the id {comparison.id} already exists.")
    connection.execute(sa.insert(tables.comparative_experiments).values(to_row(comparison)))


def _matching(query: ComparisonQuery) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [
        _T.workspace_id == query.workspace,
        _T.dataset_id == query.dataset_id,
    ]
    if query.ids is not None:
        conditions.append(_T.id.in_(query.ids))
    if query.name is not None:
        conditions.append(_T.name == query.name)
    if query.name_contains is not None:
        conditions.append(dialect.inside(_T.name_folded, query.name_contains.casefold()))
    return conditions


def _order(query: ComparisonQuery) -> list[sa.UnaryExpression[Any]]:
    by: sa.ColumnElement[Any] = {
        ComparisonSort.NAME: _T.name,
        ComparisonSort.CREATED_AT: _T.created_at,
    }[query.sort]
    if query.descending:
        return [by.desc().nulls_last(), _T.id.desc()]
    return [by.asc().nulls_last(), _T.id.asc()]


def to_row(comparison: ComparativeExperiment) -> dict[str, Any]:
    row = msgspec.structs.asdict(comparison)
    row["workspace_id"] = row.pop("workspace")
    row["experiments"] = msgspec.json.encode(comparison.experiments)
    row["name_folded"] = None if comparison.name is None else comparison.name.casefold()
    return row


def from_row(row: sa.Row[Any]) -> ComparativeExperiment:
    return ComparativeExperiment(
        id=row.id,
        workspace=row.workspace_id,
        dataset_id=row.dataset_id,
        experiments=_IDS.decode(row.experiments),
        created_at=row.created_at,
        modified_at=row.modified_at,
        name=row.name,
        description=row.description,
        extra=row.extra,
    )
