"""The people of a workspace: invited by a link, joined, changed, removed.

There are no passwords and nothing is mailed: whoever invites hands the link over. Its token is random (256 bits) and
kept as SHA-256 only; it lets one browser in once, within seven days. What a browser then has is an API key of the
member's that nobody ever sees (docs/decisions/174-members-come-by-a-link.md).
"""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import msgspec

from stenograph.domain.access import Access, check_name, hashed, new_secret, require
from stenograph.domain.page import SIGNED_IN_SECONDS
from stenograph.domain.people import name_of
from stenograph.errors import Conflict, Forbidden, Invalid, NotFound
from stenograph.model.access import (
    PERMISSIONS,
    ApiKey,
    Caller,
    Holder,
    IssuedKey,
    KeyKind,
    Permission,
    Role,
)
from stenograph.model.members import (
    LINK_LIFE,
    ROLES,
    Invitation,
    Invited,
    Link,
    Member,
    MemberPatch,
)
from stenograph.model.runs import Micros
from stenograph.store.api import MetaStore

MAX_EMAIL: Final = 320
MAX_AT_ONCE: Final = 500
"""Members of one batch, as LangSmith documents it."""

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")

NO_LINK: Final = (
    "This link does not let anybody in: it was used, taken back, or is older than seven days. "
    "Ask whoever sent it for a new one."
)
"""The same whatever the reason, so that nothing can be learnt from it."""

OPEN: Final = (
    "This server is open: everybody may come in as they are, and nobody is told from anybody. "
    "The link is kept for when the server asks for keys."
)


@dataclass(frozen=True, slots=True)
class Draft:
    """Somebody to be invited. Without a name they are called by their address."""

    role: Role
    name: str = ""
    email: str | None = None


class Members:
    """The members of the caller's workspace, or of another where the operator calls. Another workspace's do not exist.

    Everybody who may read sees who is a member; admins change it. A change holds at once in this process, and within
    KEY_TTL in others.
    """

    def __init__(
        self,
        meta: MetaStore,
        access: Access,
        *,
        now: Callable[[], Micros] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._meta = meta
        self._access = access
        self._now = now

    async def all(self, who: Caller, workspace: UUID | None = None) -> list[Member]:
        """Oldest first, invited ones too, without those who were removed."""
        require(who, Permission.READ)
        owner = who.workspace
        if workspace is not None and workspace != owner:
            owner = await self._access.reach(who, workspace)
        return [member for member in await self._meta.members.all(owner) if member.removed_at is None]

    async def programs(self, who: Caller) -> Counter[UUID]:
        """How many keys each member has for programs, by the member's id: those of browsers and ended ones apart."""
        require(who, Permission.READ)
        now = self._now()
        return Counter(
            key.holder.id
            for key in await self._meta.keys.all(who.workspace)
            if key.holder is not None and key.kind is not KeyKind.SIGN_IN and key.is_active(now)
        )

    async def invite(self, who: Caller, draft: Draft, workspace: UUID | None = None) -> Invited:
        """A new member, and the token of the link. Conflict when a member has the address."""
        owner = await self._access.reach(who, workspace)
        member = self._new(owner, draft, await name_of(self._meta, who))
        token, link = self._link()
        await self._meta.members.create([(member, link)])
        return Invited(_linked(member, link), token)

    async def add(self, who: Caller, drafts: Sequence[Draft]) -> list[Member]:
        """New members, all or none, who have no link yet: `link` makes one. Conflict when a member has an address."""
        owner = await self._access.reach(who, None)
        if len(drafts) > MAX_AT_ONCE:
            raise Invalid(f"At most {MAX_AT_ONCE} members at once.", ("body",))
        new, by = [], await name_of(self._meta, who)
        for index, draft in enumerate(drafts):
            try:
                new.append(self._new(owner, draft, by))
            except Invalid as error:
                raise Invalid(error.message, ("body", index, *error.where[1:])) from None
        await self._meta.members.create([(member, None) for member in new])
        return new

    async def readmit(self, who: Caller, member_id: UUID, role: Role) -> Member:
        """Somebody who was removed is invited again, as the same person: what they said stays theirs.

        Conflict when they are a member as it is, or somebody has their address; NotFound when nobody was.
        """
        owner = await self._access.reach(who, None)
        _check_role(role)
        found = await self._meta.members.readmit(owner, member_id, role, self._now())
        if found is None:
            await self.one(who, member_id)
            raise Conflict("They are a member already.")
        return found

    async def one(self, who: Caller, member_id: UUID) -> Member:
        """NotFound when there is none, or a removed one."""
        found = await self._meta.members.read(who.workspace, member_id)
        return _known(None if found is None or found.removed_at is not None else found, member_id)

    async def link(self, who: Caller, member_id: UUID, workspace: UUID | None = None) -> Invited:
        """A new link, which ends the former one. A member may make one for themself, to come in by another browser,
        with whatever key reaches as far as they do."""
        owner = await self._owner(who, member_id, workspace)
        token, link = self._link()
        found = await self._meta.members.relink(owner, member_id, link)
        return Invited(_known(found, member_id), token)

    async def withdraw(self, who: Caller, member_id: UUID) -> Member:
        """The link lets nobody in any more; the member stays. No error when there is none."""
        owner = await self._owner(who, member_id, None)
        return _known(await self._meta.members.relink(owner, member_id, None), member_id)

    async def _owner(self, who: Caller, member_id: UUID, workspace: UUID | None) -> UUID:
        if who.member_id == member_id and Permission.ADMIN not in PERMISSIONS[who.role]:
            if who.role is (await self.one(who, member_id)).role:
                return who.workspace
            raise Forbidden("This key may do less than you: make the link with one that may as much.")
        return await self._access.reach(who, workspace)

    async def change(self, who: Caller, member_id: UUID, patch: MemberPatch) -> Member:
        """The member as changed. Conflict when the address is taken, or no admin would be left."""
        owner = await self._access.reach(who, None)
        if patch.name is not None:
            check_name(patch.name)
        if patch.email:
            _check_email(patch.email)
        if patch.role is not None:
            _check_role(patch.role)
        try:
            found = await self._meta.members.update(owner, member_id, patch, self._keeping(who, owner))
        finally:
            self._access.forget()
        return _known(found, member_id)

    async def remove(self, who: Caller, member_id: UUID, workspace: UUID | None = None) -> Member:
        """Their keys are revoked, their sign-ins and their link ended; their name stays with what they said.

        Conflict when no admin would be left.
        """
        owner = await self._access.reach(who, workspace)
        try:
            found = await self._meta.members.remove(owner, member_id, self._now(), self._keeping(who, owner))
        finally:
            self._access.forget()
        return _known(found, member_id)

    def _keeping(self, who: Caller, owner: UUID) -> Micros | None:
        """An admin has to be left where the caller comes in by a key of that workspace alone: whoever has the command
        line, an open server or the operator's key does not shut themself out."""
        return None if who.key_id is None or who.workspace != owner else self._now()

    # -- coming in -----------------------------------------------------------------------------------------

    async def look(self, token: str) -> Invitation:
        """Whom a link lets in, which does not use it up. NotFound, always with the same words, when it does not."""
        member = await self._meta.members.invited(hashed(token))
        if member is None or member.removed_at is not None or (member.link_until or 0) <= self._now():
            raise NotFound(NO_LINK)
        workspace = await self._meta.workspaces.read(member.workspace)
        return Invitation(member, "" if workspace is None else workspace.name)

    async def join(self, token: str) -> IssuedKey:
        """Use the link up: a key for the browser that brought it. NotFound as `look`; Conflict on an open server."""
        member = (await self.look(token)).member
        if self._access.is_open:
            raise Conflict(OPEN)
        now, secret = self._now(), new_secret(KeyKind.SIGN_IN)
        key = ApiKey(
            id=uuid4(),
            workspace=member.workspace,
            name="sign-in",
            role=Role.ADMIN,  # whatever its holder may, now and later
            hint=secret[-4:],
            created_at=now,
            kind=KeyKind.SIGN_IN,
            expires_at=now + SIGNED_IN_SECONDS * 1_000_000,
            holder=Holder(member.id, member.name, member.role),
        )
        if await self._meta.members.join(hashed(token), key, hashed(secret)) is None:
            raise NotFound(NO_LINK)
        return IssuedKey(key=key, secret=secret)

    # ------------------------------------------------------------------------------------------------------

    def _new(self, owner: UUID, draft: Draft, by: str | None) -> Member:
        if draft.email is not None:
            _check_email(draft.email)
        name = draft.name or draft.email or ""
        check_name(name)
        _check_role(draft.role)
        return Member(
            id=uuid4(),
            workspace=owner,
            name=name,
            email=draft.email,
            role=draft.role,
            created_at=self._now(),
            invited_by=by,
        )

    def _link(self) -> tuple[str, Link]:
        # Hexadecimal: programs that make links of text leave out a hyphen at the end of one.
        token = secrets.token_hex(32)
        return token, Link(hashed(token), self._now() + LINK_LIFE)


def _linked(member: Member, link: Link) -> Member:
    return msgspec.structs.replace(member, link_until=link.until)


def _known(found: Member | None, member_id: UUID) -> Member:
    if found is None:
        raise NotFound(f"There is no member {member_id}.")
    return found


def _check_email(email: str) -> None:
    if len(email) > MAX_EMAIL or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise Invalid(
            f"An e-mail address has an @ inside, no spaces, and at most {MAX_EMAIL} characters.",
            ("body", "email"),
        )


def _check_role(role: Role) -> None:
    if role not in ROLES:
        raise Invalid(
            f"A person's role is {', '.join(ROLES[:-1])} or {ROLES[-1]}: {role.value!r} is for programs.",
            ("body", "role"),
        )
