"""Which workspaces have feedback, and which have some that is not filed: most have none of either, and asking for
what is not there takes as long as asking for what is.

Good while one process writes to the engine; several would have to ask every time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from stenograph.model.feedback import Feedback
from stenograph.store.runs.engine import Engine
from stenograph.store.runs.rows import ZERO

MOST: Final = 100_000
"""Pieces that are not filed, remembered one by one; a workspace with more counts as having some until a restart."""

_WORKSPACES: Final = "SELECT DISTINCT workspace_id FROM feedback"
_UNFILED: Final = f"""SELECT workspace_id, id FROM feedback FINAL
WHERE home = '{ZERO}' AND run_id != '{ZERO}'
LIMIT {MOST + 1} BY workspace_id"""


class Judged:
    """Learns from the engine once, then from every write."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._unfiled: dict[UUID, set[UUID]] = {}
        self._many: set[UUID] = set()
        self._learnt = False

    async def learn(self) -> None:
        """Has to be over before feedback is written: what is learnt does not have it."""
        if self._knows():
            return
        workspaces = await self._engine.query(_WORKSPACES)
        unfiled = await self._engine.query(_UNFILED)
        if self._knows():  # by another caller, and something may have been written since
            return
        self._unfiled = {workspace: set() for workspace in workspaces.get("workspace_id", [])}
        for workspace, piece in zip(unfiled.get("workspace_id", []), unfiled.get("id", []), strict=True):
            self._add(workspace, piece)
        self._learnt = True

    def _knows(self) -> bool:
        return self._learnt

    def wrote(self, items: Iterable[Feedback]) -> None:
        """To be told of every write, in their order, once it is done."""
        for item in items:
            if item.run_id is None or item.home is not None or item.deleted:
                self._unfiled.setdefault(item.workspace, set()).discard(item.id)
            else:
                self._add(item.workspace, item.id)

    def _add(self, workspace: UUID, piece: UUID) -> None:
        of_workspace = self._unfiled.setdefault(workspace, set())
        if len(of_workspace) < MOST:
            of_workspace.add(piece)
        else:
            self._many.add(workspace)

    async def any(self, workspace: UUID) -> bool:
        """Whether there is, or was, feedback."""
        await self.learn()
        return workspace in self._unfiled

    async def any_unfiled(self, workspace: UUID) -> bool:
        """Whether there is feedback on runs that is filed under no project."""
        await self.learn()
        return workspace in self._many or bool(self._unfiled.get(workspace))
