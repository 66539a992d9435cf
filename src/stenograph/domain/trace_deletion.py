"""Deleting traces: their runs with feedback and files, the links to them, and their places in annotation queues."""

from __future__ import annotations

from uuid import UUID

from stenograph.domain.annotation.items import QueueItems
from stenograph.domain.runs import RunReader
from stenograph.domain.sharing import Sharing
from stenograph.model.query import RunSelection


class TraceDeletion:
    """Callers check the permission, and select whole traces."""

    def __init__(self, runs: RunReader, sharing: Sharing, items: QueueItems) -> None:
        self._runs = runs
        self._sharing = sharing
        self._items = items

    async def delete(self, selection: RunSelection) -> list[UUID]:
        """The ids of the runs that are gone; none when nothing was selected."""
        gone = await self._runs.delete(selection)
        await self._sharing.forget(selection.workspace, gone)
        await self._items.forget(selection.workspace, gone)
        return gone
