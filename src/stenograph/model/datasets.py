"""Datasets: named collections of examples, and the versions that writes to them make."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.model.runs import Micros

LATEST: Final = "latest"
"""The tag every dataset has: its newest version."""


class DataType(StrEnum):
    """What inputs and outputs look like: anything, one text each, or chat messages."""

    KV = "kv"
    LLM = "llm"
    CHAT = "chat"


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset as stored. Schemas and `transformations` are the client's JSON, `metadata` its JSON object.

    `modified_at` is the later of its newest version and the last change of its own fields; one clock serves
    both, so that it can be used as the time of a version. The counts are of this moment.
    """

    id: UUID
    workspace: UUID
    name: str
    created_at: Micros
    modified_at: Micros
    description: str | None = None
    data_type: DataType = DataType.KV
    inputs_schema: bytes | None = None
    outputs_schema: bytes | None = None
    transformations: bytes | None = None
    metadata: bytes | None = None
    externally_managed: bool = False
    baseline_experiment_id: UUID | None = None
    example_count: int = 0
    session_count: int = 0
    last_session_start_time: Micros | None = None


class DatasetPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a dataset. UNSET leaves a field as it is, None clears it."""

    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    inputs_schema: bytes | UnsetType | None = UNSET
    outputs_schema: bytes | UnsetType | None = UNSET
    transformations: bytes | UnsetType | None = UNSET
    metadata: bytes | UnsetType | None = UNSET
    baseline_experiment_id: UUID | UnsetType | None = UNSET


class DatasetSort(StrEnum):
    """The orders of a list; datasets without experiments come last by `last_session_start_time`, descending."""

    NAME = "name"
    CREATED_AT = "created_at"
    MODIFIED_AT = "modified_at"
    LAST_SESSION_START_TIME = "last_session_start_time"
    EXAMPLE_COUNT = "example_count"
    SESSION_COUNT = "session_count"


class DatasetQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which datasets of one workspace, in which order. None means no condition; ties fall to the id.

    `name_contains` ignores case. `metadata` is a JSON object that has to be contained in the dataset's.
    """

    workspace: UUID
    ids: tuple[UUID, ...] | None = None
    name: str | None = None
    name_contains: str | None = None
    data_types: tuple[DataType, ...] | None = None
    metadata: bytes | None = None
    sort: DatasetSort = DatasetSort.LAST_SESSION_START_TIME
    descending: bool = True
    offset: int = 0
    limit: int | None = None


class DatasetVersion(msgspec.Struct, frozen=True):
    """One write to a dataset's examples. A read as of this moment, or any until the next version, sees it."""

    as_of: Micros
    tags: tuple[str, ...] = ()


class DatasetDiff(msgspec.Struct, frozen=True):
    """What happened between two versions: ids of examples. Written again with equal content is modified."""

    added: tuple[UUID, ...]
    removed: tuple[UUID, ...]
    modified: tuple[UUID, ...]


class DeletedDatasets(msgspec.Struct, frozen=True):
    """The ids of those that were there, and the blobs that only they referred to."""

    ids: tuple[UUID, ...]
    files: tuple[str, ...]
