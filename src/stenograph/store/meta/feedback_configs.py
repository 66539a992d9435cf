"""Feedback configs in the metadata store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.feedback_setup import FeedbackConfig
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_T = tables.feedback_configs.c
_LIVE: Final = _T.deleted_at.is_(None)


class FeedbackConfigs:
    """Implements `store.api.FeedbackConfigs`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, config: FeedbackConfig) -> None:
        def work(connection: sa.Connection) -> None:
            if connection.execute(_one(config.workspace, config.key)).first():
                raise Conflict(f"A feedback config for the key {config.key!r} already exists.")
            connection.execute(sa.delete(tables.feedback_configs).where(*_is(config.workspace, config.key)))
            connection.execute(sa.insert(tables.feedback_configs).values(to_row(config)))

        await self._engine.write(work)

    async def put(self, config: FeedbackConfig) -> None:
        row = to_row(config)

        def work(connection: sa.Connection) -> None:
            connection.execute(
                dialect.insert(connection, tables.feedback_configs)
                .values(row)
                .on_conflict_do_update(index_elements=[_T.workspace_id, _T.key], set_=row)
            )

        await self._engine.write(work)

    async def read(self, workspace: UUID, key: str) -> FeedbackConfig | None:
        row = await self._engine.row(_one(workspace, key))
        return None if row is None else from_row(row)

    async def page(
        self,
        workspace: UUID,
        keys: Sequence[str] | None = None,
        key_contains: str | None = None,
        descending: bool = True,
        offset: int = 0,
        limit: int | None = None,
        with_deleted: bool = False,
    ) -> list[FeedbackConfig]:
        wanted = sa.select(tables.feedback_configs).where(_T.workspace_id == workspace)
        if not with_deleted:
            wanted = wanted.where(_LIVE)
        if keys is not None:
            wanted = wanted.where(_T.key.in_(keys))
        if key_contains is not None:
            wanted = wanted.where(dialect.inside(_T.key_folded, key_contains.casefold()))
        newest = (_T.modified_at.desc(), _T.key.desc()) if descending else (_T.modified_at, _T.key)
        wanted = wanted.order_by(*newest).offset(offset).limit(limit)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def delete(self, workspace: UUID, key: str, at: Micros) -> bool:
        gone = sa.update(tables.feedback_configs).where(*_is(workspace, key), _LIVE).values(deleted_at=at)
        return await self._engine.change(gone) > 0


def _is(workspace: UUID, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _T.workspace_id == workspace, _T.key == key


def _one(workspace: UUID, key: str) -> sa.Select[Any]:
    return sa.select(tables.feedback_configs).where(*_is(workspace, key), _LIVE)


def to_row(config: FeedbackConfig) -> dict[str, Any]:
    row = msgspec.structs.asdict(config)
    row["workspace_id"] = row.pop("workspace")
    row["key_folded"] = config.key.casefold()
    return row


def from_row(row: sa.Row[Any]) -> FeedbackConfig:
    return FeedbackConfig(
        workspace=row.workspace_id,
        key=row.key,
        config=row.config,
        modified_at=row.modified_at,
        is_lower_score_better=row.is_lower_score_better,
        is_enforced=row.is_enforced,
        deleted_at=row.deleted_at,
    )
