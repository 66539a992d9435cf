"""Which evaluators are for new events, in memory: asked with every flush, and mostly none is."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from stenograph.model.evaluators import Evaluator
from stenograph.store.api import MetaStore


class Enabled:
    """One a process. Empty until it is loaded, and told of every change."""

    def __init__(self, meta: MetaStore) -> None:
        self._store = meta.evaluators
        self._by_workspace: Mapping[UUID, Sequence[Evaluator]] = {}
        self._reading = asyncio.Lock()

    def __bool__(self) -> bool:
        return bool(self._by_workspace)

    def of(self, workspace: UUID) -> Sequence[Evaluator]:
        """Oldest first."""
        return self._by_workspace.get(workspace, ())

    async def load(self) -> None:
        """Those of all workspaces."""
        found: defaultdict[UUID, list[Evaluator]] = defaultdict(list)
        for evaluator in await self._store.enabled():
            found[evaluator.workspace].append(evaluator)
        self._by_workspace = dict(found)

    async def refresh(self, workspace: UUID) -> None:
        """Those of one, after a change. One at a time: what is read last must count last."""
        async with self._reading:
            found = await self._store.enabled(workspace)
            others = {key: each for key, each in self._by_workspace.items() if key != workspace}
            self._by_workspace = others | ({workspace: found} if found else {})
