"""The people of workspaces in the metadata store: of their links the hashes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.access import ApiKey, Role
from stenograph.model.members import Link, Member, MemberPatch
from stenograph.model.runs import Micros
from stenograph.store.meta import keys, tables
from stenograph.store.meta.engine import Engine

_T = tables.members.c
_KEYS = tables.api_keys.c

LAST_ADMIN: Final = (
    "That would leave the workspace without an admin: make somebody else one first, or create an admin's key."
)


class Members:
    """Implements `store.api.Members`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, new: Sequence[tuple[Member, Link | None]]) -> None:
        def work(connection: sa.Connection) -> None:
            for member, link in new:
                _claim(connection, member.workspace, member.id, member.email)
                connection.execute(sa.insert(tables.members).values(**_row(member), **_link(link)))

        await self._engine.write(work)

    async def read(self, workspace: UUID, member_id: UUID) -> Member | None:
        return _found(await self._engine.row(sa.select(tables.members).where(*_one(workspace, member_id))))

    async def all(self, workspace: UUID) -> list[Member]:
        wanted = sa.select(tables.members).where(_T.workspace_id == workspace).order_by(_T.created_at, _T.id)
        return [from_row(row) for row in await self._engine.rows(wanted)]

    async def any(self) -> bool:
        wanted = sa.select(sa.literal(1)).select_from(tables.members).where(_T.removed_at.is_(None)).limit(1)
        return await self._engine.row(wanted) is not None

    async def relink(self, workspace: UUID, member_id: UUID, link: Link | None) -> Member | None:
        change = sa.update(tables.members).where(*_here(workspace, member_id)).values(**_link(link))
        return await self._engine.write(lambda connection: _changed(connection, change))

    async def invited(self, token_hash: str) -> Member | None:
        wanted = sa.select(tables.members).where(_T.link_hash == token_hash)
        return _found(await self._engine.row(wanted))

    async def join(self, token_hash: str, key: ApiKey, key_hash: str) -> Member | None:
        if key.holder is None:
            return None
        holder, at = key.holder.id, key.created_at
        change = (
            sa.update(tables.members)
            .where(*_here(key.workspace, holder), _T.link_hash == token_hash, _T.link_until > at)
            .values(**_link(None), joined_at=sa.func.coalesce(_T.joined_at, at), seen_at=at)
        )

        def work(connection: sa.Connection) -> Member | None:
            member = _changed(connection, change)
            if member is not None:
                keys.add(connection, key, key_hash)
            return member

        return await self._engine.write(work)

    async def update(
        self, workspace: UUID, member_id: UUID, patch: MemberPatch, keep_admin: Micros | None
    ) -> Member | None:
        stated: dict[str, Any] = {}
        if patch.name is not None:
            stated["name"] = patch.name
        if patch.email is not None:
            stated |= {"email": patch.email or None, "email_key": _folded(patch.email)}
        if patch.role is not None:
            stated["role"] = patch.role.value

        def work(connection: sa.Connection) -> Member | None:
            keys.serialise(connection, workspace)
            if patch.email:
                _claim(connection, workspace, member_id, patch.email)
            if not stated:
                return _found(
                    connection.execute(
                        sa.select(tables.members).where(*_here(workspace, member_id))
                    ).one_or_none()
                )
            change = sa.update(tables.members).where(*_here(workspace, member_id)).values(**stated)
            member = _changed(connection, change)
            if patch.role not in (None, Role.ADMIN):
                _keep_an_admin(connection, workspace, keep_admin)
            return member

        return await self._engine.write(work)

    async def remove(
        self, workspace: UUID, member_id: UUID, at: Micros, keep_admin: Micros | None
    ) -> Member | None:
        change = (
            sa.update(tables.members)
            .where(*_here(workspace, member_id))
            .values(removed_at=at, email_key=None, **_link(None))
        )
        revoke = (
            sa.update(tables.api_keys)
            .where(_KEYS.workspace_id == workspace, _KEYS.member_id == member_id, _KEYS.revoked_at.is_(None))
            .values(revoked_at=at)
        )

        def work(connection: sa.Connection) -> Member | None:
            keys.serialise(connection, workspace)
            member = _changed(connection, change)
            if member is not None:
                connection.execute(revoke)
                _keep_an_admin(connection, workspace, keep_admin)
            return member

        return await self._engine.write(work)

    async def readmit(self, workspace: UUID, member_id: UUID, role: Role, at: Micros) -> Member | None:
        def work(connection: sa.Connection) -> Member | None:
            gone = (*_one(workspace, member_id), _T.removed_at.is_not(None))
            former = _found(connection.execute(sa.select(tables.members).where(*gone)).one_or_none())
            if former is None:
                return None
            _claim(connection, workspace, member_id, former.email)
            change = (
                sa.update(tables.members)
                .where(*gone)
                .values(
                    removed_at=None,
                    joined_at=None,
                    created_at=at,
                    role=role.value,
                    email_key=_folded(former.email),
                )
            )
            return _changed(connection, change)

        return await self._engine.write(work)

    async def seen(self, member_id: UUID, at: Micros) -> None:
        earlier = sa.or_(_T.seen_at.is_(None), _T.seen_at < at)
        await self._engine.change(
            sa.update(tables.members).where(_T.id == member_id, earlier).values(seen_at=at)
        )


def _one(workspace: UUID, member_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return _T.workspace_id == workspace, _T.id == member_id


def _here(workspace: UUID, member_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (*_one(workspace, member_id), _T.removed_at.is_(None))


def _changed(connection: sa.Connection, change: sa.Update) -> Member | None:
    return _found(connection.execute(change.returning(*_T)).one_or_none())


def _claim(connection: sa.Connection, workspace: UUID, member_id: UUID, email: str | None) -> None:
    """Conflict when an address is somebody else's. The constraint is for those who come at the same moment."""
    if email is None:
        return
    theirs = (_T.workspace_id == workspace, _T.email_key == _folded(email), _T.id != member_id)
    if connection.execute(sa.select(_T.id).where(*theirs)).first():
        raise Conflict(f"A member with the e-mail address {email!r} already exists.")


def _keep_an_admin(connection: sa.Connection, workspace: UUID, at: Micros | None) -> None:
    """Conflict when nobody is left who could let people in, which undoes what was done before."""
    if at is None:
        return
    person = sa.select(_T.id).where(
        _T.workspace_id == workspace,
        _T.role == Role.ADMIN.value,
        _T.joined_at.is_not(None),
        _T.removed_at.is_(None),
    )
    key = sa.select(_KEYS.id).where(
        _KEYS.workspace_id == workspace,
        _KEYS.role == Role.ADMIN.value,
        _KEYS.member_id.is_(None),
        _KEYS.revoked_at.is_(None),
        sa.or_(_KEYS.expires_at.is_(None), _KEYS.expires_at > at),
    )
    if not any(connection.execute(each.limit(1)).first() for each in (person, key)):
        raise Conflict(LAST_ADMIN)


def _folded(email: str | None) -> str | None:
    return email.casefold() if email else None


def _link(link: Link | None) -> dict[str, Any]:
    return {
        "link_hash": None if link is None else link.token_hash,
        "link_until": None if link is None else link.until,
    }


def _row(member: Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "workspace_id": member.workspace,
        "name": member.name,
        "email": member.email,
        "email_key": None if member.removed_at is not None else _folded(member.email),
        "role": member.role.value,
        "created_at": member.created_at,
        "joined_at": member.joined_at,
        "seen_at": member.seen_at,
        "removed_at": member.removed_at,
        "invited_by": member.invited_by,
    }


def _found(row: sa.Row[Any] | None) -> Member | None:
    return None if row is None else from_row(row)


def from_row(row: sa.Row[Any]) -> Member:
    return Member(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        created_at=row.created_at,
        joined_at=row.joined_at,
        seen_at=row.seen_at,
        removed_at=row.removed_at,
        invited_by=row.invited_by,
        link_until=row.link_until,
    )
