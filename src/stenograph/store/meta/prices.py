"""A workspace's own model prices in the metadata store."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.prices import ModelPrice
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine

_T = tables.model_prices.c


class Prices:
    """Implements `store.api.Prices`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def all(self, workspace: UUID) -> list[ModelPrice]:
        wanted = (
            sa.select(tables.model_prices)
            .where(_T.workspace_id == workspace)
            .order_by(_T.created_at.desc(), _T.id)
        )
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def read(self, workspace: UUID, price_id: UUID) -> ModelPrice | None:
        wanted = sa.select(tables.model_prices).where(_T.workspace_id == workspace, _T.id == price_id)
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def create(self, price: ModelPrice) -> None:
        new = sa.insert(tables.model_prices).values(to_row(price))
        await self._engine.change(new)

    async def replace(self, price: ModelPrice) -> bool:
        change = (
            sa.update(tables.model_prices)
            .where(_T.workspace_id == price.workspace, _T.id == price.id)
            .values(to_row(price))
        )
        return await self._engine.change(change) > 0

    async def delete(self, workspace: UUID, price_id: UUID) -> bool:
        gone = sa.delete(tables.model_prices).where(_T.workspace_id == workspace, _T.id == price_id)
        return await self._engine.change(gone) > 0


def to_row(price: ModelPrice) -> dict[str, Any]:
    row = msgspec.structs.asdict(price)
    row["workspace_id"] = row.pop("workspace")
    row["prompt_cost"] = str(price.prompt_cost)
    row["completion_cost"] = str(price.completion_cost)
    for field in ("match_path", "prompt_cost_details", "completion_cost_details"):
        row[field] = msgspec.json.encode(row[field])
    return row


def from_row(row: sa.Row[Any]) -> ModelPrice:
    return ModelPrice(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        match_pattern=row.match_pattern,
        prompt_cost=Decimal(row.prompt_cost),
        completion_cost=Decimal(row.completion_cost),
        prompt_cost_details=msgspec.json.decode(row.prompt_cost_details, type=dict[str, Decimal]),
        completion_cost_details=msgspec.json.decode(row.completion_cost_details, type=dict[str, Decimal]),
        match_path=msgspec.json.decode(row.match_path, type=list[str]),
        provider=row.provider,
        start_time=row.start_time,
        created_at=row.created_at,
    )
