"""Agents, users, their conversations, and what these use: a part of the metadata seam.

Lists are pages of a `ListQuery`: in total order, ties by id. A project that was deleted is no project of theirs any
more: they are in the default one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from msgspec import UNSET, UnsetType

from stenograph.model.agents import Agent, AgentPatch, AgentTool, ToolPatch, User, UserPatch
from stenograph.model.conversations import (
    Conversation,
    ConversationContext,
    ConversationPatch,
    Entry,
    History,
    KeptAnswer,
    Relation,
)
from stenograph.model.files import File
from stenograph.model.jobs import Job, JobState
from stenograph.model.listing import ListQuery
from stenograph.model.runs import Micros
from stenograph.model.secrets import Secret
from stenograph.model.summaries import SummaryTask


class Agents(Protocol):
    """Agents. A deleted one goes with its tools and docs; conversations keep its id."""

    async def create(self, agent: Agent) -> Agent:
        """As stored. Conflict, naming what, when its id or canonical name is taken."""

    async def read(self, workspace: UUID, agent_id: UUID) -> Agent | None: ...

    async def find(self, query: ListQuery) -> list[Agent]: ...

    async def update(self, workspace: UUID, agent_id: UUID, patch: AgentPatch, at: Micros) -> Agent | None:
        """As changed, None when there is none. Conflict when the new canonical name is taken."""

    async def delete(self, workspace: UUID, agent_id: UUID) -> bool:
        """Whether there was one."""


class AgentTools(Protocol):
    """Tools, each of an agent. All methods answer for an agent that is not there as for one without tools."""

    async def create(self, tool: AgentTool) -> bool:
        """False when there is no such agent. Conflict when it has a tool of that name, or the id is taken."""

    async def read(self, workspace: UUID, agent_id: UUID, tool_id: UUID) -> AgentTool | None: ...

    async def find(self, agent_id: UUID, query: ListQuery) -> list[AgentTool]:
        """`query.tests` have to be empty: tools have no metadata."""

    async def update(
        self, workspace: UUID, agent_id: UUID, tool_id: UUID, patch: ToolPatch, at: Micros
    ) -> AgentTool | None:
        """As changed, None when there is none. Conflict when the agent has another tool of the new name."""

    async def delete(self, workspace: UUID, agent_id: UUID, tool_id: UUID) -> bool:
        """Whether there was one."""


class Users(Protocol):
    """Users. A deleted one goes with its docs; conversations keep its id."""

    async def create(self, user: User) -> User:
        """As stored. Conflict when its id is taken."""

    async def read(self, workspace: UUID, user_id: UUID) -> User | None: ...

    async def find(self, query: ListQuery) -> list[User]: ...

    async def update(self, workspace: UUID, user_id: UUID, patch: UserPatch, at: Micros) -> User | None:
        """As changed, None when there is none."""

    async def delete(self, workspace: UUID, user_id: UUID) -> bool:
        """Whether there was one."""


class Conversations(Protocol):
    """Conversations with their participants, entries and relations, which go with them."""

    async def create(self, conversation: Conversation) -> Conversation:
        """As stored. Conflict when its id is taken; NotFound, naming it, for a participant that is not there."""

    async def read(self, workspace: UUID, conversation_id: UUID) -> Conversation | None: ...

    async def find(self, query: ListQuery) -> list[Conversation]: ...

    async def update(
        self, workspace: UUID, conversation_id: UUID, patch: ConversationPatch, at: Micros
    ) -> Conversation | None:
        """As changed, None when there is none."""

    async def delete(self, workspace: UUID, conversation_id: UUID) -> bool:
        """Whether there was one."""

    async def append(
        self,
        workspace: UUID,
        conversation_id: UUID,
        entries: Sequence[Entry],
        at: Micros,
        *,
        relations: Sequence[Relation] = (),
        summary: str | UnsetType | None = UNSET,
        answer: KeptAnswer | None = None,
        delivered: Sequence[UUID] = (),
    ) -> list[Entry] | None:
        """All of it at once, or nothing: the entries as stored, at the end in their order; None when there is no such
        conversation, which counts as updated at that time.

        Positions follow on each other whoever appends at once. Conflict when an entry's id is taken; NotFound for a
        relation to an entry that is not in the conversation. A relation that is there already is no error.

        `answer` takes the place of the one kept for the same request. Those to the requests `delivered` are forgotten,
        and so is what was kept more than an hour before it.
        """

    async def answered(self, workspace: UUID, conversation_id: UUID, request: UUID) -> KeptAnswer | None:
        """The answer that is kept for a request."""

    async def history(self, workspace: UUID, conversation_id: UUID) -> History | None:
        """Entries by position; relations by head."""

    async def forget(self, workspace: UUID, conversation_id: UUID, at: Micros) -> bool:
        """Delete all entries with their relations, kept answers, and the summary; False when there is no such
        conversation."""

    async def context(self, workspace: UUID, conversation_id: UUID) -> ConversationContext | None:
        """All that a turn is made of, read as of one moment."""


class Secrets(Protocol):
    """Secrets, whose values are sealed."""

    async def create(self, secret: Secret) -> None:
        """Conflict, naming it, when the name is taken."""

    async def replace(self, secret: Secret) -> Secret | None:
        """As stored: the time of creation stays. None when there is none of that id; Conflict when the name is
        another's."""

    async def named(self, workspace: UUID, names: Sequence[str]) -> list[Secret]:
        """Those that there are, in no order."""

    async def page(self, workspace: UUID, offset: int = 0, limit: int | None = None) -> list[Secret]:
        """Newest first."""

    async def delete(self, workspace: UUID, secret_id: UUID) -> bool:
        """Whether there was one."""


class Files(Protocol):
    """What is known of files; their bytes are blobs."""

    async def create(self, file: File) -> None:
        """Conflict when its id is taken."""

    async def read(self, workspace: UUID, file_id: UUID) -> File | None: ...

    async def page(self, workspace: UUID, offset: int = 0, limit: int | None = None) -> list[File]:
        """Newest first."""

    async def delete(self, workspace: UUID, file_id: UUID) -> File | None:
        """The one that was there."""


class Jobs(Protocol):
    """Jobs and how far they have come."""

    async def create(self, job: Job) -> None:
        """Conflict when its id is taken."""

    async def read(self, workspace: UUID, job_id: UUID) -> Job | None: ...

    async def move(
        self,
        workspace: UUID,
        job_id: UUID,
        state: JobState,
        at: Micros,
        *,
        reason: str = "",
        progress: float | None = None,
    ) -> Job | None:
        """As changed; None when there is none, or it has come to its end."""

    async def unfinished(self) -> list[Job]:
        """All that have not come to their end, of every workspace, oldest first."""


class SummaryTasks(Protocol):
    """Summaries that conversations wait for. They stay when their conversation goes, for whoever takes them up to say
    so."""

    async def begin(self, task: SummaryTask, job: Job) -> UUID | None:
        """The id of the job that the conversation waits for: this one, which is created with the task, or that of an
        earlier task, which stays. None when there is no such conversation."""

    async def waiting(self) -> list[SummaryTask]:
        """All of them, of every workspace, by the time at which they are due."""

    async def put_off(self, task: SummaryTask) -> None:
        """Store its attempts and when it is due."""

    async def end(self, task: SummaryTask, state: JobState, at: Micros, *, reason: str = "") -> None:
        """Forget it, and have its job come to this end, both or neither."""
