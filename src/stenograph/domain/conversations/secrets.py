"""Secrets: sealed on their way to the store, opened for the server's own use alone.

AES-256-GCM with a key that is derived from the secret of the data folder (HKDF, RFC 5869), so that a copy of the
metadata store without the folder tells nothing. Each value is bound to its workspace and id: a row that was moved to
another does not open.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final
from uuid import UUID

from stenograph.domain.conversations.agents import MAX_TEXT, check_length, unknown
from stenograph.domain.deriving import derived
from stenograph.errors import Invalid, StoreUnavailable
from stenograph.model.ids import new_id
from stenograph.model.secrets import Secret
from stenograph.store.api import MetaStore

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAX_VALUE: Final = 64 * 1024
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")

_FORM: Final = b"\x01"
"""Before each sealed value: how it was sealed."""
_NONCE: Final = 12


class Vault:
    """Seals and opens. `secret` is the data folder's."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @cached_property
    def _cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(derived(self._secret, b"stenograph secrets 1"))

    def seal(self, workspace: UUID, secret_id: UUID, value: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return _FORM + nonce + self._cipher.encrypt(nonce, value.encode(), _bound(workspace, secret_id))

    def open(self, secret: Secret) -> str:
        """StoreUnavailable when it was not sealed with this key, or has been tampered with."""
        from cryptography.exceptions import InvalidTag

        form, nonce, sealed = secret.sealed[:1], secret.sealed[1 : 1 + _NONCE], secret.sealed[1 + _NONCE :]
        try:
            if form != _FORM:
                raise InvalidTag
            return self._cipher.decrypt(nonce, sealed, _bound(secret.workspace, secret.id)).decode()
        except (InvalidTag, ValueError):
            raise StoreUnavailable(
                f"The secret {secret.name!r} cannot be opened: was the file `secret` of the data folder replaced?"
            ) from None


def _bound(workspace: UUID, secret_id: UUID) -> bytes:
    return workspace.bytes + secret_id.bytes


class Secrets:
    """The use-cases of secrets. What they return is sealed, but for `reveal`. Callers check the permission."""

    def __init__(self, meta: MetaStore, vault: Vault, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.secrets
        self._vault = vault
        self._clock = clock

    async def create(
        self, workspace: UUID, name: str, value: str, description: str | None, metadata: bytes
    ) -> Secret:
        """A new secret. Conflict when the name is taken."""
        now = self._clock() // 1000
        secret = self._sealed(workspace, new_id(now), name, value, description, metadata, now)
        await self._store.create(secret)
        return secret

    async def replace(
        self,
        workspace: UUID,
        secret_id: UUID,
        name: str,
        value: str,
        description: str | None,
        metadata: bytes,
    ) -> Secret:
        """As stored. NotFound when there is none; Conflict when the name is another's."""
        now = self._clock() // 1000
        secret = self._sealed(workspace, secret_id, name, value, description, metadata, now)
        found = await self._store.replace(secret)
        if found is None:
            raise unknown("secret", secret_id)
        return found

    async def page(self, workspace: UUID, offset: int, limit: int) -> list[Secret]:
        """Newest first."""
        return await self._store.page(workspace, offset, limit)

    async def delete(self, workspace: UUID, secret_id: UUID) -> None:
        """NotFound when there is none."""
        if not await self._store.delete(workspace, secret_id):
            raise unknown("secret", secret_id)

    async def reveal(self, workspace: UUID, name: str) -> str | None:
        """The value in clear, for a call that the server makes; None when there is no such secret. Never for an
        answer to a client."""
        return (await self.reveal_all(workspace, [name])).get(name)

    async def reveal_all(self, workspace: UUID, names: Sequence[str]) -> dict[str, str]:
        """Those of these names that there are, in clear; as `reveal`."""
        found = await self._store.named(workspace, names)
        return {secret.name: self._vault.open(secret) for secret in found}

    def _sealed(
        self,
        workspace: UUID,
        secret_id: UUID,
        name: str,
        value: str,
        description: str | None,
        metadata: bytes,
        now: int,
    ) -> Secret:
        if not _NAME.fullmatch(name):
            raise Invalid(
                "a secret's name has 1 to 255 letters a-z, digits and underscores, and begins with no digit",
                ("name",),
            )
        check_length(value, "value", 1, MAX_VALUE)
        check_length(description, "description", 0, MAX_TEXT)
        return Secret(
            id=secret_id,
            workspace=workspace,
            name=name,
            sealed=self._vault.seal(workspace, secret_id, value),
            created_at=now,
            updated_at=now,
            description=description,
            metadata=metadata,
        )
