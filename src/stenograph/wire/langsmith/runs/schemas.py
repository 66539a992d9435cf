"""LangSmith's bodies, with its names. Shapes: its OpenAPI document of August 2026. Unknown fields are ignored."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

Moment = str | float | int | None
"""ISO 8601 with or without offset, or epoch seconds or milliseconds."""


ABSENT = Raw(b"")
"""A member that was not sent. (A union of Raw with None does not decode.)"""


class RunIn(Struct, gc=False):
    """A run in POST /runs, PATCH /runs/{id}, /runs/batch, and the main part of /runs/multipart."""

    id: UUID | None = None
    trace_id: UUID | None = None
    dotted_order: str | None = None
    parent_run_id: UUID | None = None
    name: str | None = None
    run_type: str | None = None
    start_time: Moment = None
    end_time: Moment = None
    session_id: UUID | None = None
    session_name: str | None = None
    tags: list[str] | None = None
    reference_example_id: UUID | None = None
    error: Raw = ABSENT
    inputs: Raw = ABSENT
    outputs: Raw = ABSENT
    events: Raw = ABSENT
    extra: Raw = ABSENT
    serialized: Raw = ABSENT


class BatchIn(Struct, gc=False):
    """POST /runs/batch. Each run is decoded on its own, so that a bad one does not spoil the rest."""

    post: list[Raw] | None = None
    patch: list[Raw] | None = None


class RunsQueryIn(Struct):
    """POST /runs/query, and the selection part of /runs/stats."""

    id: list[UUID] | None = None
    trace: UUID | None = None
    parent_run: UUID | None = None
    run_type: str | None = None
    session: list[UUID] | UUID | None = None
    reference_example: list[UUID] | UUID | None = None
    execution_order: int | None = None
    start_time: Moment = None
    end_time: Moment = None
    error: bool | None = None
    is_root: bool | None = None
    filter: str | None = None
    trace_filter: str | None = None
    tree_filter: str | None = None
    search_filter: str | None = None
    query: str | None = None
    cursor: str | None = None
    limit: int | None = None
    select: list[str] | None = None
    order: str | None = None
    skip_pagination: bool | None = None


class GroupByIn(Struct):
    attribute: str
    path: str | None = None
    max_groups: int | None = None


class RunStatsIn(RunsQueryIn):
    """POST /runs/stats."""

    group_by: GroupByIn | None = None
    groups: list[str | None] | None = None


class RunGroupIn(Struct):
    """POST /runs/group and /runs/group/stats."""

    session_id: UUID
    group_by: str
    filter: str | None = None
    start_time: Moment = None
    end_time: Moment = None
    offset: int | None = None
    limit: int | None = None


class RunsDeleteIn(Struct):
    """POST /runs/delete and /runs/delete/traces."""

    session_id: UUID
    trace_ids: list[UUID] | None = None
    metadata: dict[str, Any] | None = None
    start_time: Moment = None
    delete_examples: bool | None = None


class UnshareIn(Struct):
    """DELETE /workspaces/current/shared."""

    share_tokens: list[UUID] | None = None
    unshare_all: bool = False


class FeedbackSourceIn(Struct):
    type: str | None = None
    metadata: Raw = ABSENT
    user_id: str | None = None
    ls_user_id: str | None = None
    user_name: str | None = None


class FeedbackIn(Struct):
    """POST /feedback, /feedback/eager, and feedback parts of /runs/multipart."""

    key: str
    id: UUID | None = None
    run_id: UUID | None = None
    trace_id: UUID | None = None
    session_id: UUID | None = None
    score: Raw = ABSENT
    value: Raw = ABSENT
    comment: str | None = None
    correction: Raw = ABSENT
    feedback_source: FeedbackSourceIn | None = None
    feedback_config: Raw = ABSENT
    feedback_group_id: UUID | None = None
    comparative_experiment_id: UUID | None = None
    start_time: Moment = None
    created_at: Moment = None
    modified_at: Moment = None
    extra: Raw = ABSENT
    error: bool | None = None
    extend_trace_retention: bool | None = None


class SessionPatchIn(Struct):
    """PATCH /sessions/{id}. Null says nothing: clients send it for what they do not mean."""

    name: str | None = None
    description: str | None = None
    end_time: Moment = None
    extra: Raw = ABSENT
    default_dataset_id: UUID | None = None
    trace_tier: str | None = None
    longlived_ttl_days: int | None = None


class SessionIn(SessionPatchIn):
    """POST /sessions. What tells of an experiment's progress is not echoed: it is in `experiment_progress`.

    `kicked_off_by` and `tag_value_ids` have no meaning here: projects carry no tags, and nobody asks who began one.
    """

    id: UUID | None = None
    start_time: Moment = None
    reference_dataset_id: UUID | None = None
    num_examples: int | None = None
    num_repetitions: int | None = None
    evaluator_keys: list[str] | None = None


ViewKind = Literal["runs", "threads", "single_run"]


class ViewPatchIn(Struct):
    """PATCH /sessions/{id}/views/{id}, and its rename. Null says nothing."""

    display_name: str | None = None
    description: str | None = None
    type: ViewKind | None = None
    filter_string: str | None = None
    trace_filter_string: str | None = None
    tree_filter_string: str | None = None
    start_time: Moment = None
    end_time: Moment = None
    duration: str | None = None


class ViewIn(ViewPatchIn, kw_only=True):
    """POST /sessions/{id}/views."""

    display_name: str


class ViewRenameIn(Struct):
    """PATCH /sessions/{id}/views/{id}/rename."""

    display_name: str
    description: str | None = None


class StrideIn(Struct):
    """A length of time; the parts add up."""

    days: int = 0
    hours: int = 0
    minutes: int = 0


class ChartsSectionIn(Struct):
    """POST /sessions/{id}/dashboard."""

    timezone: str | None = None
    start_time: Moment = None
    end_time: Moment = None
    stride: StrideIn | None = None
    omit_data: bool | None = None
    group_by: GroupByIn | None = None


NULL = msgspec.Raw(b"null")
