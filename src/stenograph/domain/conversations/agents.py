"""Agents, their tools, and users: created, replaced, changed, listed, deleted. Callers check the permission."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import msgspec

from stenograph.domain.projects.projects import check_canonical_name
from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.agents import Agent, AgentPatch, AgentTool, ToolPatch, ToolType, User, UserPatch
from stenograph.model.ids import new_id
from stenograph.model.listing import ListQuery
from stenograph.store.api import MetaStore

MAX_NAME: Final = 255
MAX_ABOUT: Final = 16_000
MAX_MODEL: Final = 120
MAX_TEXT: Final = 200_000
"""Characters of a template, of a situation, of all of an agent's instructions together."""
MAX_TOOL_NAME: Final = 40


class Agents:
    """The use-cases of agents. Another workspace's agents are unknown to all of them."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.agents
        self._clock = clock

    async def create(self, workspace: UUID, stated: AgentPatch) -> Agent:
        """A new agent. Without a canonical name it gets one that is made from its name."""
        return await self._create(workspace, None, stated)

    async def put(self, workspace: UUID, agent_id: UUID, stated: AgentPatch) -> Agent:
        """Create it under this id, or replace the one that is there, which keeps its canonical name unless that is
        stated."""
        _check_agent(stated)
        whole = stated.whole()
        found = await self._store.update(workspace, agent_id, whole, self._now())
        if found is not None:
            return found
        try:
            return await self._create(workspace, agent_id, stated)
        except Conflict:
            # Somebody else may just have created it.
            found = await self._store.update(workspace, agent_id, whole, self._now())
            if found is None:
                raise
            return found

    async def read(self, workspace: UUID, agent_id: UUID) -> Agent:
        """NotFound when there is none."""
        return _known(await self._store.read(workspace, agent_id), agent_id)

    async def find(self, query: ListQuery) -> list[Agent]:
        return await self._store.find(query)

    async def replace(self, workspace: UUID, agent_id: UUID, stated: AgentPatch) -> Agent:
        """What is not stated becomes what it is by default, but for the canonical name. NotFound when there is none."""
        return await self.update(workspace, agent_id, stated.whole())

    async def update(self, workspace: UUID, agent_id: UUID, patch: AgentPatch) -> Agent:
        """As changed. NotFound when there is none; Conflict when the new canonical name is taken."""
        _check_agent(patch)
        return _known(await self._store.update(workspace, agent_id, patch, self._now()), agent_id)

    async def delete(self, workspace: UUID, agent_id: UUID) -> None:
        """With its tools and docs. Conversations keep its id. NotFound when there is none."""
        if not await self._store.delete(workspace, agent_id):
            raise unknown("agent", agent_id)

    async def _create(self, workspace: UUID, agent_id: UUID | None, stated: AgentPatch) -> Agent:
        _check_agent(stated)
        now = self._now()
        ident = new_id(now) if agent_id is None else agent_id
        blank = Agent(
            id=ident, workspace=workspace, name="", canonical_name="", created_at=now, updated_at=now
        )
        agent = stated.whole().apply(blank, now)
        if not agent.canonical_name:
            agent = msgspec.structs.replace(agent, canonical_name=canonical_name(agent.name, agent.id))
        return await self._store.create(agent)

    def _now(self) -> int:
        return self._clock() // 1000


def canonical_name(name: str, ident: UUID) -> str:
    """An identifier made from a display name. The end of the id makes it unique."""
    words = re.sub(r"[^a-zA-Z0-9]+", "_", name).strip("_").lower()[:200]
    if not words or not words[0].isalpha():
        words = f"a_{words}".rstrip("_")
    return f"{words}_{ident.hex[-8:]}"


def _check_agent(stated: AgentPatch) -> None:
    check_length(stated.name, "name", 1, MAX_NAME)
    if isinstance(stated.canonical_name, str):
        check_canonical_name(stated.canonical_name)
    check_length(stated.about, "about", 0, MAX_ABOUT)
    check_length(stated.model, "model", 0, MAX_MODEL)
    check_length(stated.default_system_template, "default_system_template", 0, MAX_TEXT)
    if isinstance(stated.instructions, tuple) and sum(map(len, stated.instructions)) > MAX_TEXT:
        raise Invalid(f"instructions have at most {MAX_TEXT} characters together", ("instructions",))


def check_length(text: object, field: str, low: int, high: int) -> None:
    """Invalid for a text that is too short or too long; what is no text passes."""
    if isinstance(text, str) and not low <= len(text) <= high:
        raise Invalid(f"{field} has {low} to {high} characters, not {len(text)}", (field,))


def unknown(noun: str, ident: UUID) -> NotFound:
    return NotFound(f"There is no {noun} {ident}.")


def _known(found: Agent | None, agent_id: UUID) -> Agent:
    if found is None:
        raise unknown("agent", agent_id)
    return found


class AgentTools:
    """The use-cases of agents' tools. Whoever asks for those of an agent that is not there gets NotFound."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.agent_tools
        self._agents = meta.agents
        self._clock = clock

    async def create(
        self,
        workspace: UUID,
        agent_id: UUID,
        *,
        name: str,
        kind: ToolType,
        definition: bytes,
        description: str | None,
    ) -> AgentTool:
        """A new tool; callers check its definition. Conflict when the agent has one of that name."""
        _check_tool(name, description)
        now = self._now()
        tool = AgentTool(
            id=new_id(now),
            workspace=workspace,
            agent=agent_id,
            name=name,
            type=kind,
            created_at=now,
            updated_at=now,
            description=description,
            definition=definition,
        )
        if not await self._store.create(tool):
            raise unknown("agent", agent_id)
        return tool

    async def read(self, workspace: UUID, agent_id: UUID, tool_id: UUID) -> AgentTool:
        tool = await self._store.read(workspace, agent_id, tool_id)
        if tool is None:
            raise unknown("tool", tool_id)
        return tool

    async def find(self, agent_id: UUID, query: ListQuery) -> list[AgentTool]:
        _known(await self._agents.read(query.workspace, agent_id), agent_id)
        return await self._store.find(agent_id, query)

    async def update(self, workspace: UUID, agent_id: UUID, tool_id: UUID, patch: ToolPatch) -> AgentTool:
        _check_tool(patch.name, patch.description)
        tool = await self._store.update(workspace, agent_id, tool_id, patch, self._now())
        if tool is None:
            raise unknown("tool", tool_id)
        return tool

    async def delete(self, workspace: UUID, agent_id: UUID, tool_id: UUID) -> None:
        if not await self._store.delete(workspace, agent_id, tool_id):
            raise unknown("tool", tool_id)

    def _now(self) -> int:
        return self._clock() // 1000


def _check_tool(name: object, description: object) -> None:
    if isinstance(name, str) and not (name.isidentifier() and len(name) <= MAX_TOOL_NAME):
        raise Invalid(f"a tool's name is an identifier of at most {MAX_TOOL_NAME} characters", ("name",))
    check_length(description, "description", 0, MAX_TEXT)


class Users:
    """The use-cases of users. Another workspace's users are unknown to all of them."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.users
        self._clock = clock

    async def create(self, workspace: UUID, stated: UserPatch) -> User:
        return await self._create(workspace, None, stated)

    async def put(self, workspace: UUID, user_id: UUID, stated: UserPatch) -> User:
        """Create it under this id, or replace the one that is there."""
        _check_user(stated)
        found = await self._store.update(workspace, user_id, stated.whole(), self._now())
        if found is not None:
            return found
        try:
            return await self._create(workspace, user_id, stated)
        except Conflict:
            # Somebody else has just created it.
            return await self.replace(workspace, user_id, stated)

    async def read(self, workspace: UUID, user_id: UUID) -> User:
        """NotFound when there is none."""
        user = await self._store.read(workspace, user_id)
        if user is None:
            raise unknown("user", user_id)
        return user

    async def find(self, query: ListQuery) -> list[User]:
        return await self._store.find(query)

    async def replace(self, workspace: UUID, user_id: UUID, stated: UserPatch) -> User:
        """What is not stated becomes what it is by default. NotFound when there is none."""
        return await self.update(workspace, user_id, stated.whole())

    async def update(self, workspace: UUID, user_id: UUID, patch: UserPatch) -> User:
        """As changed. NotFound when there is none."""
        _check_user(patch)
        user = await self._store.update(workspace, user_id, patch, self._now())
        if user is None:
            raise unknown("user", user_id)
        return user

    async def delete(self, workspace: UUID, user_id: UUID) -> None:
        """With its docs. Conversations keep its id. NotFound when there is none."""
        if not await self._store.delete(workspace, user_id):
            raise unknown("user", user_id)

    async def _create(self, workspace: UUID, user_id: UUID | None, stated: UserPatch) -> User:
        _check_user(stated)
        now = self._now()
        ident = new_id(now) if user_id is None else user_id
        blank = User(id=ident, workspace=workspace, created_at=now, updated_at=now)
        return await self._store.create(stated.whole().apply(blank, now))

    def _now(self) -> int:
        return self._clock() // 1000


def _check_user(stated: UserPatch) -> None:
    check_length(stated.name, "name", 0, MAX_NAME)
    check_length(stated.about, "about", 0, MAX_ABOUT)
