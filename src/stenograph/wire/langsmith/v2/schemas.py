"""Bodies of the v2 API, with its names. Shapes: the langsmith client, 0.15. Unknown fields are ignored."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import Struct

from stenograph.wire.langsmith.runs.schemas import Moment


class AskedIn(Struct):
    """What several queries take and needs a language model, or feedback by the time it changed: refused, see pages."""

    ai_search: str | None = None
    sem_filter: str | None = None
    min_feedback_modified_at: Moment = None
    max_feedback_modified_at: Moment = None


class PageIn(AskedIn):
    """A page of what began within a window."""

    min_start_time: Moment = None
    max_start_time: Moment = None
    page_size: int | None = None
    cursor: str | None = None
    trace_filter: str | None = None
    tree_filter: str | None = None


class RunsQueryIn(PageIn):
    """POST /v2/runs/query."""

    project_ids: list[UUID] | None = None
    reference_dataset_id: UUID | None = None
    ids: list[UUID] | None = None
    trace_id: UUID | None = None
    reference_examples: list[UUID] | None = None
    is_root: bool | None = None
    has_error: bool | None = None
    run_type: str | None = None
    filter: str | None = None
    include_subtree_usage: bool | None = None
    selects: list[str] | None = None


class ShareIn(Struct):
    """POST /v2/runs/{run_id}/share."""

    session_id: UUID
    trace_id: UUID


class UnshareIn(Struct):
    """DELETE /v2/runs/{trace_id}/share."""

    session_id: UUID


class PublicRunsIn(Struct):
    """POST /v2/public/{share}/runs/query."""

    selects: list[str] | None = None


class TracesQueryIn(PageIn, kw_only=True):
    """POST /v2/traces/query."""

    project_id: UUID
    trace_ids: list[UUID] | None = None
    selects: list[str] | None = None


class ThreadsQueryIn(PageIn, kw_only=True):
    """POST /v2/threads/query."""

    project_id: UUID
    filter: str | None = None
    thread_filter: str | None = None


class ThreadsStatsIn(Struct, kw_only=True):
    """POST /v2/threads/stats."""

    project_id: UUID
    select: list[str]
    filter: str | None = None
    thread_filter: str | None = None
    trace_filter: str | None = None
    tree_filter: str | None = None
    min_start_time: Moment = None
    max_start_time: Moment = None


class SortIn(Struct):
    by: str
    order: Literal["ASC", "DESC"] | None = None


class ExperimentRunsIn(Struct, kw_only=True):
    """POST /v2/datasets/{dataset_id}/experiment-runs."""

    experiment_ids: list[UUID]
    comparative_experiment_id: UUID | None = None
    cursor: str | None = None
    example_ids: list[UUID] | None = None
    filters: dict[UUID, list[str]] | None = None
    page_size: int | None = None
    selects: list[str] | None = None
    sort: SortIn | None = None
