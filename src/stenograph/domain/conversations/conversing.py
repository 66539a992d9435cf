"""All that conversations are made with. Gathers the services of this room."""

from __future__ import annotations

from dataclasses import dataclass

from stenograph.domain.conversations.agents import Agents, AgentTools, Users
from stenograph.domain.conversations.conversations import Conversations
from stenograph.domain.conversations.files import Files
from stenograph.domain.conversations.history import Histories
from stenograph.domain.conversations.jobs import Jobs
from stenograph.domain.conversations.secrets import Secrets, Vault
from stenograph.store.api import BlobStore, MetaStore


@dataclass(frozen=True, slots=True)
class Conversing:
    """Each of them takes a workspace, and knows nothing of any other."""

    agents: Agents
    tools: AgentTools
    users: Users
    conversations: Conversations
    histories: Histories
    secrets: Secrets
    files: Files
    jobs: Jobs

    @classmethod
    def over(cls, meta: MetaStore, blobs: BlobStore, *, secret: bytes) -> Conversing:
        """Put together over the stores. `secret` is the data folder's."""
        return cls(
            agents=Agents(meta),
            tools=AgentTools(meta),
            users=Users(meta),
            conversations=Conversations(meta),
            histories=Histories(meta),
            secrets=Secrets(meta, Vault(secret)),
            files=Files(meta, blobs),
            jobs=Jobs(meta),
        )
