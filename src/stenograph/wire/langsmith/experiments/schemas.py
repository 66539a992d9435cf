"""LangSmith's bodies about experiments, with its names. Shapes: its OpenAPI document of August 2026.

Unknown fields are ignored.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from msgspec import Raw, Struct

from stenograph.wire.langsmith.runs.schemas import ABSENT, FeedbackIn, Moment

Filters = dict[UUID, list[str]]
"""By experiment, filters of its runs that all have to hold."""


class SortIn(Struct):
    sort_by: str
    sort_order: Literal["ASC", "DESC"] | None = None


class ExamplesWithRunsIn(Struct):
    """POST /datasets/{id}/runs, and /public/{token}/examples/runs."""

    session_ids: list[UUID]
    offset: int | None = None
    limit: int | None = None
    preview: bool | None = None
    comparative_experiment_id: UUID | None = None
    sort_params: SortIn | None = None
    filters: Filters | None = None
    example_ids: list[UUID] | None = None
    include_annotator_detail: bool | None = None


class GroupedExamplesIn(Struct):
    """POST /datasets/{id}/group/runs."""

    session_ids: list[UUID]
    group_by: Literal["run_metadata", "example_metadata"]
    metadata_key: str
    offset: int | None = None
    limit: int | None = None
    preview: bool | None = None
    per_group_limit: int | None = None
    filters: Filters | None = None


class DeltaIn(Struct):
    """POST /datasets/{id}/runs/delta. Without a baseline it is the dataset's own."""

    comparison_session_ids: list[UUID]
    feedback_key: str
    baseline_session_id: UUID | None = None
    filters: Filters | None = None
    offset: int | None = None
    limit: int | None = None
    comparative_experiment_id: UUID | None = None


class DeltaStreamIn(Struct):
    """POST /datasets/{id}/runs/delta/stream."""

    comparison_session_ids: list[UUID]
    feedback_keys: list[str]
    baseline_session_id: UUID | None = None
    filters: Filters | None = None


class GroupedExperimentsIn(Struct):
    """POST /datasets/{id}/experiments/grouped. Counts are exact, so use_approx_stats changes nothing."""

    metadata_keys: list[str]
    experiment_limit: int | None = None
    name_contains: str | None = None
    dataset_version: str | None = None
    stats_start_time: Moment = None
    filter: str | None = None
    tag_value_id: list[UUID] | None = None
    use_approx_stats: bool | None = None


class ComparativeExperimentIn(Struct):
    """POST /datasets/comparative."""

    experiment_ids: list[UUID]
    id: UUID | None = None
    name: str | None = None
    description: str | None = None
    created_at: Moment = None
    modified_at: Moment = None
    reference_dataset_id: UUID | None = None
    extra: Raw = ABSENT


class ColumnOverrideIn(Struct):
    column: str
    color_gradient: list[tuple[float, str]] | None = None
    color_map: dict[str, Any] | None = None
    disable_colors: bool | None = None
    hide: bool | None = None
    precision: int | None = None


class ViewOverrideIn(Struct):
    """POST and PATCH of /datasets/{id}/experiment-view-overrides."""

    column_overrides: list[ColumnOverrideIn]


class ScoreIn(FeedbackIn):
    """An evaluation score: feedback that does not say what it is about."""


class ResultRowIn(Struct):
    inputs: Raw
    start_time: Moment
    end_time: Moment
    row_id: UUID | None = None
    expected_outputs: Raw = ABSENT
    actual_outputs: Raw = ABSENT
    evaluation_scores: list[ScoreIn] | None = None
    run_name: str | None = None
    error: str | None = None
    run_metadata: Raw = ABSENT


class ExperimentUploadIn(Struct):
    """POST /datasets/upload-experiment."""

    experiment_name: str
    experiment_start_time: Moment
    experiment_end_time: Moment
    results: list[ResultRowIn]
    experiment_description: str | None = None
    experiment_metadata: Raw = ABSENT
    dataset_id: UUID | None = None
    dataset_name: str | None = None
    dataset_description: str | None = None
    summary_experiment_scores: list[ScoreIn] | None = None
