"""The people of a workspace, and the links by which they come in."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from stenograph.model.access import Role
from stenograph.model.runs import Micros

ROLES: Final = (Role.READ, Role.WRITE, Role.ADMIN)
"""What people may be, the least first. `ingest` reads nothing: it is for programs."""

LINK_LIFE: Final = 7 * 24 * 3600 * 1_000_000
"""Microseconds for which a link lets somebody in."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A person of one workspace.

    Invited until `joined_at`; removed ones are kept for their name. `seen_at` is when a key of theirs was last used,
    give or take minutes. `link_until` is None where no link is out. `invited_by` is what whoever invited was called
    then.
    """

    id: UUID
    workspace: UUID
    name: str
    email: str | None = None
    role: Role
    created_at: Micros
    joined_at: Micros | None = None
    seen_at: Micros | None = None
    removed_at: Micros | None = None
    invited_by: str | None = None
    link_until: Micros | None = None


class Link(msgspec.Struct, frozen=True):
    """A link's token as it is kept, its SHA-256 in hex, and until when it lets somebody in."""

    token_hash: str
    until: Micros


class MemberPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change; None stays as it is, and an `email` of "" takes it away."""

    name: str | None = None
    email: str | None = None
    role: Role | None = None


class Invited(msgspec.Struct, frozen=True):
    """A member with the token of their new link, which is told this once."""

    member: Member
    token: str


class Invitation(msgspec.Struct, frozen=True):
    """What a link that is valid says: who is invited, and into what."""

    member: Member
    workspace: str
