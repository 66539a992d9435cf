"""API keys in the metadata store: their hashes, never the keys."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.access import ApiKey, KeyKind, Role
from stenograph.model.runs import Micros
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine

_T = tables.api_keys.c
_TEXTS: Final = msgspec.json.Decoder(tuple[str, ...])


class Keys:
    """Implements `store.api.Keys`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, key: ApiKey, key_hash: str) -> None:
        new = sa.insert(tables.api_keys).values(
            id=key.id,
            workspace_id=key.workspace,
            name=key.name,
            role=key.role.value,
            key_hash=key_hash,
            hint=key.hint,
            created_at=key.created_at,
            revoked_at=key.revoked_at,
            kind=None if key.kind is KeyKind.OWN else key.kind.value,
            description=key.description,
            permissions=msgspec.json.encode(key.permissions) if key.permissions else None,
            expires_at=key.expires_at,
        )
        await self._engine.change(new)

    async def find(self, key_hash: str) -> ApiKey | None:
        wanted = sa.select(tables.api_keys).where(_T.key_hash == key_hash)
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def all(self, workspace: UUID) -> list[ApiKey]:
        wanted = sa.select(tables.api_keys).where(_T.workspace_id == workspace).order_by(_T.created_at, _T.id)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def revoke(self, workspace: UUID, key_id: UUID, at: Micros) -> ApiKey | None:
        change = (
            sa.update(tables.api_keys)
            .where(_T.workspace_id == workspace, _T.id == key_id)
            .values(revoked_at=sa.func.coalesce(_T.revoked_at, at))
            .returning(*_T)
        )
        row = await self._engine.write(lambda connection: connection.execute(change).one_or_none())
        return None if row is None else from_row(row)

    async def any_active(self, at: Micros) -> bool:
        lasts = sa.or_(_T.expires_at.is_(None), _T.expires_at > at)
        wanted = sa.select(sa.literal(1)).where(_T.revoked_at.is_(None), lasts).limit(1)
        return await self._engine.read(lambda connection: connection.execute(wanted).first() is not None)


def from_row(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        role=Role(row.role),
        hint=row.hint,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        kind=KeyKind.OWN if row.kind is None else KeyKind(row.kind),
        description=row.description,
        permissions=() if row.permissions is None else _TEXTS.decode(row.permissions),
        expires_at=row.expires_at,
    )
