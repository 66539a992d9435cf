"""Workspaces, API keys, and what a key's role reaches."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from stenograph.model.runs import Micros

DEFAULT_WORKSPACE: Final = UUID("00000000-0000-4000-8000-000000000001")
"""The workspace every installation has; in open mode also that of callers without a known key."""


class Permission(StrEnum):
    """What a request needs. Deleting projects is WRITE; keys and workspaces are ADMIN."""

    INGEST = "ingest"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Role(StrEnum):
    """What a key was issued for: `ingest` may write runs and feedback and read nothing."""

    INGEST = "ingest"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.INGEST: frozenset({Permission.INGEST}),
    Role.READ: frozenset({Permission.READ}),
    Role.WRITE: frozenset({Permission.INGEST, Permission.READ, Permission.WRITE}),
    Role.ADMIN: frozenset(Permission),
}


class KeyKind(StrEnum):
    """What a key looks like: ours, or one of the forms that HoneyHive's clients check before they use it."""

    OWN = "own"
    FINE_GRAINED = "fine_grained"
    INGESTION = "ingestion"


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """Owns everything. `handle` is its short name for addresses, unique in the installation."""

    id: UUID
    name: str
    handle: str
    created_at: Micros


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it may be listed: `hint` is its last four characters; the key itself is not kept.

    `permissions` are those that a client asked for by a vendor's names; the `role` is what they come to. From
    `expires_at` on the key is refused.
    """

    id: UUID
    workspace: UUID
    name: str
    role: Role
    hint: str
    created_at: Micros
    revoked_at: Micros | None = None
    kind: KeyKind = KeyKind.OWN
    description: str | None = None
    permissions: tuple[str, ...] = ()
    expires_at: Micros | None = None

    def is_active(self, at: Micros) -> bool:
        """Whether it may be used at that time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class IssuedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key with its secret, which is shown this once."""

    key: ApiKey
    secret: str


class Caller(msgspec.Struct, frozen=True):
    """Who is asking. `key_id` is None where no known key was sent (open mode, the command line)."""

    workspace: UUID
    role: Role
    key_id: UUID | None = None
