"""Who is calling, and what they may do: API keys, roles, workspaces.

Keys are random (256 bits), so a plain SHA-256 is enough to keep them: there is nothing to guess that a slow
hash would protect. An admin of the default workspace is the operator and reaches every workspace; an admin
of any other reaches that one.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID, uuid4

from stenograph.errors import Forbidden, Invalid, NotFound, Unauthenticated
from stenograph.model.access import (
    DEFAULT_WORKSPACE,
    PERMISSIONS,
    ApiKey,
    Caller,
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
        self._is_open = is_open
        self._clock = clock
        self._now = now
        self._known: dict[str, tuple[float, ApiKey | None]] = {}
        self._revocations = 0

    async def authenticate(self, key: str | None) -> Caller:
        """Whose key it is. Unauthenticated when it is revoked, has expired or, unless in open mode, is missing or
        unknown."""
        found = await self._find(key) if key else None
        if found is None:
            if self._is_open:
                return _OPEN_CALLER
            if key:
                raise Unauthenticated("This API key is not known here.")
            raise Unauthenticated
        if found.revoked_at is not None:
            raise Unauthenticated("This API key was revoked.")
        if not found.is_active(self._now()):
            raise Unauthenticated("This API key has expired.")
        return Caller(found.workspace, found.role, found.id)

    async def has_keys(self) -> bool:
        """Whether there is a key to call with: without one, a closed server would shut everybody out."""
        return await self._meta.keys.any_active(self._now())

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
    ) -> IssuedKey:
        """A new key of the caller's workspace, or of another where the operator calls.

        Invalid for a time of expiry that has passed.
        """
        owner = await self._reach(caller, workspace)
        _check_name(name)
        _check_details(description, permissions)
        now = self._now()
        if expires_at is not None and expires_at <= now:
            raise Invalid("A key expires in the future.", ("body", "expires_at"))
        secret = _secret(kind)
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
        )
        await self._meta.keys.create(key, _hash(secret))
        return IssuedKey(key=key, secret=secret)

    async def list_keys(self, caller: Caller, workspace: UUID | None = None) -> list[ApiKey]:
        """All keys of the workspace, oldest first, revoked ones too."""
        return await self._meta.keys.all(await self._reach(caller, workspace))

    async def revoke_key(self, caller: Caller, key_id: UUID, workspace: UUID | None = None) -> ApiKey:
        """Refused from now on in this process, and within KEY_TTL in others. NotFound when there is none."""
        owner = await self._reach(caller, workspace)
        try:
            key = await self._meta.keys.revoke(owner, key_id, self._now())
        finally:
            self._revocations += 1
            self._known.clear()
        if key is None:
            raise NotFound(f"There is no API key {key_id}.")
        return key

    async def create_workspace(self, caller: Caller, name: str, handle: str | None = None) -> Workspace:
        """A workspace with its project `default`. Operator only; Conflict when the handle is taken.

        Without a handle one is made from the name.
        """
        require(caller, Permission.ADMIN)
        if caller.workspace != DEFAULT_WORKSPACE:
            raise Forbidden("Workspaces are created by an admin of the default workspace.")
        _check_name(name)
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

    async def _reach(self, caller: Caller, workspace: UUID | None) -> UUID:
        """The workspace whose keys the caller is about to handle."""
        require(caller, Permission.ADMIN)
        if workspace is None or workspace == caller.workspace:
            return caller.workspace
        is_operator = caller.workspace == DEFAULT_WORKSPACE
        if not is_operator or await self._meta.workspaces.read(workspace) is None:
            raise NotFound(f"There is no workspace {workspace}.")
        return workspace

    async def _find(self, secret: str) -> ApiKey | None:
        """From memory when that is at most KEY_TTL old: a stream of requests costs no queries."""
        key_hash, now = _hash(secret), self._clock()
        expires, key = self._known.get(key_hash, (now, None))
        if expires > now:
            return key
        seen = self._revocations
        key = await self._meta.keys.find(key_hash)
        if seen != self._revocations:  # read before a revocation: good for this request, not to be kept
            return key
        while len(self._known) >= MAX_CACHED_KEYS:
            del self._known[next(iter(self._known))]
        self._known[key_hash] = (now + KEY_TTL, key)
        return key


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _secret(kind: KeyKind) -> str:
    """A new key in the form of its kind. What guards it is random in all: 256 bits or more."""
    if kind is KeyKind.OWN:
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


def _check_name(name: str) -> None:
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
