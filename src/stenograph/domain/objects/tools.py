"""Tools that models may call: made, listed, changed, deleted. Callers check the permission."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from stenograph.domain.objects.limits import MAX_TEXT, check_document, check_name, check_text
from stenograph.errors import NotFound
from stenograph.model.configurations import Tool, ToolPatch
from stenograph.store.api import MetaStore


class Tools:
    """The tools of one workspace at a time. Another workspace's do not exist."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.tools
        self._clock = clock

    async def create(self, tool: Tool) -> Tool:
        _check(tool)
        await self._store.create(tool)
        return tool

    async def all(self, workspace: UUID) -> list[Tool]:
        """Oldest first."""
        return await self._store.all(workspace)

    async def update(self, workspace: UUID, tool_id: UUID, patch: ToolPatch) -> Tool:
        """As changed; NotFound when there is none."""
        _check(patch)
        found = await self._store.update(workspace, tool_id, patch, self._clock() // 1000)
        if found is None:
            raise unknown(tool_id)
        return found

    async def delete(self, workspace: UUID, tool_id: UUID) -> None:
        """NotFound when there is none."""
        if not await self._store.delete(workspace, tool_id):
            raise unknown(tool_id)


def unknown(tool_id: UUID | str) -> NotFound:
    return NotFound(f"There is no tool {str(tool_id)[:80]}.")


def _check(stated: Tool | ToolPatch) -> None:
    if stated.name is not None:
        check_name(stated.name)
    check_text(stated.task, "task", MAX_TEXT)
    check_text(stated.description, "description")
    check_document(stated.parameters, "parameters")
