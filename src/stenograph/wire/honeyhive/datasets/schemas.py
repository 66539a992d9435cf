"""Bodies of the routes of datasets and datapoints, under HoneyHive's names. Those of both ages differ little: what only
the older clients send has a class of its own, and is not refused from the newer ones.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Raw

ABSENT: Final = Raw(b"")

Name = Annotated[str, msgspec.Meta(max_length=200)]
"""As long as HoneyHive's own; what another client called longer is read all the same."""


class DatasetIn(msgspec.Struct, frozen=True):
    """POST /v1/datasets."""

    name: Name | None = None
    description: str | None = None
    datapoints: list[str] = []


class _Legacy(msgspec.Struct, frozen=True):
    """What older clients say of a dataset besides. `project` is a label: the key decides the workspace."""

    project: str | None = None
    type: Literal["evaluation", "fine-tuning"] | None = None
    pipeline_type: Literal["event", "session"] | None = None
    saved: bool | None = None
    linked_evals: list[str] | None = None
    metadata: Raw = ABSENT


class LegacyDatasetIn(_Legacy, frozen=True):
    """POST /datasets."""

    name: str | None = None
    description: str | None = None
    datapoints: list[str] | None = None


class DatasetUpdateIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PUT /v1/datasets/{dataset_id}."""

    name: Name | None = None
    description: str | None = None
    datapoints: list[str] | None = None


class DatasetUpdateWithIdIn(msgspec.Struct, frozen=True):
    """PUT /v1/datasets."""

    dataset_id: str
    name: Name | None = None
    description: str | None = None
    datapoints: list[str] | None = None


class LegacyDatasetUpdateIn(_Legacy, frozen=True, kw_only=True):
    """PUT /datasets."""

    dataset_id: str
    name: str | None = None
    description: str | None = None
    datapoints: list[str] | None = None


class DatapointIn(msgspec.Struct, frozen=True):
    """POST and PUT of a datapoint, of both ages; null says nothing."""

    inputs: Raw = ABSENT
    history: Raw = ABSENT
    ground_truth: Raw = ABSENT
    metadata: Raw = ABSENT
    linked_event: str | None = None
    linked_evals: list[str] | None = None
    linked_datasets: list[str] | None = None


class MappingIn(msgspec.Struct, frozen=True):
    """Which members of a row, or of an event, become what."""

    inputs: list[str] | None = None
    history: list[str] | None = None
    ground_truth: list[str] | None = None


class AddIn(msgspec.Struct, frozen=True):
    """POST …/datasets/{dataset_id}/datapoints."""

    data: Annotated[list[dict[str, Raw]], msgspec.Meta(min_length=1)]
    mapping: MappingIn


class BatchIn(msgspec.Struct, frozen=True):
    """POST /v1/datapoints/batch: the events that are named, or those that match."""

    events: list[str] | None = None
    mapping: MappingIn | None = None
    filters: Any = None
    dateRange: Any = None
    checkState: dict[str, bool] | None = None
    selectAll: bool | None = None
    dataset_id: str | None = None
