"""All that conversations are made with. Gathers the services of this room."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from stenograph.domain.chat.summaries import EndpointOf, Summaries
from stenograph.domain.conversations.agents import Agents, AgentTools, Users
from stenograph.domain.conversations.conversations import Conversations
from stenograph.domain.conversations.files import Files
from stenograph.domain.conversations.history import Histories
from stenograph.domain.conversations.jobs import Jobs
from stenograph.domain.conversations.secrets import Secrets, Vault
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint
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
    summaries: Summaries

    @classmethod
    def over(
        cls,
        meta: MetaStore,
        blobs: BlobStore,
        models: Models,
        *,
        secret: bytes,
        endpoint_of: EndpointOf | None = None,
    ) -> Conversing:
        """Put together over the stores. `secret` is the data folder's; `endpoint_of` says where a workspace's models
        are asked, else it is the operator's server."""

        async def operators(_: UUID) -> Endpoint:
            return models.endpoint()

        histories, jobs = Histories(meta), Jobs(meta)
        return cls(
            agents=Agents(meta),
            tools=AgentTools(meta),
            users=Users(meta),
            conversations=Conversations(meta),
            histories=histories,
            secrets=Secrets(meta, Vault(secret)),
            files=Files(meta, blobs),
            jobs=jobs,
            summaries=Summaries(meta, histories, jobs, models, endpoint_of or operators),
        )
