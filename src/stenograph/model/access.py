"""Workspaces, API keys, and what a key's role reaches. The people whose keys some of them are: model/members.py."""

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


def capped(role: Role, by: Role) -> Role | None:
    """What is left of a role for whoever may do no more than another; None when that is nothing."""
    left = PERMISSIONS[role] & PERMISSIONS[by]
    return next((each for each in Role if PERMISSIONS[each] == left), None)


class KeyKind(StrEnum):
    """What a key is for, or looks like: ours, that of one browser, which nobody sees, or one of the forms that
    HoneyHive's clients check before they use it."""

    OWN = "own"
    SIGN_IN = "sign_in"
    FINE_GRAINED = "fine_grained"
    INGESTION = "ingestion"


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """Owns everything. `handle` is its short name for addresses, unique in the installation."""

    id: UUID
    name: str
    handle: str
    created_at: Micros


class Holder(msgspec.Struct, frozen=True):
    """The member whose key it is, as they are now."""

    id: UUID
    name: str
    role: Role
    seen_at: Micros | None = None


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it may be listed: `hint` is its last four characters; the key itself is not kept.

    `permissions` are those that a client asked for by a vendor's names; the `role` is what they come to. From
    `expires_at` on the key is refused. Without a `holder` it belongs to nobody: a program's.
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
    holder: Holder | None = None

    @property
    def reach(self) -> Role | None:
        """What it may do: never more than its holder. None when that is nothing."""
        return self.role if self.holder is None else capped(self.role, self.holder.role)

    def is_active(self, at: Micros) -> bool:
        """Whether it may be used at that time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class IssuedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key with its secret, which is shown this once."""

    key: ApiKey
    secret: str


class Caller(msgspec.Struct, frozen=True):
    """Who is asking. `key_id` is None where no known key was sent (open mode, the command line), `member_id` where the
    key belongs to nobody."""

    workspace: UUID
    role: Role
    key_id: UUID | None = None
    member_id: UUID | None = None

    @property
    def person(self) -> UUID | None:
        """Whom reviews and feedback are by: the member, whichever of their keys this is; else the key. None where
        nobody is told from anybody."""
        return self.member_id or self.key_id
