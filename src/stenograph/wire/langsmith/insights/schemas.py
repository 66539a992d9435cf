"""LangSmith's bodies about insights, with its names. Unknown fields are ignored.

Shapes: its OpenAPI document of August 2026. Of our own: `seed`, `session_ids` (further projects of one report),
`unit`, `keep_up`, `summaries`, `token_budget`, and the bodies of routes that it does not have.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from stenograph.wire.langsmith.runs.schemas import Moment

Provider = Literal["openai", "anthropic"]


class JobIn(Struct, omit_defaults=True):
    """POST /sessions/{id}/insights, and the `config` of a saved one, which has no `config_id`, `is_scheduled` and
    `validate_model_secrets`. `attribute_schemas` is untyped there: a name with a kind, or with an object."""

    name: str | None = None
    config_id: UUID | None = None
    start_time: Moment = None
    end_time: Moment = None
    last_n_hours: int | None = None
    hierarchy: list[int] | None = None
    partitions: dict[str, str] | None = None
    sample: float | int | None = None
    summary_prompt: str | None = None
    filter: str | None = None
    attribute_schemas: dict[str, Any] | None = None
    user_context: dict[str, str] | None = None
    model: Provider = "openai"
    cluster_model: str | None = None
    summary_model: str | None = None
    is_scheduled: bool = False
    validate_model_secrets: bool = True
    session_ids: list[UUID] | None = None
    seed: int | None = None
    unit: Literal["traces", "threads"] | None = None
    keep_up: bool | None = None
    summaries: Literal["representatives", "all"] | None = None
    token_budget: int | None = None


class GenerateIn(Struct):
    """POST /sessions/{id}/insights/configs/generate."""

    user_context: dict[str, str]
    model: Provider = "openai"
    cluster_model: str | None = None
    summary_model: str | None = None


class NameIn(Struct):
    """PATCH of a cluster."""

    name: str


class JobPatchIn(Struct):
    """PATCH of a job; `keep_up` is our own."""

    name: str | None = None
    keep_up: bool | None = None


class ConfigIn(Struct):
    """POST /sessions/{id}/insights/configs."""

    name: str
    config: JobIn
    description: str | None = None
    schedule_cron: str | None = None


class ConfigPatchIn(Struct):
    """PATCH of one. A schedule of null ends it; null elsewhere says nothing."""

    name: str | None = None
    description: str | None = None
    config: JobIn | None = None
    schedule_cron: str | UnsetType | None = UNSET


class IntoQueueIn(Struct):
    """POST …/insights/{job}/annotation-queue."""

    queue_id: UUID
    cluster_id: UUID | None = None


class IntoDatasetIn(Struct):
    """POST …/insights/{job}/dataset."""

    dataset_id: UUID
    cluster_id: UUID | None = None


class SecretIn(Struct):
    """One of POST /workspaces/current/secrets. A value of null removes it."""

    key: str
    value: str | None
