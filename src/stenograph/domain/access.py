"""Who is calling, and what they may do: API keys, roles, workspaces.

Keys are random (256 bits), so a plain SHA-256 is enough to keep them: there is nothing to guess that a slow
hash would protect. An admin of the default workspace is the operator and reaches every workspace; an admin
of any other reaches that one. A key may belong to a member (domain/members.py): it reaches no further than they do.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID, uuid4

from stenograph.domain.page import SIGNED_IN_SECONDS
from stenograph.errors import Forbidden, Invalid, NotFound, StoreUnavailable, Unauthenticated
from stenograph.model.access import (
    DEFAULT_WORKSPACE,
    PERMISSIONS,
    ApiKey,
    Caller,
    Holder,
    IssuedKey,
    KeyKind,
    Permission,
    Role,
    Workspace,
)
from stenograph.model.projects import DEFAULT_PROJECT, Project
from stenograph.model.runs import Micros
from stenograph.store.api import MetaStore

KEY_PREFIX: Final = "sk_steno_"
HONEYHIVE_PREFIXES: Final = {KeyKind.FINE_GRAINED: "hh_fgdp_", KeyKind.INGESTION: "hh_ingst_"}
"""HoneyHive's Python client takes keys of these kinds only with 24 letters and digits after the prefix, an underscore,
and 64 characters of base64url."""

_ALPHANUMERIC: Final = string.ascii_letters + string.digits
MAX_NAME: Final = 200
MAX_DESCRIPTION: Final = 2000
MAX_PERMISSIONS: Final = 1000

# Seconds for which a key is taken at its word: how long a revocation by another process may go unnoticed.
KEY_TTL: Final = 2.0
MAX_CACHED_KEYS: Final = 4096

PROLONGED_EVERY: Final = 24 * 3600 * 1_000_000
"""Microseconds of a sign-in's life that pass before it is made longer: one write a day."""

SEEN_EVERY: Final = 10 * 60 * 1_000_000
"""Microseconds after which it is noted again that a member was here: one write in that time, not one a request."""

_ENDED: Final = ("This API key was revoked.", "Your sign-in has ended.")
_EXPIRED: Final = ("This API key has expired.", "Your sign-in has expired: ask for a new link.")

_OPEN_CALLER: Final = Caller(DEFAULT_WORKSPACE, Role.ADMIN)


def require(caller: Caller, permission: Permission) -> None:
    """Forbidden unless the caller's role reaches that far."""
    if permission not in PERMISSIONS[caller.role]:
        raise Forbidden(
            f"This API key's role is {caller.role.value!r}; that needs {_roles_with(permission)}."
        )


def _roles_with(permission: Permission) -> str:
    return " or ".join(repr(role.value) for role in Role if permission in PERMISSIONS[role])


class Access:
    """Keys and workspaces. With `is_open` a caller needs no key: meant for loopback only.

    In open mode a key that is known still selects its workspace and role, so that several workspaces can
    be tried out; any other key, or none, is the default workspace's admin. A revoked key is refused in
    both modes: what was sent for its workspace must not end up in the default one.
    """

    def __init__(
        self,
        meta: MetaStore,
        *,
        is_open: bool,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], Micros] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._meta = meta
        self.is_open: Final = is_open
        self._clock = clock
        self._now = now
        self._known: dict[str, tuple[float, ApiKey | None]] = {}
        self._revocations = 0

    async def authenticate(self, key: str | None) -> Caller:
        """Whose key it is. Unauthenticated when it is revoked, has expired or, unless in open mode, is missing or
        unknown. Forbidden when its holder may do nothing of what it is for, by now."""
        found = await self._find(key) if key else None
        if found is None:
            if self.is_open:
                return _OPEN_CALLER
            if key:
                raise Unauthenticated("This API key is not known here.")
            raise Unauthenticated
        if found.revoked_at is not None:
            raise Unauthenticated(_ENDED[found.kind is KeyKind.SIGN_IN])
        if not found.is_active(self._now()):
            raise Unauthenticated(_EXPIRED[found.kind is KeyKind.SIGN_IN])
        reach = found.reach
        if reach is None:
            raise Forbidden(
                f"This API key's role is {found.role.value!r}, which its member may not do any more."
            )
        return Caller(found.workspace, reach, found.id, None if found.holder is None else found.holder.id)

    async def has_keys(self) -> bool:
        """Whether anybody can come in, by a key or a link: without one, a closed server would shut everybody out."""
        return await self._meta.keys.any_active(self._now()) or await self._meta.members.any()

    async def create_key(
        self,
        caller: Caller,
        name: str,
        role: Role,
        workspace: UUID | None = None,
        *,
        kind: KeyKind = KeyKind.OWN,
        description: str | None = None,
        permissions: Sequence[str] = (),
        expires_at: Micros | None = None,
        own: bool = False,
    ) -> IssuedKey:
        """A new key of the caller's workspace, or of another where the operator calls; it belongs to nobody. `own`:
        it is the calling member's, and may do what the caller may, or less.

        Invalid for a time of expiry that has passed.
        """
        holder = await self._holder(caller, role) if own else None
        owner = caller.workspace if own else await self.reach(caller, workspace)
        check_name(name)
        _check_details(description, permissions)
        now = self._now()
        if expires_at is not None and expires_at <= now:
            raise Invalid("A key expires in the future.", ("body", "expires_at"))
        secret = new_secret(kind)
        key = ApiKey(
            id=uuid4(),
            workspace=owner,
            name=name,
            role=role,
            hint=secret[-4:],
            created_at=now,
            kind=kind,
            description=description,
            permissions=tuple(permissions),
            expires_at=expires_at,
            holder=holder,
        )
        await self._meta.keys.create(key, hashed(secret))
        return IssuedKey(key=key, secret=secret)

    async def _holder(self, caller: Caller, role: Role) -> Holder:
        if caller.member_id is None:
            raise Forbidden("Only members have keys of their own: this one belongs to nobody.")
        if not PERMISSIONS[role] <= PERMISSIONS[caller.role]:
            raise Forbidden(
                f"A key of yours may do no more than you: {caller.role.value!r}, not {role.value!r}."
            )
        member = await self._meta.members.read(caller.workspace, caller.member_id)
        if member is None or member.removed_at is not None:
            raise NotFound(f"There is no member {caller.member_id}.")
        return Holder(member.id, member.name, member.role)

    async def list_keys(self, caller: Caller, workspace: UUID | None = None) -> list[ApiKey]:
        """All keys of the workspace, oldest first, revoked ones too; for a member who is no admin their own."""
        if _has_own_only(caller):
            return [key for key in await self._meta.keys.all(caller.workspace) if _is_of(key, caller)]
        return await self._meta.keys.all(await self.reach(caller, workspace))

    async def revoke_key(self, caller: Caller, key_id: UUID, workspace: UUID | None = None) -> ApiKey:
        """Refused from now on in this process, and within KEY_TTL in others. A member who is no admin revokes their
        own. NotFound when there is none."""
        if _has_own_only(caller):
            owner = caller.workspace
            if not any(key.id == key_id for key in await self.list_keys(caller)):
                raise NotFound(f"There is no API key {key_id}.")
        else:
            owner = await self.reach(caller, workspace)
        try:
            key = await self._meta.keys.revoke(owner, key_id, self._now())
        finally:
            self.forget()
        if key is None:
            raise NotFound(f"There is no API key {key_id}.")
        return key

    async def prolong(self, secret: str) -> bool:
        """A browser's own key lasts as long again, where a day of that has passed; whether it was so."""
        key, now = await self._find(secret), self._now()
        if key is None or key.kind is not KeyKind.SIGN_IN or not key.is_active(now):
            return False
        until = now + SIGNED_IN_SECONDS * 1_000_000
        if key.expires_at is None or key.expires_at > until - PROLONGED_EVERY:
            return False
        await self._meta.keys.prolong(key.workspace, key.id, until)
        self.forget()
        return True

    async def end_sign_in(self, secret: str) -> None:
        """Revoke the key of a browser that signs out, if it is one made for that browser; any other stays."""
        key = await self._meta.keys.find(hashed(secret))
        if key is not None and key.kind is KeyKind.SIGN_IN:
            try:
                await self._meta.keys.revoke(key.workspace, key.id, self._now())
            finally:
                self.forget()

    def forget(self) -> None:
        """What keys mean has changed: in this process that holds from now on."""
        self._revocations += 1
        self._known.clear()

    async def create_workspace(self, caller: Caller, name: str, handle: str | None = None) -> Workspace:
        """A workspace with its project `default`. Operator only; Conflict when the handle is taken.

        Without a handle one is made from the name.
        """
        require(caller, Permission.ADMIN)
        if caller.workspace != DEFAULT_WORKSPACE:
            raise Forbidden("Workspaces are created by an admin of the default workspace.")
        check_name(name)
        now, identity = self._now(), uuid4()
        workspace = Workspace(id=identity, name=name, handle=_handle(name, handle, identity), created_at=now)
        first = Project(
            id=uuid4(),
            workspace=identity,
            name=DEFAULT_PROJECT,
            start_time=now,
            created_at=now,
            modified_at=now,
        )
        await self._meta.workspaces.create(workspace, first)
        return workspace

    async def list_workspaces(self, caller: Caller) -> list[Workspace]:
        """Those that the caller reaches: all for the operator, oldest first; else the caller's own."""
        if caller.workspace == DEFAULT_WORKSPACE and Permission.ADMIN in PERMISSIONS[caller.role]:
            return await self._meta.workspaces.all()
        return [await self.workspace(caller)]

    async def workspace(self, caller: Caller) -> Workspace:
        """The caller's own."""
        workspace = await self._meta.workspaces.read(caller.workspace)
        if workspace is None:
            raise NotFound(f"There is no workspace {caller.workspace}.")
        return workspace

    async def reach(self, caller: Caller, workspace: UUID | None) -> UUID:
        """The workspace whose keys or members the caller is about to handle: an admin's own, or for the operator
        any."""
        require(caller, Permission.ADMIN)
        if workspace is None or workspace == caller.workspace:
            return caller.workspace
        is_operator = caller.workspace == DEFAULT_WORKSPACE
        if not is_operator or await self._meta.workspaces.read(workspace) is None:
            raise NotFound(f"There is no workspace {workspace}.")
        return workspace

    async def _find(self, secret: str) -> ApiKey | None:
        """From memory when that is at most KEY_TTL old: a stream of requests costs no queries."""
        key_hash, now = hashed(secret), self._clock()
        expires, key = self._known.get(key_hash, (now, None))
        if expires > now:
            return key
        seen = self._revocations
        key = await self._meta.keys.find(key_hash)
        if key is not None and key.holder is not None:
            await self._note(key, key.holder)
        if seen != self._revocations:  # read before a revocation: good for this request, not to be kept
            return key
        while len(self._known) >= MAX_CACHED_KEYS:
            del self._known[next(iter(self._known))]
        self._known[key_hash] = (now + KEY_TTL, key)
        return key

    async def _note(self, key: ApiKey, holder: Holder) -> None:
        """That a member was here, where that was long ago. No request fails for it."""
        now = self._now()
        if key.is_active(now) and (holder.seen_at is None or holder.seen_at <= now - SEEN_EVERY):
            with suppress(StoreUnavailable):
                await self._meta.members.seen(holder.id, now)


def _has_own_only(caller: Caller) -> bool:
    return caller.member_id is not None and Permission.ADMIN not in PERMISSIONS[caller.role]


def _is_of(key: ApiKey, caller: Caller) -> bool:
    return key.holder is not None and key.holder.id == caller.member_id


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def new_secret(kind: KeyKind) -> str:
    """A new key in the form of its kind. What guards it is random in all: 256 bits or more."""
    if kind not in HONEYHIVE_PREFIXES:
        return KEY_PREFIX + secrets.token_urlsafe(32)
    public = "".join(secrets.choice(_ALPHANUMERIC) for _ in range(24))
    return f"{HONEYHIVE_PREFIXES[kind]}{public}_{secrets.token_urlsafe(48)}"


def _check_details(description: str | None, permissions: Sequence[str]) -> None:
    if description is not None and (len(description) > MAX_DESCRIPTION or "\0" in description):
        raise Invalid(
            f"A key's description has at most {MAX_DESCRIPTION} characters, none of them NUL.",
            ("body", "description"),
        )
    if len(permissions) > MAX_PERMISSIONS or any(len(each) > MAX_NAME for each in permissions):
        raise Invalid(
            f"At most {MAX_PERMISSIONS} permissions of {MAX_NAME} characters.", ("body", "permissions")
        )


def check_name(name: str) -> None:
    """Invalid for what nobody should be called."""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise Invalid(f"A name has 1 to {MAX_NAME} printable characters.", ("body", "name"))


def _handle(name: str, wanted: str | None, identity: UUID) -> str:
    """Lower-case letters, digits and hyphens; from a name without any of those, a part of the id."""
    if wanted is None:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].rstrip("-")
        return slug or f"workspace-{identity.hex[:8]}"
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", wanted):
        raise Invalid(
            "A handle has 1 to 63 lower-case letters, digits and inner hyphens.", ("body", "handle")
        )
    return wanted
