"""Workspaces, their keys, and links for readers without one: a part of the metadata seam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.access import ApiKey, Workspace
from stenograph.model.projects import Project
from stenograph.model.runs import Micros
from stenograph.model.sharing import Share, ShareKind


class Workspaces(Protocol):
    """Workspaces and how they begin."""

    async def create(self, workspace: Workspace, first_project: Project) -> None:
        """Both or neither. Conflict, naming the handle, when that is taken."""

    async def read(self, workspace: UUID) -> Workspace | None: ...

    async def all(self) -> list[Workspace]:
        """Oldest first. The one read that is not bound to a workspace: for the operator."""


class Keys(Protocol):
    """API keys, by the SHA-256 of the key in hex. The key itself never gets here. Each comes with its holder, if it has
    one, as they are at that moment."""

    async def create(self, key: ApiKey, key_hash: str) -> None:
        """Conflict when the hash is there already; NotFound when its holder is no member, or was removed."""

    async def find(self, key_hash: str) -> ApiKey | None:
        """The key in whichever workspace, revoked and expired or not: its workspace is what is asked for."""

    async def all(self, workspace: UUID) -> list[ApiKey]:
        """Oldest first, revoked ones too."""

    async def revoke(self, workspace: UUID, key_id: UUID, at: Micros) -> ApiKey | None:
        """The key as revoked, None when there is none. A second revocation leaves the time of the first."""

    async def prolong(self, workspace: UUID, key_id: UUID, until: Micros) -> None:
        """It expires then. Nothing happens to one that was revoked."""

    async def any_active(self, at: Micros) -> bool:
        """Whether any workspace has a key that is not revoked, nor expired at that time."""


class Shares(Protocol):
    """Share links, at most one a target."""

    async def ensure(self, share: Share) -> Share:
        """The target's link: the one that is there, or else this one, created."""

    async def resolve(self, token: UUID) -> Share | None:
        """Where a link leads. The token is the permission, so no workspace is asked for."""

    async def of(self, workspace: UUID, kind: ShareKind, target_ids: Sequence[str]) -> list[Share]:
        """The links of those of these targets that have one, in no order."""

    async def page(self, workspace: UUID, offset: int = 0, limit: int | None = None) -> list[Share]:
        """Newest first."""

    async def revoke(self, workspace: UUID, tokens: Sequence[UUID]) -> int:
        """How many were there."""

    async def revoke_target(self, workspace: UUID, kind: ShareKind, target_id: str) -> bool:
        """Whether it was shared."""

    async def revoke_all(self, workspace: UUID) -> int:
        """How many there were."""
