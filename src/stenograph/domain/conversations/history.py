"""What is said in conversations: read whole, added to turn by turn.

A turn reads the conversation, asks a model, and adds what was said. Two turns of one conversation run one after the
other, or the second would answer without having heard the first:

    async with histories.turn(workspace, conversation_id) as context:
        ...                                          # context is read once the turn has begun
        await histories.append(workspace, conversation_id, [question, answer])

Turns wait for each other in this process. What is added is one transaction, and numbered by the store, so that turns of
two processes stand one after the other in the history in any case (decisions/083).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from msgspec import UNSET, UnsetType

from stenograph.domain.conversations.conversations import unknown
from stenograph.model.conversations import ConversationContext, Entry, History, KeptAnswer, Relation
from stenograph.store.api import MetaStore


class Histories:
    """The histories of conversations. NotFound from all methods when there is no such conversation."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.conversations
        self._clock = clock
        self._turns: dict[tuple[UUID, UUID], _Queue] = {}

    async def read(self, workspace: UUID, conversation_id: UUID) -> History:
        """Everything that was said, in order."""
        found = await self._store.history(workspace, conversation_id)
        if found is None:
            raise unknown(conversation_id)
        return found

    async def context(self, workspace: UUID, conversation_id: UUID) -> ConversationContext:
        """The conversation, its participants, their tools and the history, as of one moment. Nothing is kept waiting:
        for a look without a turn."""
        found = await self._store.context(workspace, conversation_id)
        if found is None:
            raise unknown(conversation_id)
        return found

    @asynccontextmanager
    async def turn(self, workspace: UUID, conversation_id: UUID) -> AsyncIterator[ConversationContext]:
        """The context as the turns before left it; the turns after wait until the block is left, in their order."""
        key = (workspace, conversation_id)
        queue = self._turns.setdefault(key, _Queue())
        queue.length += 1
        try:
            async with queue.lock:
                yield await self.context(workspace, conversation_id)
        finally:
            queue.length -= 1
            if not queue.length:
                del self._turns[key]

    async def append(
        self,
        workspace: UUID,
        conversation_id: UUID,
        entries: Sequence[Entry],
        *,
        relations: Sequence[Relation] = (),
        summary: str | UnsetType | None = UNSET,
        answer: KeptAnswer | None = None,
        delivered: Sequence[UUID] = (),
    ) -> list[Entry]:
        """Add all of it or nothing, and give the conversation this summary if one is stated. The entries as stored;
        the conversation counts as updated now. `answer` is kept for a repeated request; those to the requests
        `delivered` no longer are."""
        now = self._clock() // 1000
        stored = await self._store.append(
            workspace,
            conversation_id,
            entries,
            now,
            relations=relations,
            summary=summary,
            answer=answer,
            delivered=delivered,
        )
        if stored is None:
            raise unknown(conversation_id)
        return stored

    async def answered(self, workspace: UUID, conversation_id: UUID, request: UUID) -> KeptAnswer | None:
        """What this request has been answered already, as far as that is kept."""
        return await self._store.answered(workspace, conversation_id, request)

    async def forget(self, workspace: UUID, conversation_id: UUID) -> None:
        """Delete all that was said, and the summary. A turn that is under way still adds its own."""
        if not await self._store.forget(workspace, conversation_id, self._clock() // 1000):
            raise unknown(conversation_id)


class _Queue:
    """The turns of one conversation that run or wait."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.length = 0
