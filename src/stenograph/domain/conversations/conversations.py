"""Conversations: created, replaced, changed, listed, deleted. What is said in them: history.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from stenograph.domain.conversations.agents import MAX_TEXT, check_length
from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.conversations import Conversation, ConversationPatch
from stenograph.model.ids import new_id
from stenograph.model.listing import ListQuery
from stenograph.store.api import MetaStore

MAX_PARTICIPANTS: Final = 1000
MAX_BUDGET: Final = 2**31 - 1


class Conversations:
    """The use-cases of conversations. Another workspace's are unknown to all of them. Callers check the permission."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.conversations
        self._clock = clock

    async def create(self, workspace: UUID, stated: ConversationPatch) -> Conversation:
        """A new conversation of the participants that `stated` names. Invalid when one of them is not there."""
        return await self._create(workspace, None, stated)

    async def put(self, workspace: UUID, conversation_id: UUID, stated: ConversationPatch) -> Conversation:
        """Create it under this id, or replace the one that is there, its participants too: what is said stays."""
        _check(stated)
        found = await self._update(workspace, conversation_id, stated.whole())
        if found is not None:
            return found
        try:
            return await self._create(workspace, conversation_id, stated)
        except Conflict:
            # Somebody else has just created it.
            return await self.update(workspace, conversation_id, stated.whole())

    async def read(self, workspace: UUID, conversation_id: UUID) -> Conversation:
        """NotFound when there is none."""
        found = await self._store.read(workspace, conversation_id)
        if found is None:
            raise unknown(conversation_id)
        return found

    async def find(self, query: ListQuery) -> list[Conversation]:
        return await self._store.find(query)

    async def replace(
        self, workspace: UUID, conversation_id: UUID, stated: ConversationPatch
    ) -> Conversation:
        """What is not stated becomes what it is by default; participants stay unless they are. NotFound when there is
        none."""
        return await self.update(workspace, conversation_id, stated.whole())

    async def update(self, workspace: UUID, conversation_id: UUID, patch: ConversationPatch) -> Conversation:
        """As changed. NotFound when there is none."""
        _check(patch)
        found = await self._update(workspace, conversation_id, patch)
        if found is None:
            raise unknown(conversation_id)
        return found

    async def delete(self, workspace: UUID, conversation_id: UUID) -> None:
        """With all that was said. NotFound when there is none."""
        if not await self._store.delete(workspace, conversation_id):
            raise unknown(conversation_id)

    async def _update(
        self, workspace: UUID, conversation_id: UUID, patch: ConversationPatch
    ) -> Conversation | None:
        try:
            return await self._store.update(workspace, conversation_id, patch, self._now())
        except NotFound as error:
            raise _no_participant(error) from None

    async def _create(
        self, workspace: UUID, conversation_id: UUID | None, stated: ConversationPatch
    ) -> Conversation:
        _check(stated)
        if not isinstance(stated.agents, tuple):
            raise Invalid("A session needs at least one agent: agent or agents.")
        now = self._now()
        blank = Conversation(
            id=new_id(now) if conversation_id is None else conversation_id,
            workspace=workspace,
            created_at=now,
            updated_at=now,
            agents=stated.agents,
        )
        try:
            return await self._store.create(stated.whole().apply(blank, now))
        except NotFound as error:
            raise _no_participant(error) from None

    def _now(self) -> int:
        return self._clock() // 1000


def unknown(conversation_id: UUID) -> NotFound:
    return NotFound(f"There is no session {conversation_id}.")


def _no_participant(error: NotFound) -> Invalid:
    # clients look for this sentence
    return Invalid(
        "The specified participant ID is invalid for the given participant type during create. "
        f"{error.message}"
    )


def _check(stated: ConversationPatch) -> None:
    """What a session cannot be is Invalid without a place, as the vendor has it: its database refuses these."""
    if stated.agents == ():
        raise Invalid("A session needs at least one agent: agent or agents.")
    for participants in (stated.agents, stated.users):
        if isinstance(participants, tuple) and len(participants) > MAX_PARTICIPANTS:
            raise Invalid(f"A session has at most {MAX_PARTICIPANTS} agents and as many users.")
    for field in ("situation", "system_template"):
        text: object = getattr(stated, field)
        if isinstance(text, str) and not text.strip():
            raise Invalid(f"{field} must not be blank; null means none.")
        check_length(text, field, 1, MAX_TEXT)
    budget = stated.token_budget
    if isinstance(budget, int) and not 1 <= budget <= MAX_BUDGET:
        raise Invalid(f"token_budget is 1 to {MAX_BUDGET}, or null for none; not {budget}.")
