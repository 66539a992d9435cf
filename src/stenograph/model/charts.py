"""Charts that people save: which figure of which runs, over which time, drawn how. What a chart shows is computed when
it is asked for."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.model.runs import Micros

BUCKETINGS: Final = ("minute", "hour", "day", "week", "month")


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A saved chart. `date_range` (an object) and `query` (an array of filters) are the client's JSON.

    One that names a project is that project's; one that names none is every project's.
    """

    id: UUID
    workspace: UUID
    name: str
    metric: str
    created_at: Micros
    project_id: UUID | None = None
    description: str | None = None
    func: str | None = None
    group_by: str | None = None
    bucketing: str = "day"
    date_range: bytes | None = None
    query: bytes | None = None
    owner_id: str | None = None
    updated_at: Micros | None = None


class ChartPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a chart; UNSET leaves a field as it is."""

    name: str | UnsetType = UNSET
    metric: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    func: str | UnsetType = UNSET
    group_by: str | UnsetType | None = UNSET
    bucketing: str | UnsetType = UNSET
    date_range: bytes | UnsetType = UNSET
    query: bytes | UnsetType = UNSET
    owner_id: str | UnsetType = UNSET
