"""API keys in the metadata store: their hashes, never the keys."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import NotFound
from stenograph.model.access import ApiKey, Holder, KeyKind, Role
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_T = tables.api_keys.c
_M = tables.members.c
_TEXTS: Final = msgspec.json.Decoder(tuple[str, ...])


class Keys:
    """Implements `store.api.Keys`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, key: ApiKey, key_hash: str) -> None:
        def work(connection: sa.Connection) -> None:
            if key.holder is not None:
                serialise(connection, key.workspace)
                held = (_M.workspace_id == key.workspace, _M.id == key.holder.id, _M.removed_at.is_(None))
                if connection.execute(sa.select(_M.id).where(*held)).first() is None:
                    raise NotFound(f"There is no member {key.holder.id}.")
            add(connection, key, key_hash)

        await self._engine.write(work)

    async def find(self, key_hash: str) -> ApiKey | None:
        row = await self._engine.row(_held().where(_T.key_hash == key_hash))
        return None if row is None else from_row(row)

    async def all(self, workspace: UUID) -> list[ApiKey]:
        wanted = _held().where(_T.workspace_id == workspace).order_by(_T.created_at, _T.id)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def revoke(self, workspace: UUID, key_id: UUID, at: Micros) -> ApiKey | None:
        this = (_T.workspace_id == workspace, _T.id == key_id)
        change = (
            sa.update(tables.api_keys).where(*this).values(revoked_at=sa.func.coalesce(_T.revoked_at, at))
        )

        def work(connection: sa.Connection) -> sa.Row[Any] | None:
            connection.execute(change)
            return connection.execute(_held().where(*this)).one_or_none()

        row = await self._engine.write(work)
        return None if row is None else from_row(row)

    async def prolong(self, workspace: UUID, key_id: UUID, until: Micros) -> None:
        active = (_T.workspace_id == workspace, _T.id == key_id, _T.revoked_at.is_(None))
        await self._engine.change(sa.update(tables.api_keys).where(*active).values(expires_at=until))

    async def any_active(self, at: Micros) -> bool:
        lasts = sa.or_(_T.expires_at.is_(None), _T.expires_at > at)
        wanted = sa.select(sa.literal(1)).where(_T.revoked_at.is_(None), lasts).limit(1)
        return await self._engine.read(lambda connection: connection.execute(wanted).first() is not None)


def serialise(connection: sa.Connection, workspace: UUID) -> None:
    """No two changes of who may enter a workspace at once: each looks at what the others leave."""
    dialect.serialise(connection, f"stenograph members {workspace}")


def add(connection: sa.Connection, key: ApiKey, key_hash: str) -> None:
    connection.execute(
        sa.insert(tables.api_keys).values(
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
            member_id=None if key.holder is None else key.holder.id,
        )
    )


def _held() -> sa.Select[Any]:
    """Keys, each with whose it is."""
    held = sa.join(tables.api_keys, tables.members, _T.member_id == _M.id, isouter=True)
    return sa.select(
        tables.api_keys,
        _M.name.label("holder_name"),
        _M.role.label("holder_role"),
        _M.seen_at.label("holder_seen_at"),
    ).select_from(held)


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
        holder=_holder(row),
    )


def _holder(row: sa.Row[Any]) -> Holder | None:
    if row.member_id is None:
        return None
    return Holder(row.member_id, row.holder_name, Role(row.holder_role), row.holder_seen_at)
