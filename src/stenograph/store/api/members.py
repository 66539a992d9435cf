"""The people of workspaces: a part of the metadata seam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.access import ApiKey, Role
from stenograph.model.members import Link, Member, MemberPatch
from stenograph.model.runs import Micros


class Members(Protocol):
    """Members, each with at most one link, which is known by the SHA-256 of its token in hex.

    E-mail addresses are compared without regard to case and are one member's of a workspace; those of removed members
    are free. Where `keep_admin` is a time, a change is refused, as Conflict, that would leave the workspace without an
    admin: a member who has joined, or a key that belongs to nobody and is active at that time.
    """

    async def create(self, new: Sequence[tuple[Member, Link | None]]) -> None:
        """All or none, each with its link. Conflict, naming the address, when a member has it."""

    async def read(self, workspace: UUID, member_id: UUID) -> Member | None:
        """Removed or not."""

    async def all(self, workspace: UUID) -> list[Member]:
        """Oldest first, removed ones too."""

    async def any(self) -> bool:
        """Whether any workspace has a member who is not removed."""

    async def relink(self, workspace: UUID, member_id: UUID, link: Link | None) -> Member | None:
        """With this link, or none, instead of a former one. None when there is no such member, or a removed one."""

    async def invited(self, token_hash: str) -> Member | None:
        """Whose link that is, in whichever workspace, valid or not: the token is what is asked for."""

    async def join(self, token_hash: str, key: ApiKey, key_hash: str) -> Member | None:
        """The link is used up and its member has this key, both or neither: of several callers at once one gets
        through.

        The key's `created_at` is when the member has joined, unless they had before. None, and nothing is written, when
        the link is not that of the key's holder any more or has ended by then.
        """

    async def update(
        self, workspace: UUID, member_id: UUID, patch: MemberPatch, keep_admin: Micros | None
    ) -> Member | None:
        """The member as changed; their keys reach no further from then on. None when there is none, or a removed one.
        Conflict when the address is taken."""

    async def remove(
        self, workspace: UUID, member_id: UUID, at: Micros, keep_admin: Micros | None
    ) -> Member | None:
        """Gone, with the link; all keys of theirs are revoked. None when there is none, or a removed one."""

    async def readmit(self, workspace: UUID, member_id: UUID, role: Role, at: Micros) -> Member | None:
        """A removed member invited again, under the same id, without a link or keys. None when nobody of that id was
        removed. Conflict when somebody has their address by now."""

    async def seen(self, member_id: UUID, at: Micros) -> None:
        """A key of theirs was used. Never moves back."""
