"""Share links in the metadata store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.sharing import Share, ShareKind
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_T = tables.shares.c


class Shares:
    """Implements `store.api.Shares`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def ensure(self, share: Share) -> Share:
        return await self._engine.write(lambda connection: _ensure(connection, share))

    async def resolve(self, token: UUID) -> Share | None:
        wanted = sa.select(tables.shares).where(_T.token == token)
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def of(self, workspace: UUID, kind: ShareKind, target_ids: Sequence[str]) -> list[Share]:
        def work(connection: sa.Connection) -> list[Share]:
            return [
                from_row(row)
                for ids in dialect.batches(target_ids)
                for row in connection.execute(
                    sa.select(tables.shares).where(*_targets(workspace, kind), _T.target_id.in_(ids))
                )
            ]

        return await self._engine.read(work)

    async def page(self, workspace: UUID, offset: int = 0, limit: int | None = None) -> list[Share]:
        wanted = (
            sa.select(tables.shares)
            .where(_T.workspace_id == workspace)
            .order_by(_T.created_at.desc(), _T.token)
            .offset(offset)
            .limit(limit)
        )
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def revoke(self, workspace: UUID, tokens: Sequence[UUID]) -> int:
        def work(connection: sa.Connection) -> int:
            return sum(
                connection.execute(
                    sa.delete(tables.shares).where(_T.workspace_id == workspace, _T.token.in_(batch))
                ).rowcount
                for batch in dialect.batches(tokens)
            )

        return await self._engine.write(work)

    async def revoke_target(self, workspace: UUID, kind: ShareKind, target_id: str) -> bool:
        gone = sa.delete(tables.shares).where(*_targets(workspace, kind), _T.target_id == target_id)
        return await self._engine.change(gone) > 0

    async def revoke_all(self, workspace: UUID) -> int:
        gone = sa.delete(tables.shares).where(_T.workspace_id == workspace)
        return await self._engine.change(gone)


def _targets(workspace: UUID, kind: ShareKind) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return _T.workspace_id == workspace, _T.kind == kind.value


def _ensure(connection: sa.Connection, share: Share) -> Share:
    row = msgspec.structs.asdict(share) | {"kind": share.kind.value}
    row["workspace_id"] = row.pop("workspace")
    statement = (
        dialect.insert(connection, tables.shares)
        .values(row)
        .on_conflict_do_update(
            index_elements=[_T.workspace_id, _T.kind, _T.target_id],
            set_={"kind": share.kind.value},  # no change: it only has the row that is there returned
        )
        .returning(*_T)
    )
    return from_row(connection.execute(statement).one())


def from_row(row: sa.Row[Any]) -> Share:
    return Share(
        token=row.token,
        workspace=row.workspace_id,
        kind=ShareKind(row.kind),
        target_id=row.target_id,
        created_at=row.created_at,
        project_id=row.project_id,
    )
