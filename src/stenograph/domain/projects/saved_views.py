"""Saved views of a project: made, changed, renamed, deleted."""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

from stenograph.errors import Invalid, NotFound
from stenograph.model.views import SavedView, ViewPatch, ViewType
from stenograph.store.api import MetaStore

MAX_NAME: Final = 1000
MAX_TEXT: Final = 50_000
"""Characters of a description or a filter."""

_TEXTS: Final = (
    "description", "filter_string", "trace_filter_string", "tree_filter_string", "duration", "shown",
)  # fmt: skip


class SavedViews:
    """The views of one project at a time. Views of another workspace's projects do not exist."""

    def __init__(self, meta: MetaStore) -> None:
        self._views = meta.views

    async def create(self, view: SavedView) -> SavedView:
        """NotFound when there is no such project; Conflict when the id is taken."""
        _check(view)
        await self._views.create(view)
        return view

    async def of_project(
        self, workspace: UUID, project_id: UUID, kind: ViewType | None = None
    ) -> list[SavedView]:
        """Oldest first."""
        return await self._views.of_project(workspace, project_id, kind)

    async def read(self, workspace: UUID, project_id: UUID, view_id: UUID) -> SavedView:
        """NotFound when there is none."""
        found = await self._views.read(workspace, project_id, view_id)
        if found is None:
            raise _unknown(view_id)
        return found

    async def update(self, workspace: UUID, project_id: UUID, view_id: UUID, patch: ViewPatch) -> SavedView:
        """The view as changed; NotFound when there is none."""
        _check(patch)
        found = await self._views.update(workspace, project_id, view_id, patch, time.time_ns() // 1000)
        if found is None:
            raise _unknown(view_id)
        return found

    async def delete(self, workspace: UUID, project_id: UUID, view_id: UUID) -> None:
        """NotFound when there is none."""
        if not await self._views.delete(workspace, project_id, view_id):
            raise _unknown(view_id)


def _check(stated: SavedView | ViewPatch) -> None:
    name = stated.display_name
    if name is not None and not 1 <= len(name) <= MAX_NAME:
        raise Invalid(f"A view's name has 1 to {MAX_NAME} characters.", ("body", "display_name"))
    for field in ("display_name", *_TEXTS):
        text: str | None = getattr(stated, field)
        if text is None:
            continue
        if len(text) > MAX_TEXT:
            raise Invalid(f"{field} has at most {MAX_TEXT} characters.", ("body", field))
        if "\0" in text:
            raise Invalid(f"{field} must not contain the NUL character.", ("body", field))


def _unknown(view_id: UUID) -> NotFound:
    return NotFound(f"There is no view {view_id}.")
