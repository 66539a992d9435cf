"""Conversations: what agents and users say to each other, turn by turn, and how the next turn is put together.

Julep calls them sessions; here that word is taken twice already.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.model.agents import Agent, AgentTool, User, over, stated, template_of
from stenograph.model.runs import Micros

EMPTY_OBJECT = msgspec.Raw(b"{}")


class ContextOverflow(StrEnum):
    """What to do when a prompt has become too long: leave out the oldest turns, or sum them up."""

    TRUNCATE = "truncate"
    ADAPTIVE = "adaptive"


class RecallMode(StrEnum):
    """Docs are recalled by meaning, by words, or by both."""

    VECTOR = "vector"
    TEXT = "text"
    HYBRID = "hybrid"


class RecallOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How docs are recalled for a turn. Names, defaults and bounds: Julep's API reference of GET /sessions.

    The last `num_search_messages` messages are the query, cut to `max_query_length` characters. `alpha` is the weight
    of meaning in the hybrid mode. What is UNSET was not stated: newer clients know these, that reference does not;
    `include_embeddings` is true then, `k_multiplier` 7, `trigram_similarity_threshold` null.
    """

    mode: RecallMode = RecallMode.VECTOR
    num_search_messages: int = 4
    max_query_length: int = 1000
    alpha: float = 0.7
    confidence: float = 0.6
    limit: int = 10
    lang: str = "en-US"
    metadata_filter: msgspec.Raw = EMPTY_OBJECT
    mmr_strength: float = 0.0
    include_embeddings: bool | UnsetType = UNSET
    k_multiplier: int | UnsetType = UNSET
    trigram_similarity_threshold: float | UnsetType | None = UNSET


class RecallPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to recall options; UNSET leaves one as it is."""

    mode: RecallMode | UnsetType = UNSET
    num_search_messages: int | UnsetType = UNSET
    max_query_length: int | UnsetType = UNSET
    alpha: float | UnsetType = UNSET
    confidence: float | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    lang: str | UnsetType = UNSET
    metadata_filter: msgspec.Raw | UnsetType = UNSET
    mmr_strength: float | UnsetType = UNSET
    include_embeddings: bool | UnsetType = UNSET
    k_multiplier: int | UnsetType = UNSET
    trigram_similarity_threshold: float | UnsetType | None = UNSET

    def apply(self, to: RecallOptions | None) -> RecallOptions:
        changed: RecallOptions = msgspec.structs.replace(to or RecallOptions(), **stated(self, b"{}"))
        return changed


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as stored, with who takes part: `agents` (the first is the one that answers unless another is
    asked for) and `users`, each in the order in which they were named.

    A participant may have been deleted since: its id stays, so that history still says who spoke.
    `inherited_template` is the first agent's own template, for reading; `metadata` is the client's JSON object.
    `render_templates` None: nobody said, which is True but for the messages of users.
    """

    id: UUID
    workspace: UUID
    created_at: Micros
    updated_at: Micros
    agents: tuple[UUID, ...]
    users: tuple[UUID, ...] = ()
    situation: str | None = None
    system_template: str | None = None
    summary: str | None = None
    render_templates: bool | None = None
    token_budget: int | None = None
    context_overflow: ContextOverflow | None = None
    auto_run_tools: bool = False
    forward_tool_calls: bool = False
    recall_options: RecallOptions | None = None
    metadata: bytes = b"{}"
    inherited_template: str | None = None

    @property
    def kind(self) -> str:
        """One of Julep's six: single_agent_no_user … multi_agent_multi_user."""
        users = ("no", "single")[len(self.users)] if len(self.users) < 2 else "multi"
        return f"{'single' if len(self.agents) < 2 else 'multi'}_agent_{users}_user"

    @property
    def template(self) -> str:
        """The one in effect."""
        return template_of(self.inherited_template) if self.system_template is None else self.system_template

    @property
    def recall(self) -> RecallOptions:
        """The options in effect."""
        return self.recall_options or RecallOptions()


class ConversationPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a conversation. UNSET leaves a field as it is; None clears it. `merge` as for agents."""

    situation: str | UnsetType | None = UNSET
    system_template: str | UnsetType | None = UNSET
    render_templates: bool | UnsetType | None = UNSET
    token_budget: int | UnsetType | None = UNSET
    context_overflow: ContextOverflow | UnsetType | None = UNSET
    auto_run_tools: bool | UnsetType = UNSET
    forward_tool_calls: bool | UnsetType = UNSET
    recall_options: RecallPatch | RecallOptions | UnsetType | None = UNSET
    metadata: bytes | UnsetType = UNSET
    agents: tuple[UUID, ...] | UnsetType = UNSET
    users: tuple[UUID, ...] | UnsetType = UNSET
    merge: bool = False

    def whole(self) -> ConversationPatch:
        """The same with what is not stated as it is by default. Participants stay."""
        patch = over(_PLAIN, self)
        if isinstance(patch.recall_options, RecallPatch):
            return msgspec.structs.replace(patch, recall_options=patch.recall_options.apply(None))
        return patch

    def apply(self, to: Conversation, at: Micros) -> Conversation:
        changes = stated(self, to.metadata)
        if isinstance(self.recall_options, RecallPatch):
            changes["recall_options"] = self.recall_options.apply(to.recall_options)
        changed: Conversation = msgspec.structs.replace(to, **changes, updated_at=at)
        return without_inherited(changed)


_PLAIN = ConversationPatch(
    situation=None,
    system_template=None,
    render_templates=None,
    token_budget=None,
    context_overflow=None,
    auto_run_tools=False,
    forward_tool_calls=False,
    recall_options=None,
    metadata=b"{}",
)


def without_inherited(conversation: Conversation) -> Conversation:
    """A template that is the agent's is none of the conversation's own: reading it and writing it back changes
    nothing, and a later change of the agent's still arrives."""
    if conversation.system_template != template_of(conversation.inherited_template):
        return conversation
    return msgspec.structs.replace(conversation, system_template=None)


class Speaker(StrEnum):
    """Whose words an entry holds."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class EntrySource(StrEnum):
    """How an entry came about."""

    API_REQUEST = "api_request"
    API_RESPONSE = "api_response"
    TOOL_REQUEST = "tool_request"
    TOOL_RESPONSE = "tool_response"
    INTERNAL = "internal"
    SUMMARIZER = "summarizer"
    META = "meta"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said. `content` is a JSON array of parts such as {"type": "text", "text": …}, empty for
    nothing; `tool_calls` a JSON array. `timestamp` is when it was said, `position` its place in the conversation,
    counted from 1, which the store assigns."""

    id: UUID
    role: Speaker
    source: EntrySource
    content: bytes
    created_at: Micros
    timestamp: Micros
    token_count: int
    tokenizer: str
    name: str | None = None
    model: str | None = None
    tool_calls: bytes | None = None
    tool_call_id: str | None = None
    position: int = 0


class Relation(msgspec.Struct, frozen=True):
    """Of two entries: `tail` stands where `head` stood, in the way that `relation` names."""

    head: UUID
    relation: str
    tail: UUID


class KeptAnswer(msgspec.Struct, frozen=True):
    """What a request was answered, kept for the case that the answer got lost and the same is asked again. `request`
    stands for the request's bytes."""

    request: UUID
    body: bytes
    created_at: Micros


class History(msgspec.Struct, frozen=True):
    """What was said in a conversation, in order."""

    conversation: Conversation
    entries: tuple[Entry, ...] = ()
    relations: tuple[Relation, ...] = ()

    @property
    def standing(self) -> tuple[Entry, ...]:
        """The entries that nothing has taken the place of, each where the first stood that it stands for."""
        if not self.relations:
            return self.entries
        places = {entry.id: entry.position for entry in self.entries}
        replaced = {relation.head for relation in self.relations}
        # What stands for others was said after them: by then their own places are known.
        for relation in sorted(self.relations, key=lambda each: places[each.tail]):
            places[relation.tail] = min(places[relation.tail], places[relation.head])
        left = (entry for entry in self.entries if entry.id not in replaced)
        return tuple(sorted(left, key=lambda entry: (places[entry.id], entry.position)))


class ConversationContext(msgspec.Struct, frozen=True):
    """All that a turn is made of, as of one moment. `agents` and `users` in the conversation's order, without those
    that were deleted; `tools` by agent, oldest first."""

    history: History
    agents: tuple[Agent, ...]
    users: tuple[User, ...]
    tools: Mapping[UUID, tuple[AgentTool, ...]]
