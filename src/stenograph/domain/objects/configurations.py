"""Configurations of models: made, found, changed, deleted. Callers check the permission."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from msgspec import UnsetType

from stenograph.domain.objects.limits import check_document, check_name, check_text, check_texts
from stenograph.errors import NotFound
from stenograph.model.configurations import Configuration, ConfigurationPatch, ConfigurationQuery
from stenograph.store.api import MetaStore


class Configurations:
    """The configurations of one workspace at a time. Another workspace's do not exist."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.configurations
        self._clock = clock

    async def create(self, configuration: Configuration) -> Configuration:
        """NotFound when it names a project that is not there."""
        _check(configuration)
        await self._store.create(configuration)
        return configuration

    async def find(self, query: ConfigurationQuery) -> list[Configuration]:
        """Oldest first."""
        return await self._store.find(query)

    async def update(
        self, workspace: UUID, configuration_id: UUID, patch: ConfigurationPatch
    ) -> Configuration:
        """As changed; NotFound when there is none."""
        _check(patch)
        now = self._clock() // 1000
        found = await self._store.update(workspace, configuration_id, patch, now)
        if found is None:
            raise unknown(configuration_id)
        return found

    async def delete(self, workspace: UUID, configuration_id: UUID) -> None:
        """NotFound when there is none."""
        if not await self._store.delete(workspace, configuration_id):
            raise unknown(configuration_id)


def unknown(configuration_id: UUID | str) -> NotFound:
    return NotFound(f"There is no configuration {str(configuration_id)[:80]}.")


def _check(stated: Configuration | ConfigurationPatch) -> None:
    if not isinstance(stated.name, UnsetType):
        check_name(stated.name)
    if not isinstance(stated.provider, UnsetType):
        check_text(stated.provider, "provider", least=1)
    for field in ("env", "tags"):
        texts: tuple[str, ...] | UnsetType = getattr(stated, field)
        if not isinstance(texts, UnsetType):
            check_texts(texts, field)
    for field in ("parameters", "user_properties"):
        document: bytes | UnsetType | None = getattr(stated, field)
        if not isinstance(document, UnsetType):
            check_document(document, field)
