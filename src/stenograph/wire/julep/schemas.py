"""Julep's bodies, with its names. Unknown fields are ignored.

Shapes: its OpenAPI document of 2025 and its Python client 2.21. What is not stated is UNSET; null clears, except where
nothing can be without.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from stenograph.wire.julep.bodies import ABSENT

Text = str | UnsetType | None


class AgentPatchIn(Struct, kw_only=True):
    """PATCH /agents/{id}. An agent always has a name and a canonical name: null leaves them."""

    name: Text = UNSET
    canonical_name: Text = UNSET
    about: Text = UNSET
    model: Text = UNSET
    instructions: str | list[str] | UnsetType | None = UNSET
    default_settings: Raw = ABSENT
    default_system_template: Text = UNSET
    metadata: Raw = ABSENT
    project: Text = UNSET


class AgentIn(AgentPatchIn, kw_only=True):
    """POST /agents, POST and PUT /agents/{id}."""

    name: str


class UserIn(Struct, kw_only=True):
    """POST /users, POST, PUT and PATCH /users/{id}."""

    name: Text = UNSET
    about: Text = UNSET
    metadata: Raw = ABSENT
    project: Text = UNSET


class ProjectIn(Struct, kw_only=True):
    """POST /projects."""

    name: str
    canonical_name: str | None = None
    metadata: Raw = ABSENT


Lang = Annotated[str, Meta(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
"""A language, as BCP 47 writes it."""


class RecallIn(Struct, kw_only=True):
    """`recall_options` of a session. Without a mode it is hybrid where only hybrid has what is stated."""

    mode: Literal["vector", "text", "hybrid"] | UnsetType | None = UNSET
    num_search_messages: Annotated[int, Meta(ge=1, le=50)] | UnsetType | None = UNSET
    max_query_length: Annotated[int, Meta(ge=100, le=10_000)] | UnsetType | None = UNSET
    alpha: Annotated[float, Meta(ge=0, le=1)] | UnsetType | None = UNSET
    confidence: Annotated[float, Meta(ge=-1, le=1)] | UnsetType | None = UNSET
    limit: Annotated[int, Meta(ge=1, le=50)] | UnsetType | None = UNSET
    lang: Lang | UnsetType | None = UNSET
    metadata_filter: Raw = ABSENT
    mmr_strength: Annotated[float, Meta(ge=0, lt=1)] | UnsetType | None = UNSET
    include_embeddings: bool | UnsetType | None = UNSET
    k_multiplier: Annotated[int, Meta(ge=0, le=127)] | UnsetType | None = UNSET
    trigram_similarity_threshold: Annotated[float, Meta(ge=0, le=1)] | UnsetType | None = UNSET


class SessionPatchIn(Struct, kw_only=True):
    """PATCH and PUT /sessions/{id}. Who takes part is no part of these."""

    situation: Text = UNSET
    system_template: Text = UNSET
    render_templates: bool | UnsetType = UNSET
    token_budget: int | UnsetType | None = UNSET
    context_overflow: Literal["truncate", "adaptive"] | UnsetType | None = UNSET
    auto_run_tools: bool | UnsetType = UNSET
    forward_tool_calls: bool | UnsetType = UNSET
    recall_options: RecallIn | UnsetType | None = UNSET
    metadata: Raw = ABSENT


class SessionIn(SessionPatchIn, kw_only=True):
    """POST /sessions and /sessions/{id}."""

    agent: UUID | None = None
    agents: list[UUID] | None = None
    user: UUID | None = None
    users: list[UUID] | None = None


class SecretIn(Struct, kw_only=True):
    """POST /secrets and PUT /secrets/{id}."""

    name: str
    value: str
    description: str | None = None
    metadata: Raw = ABSENT


class FileIn(Struct, kw_only=True):
    """POST /files. `content` is base64."""

    name: str
    content: str
    description: str | None = None
    mime_type: str | None = None
    project: str | None = None
