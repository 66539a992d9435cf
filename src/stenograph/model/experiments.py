"""Experiments: what is kept of them beside their project, their runs and their feedback.

A comparative experiment sets experiments over one dataset against each other, in feedback that carries its id.
Column overrides say how a dataset's experiments are shown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.model.projects import Project, metadata_of
from stenograph.model.runs import Micros

DATASET_VERSION: Final = "dataset_version"
"""The member of an experiment's metadata that says as of when its examples were read."""


def dataset_version(experiment: Project) -> Any:
    """What the client says of the version of the dataset; None when it says nothing."""
    metadata = metadata_of(experiment.extra)
    return metadata.get(DATASET_VERSION) if isinstance(metadata, dict) else None


class ComparativeExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison of `experiments`, in the order the client gave. `extra` is the client's JSON object."""

    id: UUID
    workspace: UUID
    dataset_id: UUID
    experiments: tuple[UUID, ...]
    created_at: Micros
    modified_at: Micros
    name: str | None = None
    description: str | None = None
    extra: bytes | None = None


class ComparisonSort(StrEnum):
    """The orders of a list; those without a name come last."""

    NAME = "name"
    CREATED_AT = "created_at"


class ComparisonQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which comparative experiments over one dataset. None means no condition; ties fall to the id.

    `name_contains` ignores case. An empty `ids` matches nothing.
    """

    workspace: UUID
    dataset_id: UUID
    ids: tuple[UUID, ...] | None = None
    name: str | None = None
    name_contains: str | None = None
    sort: ComparisonSort = ComparisonSort.CREATED_AT
    descending: bool = True
    offset: int = 0
    limit: int | None = None


class ColumnOverride(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one column of an experiment's table is shown. `color_gradient` pairs numbers with colours."""

    column: str
    color_gradient: tuple[tuple[float, str], ...] | None = None
    color_map: dict[str, Any] | None = None
    precision: int | None = None
    hide: bool | None = None
    disable_colors: bool | None = None


class ViewOverride(msgspec.Struct, frozen=True, kw_only=True):
    """The column overrides of one dataset, of which it has one set at most. `overrides` are ColumnOverrides as JSON."""

    id: UUID
    workspace: UUID
    dataset_id: UUID
    overrides: bytes
    created_at: Micros
    modified_at: Micros
