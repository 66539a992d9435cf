"""LangSmith's bodies about datasets and examples, with its names. Shapes: its OpenAPI document of August 2026.

Unknown fields are ignored. A member that is ABSENT was not sent.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from stenograph.wire.langsmith.runs.schemas import ABSENT, Moment

DataTypeName = Literal["kv", "llm", "chat"]


class DatasetIn(Struct):
    """POST /datasets. Of `extra`, `metadata` is kept."""

    name: str
    id: UUID | None = None
    description: str | None = None
    created_at: Moment = None
    data_type: DataTypeName | None = None
    inputs_schema_definition: Raw = ABSENT
    outputs_schema_definition: Raw = ABSENT
    transformations: Raw = ABSENT
    externally_managed: bool | None = None
    extra: Raw = ABSENT
    tag_value_ids: list[UUID] | None = None


class DatasetPatchIn(Struct):
    """PATCH /datasets/{id}. Null clears; `{"__missing__": …}` stands for a member that was not sent."""

    name: Raw = ABSENT
    description: Raw = ABSENT
    inputs_schema_definition: Raw = ABSENT
    outputs_schema_definition: Raw = ABSENT
    transformations: Raw = ABSENT
    metadata: Raw = ABSENT
    baseline_experiment_id: Raw = ABSENT
    patch_examples: dict[UUID, ExampleUpdateIn] | None = None


class TagIn(Struct):
    """PUT /datasets/{id}/tags."""

    as_of: str | float | int
    tag: str


class SplitIn(Struct):
    """PUT /datasets/{id}/splits."""

    split_name: str
    examples: list[UUID]
    remove: bool = False


class CloneIn(Struct):
    """POST /datasets/clone. No `examples` means all of them."""

    target_dataset_id: UUID
    source_dataset_id: UUID
    as_of: str | float | int | None = None
    examples: list[UUID] | None = None
    split: str | list[str] | None = None


class ExampleIn(Struct):
    """POST /examples, an item of /examples/bulk and of the two that validate."""

    dataset_id: UUID | None = None
    id: UUID | None = None
    inputs: Raw = ABSENT
    outputs: Raw = ABSENT
    metadata: Raw = ABSENT
    split: str | list[str] | None = None
    created_at: Moment = None
    source_run_id: UUID | None = None
    use_source_run_io: bool | None = None
    use_source_run_attachments: list[str] | None = None
    use_legacy_message_format: bool | None = None


class FileOperationsIn(Struct):
    rename: dict[str, str] | None = None
    retain: list[str] | None = None


class ExampleUpdateIn(Struct):
    """PATCH /examples/{id}, and a value of `patch_examples`. Null leaves a member as it is."""

    dataset_id: UUID | None = None
    inputs: Raw = ABSENT
    outputs: Raw = ABSENT
    metadata: Raw = ABSENT
    split: str | list[str] | None = None
    attachments_operations: FileOperationsIn | None = None
    overwrite: bool | None = None


class ExampleUpdateWithIdIn(ExampleUpdateIn, kw_only=True):
    """An item of PATCH /examples/bulk."""

    id: UUID


class MetadataOperationIn(Struct):
    key: str
    operation: str
    value: Raw = ABSENT
    values: list[str] | None = None


class MetadataChangeIn(Struct):
    """PATCH /platform/datasets/{id}/examples/metadata."""

    example_ids: list[UUID]
    operations: list[MetadataOperationIn]


class ExamplesDeleteIn(Struct):
    """POST /platform/datasets/examples/delete."""

    example_ids: list[UUID]
    hard_delete: bool | msgspec.UnsetType = msgspec.UNSET
