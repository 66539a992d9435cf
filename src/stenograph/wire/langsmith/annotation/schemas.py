"""LangSmith's bodies about annotation queues, with its names. Unknown fields are ignored.

Shapes: its OpenAPI document of August 2026; those of the item API and of conditions in rubrics: its Python client
0.15. Of our own: `queue_type` when a queue is made, as nothing there makes a pairwise one.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import UNSET, Raw, Struct, UnsetType, field

from stenograph.wire.langsmith.runs.schemas import ABSENT, Moment

AccessModeName = Literal["any", "assigned"]
QueueTypeName = Literal["single", "pairwise"]
ItemTypeName = Literal["RUN", "THREAD"]


class MissingIn(Struct):
    """`{"__missing__": "__missing__"}`: what LangSmith's document has for "not stated"."""

    missing: str = field(name="__missing__")


class ConditionRuleIn(Struct):
    key: str
    op: Literal["is", "is_one_of", "is_empty", "is_not_empty"]
    values: list[int | float] | None = None


class ConditionsIn(Struct):
    join: Literal["all", "any"]
    rules: list[ConditionRuleIn]


class RubricItemIn(Struct):
    """An item of a rubric; `feedback_config` is for reading."""

    feedback_key: str
    description: str | None = None
    value_descriptions: dict[str, str] | None = None
    score_descriptions: dict[str, str] | None = None
    is_required: bool | None = None
    is_assertion: bool | None = None
    required_if: ConditionsIn | UnsetType | None = UNSET
    visible_if: ConditionsIn | UnsetType | None = UNSET
    regex_validator: str | None = None
    feedback_config_id: UUID | None = None


class QueuePatchIn(Struct):
    """PATCH /annotation-queues/{id}. Null says nothing, but for the number of reviewers and the metadata."""

    name: str | None = None
    description: str | None = None
    default_dataset: UUID | None = None
    num_reviewers_per_item: int | MissingIn | UnsetType | None = UNSET
    enable_reservations: bool | None = None
    reservation_minutes: int | None = None
    reviewer_access_mode: AccessModeName | None = None
    rubric_items: list[RubricItemIn] | None = None
    rubric_instructions: str | None = None
    metadata: Raw = ABSENT


class QueueIn(QueuePatchIn, kw_only=True):
    """POST /annotation-queues. `session_ids` are experiments that fill the queue."""

    name: str
    id: UUID | None = None
    created_at: Moment = None
    updated_at: Moment = None
    queue_type: QueueTypeName | None = None
    session_ids: list[UUID] | None = None


class PopulateIn(Struct):
    """POST /annotation-queues/populate."""

    queue_id: UUID
    session_ids: list[UUID]
    extend_trace_retention: bool | None = None


class AddRunIn(Struct):
    """One of POST /annotation-queues/{id}/runs. What else it may say of the run, the run says itself."""

    run_id: UUID
    session_id: UUID | None = None
    start_time: Moment = None
    source_proposed_example_id: UUID | None = None


class RunKeyIn(Struct):
    """One of POST /annotation-queues/{id}/runs/by-key."""

    run_id: UUID
    session_id: UUID
    start_time: str | float | int
    source_proposed_example_id: UUID | None = None


class ItemIn(Struct):
    """One of POST /platform/annotation-queues/{id}/items; `session_id` is another word for `project_id`."""

    item_type: ItemTypeName | None = None
    run_id: UUID | None = None
    thread_id: str | None = None
    project_id: UUID | None = None
    session_id: UUID | None = None
    start_time: Moment = None
    source_proposed_example_id: UUID | None = None


class ItemsIn(Struct):
    items: list[ItemIn] = []


class ItemPatchIn(Struct):
    """PATCH of an item or of a run in a queue. Null says nothing."""

    last_reviewed_time: Moment = None
    added_at: Moment = None


class ItemStatusIn(Struct):
    """POST /annotation-queues/status/{id} and /platform/annotation-queues/items/{id}/status."""

    status: Literal["viewed", "completed"] | None = None
    override_added_at: Moment = None


class RunsDeleteFromQueueIn(Struct):
    """POST /annotation-queues/{id}/runs/delete."""

    delete_all: bool = False
    run_ids: list[UUID] | None = None
    exclude_run_ids: list[UUID] | None = None


class ItemsDeleteIn(Struct):
    """POST /platform/annotation-queues/{id}/items/delete."""

    item_ids: list[UUID] = []


class ExportIn(Struct):
    """POST /annotation-queues/{id}/export. The times bound when items were completed, both exclusive."""

    start_time: Moment = None
    end_time: Moment = None
    include_annotator_detail: bool = False


class ReviewerIn(Struct):
    """POST /platform/annotation-queues/{id}/reviewers."""

    identity_id: UUID
