"""Sealed secrets in the metadata store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.secrets import Secret
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_T: Final = tables.secrets.c


class Secrets:
    """Implements `store.api.Secrets`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, secret: Secret) -> None:
        def work(connection: sa.Connection) -> None:
            _refuse_taken_name(connection, secret)
            connection.execute(sa.insert(tables.secrets).values(_to_row(secret)))

        await self._engine.write(work)

    async def replace(self, secret: Secret) -> Secret | None:
        def work(connection: sa.Connection) -> Secret | None:
            same = (_T.workspace_id == secret.workspace) & (_T.id == secret.id)
            if connection.execute(sa.select(_T.id).where(same).with_for_update()).first() is None:
                return None
            _refuse_taken_name(connection, secret)
            row = _to_row(secret)
            del row["created_at"]
            change = sa.update(tables.secrets).where(same).values(row).returning(*_T)
            return _from_row(connection.execute(change).one())

        return await self._engine.write(work)

    async def named(self, workspace: UUID, names: Sequence[str]) -> list[Secret]:
        wanted = sa.select(tables.secrets).where(_T.workspace_id == workspace)

        def work(connection: sa.Connection) -> list[Secret]:
            return [
                _from_row(row)
                for batch in dialect.batches(names)
                for row in connection.execute(wanted.where(_T.name.in_(batch)))
            ]

        return await self._engine.read(work)

    async def page(self, workspace: UUID, offset: int = 0, limit: int | None = None) -> list[Secret]:
        wanted = (
            sa.select(tables.secrets)
            .where(_T.workspace_id == workspace)
            .order_by(_T.created_at.desc(), _T.id.desc())
            .offset(offset)
            .limit(limit)
        )
        rows = await self._engine.rows(wanted)
        return [_from_row(row) for row in rows]

    async def delete(self, workspace: UUID, secret_id: UUID) -> bool:
        gone = sa.delete(tables.secrets).where(_T.workspace_id == workspace, _T.id == secret_id)
        return await self._engine.change(gone) > 0


def _refuse_taken_name(connection: sa.Connection, secret: Secret) -> None:
    same = sa.select(_T.id).where(
        _T.workspace_id == secret.workspace, _T.name == secret.name, _T.id != secret.id
    )
    if connection.execute(same).first():
        raise Conflict(f"A secret named {secret.name!r} already exists.")


def _to_row(secret: Secret) -> dict[str, Any]:
    row = msgspec.structs.asdict(secret)
    row["workspace_id"] = row.pop("workspace")
    return row


def _from_row(row: sa.Row[Any]) -> Secret:
    return Secret(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        sealed=row.sealed,
        created_at=row.created_at,
        updated_at=row.updated_at,
        description=row.description,
        metadata=row.metadata,
    )
